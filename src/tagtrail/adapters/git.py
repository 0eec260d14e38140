"""The port `Source` by git's command line: a local repository is read where it lies, a URL through a bare mirror."""

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from tagtrail.formats.gitfiles import Files
from tagtrail.formats.gitobject import altered, header, object_id, tag_name_fault, time_of
from tagtrail.io import process
from tagtrail.io.git import LOCAL, Git, Item, objects_missing
from tagtrail.io.objects import Reader, reader
from tagtrail.io.process import Finished
from tagtrail.io.scratch import locked, remove
from tagtrail.model.errors import ProjectError, RemoteError, SetupError
from tagtrail.model.facts import Tagged
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import Objects

__all__ = ["GitSource", "public_name"]

_REMOTE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://|(?P<helper>[A-Za-z0-9+.-]+)::|(?P<host>[^/:\s]+):")
_PROTOCOLS = "git:http:https:ssh"
_HEAD = "refs/tagtrail/head"
"""Where a mirror keeps what HEAD was at its origin."""

_FOR_FETCHES = (
    "HOME", "XDG_CONFIG_HOME", "USER", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSH", "GIT_SSH_COMMAND",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
"""What a fetch keeps of the caller's environment: whose credentials and which way out."""


@frozen
class _Seen:
    """What a repository said since `read` looked: of its refs, by the question; and files, by their commit."""

    told: dict[tuple[str, ...], tuple[list[str], ...]]
    files: dict[str, dict[str, bytes | None]]


@frozen
class _Place:
    """A repository on this disk. `head` is the name of what to judge where there is no tag."""

    git: Git
    directory: Path
    object_format: Literal["sha1", "sha256"]
    shallow: bool
    seen: _Seen
    head: str = "HEAD"


class GitSource:
    """See `tagtrail.ports.Source`. `mirrors` is the directory for mirrors of URLs, `environ` the caller's environment.

    `read` looks anew, and fetches a URL; the others answer from what was there then, so that one release looks at one
    state, and nothing is asked twice. `listed` always looks.
    `limit` is the time for one fetch in seconds. Besides the port's errors: SetupError `tag-name`, `repo-ownership`,
    `repo-protocol`; ProjectError `commit-missing`, `tag-not-commit`, `declaration-size`; TamperError `object-altered`.
    """

    def __init__(self, mirrors: Path, environ: Mapping[str, str] = os.environ, limit: float = 900.0) -> None:
        self._mirrors = mirrors
        self._environ = environ
        self._limit = limit
        self._fetched: set[str] = set()
        self._found: dict[Path, _Place] = {}
        self._last: tuple[tuple[str, str, str], Tagged] | None = None

    def read(self, repo: str, tag: str, at: str | None = None) -> Tagged:
        """See `tagtrail.ports.Source`."""
        _check_tag(tag)
        _check_revision(at)
        place = self._place(repo, fetch=True)
        place.seen.told.clear()
        oid = _ref(place, tag)
        known = self._last
        if known and oid and at is None and known[0] == (repo, tag, oid):
            return known[1]
        place.seen.files.clear()
        found = _read(place, public_name(repo), tag, oid, at)
        self._last = ((repo, tag, "" if at else oid), found)
        return found

    def objects(self, repo: str, tag: str, commit: str) -> Objects:
        """See `tagtrail.ports.Source`. A shallow clone is refused: builds and notes read the history."""
        _check_tag(tag)
        place = self._place(repo)
        if place.shallow:
            raise objects_missing(f"before {commit}", "the clone is shallow: builds and notes read the history")
        name = f"refs/tags/{tag}"
        earlier = _refs(place, f"--merged={commit}", f"--no-contains={commit}", "refs/tags")
        oid = _ref(place, tag)
        refs = {**dict(earlier), **({name: oid} if oid else {})}
        return Objects(directory=place.directory, refs=tuple(sorted(refs.items())), object_format=place.object_format)

    def tags(self, repo: str) -> tuple[tuple[str, str], ...]:
        """See `tagtrail.ports.Source`."""
        refs = _refs(self._place(repo), "refs/tags")
        return tuple(sorted((name.removeprefix("refs/tags/"), oid) for name, oid in refs))

    def listed(self, repo: str) -> tuple[tuple[str, str], ...]:
        """What `tags` gives, asked of the repository itself and nothing fetched: for somebody who only looks."""
        if not _is_remote(repo):
            self._place(repo).seen.told.clear()
            return self.tags(repo)
        git = Git(directory=Path("/"), env=self._outside())
        done = git.run("ls-remote", "--quiet", "--tags", "--refs", repo, limit=120.0)
        if not done.ok:
            why = "no answer within 120 s" if done.late else _without_credentials(process.said(done.err, 3))
            hint = "it is asked again in the next round"
            raise RemoteError(f"cannot look at {public_name(repo)}", code="repo-unreachable", why=why, hint=hint)
        lines = (line.partition("\t") for line in done.out.decode("utf-8", "surrogateescape").split("\n"))
        refs = ((name.removeprefix("refs/tags/"), oid) for oid, _, name in lines if name.startswith("refs/tags/"))
        return tuple(sorted((name, oid) for name, oid in refs if not tag_name_fault(name)))

    def peeled(self, repo: str) -> tuple[tuple[str, str], ...]:
        """See `tagtrail.ports.Source`."""
        lines = _told(self._place(repo), _PEELED, "refs/tags")
        pairs = ((name.removeprefix("refs/tags/"), ids) for name, *ids in lines)
        return tuple(
            sorted((name, within or own) for name, (own, kind, within, inner) in pairs if "commit" in (kind, inner))
        )

    def signed(self, repo: str) -> frozenset[str]:
        """The short names of the tags that have a signature; whose it is, and whether it is good, nobody looked."""
        lines = _told(self._place(repo), _SIGNED, "refs/tags")
        return frozenset(name.removeprefix("refs/tags/") for name, *said in lines if said == ["yes"])

    def file(self, repo: str, commit: str, path: str) -> bytes | None:
        """See `tagtrail.ports.Source`."""
        place = self._place(repo)
        known = place.seen.files.setdefault(commit, {})
        if path not in known:
            directory = posixpath.dirname(path)
            with reader(place.git) as opened:
                known |= _contents(opened, commit, (path, *(posixpath.join(directory, name) for name in _DECLARE)))
        return known[path]

    def lacking(self, repo: str, ids: Iterable[str]) -> tuple[str, ...]:
        """See `tagtrail.ports.Source`."""
        asked = tuple(ids)
        lines = "".join(f"{oid}^{{}}\n" for oid in asked).encode()
        told = self._place(repo).git.run("cat-file", "--batch-check", stdin=lines)
        answers = told.out.splitlines()
        if not told.ok or len(answers) != len(asked):
            raise objects_missing(asked[min(len(answers), len(asked) - 1)], process.said(told.err, 3))
        return tuple(oid for oid, answer in zip(asked, answers, strict=True) if answer.endswith(b" missing"))

    def has_directory(self, repo: str, commit: str, path: str) -> bool:
        """See `tagtrail.ports.Source`."""
        (found,) = self._place(repo).git.items((f"{commit}:{path}",))
        return found.kind == "tree"

    def branches(self, repo: str, commit: str) -> tuple[str, ...]:
        """See `tagtrail.ports.Source`."""
        refs = _refs(self._place(repo), f"--contains={commit}", "refs/heads")
        return tuple(sorted(name.removeprefix("refs/heads/") for name, _ in refs))

    def _place(self, repo: str, *, fetch: bool = False) -> _Place:
        if not _is_remote(repo):
            return self._local(Path(repo.removeprefix("file://")), repo)
        mirror = self._mirrors / f"{hashlib.sha256(repo.encode()).hexdigest()}.git"
        if fetch or repo not in self._fetched:
            with locked(mirror.with_suffix(".lock")):
                self._fetch(repo, mirror)
            self._fetched.add(repo)
        return replace(self._local(mirror, repo), head=_HEAD)

    def _local(self, path: Path, repo: str) -> _Place:
        """What is at that path; asked once, for one release looks at one repository many times."""
        if path not in self._found:
            self._found[path] = self._look(path, repo)
        return self._found[path]

    def _look(self, path: Path, repo: str) -> _Place:
        name = public_name(repo)
        if not repo or repo.startswith("-") or re.search(r"[\x00-\x1f]", repo) or not path.is_dir():
            raise _missing(name, "there is no such directory")
        git = Git(directory=path, env={**LOCAL, "GIT_CEILING_DIRECTORIES": str(path.resolve().parent)})
        done = git.run(*_WHERE)
        if b"dubious ownership" in done.err:
            git = replace(git, options=self._trusted())
            done = git.run(*_WHERE)
        if b"dubious ownership" in done.err:
            raise SetupError(
                f"{name} belongs to another user, and git will not read it",
                code="repo-ownership",
                hint=f"git config --global --add safe.directory {path.resolve()}",
            )
        if not done.ok:
            raise _missing(name, process.said(done.err, 1))
        directory, form, shallow = done.out.decode("utf-8", "surrogateescape").split("\n")[:3]
        return _Place(
            git=git, directory=Path(directory), object_format="sha256" if form == "sha256" else "sha1",
            shallow=shallow == "true", seen=_Seen(told={}, files={}),
        )  # fmt: skip

    def _trusted(self) -> tuple[str, ...]:
        """The directories that this user has told git to trust, as options: git itself judges them again."""
        asked = Git(directory=Path("/"), env=self._outside()).run("config", "--null", "--get-all", "safe.directory")
        values = asked.out.decode("utf-8", "surrogateescape").split("\0")[:-1]
        return tuple(word for value in values for word in ("-c", f"safe.directory={value}"))

    def _outside(self) -> dict[str, str]:
        kept = {key: self._environ[key] for key in _FOR_FETCHES if key in self._environ}
        return {
            "PATH": LOCAL["PATH"],
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        } | kept

    def _fetch(self, repo: str, mirror: Path) -> None:
        git = Git(directory=mirror, env=self._outside())
        if not (mirror / "HEAD").exists():
            _init(git, "sha1")
        done = git.run(*_FETCH, repo, *_REFS, f"+HEAD:{_HEAD}", limit=self._limit)
        if b"mismatched algorithms" in done.err:
            _init(git, "sha256")
            done = git.run(*_FETCH, repo, *_REFS, f"+HEAD:{_HEAD}", limit=self._limit)
        if b"couldn't find remote ref HEAD" in done.err:
            done = git.run(*_FETCH, repo, *_REFS, limit=self._limit)
        if not done.ok:
            why = f"no answer within {self._limit:g} s" if done.late else process.said(done.err, 3)
            raise RemoteError(
                f"cannot fetch {public_name(repo)}", code="repo-unreachable", why=_without_credentials(why),
                hint="run it again later",
            )  # fmt: skip


_WHERE = (
    "rev-parse", "--path-format=absolute", "--git-path", "objects", "--show-object-format", "--is-shallow-repository",
)  # fmt: skip
_FETCH = (
    "fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
    "--no-auto-maintenance",
)  # fmt: skip
_TAGGED = ("pyproject.toml", "setup.cfg")
_DECLARE = (*_TAGGED, "requirements.txt")
"""What is read of a commit when anything is: files that say what a project is and needs."""
_PEELED = "%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)"
_SIGNED = "%(if)%(contents:signature)%(then)yes%(else)no%(end)"
_WHOLE = ("rev-list", "--objects", "--no-walk", "--missing=print")
_MOST = 1 << 20
_REFS = ("+refs/tags/*:refs/tags/*", "+refs/heads/*:refs/heads/*")


def public_name(repo: str) -> str:
    """A repository's address without credentials or query; `local:NAME` for a path on this disk."""
    if not _is_remote(repo):
        path = Path(repo.removeprefix("file://")).resolve()
        return f"local:{path.parent.name if path.name == '.git' else path.name}"
    scheme, mark, rest = repo.partition("://")
    if not mark:
        return repo.rpartition("@")[2]
    host, slash, path_ = re.split(r"[?#]", rest)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path_}"


