"""Rules about what the project's own files say of it, at the commit to be built."""

from collections.abc import Iterator

from tagtrail.model.names import project_key, version_key
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import Before
from tagtrail.rules.requirements import dropped_python, raised
from tagtrail.rules.written import written

__all__ = ["OWN_FILES"]


@rule("TAG009", "name-declared")
def name_declared(facts: Before) -> Iterator[Said]:
    """The project's own files say the name that the settings say.

    Read from pyproject.toml, else setup.cfg, at the commit to be built; after the build the produced files are held
    to the same (FILE001). A project in a subdirectory is left to that.

        bad   name = "mylib2"       (where the settings say [project.mylib])
        good  name = "My.Lib"       (for [project.my-lib]: one name, PEP 503)
    """
    if facts.project.subdirectory:
        return
    if facts.declared.broken:
        yield Said(text=facts.declared.broken, fix="mend pyproject.toml at this commit", code="pyproject-broken")
    elif facts.declared.name and project_key(facts.declared.name) != project_key(facts.project.name):
        text = f"the project calls itself {facts.declared.name}, the settings call it {facts.project.name}"
        yield Said(
            text=text, fix=f"change one of them: [project.{facts.declared.name}] or name = {facts.project.name!r}"
        )


@rule("TAG010", "version-declared", needs=("version",))
def version_declared(facts: Before) -> Iterator[Said]:
    """A version written in the project's own files is the tag's.

    A version that the backend takes from the tag is not written anywhere, and nothing is asked. setup.cfg of pbr
    projects is not asked: there it means "at least".

        bad   version = "1.1.0"     (under the tag 1.2.0)
        good  version = "1.2.0"     or dynamic = ["version"]
    """
    own = facts.declared.version
    if own and not facts.project.subdirectory and version_key(own) != version_key(facts.version):
        fix = f'set version = "{facts.version}" and commit it before tagging'
        yield Said(text=f"the project's files say version {own}, the tag says {facts.version}", fix=fix)


@rule("TAG012", "own-settings")
def own_settings(facts: Before) -> Iterator[Said]:
    """A project does not say where or how it is published.

    `[tool.tagtrail]` in pyproject.toml may one day say how a project is built; everything else belongs to the
    operator's settings, because whoever may change the code may not thereby change where it goes. No key is known
    yet.

        bad   [tool.tagtrail]
              publish = ["elsewhere"]
        good  no [tool.tagtrail] in pyproject.toml
    """
    if facts.declared.own:
        keys = ", ".join(facts.declared.own[:5])
        text = f"[tool.tagtrail] in pyproject.toml says {keys}, which is for the settings to say"
        yield Said(text=text, fix="remove it from pyproject.toml; ask the operator to set it in tagtrail.toml")


@rule("TAG013", "version-in-file", needs=("version",))
def version_in_file(facts: Before) -> Iterator[Said]:
    """The file that the settings name says the tag's version.

    `declares = "metadata.json:version"` names a file of the project and a key in it: JSON, TOML, setup.cfg's form, one
    key at the top of a YAML file, or a file that holds nothing but the version. 1.2.0-rc.1 is 1.2.0rc1, as everywhere.

        bad   "version": "1.1.0"     (in metadata.json, under the tag 1.2.0)
        bad   no metadata.json, or none with a version
        good  "version": "1.2.0"
    """
    place = facts.project.declares
    if not place:
        return
    path, _, key = place.partition(":")
    found = written(place, facts.written) if facts.written is not None else None
    if facts.written is None:
        fix = f"add it at this commit, or correct declares for {facts.project.name}"
        yield Said(text=f"there is no file {path} that says the version", fix=fix, code="declares-missing")
    elif found is None:
        where = f"no text at {key}" if key else "no text"
        fix = f"write the version there, or correct declares for {facts.project.name}"
        yield Said(text=f"{path} has {where} that could be read", fix=fix, code="declares-unreadable")
    elif version_key(found) != version_key(facts.version):
        fix = f'set it to "{facts.version}" and commit that before tagging'
        yield Said(text=f"{place} says {found[:40]!a}, the tag says {facts.version}", fix=fix)


@rule("TAG017", "patch-asks-no-more", needs=("requirements",))
def patch_asks_no_more(facts: Before) -> Iterator[Said]:
    """A patch release asks no more of others than the release it patches: no higher minimums, no Python dropped.

    Who takes patches of a stable series takes them for their fixes, with all else as it was; a Python that is dropped
    loses the fix without a word. Compared are requires-python and the requirements that pyproject.toml, setup.cfg, or
    for pbr requirements.txt, say at the two commits; after the build the built metadata are asked the same. Where they
    are computed, nothing is asked, and that is said. New requirements are not raised ones. A raised minimum is a
    warning, for some fixes are fixes of what they need.

        bad   requires-python = ">=3.10"     (in 1.2.1, where 1.2.0 said >=3.8)
        asked oslo.utils>=4.0                (in 1.2.1, where 1.2.0 said >=3.33)
        good  the same in 1.3.0
    """
    if facts.patch is None:
        return
    before, now, follows = facts.patch.before, facts.patch.now, facts.patch.follows
    if gone := dropped_python(before.pythons, now.pythons):
        text = f"{facts.version} drops Python {', '.join(gone)}, which {follows} runs on: {now.pythons}"
        fix = f'put back requires-python = "{before.pythons}", or tag the next minor version'
        yield Said(text=text, fix=fix, code="python-dropped")
    for name, old, new in raised(before.asks or (), now.asks or ()):
        text = f"{facts.version} needs {name}>={new}, {follows} needs {f'{name}>={old}' if old else f'any {name}'}"
        fix = f"put the minimum of {name} back, or tag the next minor version"
        yield Said(text=text, fix=fix, code="minimum-raised", level="warning")


OWN_FILES: tuple[Rule[Before], ...] = (
    name_declared, version_declared, own_settings, version_in_file, patch_asks_no_more,
)  # fmt: skip
