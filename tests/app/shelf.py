"""A workshop's release as a site: in a directory, pinned, and served on loopback."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tagtrail.formats import tiles
from tagtrail.formats.site import Site, format_site
from tests.app.desk import lay, lay_root
from tests.verify.workshop import CONTENT, NAME, ORIGIN, Workshop

PIN = "releases.example.org%2Ftrail"
DIGEST = sha256(CONTENT).hexdigest()


def row(name: str = NAME, sha256: str = DIGEST, url: str = "", **more: Any) -> dict[str, Any]:
    """A file as the index lists it."""
    return {"filename": name, "url": url or f"../../nova/{name}", "hashes": {"sha256": sha256}, **more}


def lay_site(root: Path, shop: Workshop | None = None, *, path: str = "{project}/{file}") -> Path:
    """The site of a workshop: its one release, its log and its index."""
    shop = shop or Workshop()
    site = Site(name="Example", origin=ORIGIN, path=path)
    lay((root / site.file("nova", NAME)).parent, shop)
    trail = root / "trail"
    trail.mkdir(parents=True, exist_ok=True)
    (trail / "site.json").write_bytes(format_site(site))
    lay_log(trail, shop)
    lay_index(root, row(url=f"../../{site.file('nova', NAME)}"))
    return root


def lay_log(trail: Path, shop: Workshop) -> Path:
    """The workshop's checkpoint and its tiles of hashes; the checkpoint's path."""
    trail.mkdir(parents=True, exist_ok=True)
    for tile in tiles.grown(0, shop.size):
        if tile.level is not None:
            at = trail / tile.path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(tiles.tile_bytes(tile, shop.node))
    (trail / "checkpoint").write_bytes(shop.proof().checkpoint)
    return trail / "checkpoint"


def lay_index(root: Path, *rows: Mapping[str, Any]) -> None:
    """The page of nova in the site's package index."""
    page = root / "simple" / "nova" / "index.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps({"meta": {"api-version": "1.4"}, "name": "nova", "files": rows}))


def pin(config: Path, where: object, shop: Workshop | None = None) -> None:
    """What `tagtrail trust` would have written."""
    lay_root(config / "tagtrail" / "trust" / f"{PIN}.root.json", shop)
    (config / "tagtrail" / "trust" / f"{PIN}.url").write_text(f"{where}\n")


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """No pins, no memory and no instance but those below `root`."""
    before = dict(os.environ)
    os.environ["XDG_CONFIG_HOME"] = str(root / "config")
    os.environ["XDG_STATE_HOME"] = str(root / "state")
    os.environ.pop("TAGTRAIL_HOME", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Web(SimpleHTTPRequestHandler):
    """A static site that notes what is asked for; files called `broken` answer 500."""

    asked: list[str]

    def __init__(self, *args: Any, asked: list[str], **named: Any) -> None:
        self.asked = asked
        super().__init__(*args, **named)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "broken" in self.path:
            self.send_error(500)
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a directory on loopback, and what was asked for so far."""
    asked: list[str] = []
    handler = partial(Web, directory=str(directory), asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            thread.join()