def _without_credentials(text: str) -> str:
    return re.sub(r"://[^/\s]*@", "://", text)


def _is_remote(repo: str) -> bool:
    found = _REMOTE.match(repo)
    if repo.startswith("file://") or not found or (found["host"] and Path(repo).exists()):
        return False
    if found["helper"] or (found["scheme"] and found["scheme"].lower() not in _PROTOCOLS.split(":")):
        raise SetupError(
            f"{found[0]} is no protocol that tagtrail fetches by", code="repo-protocol",
            hint=f"use one of {_PROTOCOLS.replace(':', ', ')}, or a path",
        )  # fmt: skip
    return True


def _check_tag(tag: str) -> None:
    fault = tag_name_fault(tag)
    if fault:
        raise SetupError(f"{tag!r} cannot be a tag's name: {fault}", code="tag-name", hint="git check-ref-format(1)")


def _check_revision(at: str | None) -> None:
    if at is not None and (not at or at.startswith("-") or re.search(r"[\x00-\x20\x7f]", at)):
        raise SetupError(f"{at!r} cannot be a commit's name", code="commit-name", hint="give a commit id or a branch")


def _missing(name: str, why: str) -> SetupError:
    return SetupError(
        f"{name if name.isprintable() else ascii(name)} is no git repository",
        code="repo-missing",
        why=why,
        hint="give the top directory of a checkout, or a URL",
    )


