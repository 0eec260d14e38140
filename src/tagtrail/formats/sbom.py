"""PROJECT-VERSION.cdx.json: a software bill of materials in CycloneDX 1.6 (JSON), made of the built metadata.

    {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
     "serialNumber": "urn:uuid:...",                           made from the purl and the files' digests
     "metadata": {
       "timestamp": "2026-04-01T15:00:00+00:00",               SOURCE_DATE_EPOCH
       "lifecycles": [{"phase": "build"}],
       "component": {"bom-ref": "pkg:pypi/nova@33.0.0", "type": "library", "name": "nova", "version": "33.0.0",
                     "purl": "pkg:pypi/nova@33.0.0", "licenses": [{"expression": "Apache-2.0"}],
                     "externalReferences": [{"type": "distribution", "url": "nova-33.0.0.tar.gz",
                                             "hashes": [{"alg": "SHA-256", "content": "..."}]}]},
       "properties": [{"name": "tagtrail:covers", "value": "..."}]},
     "components": [{"bom-ref": "pkg:pypi/pbr", "type": "library", "name": "pbr", "purl": "pkg:pypi/pbr",
                     "scope": "required",                      "optional": only with an extra
                     "properties": [{"name": "tagtrail:requires", "value": "pbr>=6.0"}]}],
     "dependencies": [{"ref": "pkg:pypi/nova@33.0.0", "dependsOn": ["pkg:pypi/pbr"]}, {"ref": "pkg:pypi/pbr"}]}

It covers what the metadata of files that were built here declare (Requires-Dist): no versions, for nothing was
resolved; of brought files only names and digests; nothing that a wheel carries inside. `tagtrail:covers` says so. The
bytes depend on the metadata, the files, the epoch and the version of the library that writes them. A
project's own SBOM takes its place: any CycloneDX JSON from 1.2 on, its bytes left as they are.

Source: CycloneDX 1.6 (ECMA-424), written by cyclonedx-python-lib, which is imported here alone, and slowly: `ready`
does that beside the build. Reason codes (ProjectError): sbom-form, metadata-invalid.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tagtrail.formats.canonical import loads_strict
from tagtrail.formats.encoding import shown
from tagtrail.formats.metadata import parse_metadata
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.metadata import Metadata

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

__all__ = ["COVERS", "check_own", "format_sbom", "ready", "sbom_name"]

_LOADED = ("cyclonedx.model.bom", "cyclonedx.model.lifecycle", "cyclonedx.output.json", "packaging.metadata")
COVERS = (
    "dependencies as the metadata of what was built here declare them (Requires-Dist): not resolved, so without "
    "versions; of files brought from elsewhere only names and digests; not what is bundled or linked inside the files, "
    "nor what built them"
)
_FIRST = b"Metadata-Version: 2.4\nName: a\nVersion: 1\nLicense-Expression: MIT\nRequires-Dist: b>1; extra == 'c'\n"
MAX_OWN = 1 << 20
"""Bytes of a project's own SBOM."""


def sbom_name(project: str, version: str) -> str:
    """`PROJECT-VERSION.cdx.json`."""
    return f"{project}-{version}.cdx.json"


def ready() -> None:
    """Load what writes an SBOM: that takes longer than the writing, and the first one longer than the next."""
    for name in _LOADED:
        import_module(name)
    format_sbom(_FIRST, purl="pkg:pypi/a@1", files=[("a-1.tar.gz", "0" * 64)], epoch=0)


def format_sbom(metadata: bytes, *, purl: str, files: Iterable[tuple[str, str]], epoch: int) -> bytes:
    """The SBOM of a release: its core metadata, its purl, its files (name, SHA-256), SOURCE_DATE_EPOCH.

    Raises ProjectError `metadata-invalid`.
    """
    from cyclonedx.output.json import JsonV1Dot6

    listed = tuple(sorted(files))
    bom = _bom(parse_metadata(metadata, "the release"), purl, listed, epoch)
    return JsonV1Dot6(bom).output_as_string(indent=1).encode() + b"\n"


def check_own(data: bytes, path: str) -> None:
    """A project's own SBOM, as far as anybody must be able to read it. Raises ProjectError `sbom-form`."""
    try:
        found: Any = loads_strict(data, MAX_OWN)
        fault = "" if found["bomFormat"] == "CycloneDX" and _is_known(found["specVersion"]) else "it is another format"
    except TamperError as error:
        fault = error.what
    except (KeyError, TypeError) as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        what = f"{shown(path)} at the tag is no CycloneDX SBOM in JSON"
        hint = "correct it, or leave `sbom` out of the project's settings: one is made of the metadata"
        raise ProjectError(what, code="sbom-form", why=fault, hint=hint)


def _is_known(version: str) -> bool:
    """Whether CycloneDX of this version has JSON."""
    numbers = re.fullmatch(r"([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})", version, re.ASCII)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= (1, 2)


def _bom(found: Metadata, purl: str, files: tuple[tuple[str, str], ...], epoch: int) -> "Bom":
    from datetime import UTC, datetime

    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle

    main = _main(found, purl, files)
    needed = _needed(found.requires)
    bom = Bom(
        serial_number=_serial(purl, files),
        components=needed,
        metadata=BomMetaData(
            component=main,
            timestamp=datetime.fromtimestamp(epoch, UTC),
            lifecycles=[PredefinedLifecycle(phase=LifecyclePhase.BUILD)],
            properties=[Property(name="tagtrail:covers", value=COVERS)],
        ),
    )
    bom.register_dependency(main, needed)
    return bom


def _serial(purl: str, files: tuple[tuple[str, str], ...]) -> Any:
    """A UUID of version 8 (RFC 9562: of one's own making), the same for the same files."""
    from uuid import UUID

    text = "\n".join([purl, *(f"{digest} {name}" for name, digest in files)])
    number = int.from_bytes(sha256(text.encode()).digest()[:16], "big")
    number = number & ~(0xF << 76) | 0x8 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def _main(found: Metadata, purl: str, files: tuple[tuple[str, str], ...]) -> "Component":
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import LicenseExpression
    from packageurl import PackageURL

    expression = found.license_expression
    return Component(
        name=found.name,
        version=found.version,
        description=found.summary or None,
        bom_ref=purl,
        purl=PackageURL.from_string(purl),
        licenses=[LicenseExpression(expression)] if expression else [],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(name),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            )
            for name, digest in files
        ],
    )


def _needed(lines: Iterable[str]) -> list["Component"]:
    """One component for each declared project, with every requirement that names it."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, list[Requirement]] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            what = f"the metadata require {shown(line)}, which is no requirement"
            raise ProjectError(what, code="metadata-invalid") from error
        requirement.url = requirement.url and re.sub(r"(?<=://)[^/?#]*@", "", requirement.url)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return [_component(name, found[name]) for name in sorted(found)]


def _component(name: str, requirements: list[Any]) -> "Component":
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentScope
    from packageurl import PackageURL

    optional = all("extra ==" in str(r.marker) for r in requirements)
    purl = PackageURL(type="pypi", name=name, qualifiers=next((_place(r.url) for r in requirements if r.url), None))
    return Component(
        name=name,
        bom_ref=purl.to_string(),
        purl=purl,
        scope=ComponentScope.OPTIONAL if optional else ComponentScope.REQUIRED,
        properties=[Property(name="tagtrail:requires", value=str(r)) for r in requirements],
    )


def _place(url: str) -> dict[str, str]:
    """What says in a purl that it is no project of the index (package-url specification, known qualifiers)."""
    return {"vcs_url" if re.match(r"(git|hg|bzr|svn)\+", url) else "download_url": url}
