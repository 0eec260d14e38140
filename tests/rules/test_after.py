"""The rule that an archive is its tag: what builds usually make, what the settings explain, and what is a finding."""

import pytest

from tagtrail.model.facts import Override, Remark
from tagtrail.model.settings import RuleSwitch
from tagtrail.rules.archives import excused
from tagtrail.rules.book import Verdict, judge
from tagtrail.rules.facts import After
from tagtrail.rules.registry import AFTER

SDIST, WHEEL = "mylib-1.2.0.tar.gz", "mylib-1.2.0-py3-none-any.whl"
NATIVE = "mylib-1.2.0-cp311-cp311-linux_x86_64.whl"


def after(file: str, *members: str, reasons: tuple[tuple[str, str], ...] = ()) -> After:
    return After(project="mylib", version="1.2.0", files=(file,), generated=((file, members),), reasons=reasons)


def judged(facts: After, *switches: RuleSwitch) -> Verdict:
    return judge(AFTER, facts, switches)


USUAL = [
    # what nine real projects' builds made, by five backends
    (SDIST, ("PKG-INFO", "setup.cfg", "AUTHORS", "ChangeLog", "src/iniconfig/_version.py", "mylib/version.py")),
    (SDIST, tuple(f"src/mylib.egg-info/{n}" for n in ("PKG-INFO", "SOURCES.txt", "requires.txt", "top_level.txt"))),
    (SDIST, tuple(f"oslo.config.egg-info/{n}" for n in ("not-zip-safe", "pbr.json", "entry_points.txt"))),
    (WHEEL, tuple(f"mylib-1.2.0.dist-info/{n}" for n in ("METADATA", "RECORD", "WHEEL", "licenses/AUTHORS"))),
    (WHEEL, ("mylib/_version.py",)),
    (NATIVE, ("markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so", "markupsafe-3.0.2.dist-info/RECORD")),
]


@pytest.mark.parametrize(("file", "members"), USUAL)
def test_what_builds_usually_make(file: str, members: tuple[str, ...]) -> None:
    assert judged(after(file, *members)).findings == ()


UNUSUAL = [
    (SDIST, "m4/build-to-host.m4"),  # how a backdoor came into a tarball
    (SDIST, "tests/files/good-large_compressed.lzma"),
    (SDIST, "conftest.py"),
    (SDIST, "mylib.egg-info/evil.py"),
    (SDIST, "mylib/PKG-INFO"),
    (SDIST, "sub/setup.cfg"),
    (SDIST, "mylib/_speedups.so"),
    (WHEEL, "mylib/_speedups.so"),
    (WHEEL, "evil.pth"),
    (WHEEL, "mylib-1.2.0.dist-info/evil.py"),
    (WHEEL, "mylib-1.2.0.data/scripts/mylib"),
    (WHEEL, "PKG-INFO"),
    (NATIVE, "mylib/_speedups.so.txt"),
    (NATIVE, "mylib/x.exe"),
]


@pytest.mark.parametrize(("file", "member"), UNUSUAL, ids=[f"{f}: {m}" for f, m in UNUSUAL])
def test_what_nobody_expects(file: str, member: str) -> None:
    (finding,) = judged(after(file, "PKG-INFO" if file == SDIST else "x.dist-info/METADATA", member)).findings
    assert (finding.rule, finding.code, finding.level) == ("FILE004", "member-unexpected", "error")
    assert finding.text == f"{file} has {member}, which the tag does not have there"
    assert finding.fix.endswith(f'under [project.mylib]: generated = {{ "{member}" = "WHY" }}')


def test_many_are_one_finding() -> None:
    (finding,) = judged(after(SDIST, *(f"locale/{n}.mo" for n in range(7)))).findings
    assert "locale/4.mo and 2 more, which the tag does not have there" in finding.text


def test_each_file_has_a_finding_of_its_own() -> None:
    generated = ((SDIST, ("a.m4",)), (WHEEL, ("b.pth",)))
    findings = judged(After(project="mylib", version="1.2.0", files=(SDIST, WHEEL), generated=generated)).findings
    assert [f.text.partition(",")[0] for f in findings] == [f"{SDIST} has a.m4", f"{WHEEL} has b.pth"]


REASON = ("mylib/locale/*.mo", "compiled from the .po files")


def test_what_the_settings_explain_goes_into_the_entry() -> None:
    facts = after(SDIST, "PKG-INFO", "mylib/locale/de/LC_MESSAGES/mylib.mo", "mylib/locale/fr.mo", reasons=(REASON,))
    assert judged(facts).findings == ()
    assert excused(facts) == (Override(rule="FILE004", because="mylib/locale/*.mo: compiled from the .po files"),)


def test_a_reason_that_was_not_needed_is_not_told() -> None:
    assert excused(after(SDIST, "PKG-INFO", reasons=(("PKG-INFO", "because"), REASON))) == ()


def test_a_reason_explains_nothing_else() -> None:
    assert len(judged(after(SDIST, "mylib/locale.mo", reasons=(REASON,))).errors) == 1


@pytest.mark.parametrize(("level", "left"), [("off", []), ("warning", ["warning"])])
def test_switched(level: str, left: list[str]) -> None:
    verdict = judged(after(SDIST, "x.m4"), RuleSwitch(rule="FILE004", level=level, because="we look ourselves"))
    assert [f.level for f in verdict.findings] == left
    assert verdict.overrides == (Override(rule="FILE004", because="we look ourselves"),)


# Archives that nobody looked into


@pytest.mark.parametrize(
    ("member", "what", "text"),
    [
        ("", "a 7z archive", "mylib-1.2.0.bin is a 7z archive: nobody looked into it"),
        ("lib/x.jar", "a zip archive", "mylib-1.2.0.bin has lib/x.jar, a zip archive: nobody looked into it"),
    ],
)
def test_what_nobody_looked_into_is_a_warning(member: str, what: str, text: str) -> None:
    name = "mylib-1.2.0.bin"
    remarks = ((name, Remark(kind="archive", member=member, what=what)),)
    facts = After(project="mylib", version="1.2.0", files=(name,), remarks=remarks)
    (finding,) = judged(facts).findings
    assert (finding.rule, finding.code, finding.level) == ("FILE010", "no-unread-archives", "warning")
    assert finding.text == text
    strict = RuleSwitch(rule="FILE010", level="error", because="we ship nothing that is closed")
    assert [f.level for f in judged(facts, strict).findings] == ["error"]


WRAPPED = [
    ("mylib-1.2.0.gem", ("metadata.gz", "data.tar.gz", "checksums.yaml.gz", "data.tar.gz.sig"), "data.tar.gz/lib/x.rb"),
    ("mylib-1.2.0.crate", ("Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"), "src/lib.rs"),
]


@pytest.mark.parametrize(("file", "usual", "odd"), WRAPPED)
def test_what_other_packagers_usually_make(file: str, usual: tuple[str, ...], odd: str) -> None:
    assert judged(after(file, *usual)).findings == ()
    (finding,) = judged(after(file, *usual, odd)).findings
    assert finding.text == f"{file} has {odd}, which the tag does not have there"
    assert len(judged(after(SDIST, *usual)).findings) == 1, "in what is called so alone"