def _init(mirror: Git, form: str) -> None:
    remove(mirror.directory)
    mirror.directory.mkdir(parents=True)
    done = mirror.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}")
    if not done.ok:
        raise SetupError(
            f"cannot make {mirror.directory}",
            code="not-writable",
            why=process.said(done.err, 3),
            hint=f"df -h {mirror.directory.parent}",
        )


def _read(place: _Place, name: str, tag: str, oid: str, at: str | None) -> Tagged:
    """What is at the tag's object id, or at `at`, else at the head; the commit's declarations are seen on the way."""
    start = at or oid or place.head
    with place.git.begun(*_WHOLE, f"{start}^{{commit}}") as whole, reader(place.git) as opened:
        item, commit = opened.items((oid or start, f"{start}^{{commit}}"))
        texts = opened.items((f"{start}^{{commit}}:{path}" for path in _TAGGED), _MOST.__ge__)
        _check_found(item, commit, tag=oid, start=start)
        _check_sizes(commit.id, texts)
        contents = _contents(opened, commit.id, _DECLARE)
        _check_whole(place.git, commit.id, whole())
    place.seen.files[commit.id] = contents
    annotated = bool(oid) and item.kind == "tag"
    pyproject, setup_cfg = (i.content.decode("utf-8", "replace") if i.kind == "blob" else None for i in texts)
    return Tagged(
        repo=name, name=tag, kind="annotated" if annotated else "light" if oid else "absent",
        raw=item.content if annotated else None, object=oid if annotated else None,
        commit=commit.id, time=time_of(commit.content), pyproject=pyproject, setup_cfg=setup_cfg,
    )  # fmt: skip


