"""One file for each outside thing; adapters never import adapters."""
