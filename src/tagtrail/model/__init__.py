"""The facts of a release, the settings and the errors: frozen values, no I/O, no clock, no environment."""
