"""How many examples a law gets that is dear to check."""

from hypothesis import settings

sparing = settings(max_examples=max(10, settings().max_examples // 5))
"""A fifth of what the loaded profile gives to every law."""
