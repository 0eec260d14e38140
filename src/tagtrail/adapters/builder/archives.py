"""The sdist and the wheel of one build: what the backend made, held against the tag and put into normal form.

It is apart from `pep517` because it loads all that reads archives, which has time once the backend has begun.
"""

import shutil
from pathlib import Path

from tagtrail.adapters.builder.blobs import Blobs
from tagtrail.adapters.builder.outputs import (
    Made,
    identified,
    metadata_of_sdist,
    new,
    of_sdist,
    of_wheel,
    pieces_of,
    sifted,
    text_of,
    with_licenses,
    xzed,
)
from tagtrail.formats import tarball
from tagtrail.formats.archive import Limits
from tagtrail.formats.buildsystem import BuildSystem, parse_build_system
from tagtrail.formats.metadata import check_file_name
from tagtrail.formats.wheel import check_tags, metadata_in
from tagtrail.formats.zipball import Wheel
from tagtrail.io.git import Git
from tagtrail.ports import BuildOrder

__all__ = ["Archives"]


class Archives:
    """First `sdist` takes the backend's file; then `packed` and `wheel` may be asked. `room` is the build's directory,
    `seen` where in it foreign code reads the sdist; `limits` are what archives may hold.

    All raise ProjectError `metadata-invalid`, `output-invalid`, `wheel-...` and `archive-...`.
    """

    def __init__(self, order: BuildOrder, room: Path, seen: Path, limits: Limits) -> None:
        self._order = order
        self._room = room
        self._seen = seen
        self._limits = limits
        self._blobs = Blobs(digits=len(order.commit), below=order.subdirectory)

    def compare(self, git: Git) -> None:
        """Read the tag's files, against which `packed` and `wheel` hold what they find."""
        self._blobs.read(git, self._order.commit)

    def sdist(self, file: Path) -> BuildSystem:
        """Lay its tar out in normal form where foreign code sees it, for the wheel is built of that; what it says of
        its build system."""
        order, spool = self._order, self._room / "spool"
        check_file_name(file.name, "sdist", project=order.project, version=order.version)
        with file.open("rb") as source, spool.open("w+b") as spooled, new(self._seen) as out:
            found = tarball.normal_sdist(
                source, spooled, out.write, order.epoch, name=file.name, limits=self._limits
            )  # fmt: skip
            pyproject, setup = (text_of(found, spooled, name) for name in ("pyproject.toml", "setup.py"))
        if found.as_made:
            shutil.copyfile(spool, self._seen)  # not the file: `gzip` takes three times as long as all the rest of it
        self._seen.chmod(0o644)
        self._file, self._sdist = file, found
        text = None if pyproject is None else pyproject.decode("utf-8", "replace")
        return parse_build_system(text, has_setup=setup is not None)

    def packed(self) -> Made:
        """The sdist compressed, compared with the tag, identified by its metadata."""
        file, sdist = self._file, self._sdist
        with (self._room / "spool").open("rb") as spool:
            metadata = metadata_of_sdist(sdist, spool, file.name)
            found = sifted(of_sdist(sdist, spool), self._blobs, self._blobs.of_source())
        chosen = file if sdist.as_made else self._room / "normal" / file.name
        if not sdist.as_made:
            with new(chosen) as out:
                out.writelines(tarball.deflated(pieces_of(self._seen)))
        said = identified(metadata, file.name, self._order)
        names = [m.name.removeprefix(f"{sdist.top}/") for m in sdist.members]
        return Made(
            kind="sdist", name=file.name, file=chosen, tar=sdist.tar, metadata=metadata,
            requires_python=said.requires_python, as_built=sdist.as_made,
            generated=found.generated, remarks=with_licenses(found, said, names, wheel=False),
            members=sum(m.kind != "directory" for m in sdist.members),
        )  # fmt: skip

    def xzed(self, packed: Made) -> Made:
        """The same sdist as .tar.xz."""
        return xzed(packed, self._room / "normal")

    def wheel(self, file: Path) -> Made:
        """The wheel, compared with the tag, identified by its metadata."""
        order = self._order
        check_file_name(file.name, "wheel", project=order.project, version=order.version)
        normal = self._room / "normal" / file.name
        with file.open("rb") as source:
            wheel = Wheel(source, self._limits)
            metadata = metadata_in(wheel, file.name)
            check_tags(wheel, file.name)
            found = sifted(of_wheel(wheel), self._blobs, self._blobs.of_others(m.name for m in wheel.members))
            as_made = wheel.is_normal(order.epoch)
            if as_made:
                wheel.check_layout()
            else:
                with new(normal) as out:
                    wheel.write(out, order.epoch)
        said = identified(metadata, file.name, order)
        names = [m.name for m in wheel.members]
        return Made(
            kind="wheel", name=file.name, file=file if as_made else normal, metadata=metadata,
            requires_python=said.requires_python, as_built=as_made,
            generated=found.generated, remarks=with_licenses(found, said, names, wheel=True),
            members=len(wheel.members),
        )  # fmt: skip
