"""The settings: one thing wrong at a time, each named by the path to its field; and all of them at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagtrail.formats.settings import parse_settings, project_of, settings_digest, site_of
from tagtrail.formats.settings_text import initial, people_lines, project_lines
from tagtrail.formats.site import Site
from tagtrail.formats.toml import quoted, quoted_key, read
from tagtrail.formats.trusting import BINDING
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import FILE, Approve, BuildSettings, Project, RuleSwitch, Settings

RULES = {"TAG001": True, "TAG007": False}

GOOD = """\
[org]
name = "Example Cloud"
origin = "releases.example.org/trail"

[people.release-team]
keys = ["keys/release-team.asc"]

[targets.site]
type = "site"
root = "site"
url = "https://releases.example.org/"

[targets.pypi]
type = "index"
repository = "pypi"
token = "env:PYPI_TOKEN"
on = ["final", "rc"]

[targets.announce]
type = "mail"
server = "smtp://localhost:25"
sender = "releases@example.org"
to = ["announce@lists.example.org"]

[kind.library]
build = ["sdist", "wheel"]
publish = ["site"]

[kind.server]
build = ["sdist", "sdist.xz", "wheel"]
publish = ["site", "pypi"]
announce = ["announce"]

[build]
isolation = "none"

[rules]
TAG007 = { level = "warning", because = "we ask" }

[project.nova]
kind = "library"
repo = "https://git.example.org/nova"
signers = ["release-team"]
"""


def parsed(text: str, **files: str) -> Settings:
    named = {name.replace("_", "/") + ".toml": data.encode() for name, data in files.items()}
    return parse_settings({FILE: text.encode(), **named}, lambda: RULES)


def problems(text: str, **files: str) -> list[str]:
    with pytest.raises(SetupError) as caught:
        parsed(text, **files)
    assert caught.value.code == "settings"
    assert caught.value.hint
    return caught.value.why.split("\n")


def test_good() -> None:
    found = parsed(GOOD)
    assert found.org.approve == Approve()
    assert found.target("pypi").option("token") == "env:PYPI_TOKEN"
    assert found.rules == (RuleSwitch(rule="TAG007", level="warning", because="we ask"),)
    assert project_of(found, "Nova") == Project(
        name="nova",
        kind="library",
        repo="https://git.example.org/nova",
        signers=("release-team",),
        build=("sdist", "wheel"),
        publish=("site",),
    )


def test_site_of() -> None:
    expected = Site(name="Example Cloud", origin="releases.example.org/trail", url="https://releases.example.org/")
    assert site_of(parsed(GOOD)) == expected
    local = GOOD.replace('url = "https://releases.example.org/"\n', 'path = "pub/{project}/{file}"\n')
    assert site_of(parsed(local)) == replace(expected, url="", path="pub/{project}/{file}")


def test_a_project_repeats_keys_of_its_kind() -> None:
    found = parsed(GOOD + 'build = ["wheel"]\npublish = []\nseries = "2026.1 Gazpacho"\ntag = "v{version}"\n')
    nova = project_of(found, "nova")
    assert (nova.build, nova.publish, nova.series, nova.tag) == (("wheel",), (), "2026.1 Gazpacho", "v{version}")


def test_how_much_a_build_may_use_up() -> None:
    assert parsed(GOOD.replace('[build]\nisolation = "none"\n', "")).build == BuildSettings(isolation="auto")
    most = 'memory = "512M"\ndisk = "2T"\nprocesses = 100\ntime = 600\n'
    expected = BuildSettings(isolation="none", memory=512 << 20, disk=2 << 40, processes=100, time=600)
    assert parsed(GOOD.replace("[build]\n", f"[build]\n{most}")).build == expected


def test_what_is_built_is_of_the_kind_or_of_the_project() -> None:
    tool = """
