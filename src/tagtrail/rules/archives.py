"""Rules about what is in the archives of a release."""

import re
from collections.abc import Iterator, Sized
from fnmatch import fnmatchcase
from json import dumps

from tagtrail.model.facts import Override
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import After

__all__ = ["ARCHIVES", "excused"]

VERSION = r"(.*/)?(_version|version|__version__|_scm_version)\.pyi?"
SDIST = re.compile(
    r"PKG-INFO|setup\.cfg|AUTHORS|ChangeLog|RELEASENOTES\.rst"
    r"|(.*/)?[^/]+\.egg-info/(PKG-INFO|SOURCES\.txt|dependency_links\.txt|entry_points\.txt|namespace_packages\.txt"
    r"|not-zip-safe|zip-safe|pbr\.json|requires\.txt|scm_file_list\.json|scm_version\.json|top_level\.txt)"
    rf"|{VERSION}"
)
WHEEL = re.compile(
    r"[^/]+\.dist-info/(METADATA|RECORD|WHEEL|entry_points\.txt|namespace_packages\.txt|pbr\.json|scm_file_list\.json"
    rf"|scm_version\.json|top_level\.txt|zip-safe|(licenses/)?(AUTHORS|ChangeLog))|{VERSION}"
)
GEM = re.compile(r"(metadata|data\.tar|checksums\.yaml)\.gz(\.sig)?")
CRATE = re.compile(r"Cargo\.(toml(\.orig)?|lock)|\.cargo_vcs_info\.json")
SHOWN = 5
EXTENSION = re.compile(r"(.*/)?[^/]+\.(so|pyd)")
"""What builds usually make; an extension module in a wheel of one platform only."""


def _usual(file: str, member: str) -> bool:
    if file.endswith((".gem", ".crate")):
        return bool((GEM if file.endswith(".gem") else CRATE).fullmatch(member))
    if not file.endswith(".whl"):
        return bool(SDIST.fullmatch(member))
    native = not file.endswith("-any.whl") and EXTENSION.fullmatch(member)
    return bool(native or WHEEL.fullmatch(member))


def _unusual(facts: After) -> Iterator[tuple[str, str]]:
    """(file, member) that no tag and no usual build explains."""
    return ((file, member) for file, members in facts.generated for member in members if not _usual(file, member))


def _reason(facts: After, member: str) -> tuple[str, str] | None:
    return next((r for r in facts.reasons if fnmatchcase(member, r[0])), None)


@rule("FILE004", "archive-is-the-tag")
def archive_is_the_tag(facts: After) -> Iterator[Said]:
    """Every member of an archive is the tag's file of that place, byte for byte, or one that builds usually make.

    Nobody reviews what is in a release archive and not in the repository: that is how backdoors came into tarballs.
    Usual are `PKG-INFO`, `setup.cfg`, the known files of `*.egg-info/` and `*.dist-info/`, `AUTHORS` and `ChangeLog`,
    `_version.py`, in a wheel for one platform its extension modules, what a `.gem` wraps its files in, and what `cargo
    package` writes into a `.crate`. They are known by their names, so what is in them is not judged here; all are
    listed in the entry and on the release page. What else a project's build makes is said in its settings, and the
    reason goes into the entry:

        [project.mylib]
        generated = { "mylib/locale/*.mo" = "compiled from the .po files" }

        bad   m4/build-to-host.m4    (in no commit)
        bad   configure              (tests/files/bad-3-corrupt_lzma2.xz of the tag, under another name)
        bad   mylib-1.2.0.dist-info/setup.pth
        good  PKG-INFO, mylib.egg-info/SOURCES.txt, src/mylib/_version.py
    """
    for file, _ in facts.generated:
        members = [m for name, m in _unusual(facts) if name == file and not _reason(facts, m)]
        if members:
            one = len(members) == 1
            shown = ", ".join(members[:SHOWN]) + _more(members)
            yield Said(
                text=f"{file} has {shown}, which the tag does not have there",
                fix=f"find out what made {'it' if one else 'them'}; if that is right, under [project.{facts.project}]: "
                f'generated = {{ {dumps(members[0])} = "WHY" }}',
                code="member-unexpected",
            )


def _seen(facts: After, kind: str) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """What was noticed of a kind, (member, what it is), by the files that have it."""
    found: dict[tuple[str, str], list[str]] = {}
    for file, remark in facts.remarks:
        if remark.kind == kind:
            found.setdefault((remark.member, remark.what), []).append(file)
    by_files: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for seen, files in found.items():
        by_files.setdefault(tuple(files), []).append(seen)
    return by_files


def _have(files: tuple[str, ...]) -> str:
    return f"{' and '.join(files)} {'have' if files[1:] else 'has'}"