def _check_sizes(commit: str, texts: Iterable[Item]) -> None:
    """What was too large has an id, but no kind; as if it were not there, it would escape the rules."""
    for path, item in zip(_TAGGED, texts, strict=True):
        if not item.kind and item.id.isalnum():
            what = f"{path} at commit {commit[:12]} has more than {_MOST:,} bytes"
            raise ProjectError(what, code="declaration-size", hint="say in it what the project is, and no more")


def _contents(opened: Reader, commit: str, paths: Iterable[str]) -> dict[str, bytes | None]:
    """The bytes of each plain file that is no larger than anybody writes."""
    files, wanted = Files(opened, commit), tuple(dict.fromkeys(paths))
    ids = {path: oid for path in wanted if (oid := files.id(path))}
    return dict.fromkeys(wanted) | dict(zip(ids, files.contents(ids.values(), _MOST.__ge__), strict=True))


def _refs(place: _Place, *filters: str) -> tuple[tuple[str, str], ...]:
    """(full name, object id), unpeeled; a name that is not UTF-8 cannot be asked for, and no build sees it."""
    return tuple((name, oid) for name, oid in _told(place, "%(objectname)", *filters))


def _told(place: _Place, form: str, *filters: str) -> tuple[list[str], ...]:
    """The full name of each ref and what `form` says of it; asked once after each `read`."""
    asked = (form, *filters)
    if asked not in place.seen.told:
        place.seen.told[asked] = _asked(place.git, form, *filters)
    return place.seen.told[asked]


def _asked(git: Git, form: str, *filters: str) -> tuple[list[str], ...]:
    done = git.run("for-each-ref", f"--format=%(refname)%00{form}", *filters)
    # where the history has a hole, git says so, finds fewer refs, and ends well
    if not done.ok or b"error:" in done.err:
        raise objects_missing(filters[0].partition("=")[2], process.said(done.err, 3))
    lines = done.out.decode("utf-8", "surrogateescape").split("\n")[:-1]
    return tuple(told for told in (line.split("\0") for line in lines) if not tag_name_fault(f"x{told[0]}"))


def _ref(place: _Place, tag: str) -> str:
    """The id at exactly this tag, or an empty string: git would also try `refs/heads/refs/tags/...`."""
    return dict(_refs(place, "refs/tags")).get(f"refs/tags/{tag}", "")


def _check_found(item: Item, commit: Item, *, tag: str, start: str) -> None:
    """Both are there, and are what their ids say; `tag` is the tag's id where there is one."""
    if tag and not item.kind:
        raise objects_missing(tag)
    _check_id(item if tag else commit)
    if not commit.kind:
        leads_to = header(item.content, "type") if item.kind == "tag" else item.kind
        if start != tag:
            raise ProjectError(f"{start} is no commit of the repository", code="commit-missing", hint="git log --all")
        if leads_to in {"blob", "tree"}:
            raise ProjectError(f"the tag leads to a {leads_to}, not to a commit", code="tag-not-commit", hint=_RETAG)
        raise objects_missing(header(item.content, "object") or tag)
    _check_id(commit)


_RETAG = "git tag -f -s TAG COMMIT  # where nobody has it yet; else tag the next version"


def _check_id(item: Item) -> None:
    if item.kind and object_id(item.kind, item.content, len(item.id)) != item.id:
        raise altered(item.id)


def _check_whole(git: Git, commit: str, done: Finished) -> None:
    """All trees and blobs of the one commit are there; `done` is what was said of a name that leads to it."""
    if not done.out.startswith(commit.encode()):  # it leads elsewhere by now, or is a name to git alone
        done = git.run(*_WHOLE, commit)
    lacking = [line[1:] for line in done.out.split(b"\n") if line.startswith(b"?")]
    if lacking or not done.ok:
        first = lacking[0].decode("ascii", "replace") if lacking else commit
        raise objects_missing(first, process.said(done.err, 3) or f"{len(lacking)} objects of {commit} are not there")
