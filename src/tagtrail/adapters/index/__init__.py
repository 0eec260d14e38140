"""A package index as a place: its pages are read as a consumer reads them, files are uploaded by its form."""
