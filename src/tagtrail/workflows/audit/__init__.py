"""A whole site against its trail, both ways: the log proven, its entries lawful, their files there, and nothing else.

The rooms: `site` (how a site is read), `report` (what was found), `trail` (roots, tree, entries, tiles, what was
remembered), `laws` (what entries may not say), `files`, `pages`, `index` (a stranger's index), `look` (one look at all
of it), `twice` (who finds something looks again).
"""

from tagtrail.workflows.audit.look import FRESH, Asked, look
from tagtrail.workflows.audit.report import Audited, Mismatch
from tagtrail.workflows.audit.site import SiteReader
from tagtrail.workflows.audit.trail import Remembered
from tagtrail.workflows.audit.twice import AGAIN, audit

__all__ = ["AGAIN", "FRESH", "Asked", "Audited", "Mismatch", "Remembered", "SiteReader", "audit", "look"]