[kind.tool]
build = []
prepare = [["go", "mod", "download"]]
run = [["go", "build", "-o", "dist/{project}"], ["sh", "-c", "echo ${HOME} {}"]]
files = ["dist/{project}-{version}-*"]
publish = ["site"]
[project.one]
kind = "tool"
repo = "/src/one"
signers = ["release-team"]
declares = "Chart.yaml:version"
branches = ["main", "stable/*"]
[project.two]
kind = "tool"
repo = "/src/two"
signers = ["release-team"]
prepare = []
run = [["make", "dist"]]
files = ["*.tgz"]
build = ["tar.gz"]
"""
    found = parsed(GOOD + tool)
    one, two = project_of(found, "one"), project_of(found, "two")
    assert one.prepare == (("go", "mod", "download"),)
    assert one.run == (("go", "build", "-o", "dist/{project}"), ("sh", "-c", "echo ${HOME} {}"))
    assert (one.build, one.files, one.declares) == ((), ("dist/{project}-{version}-*",), "Chart.yaml:version")
    assert one.branches == ("main", "stable/*")
    assert (two.build, two.prepare, two.run, two.files) == (("tar.gz",), (), (("make", "dist"),), ("*.tgz",))
    assert (one.is_python, two.is_python, project_of(found, "nova").is_python) == (False, False, True)


def test_what_a_project_says_of_its_build_is_in_its_digest_and_what_it_does_not_say_is_not() -> None:
    plain = parsed(GOOD)
    nova = project_of(plain, "nova")
    texts = ("declares = 'VERSION'", "branches = ['main']", "run = [['make']]\nfiles = ['x']", "build = ['tar.gz']")
    digests = {settings_digest(plain, nova, ())}
    for text in texts:
        found = parsed(GOOD + text)
        digests.add(settings_digest(found, project_of(found, "nova"), ()))
    assert len(digests) == len(texts) + 1


def test_projects_in_files_of_their_own() -> None:
    more = '[project."oslo.config"]\nkind = "library"\nrepo = "/src/oslo.config"\nsigners = ["release-team"]\n'
    found = parsed(GOOD, projects_oslo=more)
    assert [p.name for p in found.projects] == ["nova", "oslo.config"]


# Each row: a line to find, what stands there instead, and the one problem that is told.
WRONG = [
    # not TOML
    ("[org]", "[org", "tagtrail.toml: not TOML: Expected ']' at the end of a table declaration (at line 1, column 5)"),
    # what is missing
    ('name = "Example Cloud"\n', "", "org.name: missing"),
    ('origin = "releases.example.org/trail"\n', "", "org.origin: missing"),
    ('keys = ["keys/release-team.asc"]', "", "people.release-team.keys: missing"),
    ('type = "site"\nroot', "root", "targets.site.type: missing\ntagtrail.toml: targets: exactly one has type ="),
    ('signers = ["release-team"]', "", "project.nova.signers: missing"),
    ('kind = "library"\n', "", "project.nova.kind: missing"),
    ('repo = "https://git.example.org/nova"', "", "project.nova.repo: missing"),
    # unknown keys
    ("signers =", "singers = [1]\nsigners =", "project.nova.singers: unknown key, did you mean 'signers'?"),
    (
        "[build]\n",
        '[build]\ncache = "x"\n',
        "build.cache: unknown key (there are disk, isolation, memory, processes, time)",
    ),
    ("[build]", "[bulid]", "bulid: unknown key, did you mean 'build'?"),
    ('root = "site"', 'root = "site"\nurls = ""', "targets.site.urls: unknown key, did you mean 'url'?"),
    ("[org]", "[org]\nurl = 1", "org.url: unknown key (there are approve, name, origin, reproducers, witnesses)"),
    ('isolation = "none"', 'isolation = "none"\n[worker]', "worker: unknown key"),
    # wrong types
    ('name = "Example Cloud"', "name = 3", "org.name: must be a string, not a number"),
    ('name = "Example Cloud"', 'name = ""', "org.name: is empty"),
    (
        'keys = ["keys/release-team.asc"]',
        'keys = "a"',
        "people.release-team.keys: must be a list of strings, not a string",
    ),
    ('keys = ["keys/release-team.asc"]', "keys = [1]", "people.release-team.keys: must be a list of strings"),
    ("[people.release-team]", "[people]\nx = 1\n[people.release-team]", "people.x: must be a table, not a number"),
    ("[org]", "[org]\napprove = true", "org.approve: must be a table, not true or false"),
    ("[org]", '[org]\napprove = { need = "1", from = "release-team" }', "org.approve.need: must be a whole number"),
    ("[org]", '[org]\napprove = { need = true, from = "release-team" }', "org.approve.need: must be a whole number"),
    ("[org]", '[org]\napprove = { need = -1, from = "release-team" }', "org.approve.need: must be at least 0, not -1"),
    ("[org]", "[org]\napprove = { need = 1 }", "org.approve.from: missing"),
    ('["final", "rc"]', '["final", "final"]', "targets.pypi.on: names 'final' twice"),
    # references
    (
        "[org]",
        '[org]\napprove = { need = 1, from = "team" }',
        "org.approve.from: there is no group 'team' (there are release-team)",
    ),
    (
        'signers = ["release-team"]',
        'signers = ["relase-team"]',
        "project.nova.signers: there is no group 'relase-team', did",
    ),
    ('signers = ["release-team"]', "signers = []", "project.nova.signers: names nobody"),
    ('kind = "library"', 'kind = "libary"', "project.nova.kind: there is no kind 'libary', did you mean 'library'?"),
    (
        'publish = ["site"]',
        'publish = ["sites"]',
        "kind.library.publish: there is no target 'sites', did you mean 'site'?",
    ),
    ('announce = ["announce"]', 'announce = ["irc"]', "kind.server.announce: there is no target 'irc' (there are"),
    ('"sdist", "wheel"]', '"sdist", "whl"]', "kind.library.build: there is no build kind 'whl', did you mean 'wheel'?"),
    ('type = "index"', 'type = "indx"', "targets.pypi.type: there is no type of target 'indx', did you mean 'index'?"),
    ('["final", "rc"]', '["finale"]', "targets.pypi.on: there is no channel 'finale', did you mean 'final'?"),
    (
        'type = "index"',
        'type = "index"\nby = "hand"',
        "targets.pypi.by: there is no other who uploads 'hand' (there are ci)",
    ),
    ('type = "site"', 'type = "site"\nby = "ci"', "targets.site.by: is for places that others upload to"),
    (
        'type = "index"\nrepository = "pypi"\ntoken = "env:PYPI_TOKEN"',
        'type = "site"',
        "targets: exactly one has type =",
    ),
    # rules
    ("TAG007", "TAG077", "rules.TAG077: there is no such rule, did you mean 'TAG007'?"),
    ("TAG007", "TAG001", "rules.TAG001: this rule cannot be switched"),
    ('level = "warning"', 'level = "of"', "rules.TAG007.level: there is no level 'of', did you mean 'off'?"),
    ('because = "we ask"', 'because = ""', "rules.TAG007.because: is empty"),
    ('"we ask"', '"ask jo@example.org"', "rules.TAG007.because: names no address: the entry is public, and for ever"),
    (', because = "we ask"', "", "rules.TAG007.because: missing"),
    ('because = "we ask"', 'because = "we ask", for = 3', "rules.TAG007.for: unknown key"),
    # forms
    ('origin = "releases', 'origin = "https://releases', "org.origin: has no scheme: 'releases.example.org/trail'"),
    ("org/trail", "org/trail/", "org.origin: does not end with a slash: 'releases.example.org/trail'"),
    ("org/trail", "org/tr ail", "org.origin: is a host and a path"),
    ("org/trail", "org/tr+ail", "org.origin: is a host and a path"),
    ("org/trail", "org/trá", "org.origin: is a host and a path"),
    ("org/trail", "org/../x", "org.origin: is a host and a path"),
    ("Example Cloud", "Example\\nCloud", "org.name: is one line of at most 200 characters"),
    ("Example Cloud", "Example\\u202eCloud", "org.name: is one line of at most 200 characters"),
    ('example.org/"', 'example.org"', "targets.site.url: ends with a slash: 'https://releases.example.org/'"),
    ('"https://releases.example.org/"', '"ftp://x/"', "targets.site.url: is http or https"),
    ('example.org/"', 'example.org/?a=/"', "targets.site.url: is http or https"),
    ('root = "site"', 'root = "../site"', "targets.site.root: '../site' is not a path within"),
    ('root = "site"', 'path = "{file}"', "targets.site.path: places {project} and, at the end, {file}"),
    ('root = "site"', 'path = "{project.name}/{file}"', "targets.site.path: places {project} and"),
    ('root = "site"', 'path = "{project}/../{file}"', "targets.site.path: places {project} and"),
    (
        'root = "site"',
        'path = "trail/{project}/{file}"',
        "targets.site.path: begins with 'trail', which the site needs",
    ),
    (
        "keys/release-team.asc",
        "../release-team.asc",
        "people.release-team.keys: '../release-team.asc' is not a path within",
    ),
    ("keys/release-team.asc", "/etc/passwd", "people.release-team.keys: '/etc/passwd' is not a path within"),
    ("[people.release-team]", '[people."a b"]\nkeys = []\n[people.release-team]', 'people."a b": a name is of letters'),
    ("https://git.example.org/nova", "ext::sh -c x", "project.nova.repo: is an absolute path, or an address"),
    ("https://git.example.org/nova", "nova", "project.nova.repo: is an absolute path, or an address"),
    ("https://git.example.org/nova", "--upload-pack=x", "project.nova.repo: is an absolute path, or an address"),
    ('kind = "library"', 'kind = "library"\ntag = "v"', "project.nova.tag: has one {version} in the name of a git tag"),
    ('kind = "library"', 'kind = "library"\ntag = ""', "project.nova.tag: is empty"),
    ('kind = "library"', 'kind = "library"\ntag = "{version}..x"', "project.nova.tag: has one {version}"),
    ('kind = "library"', 'kind = "library"\nsubdirectory = "../x"', "project.nova.subdirectory: '../x' is not a path"),
    (
        'kind = "library"',
        'kind = "library"\npublic = "/src/nova"',
        "project.nova.public: is an address that others can reach",
    ),
    (
        'kind = "library"',
        'kind = "library"\nversions = "calver"',
        "project.nova.versions: years are for ever: say why",
    ),
    (
        'kind = "library"',
        'kind = "library"\nversions = "semmver"',
        "project.nova.versions: there is no scheme of versions 'semmver', did you mean 'semver'?",
    ),
    (
        'isolation = "none"',
        'isolation = "chroot"',
        "build.isolation: there is no isolation 'chroot' (there are auto, bubblewrap,",
    ),
    # names
    ("[project.nova]", "[project.simple]", "project.simple: the site needs this name for itself"),
    ("[project.nova]", "[project.Trail]", "project.Trail: the site needs this name for itself"),
    ("[project.nova]", '[project."Feed.Atom"]', 'project."Feed.Atom": the site needs this name for itself'),
    ("[project.nova]", '[project."no va"]', 'project."no va": a project\'s name is of ASCII letters'),
    ("[project.nova]", '[project."-nova"]', "project.-nova: a project's name is of ASCII letters"),
    ("[project.nova]", '[project."nová"]', 'project."nová": a project\'s name is of ASCII letters'),
    # secrets
    (
        "env:PYPI_TOKEN",
        "pypi-AgEIcH",
        "targets.pypi.token: is a secret in clear: write env:NAME, file:PATH or cmd:COMMAND",
    ),
    (
        "smtp://localhost:25",
        "smtp://jo:pw@localhost:25",
        "targets.announce.server: has a user or a password in its address",
    ),
    (
        "https://git.example.org/nova",
        "https://tok@git.example.org/nova",
        "project.nova.repo: has a user or a password in",
    ),
    # later
    *(
        (
            "[build]\n",
            f'[build]\nmemory = "{size}"\n',
            f'build.memory: must be a size such as "512M" or "8G", not \'{size}\'',
        )
        for size in ("8", "8g", "8GB", "-1G", "0G", "08G", "1.5G", "8 G", "8P", "\u0668G")
    ),
    ("[build]\n", "[build]\ndisk = 8\n", "build.disk: must be a string, not a number"),
    ("[build]\n", "[build]\nprocesses = -1\n", "build.processes: must be at least 0, not -1"),
    ("[build]\n", '[build]\ntime = "1h"\n', "build.time: must be a whole number, not a string"),
    ("[build]", '[engine]\ndatabase = "x"\n[build]', "engine: is not there yet; remove it"),
    ('kind = "library"', 'kind = "library"\nafter = ["x"]', "project.nova.after: is not there yet; remove it"),
    # files from elsewhere
    ('kind = "library"', 'kind = "library"\nexpect = ["../x"]', "project.nova.expect: '../x' is not a pattern"),
    ('kind = "library"', 'kind = "library"\nbuilders = ["ci"]', "project.nova.builders: there is no builder 'ci'"),
    ("[build]", '[builders.ci]\ntoken = "hunter2"\n[build]', "builders.ci.token: is a secret in clear"),
    ("[build]", "[builders.ci]\n[build]", "builders.ci: has a token, or issuer"),
    (
        "[build]",
        '[builders.ci]\nissuer = "https://ci"\naudience = "x"\nkeys = "http://ci/"\nclaims = { sub = "b" }\n[build]',
        "builders.ci.keys: begins with https://",
    ),
    ("[build]", '[builders.ci]\nissuer = "https://ci.example"\n[build]', "builders.ci: has a token, or issuer"),
    *(
        (
            "[build]",
            f'[builders.ci]\nissuer = "https://ci"\naudience = "x"\nkeys = "ci.json"\nclaims = {claims}\n[build]',
            f"builders.ci.claims: {fault}",
        )
        for claims, fault in (
            ('{ ref_type = "tag" }', "bind no repository and no workflow"),
            ('{ ref = "refs/tags/{tag}", workflow = "wheels" }', "bind no repository and no workflow"),
            ('{ repository = "", ref = "x" }', "bind no repository and no workflow"),
            ('{ repository = "a/b", ref = "refs/tags/{tga}" }', "{tga} in ref stands for nothing"),
            ('{ repository = "a/b", ref = "refs/tags/{}" }', "{} in ref stands for nothing"),
            ('{ sub = "repo:{project}:ref" }', "{project} in sub stands for nothing"),
        )
    ),
    # what is built
    ('build = ["sdist", "wheel"]', "build = []", "project.nova.build: makes nothing: name build kinds, or what `run`"),
    (
        'build = ["sdist", "wheel"]',
        'build = ["sdist", "tar.gz"]',
        "project.nova.build: 'sdist' and 'tar.gz' are both called",
    ),
    (
        'build = ["sdist", "wheel"]',
        'build = ["sdist", "sdist.xz", "tar.xz"]',
        "project.nova.build: 'sdist.xz' and 'tar.xz' are",
    ),
    ("signers =", 'run = "make"\nsigners =', "project.nova.run: must be a list of command lines, not a string"),
    ("signers =", 'run = ["make"]\nsigners =', "project.nova.run: must be a list of command lines, each a list of its"),
    (
        "signers =",
        "run = [[]]\nsigners =",
        "project.nova.run: must be a list of command lines, each a list of its words",
    ),
    ("signers =", 'run = [["make", 1]]\nsigners =', "project.nova.run: must be a list of command lines, each a list"),
    ("signers =", 'run = [["a\\u0000"]]\nfiles = ["a"]\nsigners =', "project.nova.run: has a command line that cannot"),
    ("signers =", 'run = [["make"]]\nsigners =', "project.nova.run: makes what nobody takes: name it in files"),
    ("signers =", 'prepare = [["make"]]\nsigners =', "project.nova.prepare: makes what nobody takes: name it in files"),
    ("signers =", 'files = ["dist/*"]\nsigners =', "project.nova.files: names what `run` makes, and there is no run"),
    (
        "signers =",
        'run = [["make"]]\nfiles = ["../x"]\nsigners =',
        "project.nova.files: '../x' is not a path within this directory",
    ),
    *(
        (
            "signers =",
            f'run = [["make"]]\nfiles = ["{name}"]\nsigners =',
            f"project.nova.files: {name!r} is not a pattern",
        )
        for name in ("dist/**/x", "{commit}.tgz", "a b", "{version")
    ),
    (
        "signers =",
        'build = ["tar.gz"]\npublish = ["site", "pypi"]\nsigners =',
        "project.nova.publish: 'pypi' is an index of Python packages, and nothing of that kind is built",
    ),
    (
        "signers =",
        'declares = "../x:y"\nsigners =',
        "project.nova.declares: '../x' is not a path within this directory",
    ),
    ("signers =", 'declares = "a.json"\nsigners =', 'project.nova.declares: names a key of a.json, such as "a.json:'),
    ("signers =", 'declares = "a.json:a..b"\nsigners =', "project.nova.declares: names a key of a.json, such as"),
    (
        "signers =",
        'declares = "VERSION:a"\nsigners =',
        "project.nova.declares: VERSION has no keys: name the file alone",
    ),
    (
        "signers =",
        'declares = "a.yml:a.b"\nsigners =',
        "project.nova.declares: of YAML a key at the top is read, and 'a.b'",
    ),
    (
        "signers =",
        'branches = ["a b"]\nsigners =',
        "project.nova.branches: 'a b' is not a pattern of branches, such as",
    ),
]


@pytest.mark.parametrize(("old", "new", "problem"), WRONG, ids=[problem for _, _, problem in WRONG])
def test_one_thing_wrong(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    found = "\n".join(problems(GOOD.replace(old, new, 1)))
    expected = problem if problem.startswith("tagtrail.toml") else f"tagtrail.toml: {problem}"
    assert found.startswith(expected)
    assert found.count("\n") == expected.count("\n")


@pytest.mark.parametrize("claim", BINDING)
def test_claims_that_name_a_builder(claim: str) -> None:
    """Whether a workflow's or a repository's; a UUID in braces is no word."""
    for value in ("a/b@refs/tags/{tag}", "{commit}", "{6e0ed3ac-4a5e-4b2f-9d0c-0123456789ab}"):
        said = f'claims = {{ ref_type = "tag", {quoted_key(claim)} = "{value}" }}'
        builder = f'[builders.ci]\nissuer = "https://ci"\naudience = "x"\nkeys = "ci.json"\n{said}\n[build]'
        (found,) = parsed(GOOD.replace("[build]", builder, 1)).builders
        assert dict(found.claims)[claim] == value
    assert f"`{claim}`" in (Path(__file__).parents[2] / "docs" / "settings.md").read_text()


def test_all_problems_are_told_at_once() -> None:
    text = GOOD
    rows = [r for r in WRONG if r[0] in ("env:PYPI_TOKEN", 'isolation = "none"', "Example Cloud", '["final", "rc"]')]
    chosen = {old: (old, new, problem) for old, new, problem in rows}.values()
    for old, new, _ in chosen:
        text = text.replace(old, new, 1)
    assert len(problems(text)) == len(chosen) == 4


def test_not_utf8() -> None:
    with pytest.raises(SetupError) as caught:
        parse_settings({FILE: GOOD.encode() + b"# \xff"})
    assert caught.value.why == f"tagtrail.toml: not UTF-8 at byte {len(GOOD) + 2}"


def test_no_file_is_an_empty_file() -> None:
    with pytest.raises(SetupError) as caught:
        parse_settings({})
    assert "tagtrail.toml: org.name: missing" in caught.value.why


@pytest.mark.parametrize("other", ["Nova", "NOVA", "n.ova"])
def test_two_projects_of_one_name(other: str) -> None:
    again = f'[project.{quoted_key(other)}]\nkind = "library"\nrepo = "/src"\nsigners = ["release-team"]\n'
    if other == "n.ova":
        assert len(parsed(GOOD, projects_x=again).projects) == 2
    else:
        assert problems(GOOD, projects_x=again) == [
            f"projects/x.toml: project.{other}: is one project with tagtrail.toml: project.nova"
        ]


def test_other_files_hold_projects_only() -> None:
    assert problems(GOOD, projects_x="[targets.site]\n") == [
        "projects/x.toml: targets: unknown key (there are project)"
    ]


# --- a site in object storage ---

BUCKET = """root = "s3://releases/site"
endpoint = "https://s3.example.org"
region = "eu-1"
access-key = "env:KEY"
secret-key = "file:private/s3"
path-style = false"""


def test_a_site_in_a_bucket() -> None:
    site = parsed(GOOD.replace('root = "site"', BUCKET)).site
    keys = ("root", "endpoint", "region", "access-key", "secret-key", "path-style")
    said = ("s3://releases/site", "https://s3.example.org", "eu-1", "env:KEY", "file:private/s3", False)
    assert tuple(map(site.option, keys)) == said


def test_a_site_in_a_directory_says_nothing_of_buckets() -> None:
    assert {key for key, _ in parsed(GOOD).site.options} == {"path", "root", "upload", "url"}


BAD_BUCKETS = [
    ("s3://releases/site", "s3://releases/", "root: is a directory, or s3://BUCKET/PREFIX"),
    ("s3://releases/site", "s3://", "root: is a directory, or s3://BUCKET/PREFIX"),
    ("s3://releases/site", "s3://releases/../x", "root: is a directory, or s3://BUCKET/PREFIX"),
    ("s3://releases/site", "gs://releases/site", "root: is a directory, or s3://BUCKET/PREFIX"),
    ("https://s3.example.org", "s3.example.org", "endpoint: is an address"),
    ("env:KEY", "AKIA", "access-key: is a reference"),
    ("file:private/s3", "hunter2", "secret-key: is a secret in clear"),
    ('access-key = "env:KEY"', "", "secret-key: and access-key come together"),
    ("path-style = false", 'upload = ["rsync"]', "upload: is for a directory"),
    ("path-style = false", 'path-style = "no"', "path-style: "),
]


@pytest.mark.parametrize(("old", "new", "fault"), BAD_BUCKETS, ids=[f"{new or old}" for old, new, _ in BAD_BUCKETS])
def test_what_is_wrong_with_a_bucket(old: str, new: str, fault: str) -> None:
    (problem,) = problems(GOOD.replace('root = "site"', BUCKET.replace(old, new)))
    assert problem.startswith(f"tagtrail.toml: targets.site.{fault}")
    assert "hunter2" not in problem


def test_a_directory_has_no_endpoint() -> None:
    (problem,) = problems(GOOD.replace('root = "site"', 'root = "site"\nendpoint = "https://s3.example.org"'))
    assert problem == 'tagtrail.toml: targets.site.endpoint: is for root = "s3://BUCKET/PREFIX"'


def test_unknown_project() -> None:
    with pytest.raises(SetupError) as caught:
        project_of(parsed(GOOD), "nov")
    assert caught.value.code == "project-unknown"
    assert caught.value.why == "the settings have no [project.nov], did you mean 'nova'?"


# --- the digest ---


def digest(text: str, people: tuple[str, ...] = ("A",)) -> str:
    found = parsed(text)
    return settings_digest(found, project_of(found, "nova"), people)


OTHER_PROJECT = '[project.x]\nkind = "library"\nrepo = "/x"\nsigners = ["release-team"]\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Example Cloud", "Another Cloud"),
        ("env:PYPI_TOKEN", "env:OTHER"),
        ("[project.nova]", f"{OTHER_PROJECT}[project.nova]"),
        ('signers = ["release-team"]', 'signers = ["release-team"]\ntag = "{version}"'),
        ("keys/release-team.asc", "keys/moved.asc"),
    ],
)
def test_what_does_not_concern_a_project_changes_nothing(old: str, new: str) -> None:
    assert digest(GOOD) == digest(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("example.org/trail", "example.org/trail2"),
        ("https://releases.example.org/", "https://other.example.org/"),
        ('build = ["sdist", "wheel"]', 'build = ["wheel"]'),
        ('because = "we ask"', 'because = "we do"'),
        ("git.example.org/nova", "git.example.org/supernova"),
        ('signers = ["release-team"]', 'signers = ["release-team"]\nseries = "x"'),
    ],
)
def test_what_concerns_a_project_changes_it(old: str, new: str) -> None:
    assert digest(GOOD) != digest(GOOD.replace(old, new, 1))


def test_people_by_fingerprint_in_any_order() -> None:
    assert digest(GOOD, ("A", "B")) == digest(GOOD, ("B", "A")) != digest(GOOD, ("A",))


def test_the_digest_is_stable() -> None:
    assert digest(GOOD) == "46701d29192e6b7493dc96b181d1fe53ad71f0aa7076f744f2f81eb064512c20"


# --- what tagtrail writes ---


@pytest.mark.parametrize("url", ["", "https://jo.example/rel/"])
def test_initial(url: str) -> None:
    found = parsed(initial("jo", "jo.example/rel/trail", url))
    assert [k.name for k in found.kinds] == ["library", "server", "generic"]
    assert site_of(found) == Site(name="jo", origin="jo.example/rel/trail", url=url)


def test_project_lines() -> None:
    text = project_lines("oslo.config", kind="library", repo="/src/oslo", signers=("release-team",), tag="v{version}")
    assert text == (
        '\n[project."oslo.config"]\nkind    = "library"\nrepo    = "/src/oslo"\n'
        'signers = ["release-team"]\ntag     = "v{version}"\n'
    )
    assert project_of(parsed(GOOD + text), "oslo-config").tag == "v{version}"


@given(st.text(), st.text())
def test_whatever_is_written_is_read_back(name: str, text: str) -> None:
    people = people_lines(name, (text,))
    found: list[str] = []
    ((key, table),) = read("x.toml", people.encode("utf-8", "surrogatepass"), found).tables("people")
    assert (found, key, table.texts("keys")) == ([], name, (text,))


@given(st.text())
def test_quoted(text: str) -> None:
    assert read("x", f"a = {quoted(text)}".encode(), []).values == {"a": text}


KEYS = st.sampled_from(
    "org people targets kind project rules build name origin type keys level because approve x".split()
)
VALUES = st.sampled_from(["", "site", "x", 0, 1, True, -1.5])
TABLES = st.recursive(VALUES, lambda x: st.lists(x, max_size=2) | st.dictionaries(KEYS, x, max_size=3), max_leaves=8)


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return quoted(value) if isinstance(value, str) else str(value).lower()


@settings(max_examples=60)
@given(st.dictionaries(KEYS, TABLES, max_size=6))
def test_any_table_is_refused_calmly(values: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {inline(value)}\n" for key, value in values.items())
    with pytest.raises(SetupError):
        parse_settings({FILE: text.encode()})
