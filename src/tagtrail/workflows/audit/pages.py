"""The pages of a site against those that the trail makes: byte for byte, or the fields of its index.

Reason codes: page-missing, page-differs, unfinished, and those of `index`.
"""

from tagtrail import pages
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.frozen import frozen
from tagtrail.workflows.audit.index import compare_page
from tagtrail.workflows.audit.report import Report
from tagtrail.workflows.audit.site import LARGEST, SiteReader, read, stated

__all__ = ["PageJudge"]


@frozen
class PageJudge:
    """Judges one page after the other; many threads may ask it.

    `before` is the view without the newest entry, `late` are the pages that may still show that one. `logged` are
    pages that are bytes which a key entry names.
    """

    site: SiteReader
    view: pages.ListView
    before: pages.ListView
    late: frozenset[str]
    logged: frozenset[str]

    def judge(self, path: str) -> Report:
        """One page. A site that does not answer is a finding of its own."""
        report = Report(pages=1)
        try:
            self._compare(path, report)
        except (TamperError, RemoteError) as error:
            report.refused(path, error)
        return report

    def _compare(self, path: str, report: Report) -> None:
        there = read(self.site, path, LARGEST)
        wanted, why = _made(path, self.view)
        if wanted is None:
            if there is None:
                report.found("page-missing", path, "not there", f"a page, although it cannot be made here: {why}")
            elif path in self.logged:
                report.found("page-differs", path, stated(there), why)
            else:
                report.left_out[path] = f"it cannot be made here: {why}"
        elif there == wanted:
            return
        elif path in self.late and (there is None or there == _made(path, self.before)[0]):
            report.unfinished(path, "not yet as the newest entry wants it", stated(wanted))
        elif there is None:
            report.found("page-missing", path, "not there", stated(wanted))
        else:
            report.found("page-differs", path, stated(there), stated(wanted))
            report.extend(compare_page(path, there, wanted))


def _made(path: str, view: pages.ListView) -> tuple[bytes | None, str]:
    """A page's bytes; or None, and why it cannot be made."""
    try:
        return pages.page(path, view), ""
    except TamperError as error:
        return None, error.what
    except LookupError:
        return None, "it is no page yet"
