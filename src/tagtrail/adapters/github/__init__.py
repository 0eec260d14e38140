"""GitHub releases as a place: what is there is listed, then a draft is made, filled with files and published."""
