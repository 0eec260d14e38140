"""What `tagtrail serve` answers: uploads of files that were built elsewhere, and the staging index of a draft."""
