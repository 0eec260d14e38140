"""Servers: uploads of files built elsewhere with the staging index of a draft, and the witness."""
