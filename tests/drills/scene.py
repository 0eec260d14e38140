"""The stage of a drill: an instance with a release, consumers with roots of their own, a thief, witnesses that serve.

Everything is done by real commands; only the thief brings tools of his own.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagtrail.formats import canonical, merkle, note
from tagtrail.formats import proof as proofs
from tagtrail.formats.note import Signer, parse_skey
from tests.app.world import Ended, World

__all__ = ["FILE", "ORIGIN", "Scene", "Witness", "forged", "proof_of", "witness"]

FILE = "toy-1.0.0.tar.gz"
ORIGIN = "example.org/trail"


class Scene(World):
    """A copy of a world in a directory of its own."""

    @classmethod
    def of(cls, base: World, root: Path) -> "Scene":
        """`base` copied; its repository comes along."""
        shutil.copytree(base.root, root)
        scene = cls.__new__(cls)
        scene.root, scene.repo, scene.home, scene.site = root, root / "toy", root / "home", root / "home" / "site"
        scene.key, scene.stranger = root / "signer", root / "stranger"
        scene.env = {k: v.replace(str(base.root), str(root)) for k, v in base.env.items()}
        settings = scene.home / "tagtrail.toml"
        settings.write_text(settings.read_text().replace(str(base.root), str(root)))
        return scene

    @property
    def file(self) -> Path:
        """An honest file, with its proof and tag beside it."""
        return self.site / "toy" / FILE

    def keys(self, *words: object, exit: int = 0) -> Ended:  # noqa: A002  (what a command ends with)
        """`tagtrail keys`, which must end so."""
        return self.done("keys", *words, exit=exit)

    def done(self, *words: object, exit: int = 0) -> Ended:  # noqa: A002
        """A command in the instance, which must end so."""
        ended = self.tell(*map(str, words))
        assert ended.code == exit, f"{words}: {ended.code} {ended.out} {ended.err}"
        return ended

    def release(self, version: str, *, exit: int = 0) -> Path:  # noqa: A002
        """A new version released; its sdist."""
        self.commit(version)
        self.tag(version)
        self.done("release", "toy", version, exit=exit)
        return self.site / "toy" / f"toy-{version}.tar.gz"

    def private(self, name: str) -> Path:
        """A secret key's file."""
        return self.home / "private" / name

    def stolen(self, name: str) -> Signer:
        """What the thief holds."""
        return parse_skey(self.private(name).read_text().strip())

    # --- consumers ---

    def pin(self, who: str) -> None:
        """Somebody pins, or follows, the site's root."""
        ended = self.run("trust", str(self.site), "--yes", env=self.config(who))
        assert ended.code == 0, ended.err

    def verify(self, who: str, file: Path) -> str:
        """The reason code with which somebody's verification of a file ends; `ok`."""
        ended = self.run("--json", "verify", str(file), env=self.config(who))
        (verdict,) = [e for e in ended.events if e["event"] in ("verified", "refused")]
        assert (ended.code == 0) == (verdict.get("code", "") == "")
        return verdict["code"] or "ok"

    def follow(self, who: str, envelope: bytes, version: int) -> str:
        """The code with which somebody meets a site that shows this root, which nobody honest made."""
        elsewhere = self.root / "elsewhere"
        shutil.rmtree(elsewhere, ignore_errors=True)
        shutil.copytree(self.site / "trail", elsewhere / "trail")
        for name in ("root.json", f"{version}.root.json"):
            (elsewhere / "trail" / name).write_bytes(envelope)
        ended = self.run("--json", "trust", str(elsewhere), "--yes", env=self.config(who))
        return ended.events[-1].get("code") or "ok"

    def config(self, who: str) -> dict[str, str]:
        return {"XDG_CONFIG_HOME": str(self.root / "consumers" / who)}

    # --- the trail ---

    def raws(self) -> list[bytes]:
        """The entries, as a copy of the site has them."""
        return [canonical.dumps(leaf) for leaf in self.leaves()]

    def rule(self) -> dict[str, Any]:
        """The site's root of trust."""
        import base64

        envelope = json.loads((self.site / "trail" / "root.json").read_bytes())
        return dict(json.loads(base64.b64decode(envelope["payload"])))

    def place(self, name: str, data: bytes, proof: bytes) -> Path:
        """A file with a proof and the honest tag beside it, on the thief's mirror."""
        mirror = self.root / "mirror"
        mirror.mkdir(exist_ok=True)
        shutil.copy(self.site / "toy" / "toy-1.0.0.tag", mirror)
        (mirror / f"{name}.tlog-proof").write_bytes(proof)
        (mirror / name).write_bytes(data)
        return mirror / name


def forged(
    raws: list[bytes], index: int, name: str, data: bytes, log: Signer, witnesses: tuple[Signer, ...] = (), at: int = 0
) -> bytes:
    """A proof that entry `index`, as the thief tells it, names `data`: in a tree that forks from `raws` there."""
    leaf: Any = json.loads(raws[index])
    for subject in leaf["subject"]:
        if subject["name"] == name:
            subject["digest"]["sha256"] = sha256(data).hexdigest()
    leaf["predicate"]["tagtrail"]["files"][name]["size"] = len(data)
    leaves = [*raws[:index], canonical.dumps(leaf), *raws[index + 1 :]]
    return proof_of(leaves, index, log, witnesses, at)


def proof_of(leaves: list[bytes], index: int, log: Signer, witnesses: tuple[Signer, ...] = (), at: int = 0) -> bytes:
    """A proof of one of these leaves, under a checkpoint signed by `log`."""
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, number: int) -> bytes:
        return nodes[level, number]

    for n, leaf in enumerate(leaves):
        nodes.update(merkle.complete(n, merkle.leaf_hash(leaf), node))
    root = merkle.root(len(leaves), node)
    hashes = merkle.inclusion(index, len(leaves), node)
    text = note.Checkpoint(origin=log.name, size=len(leaves), root=root).text()
    signed = note.sign(text, [log])
    if witnesses:
        signed = replace(signed, signatures=(*signed.signatures, *note.sign(text, witnesses, time=at).signatures))
    return proofs.Proof(index=index, hashes=hashes, checkpoint=signed.encode(), extra=leaves[index]).encode()


class Witness:
    """A witness of somebody else, served on loopback."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene
        self.directory = scene.root / f"witness-{name}"
        ended = scene.run("--json", "witness", "init", str(self.directory), "--name", f"{name}.example/w")
        assert ended.code == 0, ended.err
        self.name, self.vkey = name, ended.event("witness")["vkey"]
        self.url = ""

    def know(self, vkey: str) -> None:
        """Its operator is told a log's key."""
        ended = self.scene.run("witness", "add", str(self.directory), vkey)
        assert ended.code == 0, ended.err

    @property
    def line(self) -> str:
        """Its line in a policy."""
        return f"witness {self.name} {self.vkey} {self.url}\n"


@contextmanager
def witness(scene: Scene, name: str) -> Iterator[Witness]:
    """A witness that serves until the block ends."""
    made = Witness(scene, name)
    argv = scene.argv("--json", "witness", "serve", str(made.directory), "--listen", "127.0.0.1:0")
    server = subprocess.Popen(argv, env=scene.env, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        made.url = json.loads(server.stdout.readline())["url"]
        yield made
    finally:
        server.terminate()
        server.communicate(timeout=20)
