"""tagtrail: from a signed tag to a download anyone can verify."""

__version__ = "0.1.0"
