"""Each example of docs/rules.md, run: bad is what its rule finds, asked what it warns of, good what it lets pass.

A row is a line of the page, word for word, and the facts that it speaks of; a line without a row fails, as does a row
without a line. What can be read is read by what reads it for `check` and `release`.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tagtrail.adapters.index_view import view
from tagtrail.formats.contents import noticed
from tagtrail.formats.magic import READ, Ends, recognized, unread
from tagtrail.formats.metadata import parse_metadata
from tagtrail.model.frozen import replace
from tagtrail.model.metadata import Metadata
from tagtrail.model.settings import Org, Project, Settings
from tagtrail.rules.book import judge
from tagtrail.rules.declared import declared
from tagtrail.rules.facts import After, Before, Described, Patch
from tagtrail.rules.registry import RULES
from tagtrail.testing.memory import Repository, Source
from tagtrail.testing.people import Person
from tagtrail.workflows.examine import Known, gather
from tests.rules.test_places import OTHER, OURS, SDIST, survey
from tests.rules.test_places import facts as surveyed
from tests.rules.test_rules import COMMIT, NOW, facts, history, project

Facts = Before | After
GENERIC = {"build": ("tar.gz",)}


def signed(*, light: bool) -> Before:
    """What `git tag 1.2.0`, and `git tag -s 1.2.0`, leave behind."""
    jo, repository = Person(name="jo"), Repository(name="mylib")
    commit = repository.commit(NOW - 100).id
    repository.light("1.2.0", commit) if light else repository.tag("1.2.0", commit, jo.sign)
    source = Source({"/src/mylib": repository})
    settings = Settings(org=Org(name="", origin=""), people=(), targets=(), kinds=(), projects=(project(),))
    return gather(source, settings, project(), "1.2.0", Known(keys=(jo.key,), now=NOW)).before


def place(**says: Any) -> Before:
    return surveyed(survey(**says))


def tags(*names: str, **fields: Any) -> tuple[Before, ...]:
    return tuple(facts(name, **fields) for name in names)


def after_of(*versions: str, tag: str, **fields: Any) -> Before:
    return facts(tag, history=history(*versions), **fields)


def says(pyproject: str, **fields: Any) -> Before:
    return facts(declared=declared(pyproject, None), **fields)


def in_file(text: bytes | None) -> Before:
    return facts(project=project(declares="metadata.json:version"), written=text)


def beside(own: str, other: str, tag: str = "1.2.0", **fields: Any) -> Before:
    return facts(tag, project=project(tag=own), beside=(project(name="other", tag=other, **fields),))


def patch(version: str, lines: str) -> Before:
    said = 'requires-python = ">=3.8"\ndependencies = ["oslo.utils>=3.33"]'
    before, now = (
        declared(f'[project]\nname = "mylib"\nversion = "{number}"\n{text}\n', None)
        for number, text in (("1.2.0", said), (version, lines))
    )
    follows = Patch(follows="1.2.0", before=before, now=now) if version.startswith("1.2.") else None
    return facts(version, history=history("1.1.0", "1.2.0"), patch=follows)


def files(*names: str, project: str = "mylib", **fields: Any) -> After:
    settings = Project(name=project, kind="library", repo="", signers=(), **fields)
    return After(project=project, version="1.2.0", files=names, settings=settings, indexed=True)


def members(file: str, *names: str) -> tuple[After, ...]:
    return tuple(
        After(project="mylib", version="1.2.0", files=(file,), generated=((file, (name,)),), indexed=True)
        for name in names
    )


def inside(*names: str, data: bytes = b"x") -> tuple[After, ...]:
    """An sdist with one of these."""
    return tuple(
        replace(files("mylib-1.2.0.tar.gz"), remarks=tuple(("mylib-1.2.0.tar.gz", r) for r in found))
        for name in names
        for found in [noticed([(name, len(data), [data])])]
    )


def unlooked(*names: str, holds: bytes, member: str = "") -> tuple[After, ...]:
    """One of these files, which begins with these bytes, or has a member that does."""
    found = recognized(Ends(holds))
    remarks = (unread(found, member),) if found and (member or found not in READ) else ()
    return tuple(replace(files(name), remarks=tuple((name, r) for r in remarks)) for name in names)


def metadata(*lines: str, version: str = "1.2.0", python: str = ">=3.9") -> Metadata:
    said = (f"Requires-Python: {python}",) if python else ()
    text = "\n".join(("Metadata-Version: 2.4", "Name: mylib", f"Version: {version}", *said, *lines))
    return parse_metadata(text.encode(), "METADATA")


def built(*all_says: Metadata, indexed: bool = True, **fields: Any) -> After:
    """A release whose wheel and sdist say this."""
    names = ("mylib-1.2.0-py3-none-any.whl", "mylib-1.2.0.tar.gz")
    described = tuple(Described(files=(n,), says=s, view=view(s)) for n, s in zip(names, all_says, strict=False))
    return replace(files(*names, **fields), described=described, indexed=indexed)


def described(text: str) -> After:
    return built(
        metadata("Description-Content-Type: text/x-rst", "", text), tells=("does not give you a running service",)
    )


def server(*classifiers: str) -> After:
    wanted = ("Environment :: No Input/Output (Daemon)", "Intended Audience :: System Administrators")
    unwanted = ("Topic :: Software Development :: Libraries",)
    lines = (f"Classifier: {one}" for one in classifiers)
    return built(metadata(*lines), classifiers=wanted, without_classifiers=unwanted)


def patched(version: str, *, python: str = ">=3.9", requires: tuple[str, ...] = ("oslo.utils>=3.33",)) -> After:
    """What follows 9.7.0, which asked for these."""
    before, now = metadata(), replace(metadata(python=python), requires=requires)
    previous = replace(before, requires=("oslo.utils>=3.33",)) if version.startswith("9.7.") else None
    return replace(built(now), version=version, follows="9.7.0", previous=previous)


V, CLIENT, GIT = "v{version}", "client-{version}", "mylib-1.2.0.tar.gz"
KEY = b"-----BEGIN PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n" * 4
YEARS = {"project": project(versions="calver"), "time": NOW, "history": ()}
AT_INDEX, RC2 = (SDIST, OTHER), "77ab0311" + "0" * 32
APACHE = "License :: OSI Approved :: Apache Software License"

EXAMPLES: dict[str, Any] = {
    "PLACE001 bad mylib (a project of other people at the index)": place(name="taken"),
    "PLACE001 good mylib (nobody's there yet; or a project that our account maintains)": (
        place(name="free"), place(name="ours"),
    ),
    "PLACE002 bad a token of the project otherlib": place(may_upload=False),
    "PLACE002 good a token of the project mylib, or of an account that maintains it": place(),
    "PLACE003 bad a quota of 10 GB, used up": place(quota=0),
    "PLACE003 asked 3 MB left (the last release has 5 MB)": place(quota=1),
    "PLACE003 good 8 GB left": place(quota=8_000_000_000),
    "PLACE004 bad mylib-1.2.0.tar.gz (at the index, uploaded by hand; 1.2.0 is not released here)": place(
        files=((SDIST, OURS), ("mylib-1.2.0.tar.gz", OTHER))
    ),
    "PLACE004 bad mylib-1.1.0.tar.gz (at the index with another digest than the trail's)": place(files=(AT_INDEX,)),
    "PLACE004 good mylib-1.1.0.tar.gz (at the index as in the trail)": place(),
    "TAG001 bad git tag 1.2.0": signed(light=True),
    "TAG001 good git tag -s 1.2.0": signed(light=False),
    'TAG002 bad 1.2.0 (where the project says tag = "v{version}")': facts(project=project(tag=V)),
    "TAG002 bad stein-eol": (*tags("stein-eol"), *tags("stein-eol", project=project(tag=V))),
    "TAG002 good v1.2.0": facts("v1.2.0", project=project(tag=V)),
    "TAG003 bad 1.2.0-final2": tags("1.2.0-final2"),
    'TAG003 bad 1.2.0-nightly.3 (versions = "semver")': tags(
        "1.2.0-nightly.3", project=project(versions="semver", **GENERIC)
    ),
    "TAG003 good 1.2.0, 33.0.0.0rc1, 1.2.0.post1, 1.2.0.dev3": tags(
        "1.2.0", "33.0.0.0rc1", "1.2.0.post1", "1.2.0.dev3"
    ),
    "TAG004 bad v1.2.0, 1.2.0-rc1, 1.2.0+ours": tags("v1.2.0", "1.2.0-rc1", "1.2.0+ours"),
    'TAG004 bad 2026.1 (versions = "calver")': tags("2026.1", project=project(versions="calver")),
    "TAG004 good 1.2.0, 1.2.0rc1": tags("1.2.0", "1.2.0rc1"),
    "TAG005 bad 31.0.0.0b2 (31.0.0 is released)": after_of("31.0.0", tag="31.0.0.0b2"),
    "TAG005 bad 33.0.2 (33.0.3 is released)": after_of("33.0.3", tag="33.0.2"),
    "TAG005 bad 32.0.0 (31.0.0 and 33.0.0 are released, nothing of 32)": after_of("31.0.0", "33.0.0", tag="32.0.0"),
    "TAG005 bad 1.2.0b2 (1.2.0rc1 is released: dev, alpha, beta, rc, final)": after_of("1.2.0rc1", tag="1.2.0b2"),
    "TAG005 good 33.0.3 (33.0.2 and 34.0.0 are released)": after_of("33.0.2", "34.0.0", tag="33.0.3"),
    "TAG006 bad 1.0.0 (the tag 1.0 is there)": tags("1.0.0", tags=("1.0", "1.0.0")),
    'TAG006 asked v2.0 (the tag 2.0 is there, and the project says tag = "v{version}")': tags(
        "v2.0", tags=("2.0", "v2.0"), project=project(tag=V)
    ),
    "TAG006 good 1.0.1": tags("1.0.1", tags=("1.0", "1.0.0", "1.0.1")),
    "TAG007 bad 2026.1 (33.0.2 is released)": after_of("33.0.2", tag="2026.1"),
    'TAG007 good 34.0.0 (with series = "2026.1 Gazpacho", which is shown on pages)': after_of(
        "33.0.2", tag="34.0.0", project=project(series="2026.1 Gazpacho")
    ),
    "TAG007 good 2026.1.0 (2025.2.0 is released)": after_of("2025.2.0", tag="2026.1.0"),
    "TAG008 bad 1.2.0 (1.2.0 is released from another tag object)": after_of("1.2.0", tag="1.2.0"),
    "TAG008 good 1.2.1": after_of("1.2.0", tag="1.2.1"),
    'TAG009 bad name = "mylib2" (where the settings say [project.mylib])': says('[project]\nname = "mylib2"'),
    'TAG009 good name = "My.Lib" (for [project.my-lib]: one name, PEP 503)': says(
        '[project]\nname = "My.Lib"', project=project(name="my-lib")
    ),
    'TAG010 bad version = "1.1.0" (under the tag 1.2.0)': says('[project]\nversion = "1.1.0"'),
    'TAG010 good version = "1.2.0" or dynamic = ["version"]': (
        says('[project]\nversion = "1.2.0"'), says('[project]\ndynamic = ["version"]'),
    ),
    "TAG011 asked 1.0.0rc1 (nothing is released yet)": after_of(tag="1.0.0rc1"),
    "TAG011 good 1.0.0": after_of(tag="1.0.0"),
    'TAG012 bad [tool.tagtrail] publish = ["elsewhere"]': says('[tool.tagtrail]\npublish = ["elsewhere"]'),
    "TAG012 good no [tool.tagtrail] in pyproject.toml": says("[tool.other]\nx = 1"),
    'TAG013 bad "version": "1.1.0" (in metadata.json, under the tag 1.2.0)': in_file(b'{"version": "1.1.0"}'),
    "TAG013 bad no metadata.json, or none with a version": (in_file(None), in_file(b"{}")),
    'TAG013 good "version": "1.2.0"': in_file(b'{"version": "1.2.0"}'),
    "TAG014 bad 1.2.0 (of two projects of one repository and one subdirectory)": beside("{version}", "{version}"),
    'TAG014 asked 1.2.0 (both with tag = "{version}", in two subdirectories)': beside(
        "{version}", "{version}", subdirectory="other"
    ),
    'TAG014 good client-1.2.0 (one with tag = "client-{version}", one with tag = "server-{version}")': beside(
        CLIENT, "server-{version}", "client-1.2.0"
    ),
    "TAG015 bad a commit on feature/x alone": facts(project=project(branches=("main",)), branches=("feature/x",)),
    "TAG015 good a commit that main has": facts(project=project(branches=("main",)), branches=("main", "feature/x")),
    "TAG016 bad 1.2.0 on a49c1e07 (1.2.0rc2 is on 77ab0311)": facts(
        project=project(final_is_rc=True), commit=COMMIT, candidates=(("1.2.0rc2", RC2),)
    ),
    "TAG016 good 1.2.0 on 77ab0311": facts(
        project=project(final_is_rc=True), commit=RC2, candidates=(("1.2.0rc2", RC2),)
    ),
    'TAG017 bad requires-python = ">=3.10" (in 1.2.1, where 1.2.0 said >=3.8)': patch(
        "1.2.1", 'requires-python = ">=3.10"\ndependencies = ["oslo.utils>=3.33"]'
    ),
    "TAG017 asked oslo.utils>=4.0 (in 1.2.1, where 1.2.0 said >=3.33)": patch(
        "1.2.1", 'requires-python = ">=3.8"\ndependencies = ["oslo.utils>=4.0"]'
    ),
    "TAG017 good the same in 1.3.0": patch("1.3.0", 'requires-python = ">=3.10"\ndependencies = ["oslo.utils>=4.0"]'),
    "TAG018 bad 1!1.0 (2015.1.0 is released)": after_of("2015.1.0", tag="1!1.0"),
    "TAG018 bad 3.0 (2.0 and 1!1.0 are released)": after_of("2.0", "1!1.0", tag="3.0"),
    "TAG018 good 1!1.1 (1!1.0 is released)": after_of("1!1.0", tag="1!1.1"),
    "TAG019 bad 1.2.0.dev3": tags("1.2.0.dev3"),
    'TAG019 bad 1.2.0rc1 (where the settings say channels = ["final"])': tags(
        "1.2.0rc1", project=project(channels=("final",))
    ),
    "TAG019 good 1.2.0": tags("1.2.0"),
    "TAG020 bad 2062.1.0 (committed in 2026)": tags("2062.1.0", **YEARS),
    "TAG020 asked 2006.1.0 (committed in 2026, nothing of 2006 is released)": tags("2006.1.0", **YEARS),
    "TAG020 good 2026.1.0, 2027.1.0": tags("2026.1.0", "2027.1.0", **YEARS),
    "FILE001 bad mylib2-1.2.0.tar.gz (of the project mylib)": files("mylib2-1.2.0.tar.gz"),
    "FILE001 good mylib-1.2.0.tar.gz": files(GIT),
    "FILE002 bad mylib-1.2.1.dev3.tar.gz, mylib-1.2.0+x.exe (at the tag 1.2.0)": (
        files("mylib-1.2.1.dev3.tar.gz"), files("mylib-1.2.0+x.exe"),
    ),
    "FILE002 good mylib-1.2.0.tar.gz": files(GIT),
    "FILE003 bad index.html, 1.2.0, mylib-1.2.0.tar.gz.asc, mylib-1.2.0.svg": (
        files("index.html"), files("1.2.0"), files("mylib-1.2.0.tar.gz.asc"), files("mylib-1.2.0.svg"),
    ),
    "FILE003 bad mylib-1.2.0.reproduced-1832b1dd.jsonl, mylib-1.2.0_SHA256SUMS": (
        files("mylib-1.2.0.reproduced-1832b1dd.jsonl"), files("mylib-1.2.0_SHA256SUMS"),
    ),
    'FILE003 bad "mylib-1.2.0 (1).exe"': files("mylib-1.2.0 (1).exe"),
    "FILE003 bad mylib-1.2.0.tgz beside mylib-1.2.0.tar.gz": files("mylib-1.2.0.tgz", GIT),
    "FILE003 good mylib-1.2.0.tar.gz": files(GIT),
    "FILE004 bad m4/build-to-host.m4 (in no commit)": members(GIT, "m4/build-to-host.m4"),
    "FILE004 bad configure (tests/files/bad-3-corrupt_lzma2.xz of the tag, under another name)": members(
        GIT, "configure"
    ),
    "FILE004 bad mylib-1.2.0.dist-info/setup.pth": members(
        "mylib-1.2.0-py3-none-any.whl", "mylib-1.2.0.dist-info/setup.pth"
    ),
    "FILE004 good PKG-INFO, mylib.egg-info/SOURCES.txt, src/mylib/_version.py": members(
        GIT, "PKG-INFO", "mylib.egg-info/SOURCES.txt", "src/mylib/_version.py"
    ),
    "FILE005 bad mylib/deploy/id_rsa, .pypirc": inside("mylib/deploy/id_rsa", ".pypirc"),
    "FILE005 bad -----BEGIN PRIVATE KEY----- (in mylib/settings.py)": inside("mylib/settings.py", data=KEY),
    'FILE005 good key = os.environ["MYLIB_KEY"]': inside("mylib/settings.py", data=b'key = os.environ["MYLIB_KEY"]\n'),
    "FILE006 bad .git/config, mylib/__pycache__/a.cpython-311.pyc, .DS_Store, mylib.py.orig, README~": inside(
        ".git/config", "mylib/__pycache__/a.cpython-311.pyc", ".DS_Store", "mylib.py.orig", "README~"
    ),
    "FILE006 good .gitignore, mylib.py, README": inside(".gitignore", "mylib.py", "README"),
    'FILE007 bad build = ["wheel"]': files("mylib-1.2.0-py3-none-any.whl", build=("wheel",)),
    'FILE007 good build = ["sdist", "wheel"]': files("mylib-1.2.0-py3-none-any.whl", GIT, build=("sdist", "wheel")),
    "FILE008 bad My.Lib-1.2.0.tar.gz, mylib-1.2.0.zip": (
        files("My.Lib-1.2.0.tar.gz", project="my-lib"), files("mylib-1.2.0.zip"),
    ),
    "FILE008 bad mylib-1.2.0.zip beside mylib-1.2.0.tar.gz": files("mylib-1.2.0.zip", GIT),
    "FILE008 good my_lib-1.2.0.tar.gz": files("my_lib-1.2.0.tar.gz", project="my-lib"),
    "FILE009 bad mylib-1.2.0-cp311-cp311-linux_x86_64.whl": files("mylib-1.2.0-cp311-cp311-linux_x86_64.whl"),
    "FILE009 good mylib-1.2.0-cp311-cp311-manylinux_2_28_x86_64.whl": files(
        "mylib-1.2.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    ),
    "FILE010 bad mylib-1.2.0.7z, mylib-1.2.0.x86_64.rpm, mylib-1.2.0.zst": (
        *unlooked("mylib-1.2.0.7z", holds=b"7z\xbc\xaf\x27\x1c"),
        *unlooked("mylib-1.2.0.x86_64.rpm", holds=b"\xed\xab\xee\xdb"),
        *unlooked("mylib-1.2.0.zst", holds=b"\x28\xb5\x2f\xfd"),
    ),
    "FILE010 bad lib/inner.jar (in mylib-1.2.0.zip, in no commit)": unlooked(
        "mylib-1.2.0.zip", holds=b"PK\3\4", member="lib/inner.jar"
    ),
    "FILE010 good mylib-1.2.0.jar, mylib-1.2.0.crate, mylib-1.2.0.exe": (
        *unlooked("mylib-1.2.0.jar", "mylib-1.2.0.crate", holds=b"PK\3\4"),
        *unlooked("mylib-1.2.0.exe", holds=b"MZ"),
    ),
    "META001 bad Requires-Dist: b >=": built(metadata("Requires-Dist: b >=")),
    "META001 bad Requires-Dist: b @ https://example.org/b.zip": built(
        metadata("Requires-Dist: b @ https://example.org/b.zip")
    ),
    "META001 good Requires-Dist: b>=1.2": built(metadata("Requires-Dist: b>=1.2")),
    "META002 bad Natural Language :: Ukranian (deprecated)": server("Natural Language :: Ukranian"),
    "META002 bad Programming Language :: Phyton": server("Programming Language :: Phyton"),
    "META002 good Natural Language :: Ukrainian": server("Natural Language :: Ukrainian"),
    'META003 bad Private :: Do Not Upload (and publish = ["pypi"])': server("Private :: Do Not Upload"),
    'META003 good Private :: Do Not Upload (and publish = ["site"])': replace(
        server("Private :: Do Not Upload"), indexed=False
    ),
    "META004 bad no Environment :: No Input/Output (Daemon) (of a server)": server(
        "Intended Audience :: System Administrators"
    ),
    "META004 bad Topic :: Software Development :: Libraries": server(
        "Environment :: No Input/Output (Daemon)",
        "Intended Audience :: System Administrators",
        "Topic :: Software Development :: Libraries",
    ),
    "META004 good Environment :: No Input/Output (Daemon), Intended Audience :: System Administrators": server(
        "Environment :: No Input/Output (Daemon)", "Intended Audience :: System Administrators"
    ),
    "META005 bad Nova is a cloud computing fabric controller.": described(
        "Nova is a cloud computing fabric controller."
    ),
    "META005 good Installing nova from here does not give you a running service: see https://docs.example.org/install":
        described("Installing nova from here does not give you a\nrunning service: see https://docs.example.org/install"),
    "META006 bad .. include:: CHANGES.rst (in README.rst)": described(".. include:: CHANGES.rst"),
    "META006 bad :class:`mylib.Thing` (Sphinx knows that, an index does not)": described("See :class:`mylib.Thing`."),
    "META006 good `mylib.Thing <https://docs.example.org/thing>`_": described(
        "See `mylib.Thing <https://docs.example.org/thing>`_."
    ),
    "META007 bad License-Expression: Apache2": built(metadata("License-Expression: Apache2")),
    f"META007 asked License-Expression: Apache-2.0 beside Classifier: {APACHE}": built(
        metadata("License-Expression: Apache-2.0", f"Classifier: {APACHE}")
    ),
    "META007 good License-Expression: Apache-2.0": built(metadata("License-Expression: Apache-2.0")),
    "META008 bad Requires-Python: 3.9 and later": built(metadata(python="3.9 and later")),
    "META008 asked Requires-Python: >=3.9,<4": built(metadata(python=">=3.9,<4")),
    "META008 good Requires-Python: >=3.9": built(metadata(python=">=3.9")),
    "META009 bad Project-URL: Source, git@example.org:mylib": built(
        metadata("Project-URL: Source, git@example.org:mylib")
    ),
    "META009 good Project-URL: Source, https://git.example.org/mylib": built(
        metadata("Project-URL: Source, https://git.example.org/mylib")
    ),
    "META010 bad Name, Version, and nothing else": built(metadata(python="")),
    "META010 good Summary, License-Expression, Requires-Python, Description-Content-Type, Project-URL: Source, ...":
        built(metadata(
            "Summary: a library", "License-Expression: Apache-2.0", "Description-Content-Type: text/markdown",
            "Project-URL: Source, https://git.example.org/mylib", "", "# A library",
        )),
    "META011 bad Requires-Dist: b>=2 in the wheel, b>=1 in the sdist": built(
        metadata("Requires-Dist: b>=2"), metadata("Requires-Dist: b>=1")
    ),
    "META011 good Requires-Dist: b>=1 in both": built(metadata("Requires-Dist: b>=1"), metadata("Requires-Dist: b>=1")),
    "META012 bad Requires-Python: >=3.10 in 9.7.1 (>=3.9 in 9.7.0)": patched("9.7.1", python=">=3.10"),
    "META012 asked Requires-Dist: oslo.utils>=8.0 in 9.7.1 (>=3.33 in 9.7.0)": patched(
        "9.7.1", requires=("oslo.utils>=8.0",)
    ),
    "META012 good the same, in 9.8.0": patched("9.8.0", python=">=3.10", requires=("oslo.utils>=8.0",)),
}  # fmt: skip


def documented() -> Iterator[str]:
    """The lines of the page, `RULE kind example`; what is indented further belongs to the line above."""
    for rule in RULES:
        joined = re.sub(r"\n {10}(?=\S)", " ", rule.about)
        for kind, text in re.findall(r"^    (bad|asked|good) +(\S.*)", joined, re.MULTILINE):
            yield " ".join(f"{rule.id} {kind} {text}".split())


def test_every_example_of_the_page_has_its_row() -> None:
    assert list(documented()) == list(EXAMPLES)


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_judged_as_the_page_says(line: str) -> None:
    id_, kind, _ = line.split(maxsplit=2)
    (rule,) = (rule for rule in RULES if rule.id == id_)
    rows = EXAMPLES[line]
    for facts_ in rows if isinstance(rows, tuple) else (rows,):
        verdict = judge([rule], facts_)
        levels = {finding.level for finding in verdict.findings}
        assert levels == ({rule.level} if kind == "bad" else {"warning"} if kind == "asked" else set()), verdict
        assert verdict.ran or line == "META012 good the same, in 9.8.0"
