"""Generated members that are too many for an entry: what is folded, and that nothing is lost under it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import canonical, drafts, entry
from tagtrail.formats.folding import folded
from tagtrail.model.facts import Artifact
from tagtrail.testing import samples
from tests.formats.test_entry import TIME, artifacts

CLASSES = ("META-INF/MANIFEST.MF", "com/example/A.class", "com/example/b/B.class", "com/example/b/C.class", "run.sh")

STEPS = [
    (999, CLASSES),
    (85, ("META-INF/MANIFEST.MF", "com/example/A.class", "com/example/b/*.class", "run.sh")),
    (60, ("META-INF/MANIFEST.MF", "com/example/*.class", "run.sh")),
    (5, ("*",)),
]


@pytest.mark.parametrize(("most", "wanted"), STEPS, ids=[most for most, _ in STEPS])
def test_the_deepest_are_folded_first(most: int, wanted: tuple[str, ...]) -> None:
    assert folded(CLASSES, most) == wanted


def test_a_stranger_among_many_keeps_its_name() -> None:
    many = [f"com/example/C{number}.class" for number in range(5000)]
    assert folded([*many, "com/example/evil.sh"], 30_000) == ("com/example/*.class", "com/example/evil.sh")


NAMES = st.lists(st.from_regex(r"[a-c]{1,2}(/[a-c]{1,2}){0,3}(\.[xy])?", fullmatch=True), unique=True, max_size=40)


@given(NAMES, st.integers(5, 400))
def test_every_name_fits_one_of_those_that_are_shown(names: list[str], most: int) -> None:
    shown = folded(names, most)
    assert len(canonical.dumps(list(shown))) <= most
    for name in names:
        fits = [(one, *one.partition("*")) for one in shown]
        assert any(one == name or (star and name.startswith(a) and name.endswith(b)) for one, a, star, b in fits)
    if len(canonical.dumps(names)) <= most:
        assert shown == tuple(names)


@pytest.mark.parametrize("jars", [1, 3])
def test_a_release_of_many_classes_has_an_entry(jars: int) -> None:
    many = tuple(f"com/example/project/package{number % 40}/Class{number}.class" for number in range(3000))
    made = [
        Artifact(name=f"a{number}.jar", blob=samples.blob(b"a"), generated=("META-INF/MANIFEST.MF", *many))
        for number in range(jars)
    ]
    found = entry.parse(0, drafts.seal(drafts.draft(artifacts(*made)), TIME))
    for file in found.files:
        assert file.generated[:2] == ("META-INF/MANIFEST.MF", "com/example/project/package0/*.class")
        assert len(file.generated) == 41
