r"""The form with which a file is uploaded to a package index (the "legacy" API), around bytes that it does not hold.

    --7a6c...\r\n
    Content-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n
    ...name, version, metadata_version, every other field of the core metadata, pyversion, filetype, the digests...
    --7a6c...\r\n
    Content-Disposition: form-data; name="content"; filename="nova-33.0.0.tar.gz"\r\n
    Content-Type: application/octet-stream\r\n\r\n
    ...the file...\r\n
    --7a6c...--\r\n

Fields that may come several times do (`classifiers`); keywords are one text; a project URL is "label, address".
Attestations are a JSON list. Source: the upload API as documented by the main index, the fields as twine sends them;
PEP 740 for attestations; RFC 7578 for the form.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tagtrail.formats.metadata import MAX_SIZE
from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen

__all__ = ["Form", "file_form", "filetype", "upload_form"]

_ONCE = (
    "metadata_version", "name", "version", "summary", "description", "description_content_type", "home_page", "author",
    "author_email", "maintainer", "maintainer_email", "license", "license_expression", "requires_python",
    "download_url",
)  # fmt: skip
_OFTEN = {
    "classifiers": "classifiers", "dynamic": "dynamic", "license_files": "license_file", "obsoletes": "obsoletes",
    "obsoletes_dist": "obsoletes_dist", "platforms": "platform", "provides": "provides",
    "provides_dist": "provides_dist", "provides_extra": "provides_extra", "requires": "requires",
    "requires_dist": "requires_dist", "requires_external": "requires_external",
    "supported_platforms": "supported_platform",
}  # fmt: skip
"""What `packaging` calls a field, and what the form calls it."""


@frozen
class Form:
    """What stands before the file's bytes and after them, and the form's Content-Type."""

    head: bytes
    tail: bytes
    content_type: str


def filetype(name: str) -> tuple[str, str] | None:
    """What the form calls this kind of file, and the Python it is for; None: no file for an index."""
    if name.endswith(".whl"):
        parts = name.removesuffix(".whl").split("-")
        return ("bdist_wheel", parts[-3]) if len(parts) in (5, 6) else None
    return ("sdist", "source") if name.endswith((".tar.gz", ".zip")) else None


def upload_form(name: str, metadata: bytes, digests: Mapping[str, str], attestations: tuple[bytes, ...] = ()) -> Form:
    """The form of the file `name` with this core metadata.

    `digests` are hex by their fields' names, `sha256_digest` among them. Raises ProjectError `metadata-invalid`.
    """
    fields = [(":action", "file_upload"), ("protocol_version", "1"), *_fields(name, metadata), *digests.items()]
    if attestations:
        fields.append(("attestations", json.dumps([json.loads(one) for one in attestations])))
    return _form(name, fields, digests["sha256_digest"])


def file_form(name: str, sha256: str) -> Form:
    """The form of any file, of which nothing is said but its name and digest (hex). Raises ProjectError
    `output-invalid`."""
    if '"' in name or not name.isascii() or not name.isprintable():
        raise ProjectError(f"{name!r} cannot be sent under this name", code="output-invalid")
    return _form(name, [(":action", "file_upload"), ("protocol_version", "1"), ("sha256_digest", sha256)], sha256)


def _form(name: str, fields: Iterable[tuple[str, str]], boundary: str) -> Form:
    """Between boundaries that are the file's digest: no file holds its own."""
    head = b"".join(_part(boundary, key, value) for key, value in fields)
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode("ascii")
    content_type = f"multipart/form-data; boundary={boundary}"
    return Form(head=head, tail=f"\r\n--{boundary}--\r\n".encode("ascii"), content_type=content_type)


def _part(boundary: str, key: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()


def _fields(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    kind = filetype(name)
    if kind is None or len(data) > MAX_SIZE or '"' in name or not name.isascii() or not name.isprintable():
        raise ProjectError(f"{name!r} is no file for a package index", code="metadata-invalid")
    said = _parsed(name, data)
    for key in _ONCE:
        if key in said:
            yield key, said[key]
    if said.get("keywords"):
        yield "keywords", ", ".join(said["keywords"])
    for key, field in _OFTEN.items():
        yield from ((field, one) for one in said.get(key, ()))
    yield from (("project_urls", f"{label}, {url}") for label, url in said.get("project_urls", {}).items())
    yield from (("filetype", kind[0]), ("pyversion", kind[1]))


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    from packaging.metadata import parse_email  # the mail parser behind it is slow to import
    from packaging.version import Version

    try:
        raw, _ = parse_email(data)
        said: dict[str, Any] = dict(raw)
        # setuptools wrote License-File before the form of metadata that has it, and indexes refuse it there
        if Version(said["metadata_version"]) < Version("2.4"):
            said.pop("license_files", None)
    except (ValueError, KeyError) as error:
        raise ProjectError(f"{name} has no readable metadata", code="metadata-invalid", why=str(error)) from error
    return said
