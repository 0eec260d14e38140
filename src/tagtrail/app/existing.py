"""Places that other hands filled, asked as surveys: a directory of tarballs, here or at an address, and an index."""

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tagtrail.adapters.listing import LocalTarballs, Tarballs, WebTarballs
from tagtrail.app.consumer.places import check_address
from tagtrail.model.errors import Error, RemoteError, SetupError
from tagtrail.model.facts import Survey
from tagtrail.model.settings import TargetSettings
from tagtrail.ports import Tell

__all__ = ["AT_ONCE", "PATIENCE", "index_survey", "is_place", "simple_address", "tarball_survey", "tarballs"]

AT_ONCE = 4
"""Requests at a time to somebody else's server."""
PATIENCE = 600.0
"""Seconds in which files are hashed; those that are left then are not compared, and it is said."""


def is_place(text: str) -> bool:
    """Whether somebody names a directory or an address, and no target of the settings."""
    return "/" in text or text.startswith(".")


def tarballs(where: str, project: str) -> Tarballs:
    """The directory; `{project}` in `where` stands for the project's name, and there may be none of that name.

    Raises SetupError `url`, `file-missing` where a directory is not there for any project.
    """
    place = where.replace("{project}", project)
    if "://" not in place:
        above, named, _ = where.partition("{project}")
        root = Path(os.path.dirname(above) if named else place)  # noqa: PTH120  ("x/y-{project}" lies in x)
        if not root.is_dir():
            raise SetupError(f"there is no directory {root}", code="file-missing", hint=f"ls -ld {root.parent}")
        return LocalTarballs(Path(place))
    check_address(place)
    return WebTarballs(place)


def tarball_survey(at: Tarballs, name: str, wanted: Callable[[str], bool], tell: Tell) -> Survey:
    """What lies in a directory, with the digests of the files that are `wanted`; silent where it does not answer."""
    try:
        found = at.listing()
        digests = _hashed(at, [file for file in found.files if wanted(file)], tell)
    except RemoteError as error:
        return Survey(target=name, silent=_said(error))
    note = f"{len(found.passed)} links that lead elsewhere are passed over" if found.passed else ""
    return Survey(target=name, files=tuple((file, digests.get(file, "")) for file in found.files), note=note)


def _hashed(at: Tarballs, names: list[str], tell: Tell) -> dict[str, str]:
    """A few at a time, as long as the patience lasts."""
    end, done = time.monotonic() + PATIENCE, dict[str, str]()

    def one(name: str) -> tuple[str, str]:
        return name, at.digest(name) if time.monotonic() < end else ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name, digest in pool.map(one, names):
            done[name] = digest
            tell("bytes", {"what": "hash", "done": len(done), "total": len(names), "unit": "files"})
    return done


def simple_address(index: str) -> str:
    """Where an index's pages are: an address, or the name of a repository as twine resolves it.

    Raises SetupError `index-unknown`, `pypirc`, `url`.
    """
    if "://" in index:
        check_address(index)
        return index
    from tagtrail.app.instance.index import known_index

    known = TargetSettings(name=index, type="index", options=(("repository", index),))
    return known_index(known, os.environ).simple


def index_survey(simple: str, name: str, project: str) -> Survey:
    """What an index's page of a project lists; silent where it does not answer."""
    from tagtrail.adapters.index.shelf import Shelf

    try:
        found = Shelf(simple, login=lambda: None, login_at=simple).files(project)
    except Error as error:
        return Survey(target=name, silent=_said(error))
    yanked = tuple(listed.name for listed in found if listed.yanked)
    return Survey(target=name, files=tuple((one.name, one.sha256) for one in found), yanked=yanked)


def _said(error: Error) -> str:
    return ": ".join(filter(None, (error.what, error.why)))


def surely(places: Iterable[Survey]) -> None:
    """Raise RemoteError `place-silent` where one of them did not answer: what it has nobody knows."""
    for place in places:
        if place.silent:
            why = f"{place.silent}; what it has could be other bytes"
            hint = "run it again; or name the places that are to be asked: --from PLACE"
            raise RemoteError(f"{place.target} does not answer", code="place-silent", why=why, hint=hint)


def known_places(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise SetupError `target-unknown` where a name is neither a target nor a directory or an address."""
    for name in names:
        if not is_place(name) and name not in known:
            why = f"the settings have {', '.join(known)}; a directory or an address has a slash"
            raise SetupError(f"there is no target {name!r}", code="target-unknown", why=why, hint="--from ./DIR")
