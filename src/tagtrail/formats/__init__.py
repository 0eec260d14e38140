"""Bytes to facts and back, strict both ways, no I/O: each module's docstring is the specification of its format."""
