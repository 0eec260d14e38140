"""Launchpad as a place: a milestone, its release, the files with their signatures; then the milestone is closed."""
