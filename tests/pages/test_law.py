"""The law of pages: what entries touch, rendered in any steps, gives the bytes of everything rendered at once."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagtrail.formats.root import Allowed
from tagtrail.formats.site import Site
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry
from tagtrail.pages import ListView, View, all_paths, page, touched
from tagtrail.pages.html import RECENT
from tests.pages.trails import PGP, SITE, SSH, Trail, begun

OTHER = Site(name="Other", origin=SITE.origin, path="files/{project}/{file}")
SPELLINGS = {"nova": ("nova", "Nova"), "oslo.config": ("oslo.config", "oslo-config"), "blobs": ("blobs",)}


@st.composite
def steps(draw: st.DrawFn) -> list[Callable[[Trail], object]]:
    """A history: releases in several spellings, files added, withdrawals, keys, and what else there is."""
    return [draw(st.one_of(releases(), events(), keys())) for _ in range(draw(st.integers(1, 12)))]


def releases() -> st.SearchStrategy[Callable[[Trail], object]]:
    names = st.sampled_from([(key, name) for key, names in SPELLINGS.items() for name in names])
    versions = st.sampled_from(["1.0", "1.0.0", "1.1rc1", "2.0", "2026-03"])
    signers = st.sampled_from([PGP.fingerprint, SSH.fingerprint])
    return st.builds(
        lambda name, version, signer, added, generic, process: (
            lambda trail: trail.release(
                name[1],
                version,
                signer=signer,
                notes=f"# {version}",
                runbook=f"# How\n\n{version}" if process else "",
                purl="pkg:generic/x@1" if generic or name[0] == "blobs" else None,
                added=(f"{name[1]}-{version}.tar.gz",) if added else (),
            )
        ),
        names,
        versions,
        signers,
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )


def events() -> st.SearchStrategy[Callable[[Trail], object]]:
    names = st.sampled_from([name for names in SPELLINGS.values() for name in names])
    versions = st.sampled_from(["", "1.0", "1.0.0", "1.1rc1", "9"])
    kinds = st.sampled_from(["withdraw", "attach", "import", "reproduced"])
    return st.builds(
        lambda kind, name, version: lambda trail: trail.event(kind, name, {"x": "0" * 64}, version=version),
        kinds,
        names,
        versions,
    )


def keys() -> st.SearchStrategy[Callable[[Trail], object]]:
    people = st.dictionaries(
        st.sampled_from(["nova", "oslo.config", "blobs"]),
        st.sampled_from([(Allowed(key=PGP.fingerprint),), (Allowed(key=SSH.fingerprint, start=1, until=3),)]),
    )
    return st.builds(
        lambda site, signers, release_key: (
            lambda trail: trail.key(site=site, signers=signers, release_key=release_key or not (site or signers))
        ),
        st.sampled_from([None, None, SITE, OTHER]),
        st.one_of(st.none(), people),
        st.booleans(),
    )


def catch_up(site: dict[str, bytes], view: View, entries: list[Entry]) -> None:
    for path in {path for entry in entries for path in touched(entry, view)}:
        site[path] = page(path, view)


@settings(max_examples=12)
@given(history=steps(), cuts=st.sets(st.integers(1, 13)), late=st.booleans())
def test_in_steps_is_from_nothing(history: list[Callable[[Trail], object]], cuts: set[int], late: bool) -> None:
    trail = Trail() if late else begun()
    for step in history:
        step(trail)
    if late:
        trail.key(site=SITE, signers={}, release_key=True)
    site: dict[str, bytes] = {}
    size = len(trail.entries)
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), size], strict=True):
        catch_up(site, trail.upto(min(stop, size)), trail.entries[start:stop])
    view = trail.view
    assert sorted(site) == list(all_paths(view))
    for path, data in site.items():
        assert data == page(path, view), path


def test_one_entry_at_a_time() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.release("Nova", "2.0", signer=SSH.fingerprint)
    trail.release("blobs", "1.0", purl="pkg:generic/blobs@1.0")
    trail.withdraw("NOVA", "1.0.0", "broken")
    trail.release("nova", "2.0", files={"nova-2.0.tar.gz": {}, "nova-2.0.zip": {}}, added=("nova-2.0.zip",))
    trail.event("reproduced", "blobs", {"x": "0" * 64}, version="1.0")
    trail.key(signers={"nova": (Allowed(key=SSH.fingerprint),)})
    trail.release("blobs", "2.0")
    site: dict[str, bytes] = {}
    for index, entry in enumerate(trail.entries):
        catch_up(site, trail.upto(index + 1), [entry])
    assert site == {path: page(path, trail.view) for path in all_paths(trail.view)}


def test_nothing_is_shown_before_keys_name_a_root_and_a_site() -> None:
    trail = Trail()
    entry = trail.release("nova", "1.0")
    assert touched(entry, trail.view) == ()
    trail.key(site=SITE)
    assert all_paths(trail.view) == ()
    trail.key(signers={})
    assert "nova/1.0/index.html" in all_paths(trail.view)
    assert touched(trail.entries[-1], trail.view) == all_paths(trail.view)


class Counting(ListView):
    """A view that remembers whose entries it was asked for."""

    asked: frozenset[str] = frozenset()

    def entries(self, project: str) -> tuple[Entry, ...]:
        self.asked |= {project.lower()}
        return super().entries(project)


@pytest.mark.parametrize("others", [3, 60])
def test_a_release_costs_the_same_however_many_projects_there_are(others: int) -> None:
    trail = begun()
    for number in range(others):
        trail.release(f"lib{number}", "1.0")
    for number in range(RECENT):
        trail.release("nova", f"{number}.0")
    view = Counting(trail.entries, trail.bytes.__getitem__)
    paths = touched(trail.entries[-1], view)
    for path in paths:
        page(path, view)
    assert len(paths) == 16
    assert view.asked == {"nova"}


def test_a_root_touches_the_keys_of_those_projects_only_that_it_changes() -> None:
    trail = begun()
    for name in ("nova", "glance"):
        trail.release(name, "1.0")
    before = trail.key(signers={"nova": (Allowed(key=PGP.fingerprint),), "glance": (Allowed(key=PGP.fingerprint),)})
    after = trail.key(
        signers={"nova": (Allowed(key=PGP.fingerprint, until=9),), "glance": (Allowed(key=PGP.fingerprint),)}
    )
    assert {p for p in touched(before, trail.view) if "keys" in p} == {"trail/keys/nova.asc", "trail/keys/glance.asc"}
    assert {p for p in touched(after, trail.view) if "keys" in p} == {"trail/keys/nova.asc"}


@pytest.mark.parametrize("version", ["releases.json", "INDEX.html", "feed.atom", "watch"])
def test_versions_that_cannot_be_a_page(version: str) -> None:
    trail = begun()
    entry = trail.release("nova", version, files={"nova-1.0.tar.gz": {}})
    for ask in (lambda: touched(entry, trail.view), lambda: all_paths(trail.view)):
        with pytest.raises(TamperError) as refused:
            ask()
        assert refused.value.code == "page-name"


@pytest.mark.parametrize(
    "path",
    [
        "nope", "nova/nope", "nova/2.0/index.html", "glance/index.html", "simple/glance/index.html", "trail/x/y",
        "simple/Nova/index.json", "trail/keys/nova.allowed_signers", "trail/keys/glance.asc", "trail/2.root.json",
        "nova/1.0.0/index.html", "simple/blobs/index.html", "simple/nova/x", "nova/1.0/x/index.html", "NOVA/feed.atom",
        "glance/releases.json", "glance/feed.atom",
    ],
)  # fmt: skip
def test_what_is_no_page(path: str) -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.release("blobs", "1.0", purl="pkg:generic/blobs@1.0")
    assert path not in all_paths(trail.view)
    with pytest.raises(KeyError):
        page(path, trail.view)
