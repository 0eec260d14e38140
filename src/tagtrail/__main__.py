"""`python -m tagtrail`: the command line, where no script of that name is on the path."""

from tagtrail.app.main import run

run()
