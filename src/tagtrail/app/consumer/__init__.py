"""What a stranger has and does with it: files and their evidence, sites, pinned roots, and what was seen before."""
