"""The port `Target` for a package index: wheels and sdists of a release, each under its own name, uploaded by a form.

A name on an index means one file, so asking again is safe (keyed): the same bytes are taken again, or refused as being
there, and a refusal is looked up on the page. Signatures stay on the site: indexes refuse them.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from tagtrail.adapters.index.replies import judged
from tagtrail.adapters.index.shelf import Login, Shelf, authorization
from tagtrail.formats.index_page import Listed
from tagtrail.formats.upload_form import Form, filetype, upload_form
from tagtrail.io import http
from tagtrail.model.errors import ProjectError, RemoteError, SetupError
from tagtrail.model.facts import Effect, Entry, File, Logged, Receipt, Skip, Survey
from tagtrail.model.names import project_key
from tagtrail.model.notice import Notice
from tagtrail.ports import Clock, Conflict, Kept, Refused, Unknown

__all__ = ["IndexTarget"]

ATTESTATION = ".publish.attestation"
"""What the sidecar of a file's attestation (PEP 740) ends with."""
MAX_REPLY = 1 << 20
WAIT = 180.0
"""Seconds for an index to read a file, look into it and answer."""
SHORT = 60
LOOKED_UP = (400, 403, 409, 422)
"""Answers that can mean that the file is there."""


@dataclass(frozen=True, slots=True)
class _Beside:
    """The digests of what goes with a file."""

    metadata: str
    attestations: tuple[str, ...]


class IndexTarget:
    """An index whose form is at `upload` (empty: others upload) and whose pages are `shelf`."""

    retry: Literal["keyed", "searchable", "blind"] = "keyed"
    lag = 600

    def __init__(
        self, name: str, *, upload: str, shelf: Shelf, kept: Kept, login: Login, clock: Clock, wait: float = WAIT
    ) -> None:
        self.name = name
        self._upload = upload
        self._shelf = shelf
        self._kept = kept
        self._login = login
        self._clock = clock
        self._wait = wait
        self._beside: dict[str, _Beside] = {}
        self._projects: dict[int, str] = {}

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`. Whether we, or a workflow, may upload nobody can say before."""
        listed = self._shelf.files(project)
        return Survey(
            target=self.name,
            files=tuple((one.name, one.sha256) for one in listed),
            name="free" if self._shelf.absent else "",
            note="" if self._upload else "others upload there",
            yanked=tuple(one.name for one in listed if one.yanked),
        )

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`."""
        entry = logged.entry
        if entry.event == "withdraw":
            return (Skip(target=self.name, what=f"{entry.project} {entry.version}", because=self._by_hand(entry)),)
        if entry.event != "release":
            return ()
        self._projects[entry.index] = entry.project
        return tuple(self._item(logged, file) for file in entry.files if not entry.added or file.name in entry.added)

    def _by_hand(self, entry: Entry) -> str:
        """Where a person yanks it: indexes have a page for that, and no interface. Warehouse's form is /legacy/."""
        parts, name = urlsplit(self._upload), project_key(entry.project)
        page = self._shelf.page(entry.project)
        if parts.path.rstrip("/") == "/legacy":
            host = parts.netloc.removeprefix("upload.")
            page = f"{parts.scheme}://{host}/manage/project/{name}/release/{entry.version}/ (Options, Yank)"
        return f"yank it by hand, for an index lets no program do it: {page}"

    def _item(self, logged: Logged, file: File) -> Effect | Skip:
        blobs = {one.name: one.blob for one in logged.blobs}
        metadata = blobs.get(f"{file.name}.metadata")
        if filetype(file.name) is None or metadata is None:
            because = "an index takes wheels, and sdists as .tar.gz or .zip"
            return Skip(target=self.name, what=file.name, because=because)
        index = logged.entry.index
        attested = tuple(blob.sha256 for name, blob in blobs.items() if name == file.name + ATTESTATION)
        key = f"{index}/{file.name}"
        self._beside[key] = _Beside(metadata=metadata.sha256, attestations=attested)
        return Effect(target=self.name, key=key, entry=index, path=file.name, blob=blobs[file.name])

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        listed = [one for one in self._shelf.files(self._projects[effect.entry]) if one.name == effect.path]
        found = [self._receipt(one, effect.blob.size) for one in listed]
        others = (receipt for receipt in found if receipt.sha256 != effect.blob.sha256)
        return next(others, found[0] if found else None)

    def _receipt(self, listed: Listed, size: int) -> Receipt:
        digest = self._shelf.digest(listed, size)
        return Receipt(where=listed.url, sha256=digest, note="" if digest else "there nothing, or more bytes")

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`."""
        try:
            login, form = self._login(), self._form(effect)
        except (SetupError, ProjectError, RemoteError) as error:  # nothing was sent; other places may be ready
            raise Refused("; ".join(filter(None, (error.what, error.why, error.hint))), SHORT) from error
        try:
            reply = self._post(effect, form, login)
        except RemoteError as error:
            if error.code == "url-unreachable":
                raise Refused(error.what, SHORT) from error
            raise Unknown(error.what) from error
        answer = judged(reply, login[1] if login else "", self._clock())
        if answer is None:
            return Receipt(where=self._shelf.page(self._projects[effect.entry]), sha256=effect.blob.sha256)
        return self._looked_up(effect, reply.status, answer)

    def _looked_up(self, effect: Effect, status: int, answer: Refused | Unknown) -> Receipt:
        """The file is on the page after all, or the answer stands."""
        try:
            found = self.find(effect) if status in LOOKED_UP else None
        except RemoteError:
            found = None
        if found is None:
            raise answer
        if found.sha256 != effect.blob.sha256:
            raise Conflict(f"there {found.sha256[:16]}..., ours {effect.blob.sha256[:16]}...; it answers {answer}")
        return found

    def _post(self, effect: Effect, form: Form, login: tuple[str, str] | None) -> http.Reply:
        length = len(form.head) + effect.blob.size + len(form.tail)
        headers = {"Content-Type": form.content_type, "Content-Length": str(length), **authorization(login)}
        body = self._body(form, effect)
        return http.ask("POST", self._upload, headers=headers, body=body, limit=MAX_REPLY, wait=self._wait)

    def _form(self, effect: Effect) -> Form:
        beside = self._beside[effect.key]
        attestations = tuple(self._kept.read(digest) for digest in beside.attestations)
        return upload_form(effect.path, self._kept.read(beside.metadata), self._digests(effect), attestations)

    def _digests(self, effect: Effect) -> dict[str, str]:
        """Of bytes that the kept store has checked once more: none are sent that are not ours."""
        md5, blake = hashlib.md5(usedforsecurity=False), hashlib.blake2b(digest_size=32)
        for chunk in self._kept.chunks(effect.blob.sha256):
            md5.update(chunk)
            blake.update(chunk)
        return {
            "sha256_digest": effect.blob.sha256,
            "blake2_256_digest": blake.hexdigest(),
            "md5_digest": md5.hexdigest(),
        }

    def _body(self, form: Form, effect: Effect) -> Iterator[bytes]:
        yield form.head
        yield from self._kept.chunks(effect.blob.sha256)
        yield form.tail
