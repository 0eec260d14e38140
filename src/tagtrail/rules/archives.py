"""Rules about what is in the archives of a release."""

import re
from collections.abc import Iterator
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
SHOWN = 5
EXTENSION = re.compile(r"(.*/)?[^/]+\.(so|pyd)")
"""What builds usually make; an extension module in a wheel of one platform only."""


def _usual(file: str, member: str) -> bool:
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
    """Every member of an archive is a file of the tag, byte for byte, or one that builds usually make.

    Nobody reviews what is in a release archive and not in the repository: that is how backdoors came into tarballs.
    Usual are `PKG-INFO`, `setup.cfg`, the known files of `*.egg-info/` and `*.dist-info/`, `AUTHORS` and `ChangeLog`,
    `_version.py`, and in a wheel for one platform its extension modules. They are known by their names, so what is in
    them is not judged here; all are listed in the entry and on the release page. What else a project's build makes is
    said in its settings, and the reason goes into the entry:

        [project.mylib]
        generated = { "mylib/locale/*.mo" = "compiled from the .po files" }

        bad   m4/build-to-host.m4, tests/files/good-large_compressed.lzma    (in no commit)
        bad   mylib-1.2.0.dist-info/setup.pth
        good  PKG-INFO, mylib.egg-info/SOURCES.txt, src/mylib/_version.py
    """
    for file, _ in facts.generated:
        members = [m for name, m in _unusual(facts) if name == file and not _reason(facts, m)]
        if members:
            one = len(members) == 1
            shown = ", ".join(members[:SHOWN]) + (f" and {len(members) - SHOWN} more" if members[SHOWN:] else "")
            yield Said(
                text=f"{file} has {shown}, which {'is no file' if one else 'are no files'} of the tag",
                fix=f"find out what made {'it' if one else 'them'}; if that is right, under [project.{facts.project}]: "
                f'generated = {{ {dumps(members[0])} = "WHY" }}',
                code="member-unexpected",
            )


def excused(facts: After) -> tuple[Override, ...]:
    """What the settings explain: FILE004 set aside for the members that a pattern names, with the written reason."""
    used = dict.fromkeys(filter(None, (_reason(facts, member) for _, member in _unusual(facts))))
    return tuple(Override(rule="FILE004", because=f"{pattern}: {because}") for pattern, because in used)


ARCHIVES: tuple[Rule[After], ...] = (archive_is_the_tag,)
