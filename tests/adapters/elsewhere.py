"""Builds a tag, in whatever surroundings this process was started: `python elsewhere.py < JSON`.

The order is {"root", "repo", "name", "tag", "isolation", "pins"}; the answer, on standard output, has files,
what they say of themselves and what was noticed in them, refs and materials.
"""

import json
import sys
from pathlib import Path

from tagtrail.adapters.builder.environments import Environments
from tagtrail.adapters.builder.pep517 import Pep517
from tagtrail.adapters.directory import DirectoryKept
from tagtrail.adapters.git import GitSource
from tagtrail.ports import BuildOrder


def main() -> None:
    asked = json.load(sys.stdin)
    root, name, tag = Path(asked["root"]), asked["name"], asked["tag"]
    root.mkdir(parents=True, exist_ok=True)
    source = GitSource(root / "repos")
    found = source.read(asked["repo"], tag)
    objects = source.objects(asked["repo"], tag, found.commit)
    order = BuildOrder(
        project=name, version=tag, tag=tag, commit=found.commit, epoch=found.time, builds=("sdist", "wheel"),
        refs=objects.refs, isolation=asked["isolation"],
    )  # fmt: skip
    environments = Environments(root / "envs", root / "scratch", pins=asked["pins"], clock=lambda: found.time)
    builder = Pep517(root / "state", root / "scratch", environments)
    kept = DirectoryKept(root / "kept")
    made = builder.build(order, objects, kept)
    answer = {
        "files": [[a.name, a.blob.sha256, a.tar, list(a.generated), a.requires_python] for a in made],
        "said": [[a.name, kept.read(a.metadata.sha256).decode()] for a in made if a.metadata],
        "remarks": [[a.name, r.kind, r.member, r.what] for a in made for r in a.remarks],
        "tree": builder.tree(order, objects),
        "refs": objects.refs,
        "materials": [[m.uri, m.record] for m in made[0].materials],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
