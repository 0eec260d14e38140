"""One look at a site: the trail, its entries, files and pages, and what lies there beside them.

The site's paths are listed first and the checkpoint is read after: what the list has, the trail has, unless something
is wrong. Reason codes beside those of the other rooms: file-unknown, project-unknown, and page-differs for a site.json
that cannot be used.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from tagtrail import pages
from tagtrail.formats import policy
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import CHECKPOINT, RENDERER, Site, simple_page
from tagtrail.formats.times import format_time
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import frozen
from tagtrail.model.names import project_key
from tagtrail.ports import Clock, Tell
from tagtrail.verify.roots import policy_of
from tagtrail.workflows.audit import laws
from tagtrail.workflows.audit.files import FileJudge, Places, placed
from tagtrail.workflows.audit.index import compare_index
from tagtrail.workflows.audit.pages import PageJudge
from tagtrail.workflows.audit.report import SILENT, Audited, Report
from tagtrail.workflows.audit.site import SiteReader, read
from tagtrail.workflows.audit.trail import (
    TRAIL,
    Remembered,
    check_remembered,
    check_tiles,
    follow_roots,
    open_trail,
)
from tagtrail.workflows.inventory import is_ours

__all__ = ["FRESH", "Asked", "look"]

FRESH = 3600
"""Seconds for which the newest entry may still be on its way to the site."""

_PAGES = (".html", ".json", ".atom", ".rss", "/watch")
_LISTED = frozenset({"key", "import", "withdraw"})
T = TypeVar("T")


@frozen
class Asked:
    """What is to be audited: all of it, or one project, or what came after something remembered.

    `signers` are the fingerprints that a maintainer expects; `jobs` how many things are read at once.
    """

    project: str = ""
    signers: tuple[str, ...] = ()
    since: Remembered | None = None
    jobs: int = 4

    def concerns(self, entry: Entry) -> bool:
        """Whether an entry is of the asked project."""
        return not self.project or project_key(entry.project) == project_key(self.project)


def look(
    site: SiteReader,
    trust: Root | Policy,
    asked: Asked,
    *,
    tell: Tell,
    clock: Clock,
    doubted: frozenset[str] | None = None,
) -> Audited:
    """Look once. With `doubted` (paths, `entry N`), only these files and pages are measured; all else is judged anew.

    Raises SetupError project-unknown; RemoteError where the trail itself cannot be read.
    """
    pool = ThreadPoolExecutor(asked.jobs, thread_name_prefix="audit")
    try:
        return _Look(site, trust, asked, pool, _Progress(tell, clock), doubted).run()
    finally:
        pool.shutdown(cancel_futures=True)


class _Progress:
    """Says at most once a second how far it got."""

    def __init__(self, tell: Tell, clock: Clock) -> None:
        self.tell = tell
        self.clock = clock
        self.now = self.said = clock()

    def __call__(self, what: str, done: int, total: int, unit: str) -> None:
        if self.clock() != self.said:
            self.said = self.clock()
            self.tell("bytes", {"what": what, "done": done, "total": total} | ({"unit": unit} if unit else {}))


class _Look:
    """One look; everything found wrong is gathered in `report`."""

    def __init__(
        self,
        site: SiteReader,
        trust: Root | Policy,
        asked: Asked,
        pool: ThreadPoolExecutor,
        progress: _Progress,
        doubted: frozenset[str] | None,
    ) -> None:
        self.site = site
        self.trust = trust
        self.asked = asked
        self.pool = pool
        self.progress = progress
        self.doubted = doubted
        self.now = progress.now
        self.report = Report()
        self.silences = 0
        self.kept = lru_cache(maxsize=4096)(self._kept)

    def run(self) -> Audited:
        """Trail, entries, files, pages, and what is there beside them."""
        paths = self.site.paths()
        listed = None if paths is None else tuple(paths)
        self.trust = follow_roots(self.site, self.trust, self.report)
        try:
            self.trail = open_trail(self.site, self.trust, self.now, self.pool, self.report, self.progress)
        except TamperError as error:
            self.report.refused(CHECKPOINT, error)
            return self._stopped()
        if self.asked.since and not check_remembered(self.trail, self.asked.since, self.report):
            return self._stopped()
        self.entries = tuple(e for e in self.trail.entries if self.asked.concerns(e))
        if self.asked.project and not self.entries:
            raise _unknown_project(self.asked.project, self.trail.entries)
        self.new = tuple(e for e in self.entries if e.index >= self._since())
        self._laws()
        if listed is not None and not self.asked.project:
            check_tiles(self.site, self.trail, listed, self.report)
        if self._site_is_known():
            self._files()
            self._pages()
            self._unknown(listed)
        self.report.extend(laws.backdated(self.trail.entries, self._witnessed()))
        self._say_what_rests()
        return self._result(whole=True)

    def _since(self) -> int:
        return self.asked.since.size if self.asked.since else 0

    def _stopped(self) -> Audited:
        self.report.left_out["everything else"] = "the trail itself does not hold"
        return self._result(whole=False)

    # --- entries ---

    def _laws(self) -> None:
        self.report.extend(laws.in_order(self.trail.entries, self.now))
        self.report.extend(laws.broken_laws(self.entries))
        if isinstance(self.trust, Root):
            self.report.extend(laws.without_right(self.entries, self.trust))
        self.report.extend(laws.unexpected_signers(self.new, self.asked.signers))

    def _witnessed(self) -> Iterator[tuple[int, int]]:
        """Sizes, and when witnesses had seen them, by all proofs that were looked at."""
        yield from self.report.seen
        before = self.asked.since
        if before and before.note:
            try:
                believed = policy_of(self.trust) if isinstance(self.trust, Root) else self.trust
                moment = policy.check(believed, before.note).witnessed_time
            except TamperError:
                return  # signed by keys that have changed since: it said nothing of a time then
            if moment is not None:
                yield before.size, moment

    def _site_is_known(self) -> bool:
        """Whether the logged settings of the site lie there: without them nobody knows where files belong."""
        keys = [entry for entry in self.trail.entries if entry.event == "key"]
        self.stored = {file.sha256: _key_path(file.name) for entry in keys for file in entry.files}
        self.logged = frozenset(self.stored.values())
        self.view = pages.ListView(self.trail.entries, self.kept)
        try:
            self.layout: Site = self.view.site
        except (TamperError, LookupError) as error:
            self.report.found("page-differs", f"{TRAIL}site.json", str(error))
            self.report.left_out["files and pages"] = "without the site's logged settings nobody knows where they are"
            return False
        self.places: Places = placed(self.trail.entries, self.layout, self.report)
        for path, (digest, _) in self.places.items():
            self.stored.setdefault(digest, path)
        return True

    def _kept(self, digest: str) -> bytes:
        path = self.stored.get(digest, digest)
        data = read(self.site, path)
        if data is None:
            raise TamperError(f"{path} is missing", code="kept-missing")
        if (found := sha256(data).hexdigest()) != digest:
            raise TamperError(f"{path} is {found}, the trail says {digest}", code="kept-altered")
        return data

    # --- files ---

    def _files(self) -> None:
        keys = self.trust.release if isinstance(self.trust, Root) else ()
        judge = FileJudge(
            site=self.site,
            trail=self.trail,
            layout=self.layout,
            places=self.places,
            trust=self.trust,
            keys=keys,
            late=self._late(),
            now=self.now,
        )
        entries = [e for e in self.new if e.event == "release" and self._doubts(e)]
        sizes = [sum(file.size for file in entry.files) for entry in entries]
        self._each("files", judge.judge, entries, sizes)

    def _doubts(self, entry: Entry) -> bool:
        if self.doubted is None:
            return True
        own = {
            self.layout.file(entry.project, name) for name in (*dict(entry.sidecars), *(f.name for f in entry.files))
        }
        beside = {f"{path}.{suffix}" for path in own for suffix in ("tlog-proof", "metadata")}
        return bool(self.doubted & {f"entry {entry.index}", *own, *beside})

    def _late(self) -> int:
        """From which index on things may still be on their way: the newest entry, and key entries right before it."""
        entries = self.trail.entries
        if not entries or self.now - entries[-1].time >= FRESH:
            return self.trail.size
        index = len(entries) - 1
        while index and entries[index - 1].event == "key":
            index -= 1
        return entries[index].index

    # --- pages ---

    def _pages(self) -> None:
        entries = self.trail.entries
        try:
            every = frozenset(pages.all_paths(self.view))
            late = frozenset(p for e in entries if e.index >= self._late() for p in pages.touched(e, self.view))
            wanted = self._wanted(every)
        except TamperError as error:
            self.report.refused("pages", error)
            self.report.left_out["pages"] = error.what
            self.pages: frozenset[str] = frozenset()
            return
        self.pages = every
        for path in sorted(every & self.places.keys()):
            self.report.found("path-taken", path, f"a file of entry {self.places[path][1]}", "a page of the site")
        if self.layout.renderer != RENDERER:
            made = f"they were made by renderer {self.layout.renderer}, this is {RENDERER}"
            self.report.left_out["pages"] = f"{made}; of the index, the fields were compared"
            self.report.extend(compare_index(self.view, self.site, self.asked.project))
            return
        before = pages.ListView([e for e in entries if e.index < self._late()], self.kept)
        judge = PageJudge(site=self.site, view=self.view, before=before, late=late, logged=self.logged)
        self._each("pages", judge.judge, wanted, [1] * len(wanted), unit="pages")

    def _wanted(self, every: frozenset[str]) -> tuple[str, ...]:
        """The pages to compare: those that new entries touch, and of them the asked project's."""
        found: Iterable[str] = every
        if self._since() or self.asked.project:
            touched = frozenset(path for entry in self.new for path in pages.touched(entry, self.view))
            if not self._since():
                touched |= {path for path in every if self._is_asked(path)}
            found = touched if not self.asked.project else filter(self._is_asked, touched)
        return tuple(sorted(path for path in found if self.doubted is None or path in self.doubted))

    def _is_asked(self, path: str) -> bool:
        names = {entry.project for entry in self.entries}
        simple = simple_page(self.asked.project).removesuffix("index.html")
        return path.startswith(simple) or any(path.startswith((f"{n}/", f"{TRAIL}keys/{n}.")) for n in names)

    def _unknown(self, listed: tuple[str, ...] | None) -> None:
        if listed is None:
            because = "over HTTP a site has no listing: a file was looked for only where the trail or a page names it"
            self.report.left_out["files that nothing names"] = because
            return
        for path in listed:
            known = path in self.places or path in self.pages or is_ours(path)
            if known or (self.asked.project and not self._is_asked(path)):
                continue
            if "pages" in self.report.left_out and path.endswith(_PAGES):
                self.report.left_out[path] = "it looks like a page of that renderer"
            else:
                self.report.found("file-unknown", path, "a file", "nothing: no entry names it, no page is called so")

    # --- many at once ---

    def _each(
        self, what: str, judge: Callable[[T], Report], items: Sequence[T], sizes: Sequence[int], unit: str = ""
    ) -> None:
        """Judge all of them, several at once; what they found stays in their order."""
        done, total = 0, sum(sizes)

        def unless_silent(item: T) -> Report | None:
            if self.silences >= SILENT:
                return None
            report = judge(item)
            self.silences += report.silences
            return report

        for size, found in zip(sizes, self.pool.map(unless_silent, items), strict=True):
            if found is None:
                self.report.left_out[f"the other {what}"] = "the site did not answer again and again"
                continue
            self.report.add(found)
            done += size
            self.progress(what, done, total, unit)

    # --- words ---

    def _say_what_rests(self) -> None:
        """What is not proven although nothing was found."""
        left_out, entries = self.report.left_out, self.new
        if isinstance(self.trust, Policy):
            left_out["signers of tags, signatures of files"] = "a log policy names nobody who may sign"
        elif self.trust.expires <= self.now:
            expired = format_time(self.trust.expires)
            left_out["newer roots"] = f"root {self.trust.version} expired at {expired} and no newer one lies here"
        if self._since() and self.asked.since and not self.asked.since.note:
            left_out["whether the log grew out of what it was"] = f"size {self._since()} names no root hash"
        if self.trail.checked.witnessed_time is None:
            left_out["times"] = "no witness saw the checkpoint: they are the operator's word"
        if self.report.unsigned:
            count = f"{self.report.unsigned} files"
            left_out[f"OpenPGP signatures of {count}"] = "they are too large to be held in memory; gpg --verify"
        if any(e.approvals for e in entries):
            left_out["approvals"] = "their signatures were not looked at"
        if any(e.event == "import" or f.origin.how == "imported" for e in entries for f in e.files):
            left_out["imported files"] = "that they are the originals is the operator's word: nobody saw their release"

    def _result(self, *, whole: bool) -> Audited:
        trail = self.trail if hasattr(self, "trail") else None
        new = self.new if whole else ()
        return Audited(
            origin=trail.checked.checkpoint.origin if trail else "",
            size=trail.size if trail else 0,
            new=len(new),
            files=self.report.files,
            pages=self.report.pages,
            findings=tuple(self.report.findings),
            left_out=tuple(self.report.left_out.items()),
            listed=tuple(self._listed()) if whole else (),
            note=trail.note if trail else b"",
            whole=whole,
        )

    def _listed(self) -> Iterator[Entry]:
        """What people want to know of: keys always, of a watched project everything, else what is no plain release."""
        for entry in (e for e in self.trail.entries if e.index >= self._since()):
            mine = self.asked.concerns(entry)
            if entry.event == "key" or (mine and (self.asked.project or entry.event in _LISTED or entry.overrides)):
                yield entry


def _key_path(name: str) -> str:
    """Where a file that a key entry names is shown."""
    return f"{TRAIL}keys/{name}" if name == "release-key.asc" else f"{TRAIL}{name}"


def _unknown_project(name: str, entries: Iterable[Entry]) -> SetupError:
    from difflib import get_close_matches

    names = sorted({entry.project for entry in entries if entry.project})
    near = get_close_matches(name, names, n=1)
    hint = f"--project {near[0]}" if near else "write it as the site does"
    return SetupError(f"the trail knows no project {name!r}", code="project-unknown", hint=hint)
