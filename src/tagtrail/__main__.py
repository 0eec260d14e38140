"""`python -m tagtrail`: the command line, where no script of that name is on the path."""

import sys

from tagtrail.app.main import main

sys.exit(main())
