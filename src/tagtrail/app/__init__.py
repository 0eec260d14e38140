"""Wiring, the command line, and what people read in the terminal."""