_MADE_UP = re.compile(
    r"(?:.*/)?(?:tests?|testing|testdata|test[-_].*|.*[-_]tests?|docs?|examples?|samples?|fixtures)/.*"
    r"|(?:.*/)?(?:test_[^/]*|[^/]*_test|conftest)\.py"
)
"""Where keys are usually made for the purpose."""


@rule("FILE005", "no-secrets")
def no_secrets(facts: After) -> Iterator[Said]:
    """No archive holds a private key, an access token or a file of credentials.

    What is published is read within minutes by those who look for that. Below `tests/`, `docs/` and the like keys are
    usually made for the purpose: there it is a warning. What looks like a secret elsewhere and is none is said in the
    settings, and the reason goes into the entry:

        [project.mylib]
        not-secret = { "mylib/demo/*.pem" = "made for the demonstration, trusted by nobody" }

        bad   mylib/deploy/id_rsa, .pypirc
        bad   -----BEGIN PRIVATE KEY-----      (in mylib/settings.py)
        good  key = os.environ["MYLIB_KEY"]
    """
    allowed = facts.settings.not_secret if facts.settings else ()
    for files, seen in _seen(facts, "secret").items():
        for member, what in seen:
            if any(fnmatchcase(member, pattern) for pattern, _ in allowed):
                continue
            mild = bool(_MADE_UP.fullmatch(member))
            fix = (
                f"take it out, and revoke it where it has been public; if it opens nothing, under "
                f'[project.{facts.project}]: not-secret = {{ {dumps(member)} = "WHY" }}'
            )
            text = f"{_have(files)} {what} in {member}"
            yield Said(text=text, fix=fix, level="warning" if mild else None)


@rule("FILE006", "no-litter", "warning")
def no_litter(facts: After) -> Iterator[Said]:
    """No archive holds what version control, interpreters, tools or editors leave behind.

    It is of use to nobody, tells of the machine that built it, and a cache may be run in the place of the source.

        bad   .git/config, mylib/__pycache__/a.cpython-311.pyc, .DS_Store, mylib.py.orig, README~
        good  .gitignore, mylib.py, README
    """
    for files, seen in _seen(facts, "litter").items():
        shown = ", ".join(member for member, _ in seen[:SHOWN]) + _more(seen)
        whose = ", ".join(dict.fromkeys(what for _, what in seen))
        text = f"{_have(files)} {shown}: {whose}"
        yield Said(text=text, fix="git rm it, or leave it out where the backend picks files")


def _more(seen: Sized) -> str:
    return f" and {len(seen) - SHOWN} more" if len(seen) > SHOWN else ""


@rule("FILE010", "no-unread-archives", "warning")
def no_unread_archives(facts: After) -> Iterator[Said]:
    """Every archive of a release, and in its archives, is one that was looked into.

    Archives are known by their bytes. Read are zip and tar, plain or in gzip, xz or bzip2, whatever they are called,
    and the files of a `.gem`. Nobody looked into others, into one that cannot be read so that every reader finds the
    same in it (a program with a zip behind it), or into an archive that stands in another and is no file of the tag:
    whatever it holds, nothing says that it is the tag's. Nobody has to mend that: an installer is what it is.

        bad   mylib-1.2.0.7z, mylib-1.2.0.x86_64.rpm, mylib-1.2.0.zst
        bad   lib/inner.jar    (in mylib-1.2.0.zip, in no commit)
        good  mylib-1.2.0.jar, mylib-1.2.0.crate, mylib-1.2.0.exe
    """
    for file, remark in facts.remarks:
        if remark.kind == "archive":
            what = f"has {remark.member}, {remark.what}" if remark.member else f"is {remark.what}"
            yield Said(
                text=f"{file} {what}: nobody looked into it",
                fix="release what it holds as .tar.gz or .zip too; or say in [rules] why that need not be: "
                'FILE010 = { level = "off", because = "WHY" }',
            )


def excused(facts: After) -> tuple[Override, ...]:
    """What the settings explain: FILE004 and FILE005 set aside for the members that a pattern names, with the written
    reason."""
    used = dict.fromkeys(filter(None, (_reason(facts, member) for _, member in _unusual(facts))))
    secrets = [r.member for _, r in facts.remarks if r.kind == "secret"]
    allowed = facts.settings.not_secret if facts.settings else ()
    known = ((p, b) for p, b in allowed if any(fnmatchcase(member, p) for member in secrets))
    return (
        *(Override(rule="FILE004", because=f"{pattern}: {because}") for pattern, because in used),
        *(Override(rule="FILE005", because=f"{pattern}: {because}") for pattern, because in known),
    )


ARCHIVES: tuple[Rule[After], ...] = (archive_is_the_tag, no_secrets, no_litter, no_unread_archives)
