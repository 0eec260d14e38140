"""The site as a function of the trail: which pages an entry touches, and each page's bytes; no I/O, no clock."""

from tagtrail.pages.catalogue import all_paths, page, touched
from tagtrail.pages.html import ready
from tagtrail.pages.notice import digest, notice
from tagtrail.pages.view import ListView, View

__all__ = ["ListView", "View", "all_paths", "digest", "notice", "page", "ready", "touched"]
