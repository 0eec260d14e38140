"""Rules about what the files say of themselves: classifiers, description, licence, Python, links.

What the public index refuses is an error where a project publishes to an index, and a warning elsewhere. Files that say
the same are one: a wheel and its sdist give one finding.
"""

from collections.abc import Callable, Iterable, Iterator

from tagtrail.model.metadata import Metadata
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import After, Described
from tagtrail.rules.requirements import capped, dropped_python, raised
from tagtrail.rules.versions import parse

__all__ = ["METADATA"]

_OWN = frozenset({"classifier", "license-expression", "requires-python", "summary"})
"""Fields that have a rule of their own."""
_PRIVATE = "Private :: "
_LICENSES = "License :: "
_SUMMARY, _LABEL = 512, 32
"""Characters of a summary and of a link's label that the public index takes."""


def _each(facts: After, ask: Callable[[Described], Iterable[str]]) -> Iterator[tuple[str, str]]:
    """(what is wrong, where): each fault once, with the files that have it, or `the metadata` where all have."""
    found: dict[str, list[str]] = {}
    for described in facts.described:
        for fault in ask(described):
            found.setdefault(fault, []).append(described.files[0])
    for fault, files in found.items():
        yield fault, "the metadata" if len(files) == len(facts.described) else f"the metadata of {' and '.join(files)}"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(repr(word) for word in words)


@rule("META001", "metadata-valid", needs=("settings", "metadata"))
def metadata_valid(facts: After) -> Iterator[Said]:
    """What the files say of themselves keeps to the specification of core metadata.

    An index refuses what does not, and so does a new pip. A requirement by address (`b @ https://...`) keeps to it, and
    a public index refuses it all the same.

        bad   Requires-Dist: b >=
        bad   Requires-Dist: b @ https://example.org/b.zip
        good  Requires-Dist: b>=1.2
    """

    def faults(described: Described) -> Iterator[str]:
        says = described.says
        yield from (f"{field}: {text}" for field, text in says.faults if field not in _OWN)
        yield from (f"requires-dist: {one} is an address" for one in says.requires if " @ " in one or "@ http" in one)

    for fault, where in _each(facts, faults):
        yield Said(text=f"{where} cannot be uploaded: {fault[:200]}", fix=_WRITTEN, level=facts.mildly)


_WRITTEN = "correct it under [project] in pyproject.toml (or in setup.cfg, or where the backend reads it)"


@rule("META002", "classifiers-known", needs=("settings", "view"))
def classifiers_known(facts: After) -> Iterator[Said]:
    """Every classifier is on the list of those that package indexes know, and none is deprecated.

    The public index refuses an upload with another, and with one that it has replaced.

        bad   Natural Language :: Ukranian      (deprecated)
        bad   Programming Language :: Phyton
        good  Natural Language :: Ukrainian
    """
    for one, where in _each(facts, lambda d: (c for c in d.view.unknown if not c.startswith(_PRIVATE))):
        fix = "take it out, or write it as the list does: python -m trove_classifiers"
        yield Said(text=f"{where} has the classifier {one[:100]!r}, which no index knows", fix=fix, level=facts.mildly)
    instead = {one: new for described in facts.described for one, new in described.view.deprecated}
    for one, where in _each(facts, lambda d: (c for c, _ in d.view.deprecated)):
        fix = f'write "{instead[one]}" instead' if instead[one] else "take it out: nothing has come in its place"
        text = f"{where} has the classifier {one!r}, which is deprecated"
        yield Said(text=text, fix=fix, code="classifier-deprecated", level=facts.mildly)


@rule("META003", "not-private", needs=("settings", "metadata"))
def not_private(facts: After) -> Iterator[Said]:
    """What says `Private ::` is published to no package index.

    The classifier is there so that an index refuses the upload; a release that is meant for one should not have it.

        bad   Private :: Do Not Upload      (and publish = ["pypi"])
        good  Private :: Do Not Upload      (and publish = ["site"])
    """
    found = _each(facts, lambda d: (c for c in d.says.classifiers if c.startswith(_PRIVATE)))
    for one, where in found if facts.indexed else ():
        fix = f"take the classifier out, or the index out of publish for {facts.project}"
        yield Said(text=f"{where} has the classifier {one!r}: an index refuses it", fix=fix)


@rule("META004", "classifiers-of-its-kind", "warning", needs=("settings", "metadata"))
def classifiers_of_its_kind(facts: After) -> Iterator[Said]:
    """The metadata have the classifiers that the settings ask of this kind of project, and none that they forbid.

    A server that looks like a library is installed like one: `pip install nova` gives nobody a cloud. What a kind says
    is in `classifiers` and `without-classifiers`.

        [kind.server]
        classifiers = ["Environment :: No Input/Output (Daemon)", "Intended Audience :: System Administrators"]
        without-classifiers = ["Topic :: Software Development :: Libraries"]

        bad   no Environment :: No Input/Output (Daemon)      (of a server)
        bad   Topic :: Software Development :: Libraries
        good  Environment :: No Input/Output (Daemon), Intended Audience :: System Administrators
    """
    if facts.settings is None:
        return
    wanted, unwanted = facts.settings.classifiers, facts.settings.without_classifiers
    for one, where in _each(facts, lambda d: (c for c in wanted if c not in d.says.classifiers)):
        text = f"{where} does not have the classifier {one!r}, as every {facts.settings.kind} does"
        yield Said(text=text, fix=f'classifiers = [..., "{one}"]', code="classifier-missing")
    for one, where in _each(facts, lambda d: (c for c in d.says.classifiers if c in unwanted)):
        text = f"{where} has the classifier {one!r}, which no {facts.settings.kind} has"
        yield Said(text=text, fix="take it out of classifiers", code="classifier-unwanted")


@rule("META005", "description-tells", "warning", needs=("settings", "metadata"))
def description_tells(facts: After) -> Iterator[Said]:
    """The description has a text that the settings ask of this kind of project.

    People find a server on a package index, install it, and have no service. Its description says so first: any of the
    texts in `tells` will do, whatever the case and the line breaks.

        [kind.server]
        tells = ["does not give you a running service"]

        bad   Nova is a cloud computing fabric controller.
        good  Installing nova from here does not give you a running service: see https://docs.example.org/install
    """
    tells = facts.settings.tells if facts.settings else ()
    wanted = [_folded(text) for text in tells]

    def silent(described: Described) -> Iterator[str]:
        text = _folded(described.says.description)
        if wanted and not any(one in text for one in wanted):
            yield tells[0]

    for text, where in _each(facts, silent):
        fix = f"add a paragraph to the description: Installing {facts.project} from a package index {text}."
        yield Said(text=f"the description in {where} does not tell that it {text!r}", fix=fix)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


@rule("META006", "description-renders", needs=("settings", "view"))
def description_renders(facts: After) -> Iterator[Said]:
    """The description is one that a package index can show.

    The index renders reStructuredText without file inclusion, raw HTML and scripts, and refuses the upload at the first
    warning. Markdown and plain text always render. Lines are those of the description.

        bad   .. include:: CHANGES.rst      (in README.rst)
        bad   :class:`mylib.Thing`          (Sphinx knows that, an index does not)
        good  `mylib.Thing <https://docs.example.org/thing>`_
    """
    for fault, where in _each(facts, lambda d: filter(None, [d.view.refusal])):
        fix = "mend that line of the README; see it as the index does: python -m readme_renderer README.rst"
        yield Said(text=f"the description in {where} does not render: {fault}", fix=fix, level=facts.mildly)


@rule("META007", "license-agrees", needs=("settings", "metadata"))
def license_agrees(facts: After) -> Iterator[Said]:
    """The licence is said once, as PEP 639 has it, and the licence files that are named are there.

    A licence expression is of SPDX's words, and every License-File of the metadata is in the archive: an index refuses
    the rest. A classifier `License ::` beside an expression says the same again, or something else: a warning.

        bad   License-Expression: Apache2
        asked License-Expression: Apache-2.0 beside Classifier: License :: OSI Approved :: Apache Software License
        good  License-Expression: Apache-2.0
    """
    for fault, where in _each(facts, lambda d: (t for f, t in d.says.faults if f == "license-expression")):
        text = f"{where} has a licence that cannot be read: {fault}"
        yield Said(text=text, fix='license = "Apache-2.0"  # or what it is, in words of SPDX', level=facts.mildly)
    for file, remark in facts.remarks:
        if remark.kind == "license":
            text = f"{file} has no {remark.member}, which its metadata name as License-File"
            fix = "correct license-files under [project], or add the file to what the backend packs"
            yield Said(text=text, fix=fix, code="license-missing", level=facts.mildly)
    for old, where in _each(facts, lambda d: _beside(d.says)):
        text = f"{where} has the classifier {old!r} beside a License-Expression"
        yield Said(text=text, fix="take the classifier out", code="license-twice", level="warning")


def _beside(says: Metadata) -> Iterator[str]:
    return (c for c in says.classifiers if says.license_expression and c.startswith(_LICENSES))


@rule("META008", "python-said", needs=("settings", "metadata"))
def python_said(facts: After) -> Iterator[Said]:
    """Requires-Python can be read, and shuts out no Python that is still to come.

    Where it is missing META010 says so. A cap (`<4`) heals nothing: installers answer it by going back to the last
    release that has none, which is older still; that is a warning.

        bad   Requires-Python: 3.9 and later
        asked Requires-Python: >=3.9,<4
        good  Requires-Python: >=3.9
    """
    for said, where in _each(facts, lambda d: filter(_unreadable, [d.says.requires_python])):
        text = f"Requires-Python in {where} cannot be read: {said[:80]!r}"
        yield Said(text=text, fix='requires-python = ">=3.10"', level=facts.mildly)
    for cap, where in _each(facts, lambda d: filter(None, [capped(d.says.requires_python)])):
        text = f"Requires-Python in {where} has the cap {cap}: later Pythons get an older release instead"
        yield Said(text=text, fix="leave the upper limit out of requires-python", code="python-capped", level="warning")


def _unreadable(specifier: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # slow to load, and asked for after the build

    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        return True
    return False


@rule("META009", "links", needs=("settings", "metadata"))
def links(facts: After) -> Iterator[Said]:
    """Links are web addresses with a label of at most 32 characters, and the summary is one line.

    An index refuses others; `javascript:` and `file:` are never shown. A summary has at most 512 characters.

        bad   Project-URL: Source, git@example.org:mylib
        good  Project-URL: Source, https://git.example.org/mylib
    """
    for fault, where in _each(facts, lambda d: _odd_links(d.says)):
        yield Said(text=f"{where} has {fault}", fix=_WRITTEN, level=facts.mildly)


def _odd_links(says: Metadata) -> Iterator[str]:
    for label, address in says.urls:
        if not address.startswith(("https://", "http://")):
            yield f"a link that is no web address: {label[:40]!r}, {address[:80]!r}"
        if not 0 < len(label) <= _LABEL:
            yield f"a link whose label has {len(label)} characters, not 1 to {_LABEL}: {label[:40]!r}"
    if "\n" in says.summary or len(says.summary) > _SUMMARY:
        yield f"a summary of {len(says.summary)} characters, or of several lines: at most {_SUMMARY}, in one"


@rule("META010", "metadata-complete", "warning", needs=("settings", "metadata"))
def metadata_complete(facts: After) -> Iterator[Said]:
    """The files say what people look for: summary, description and its form, licence, Python, where the source is.

    Nothing breaks without them. A licence that nobody says cannot be relied on; without Requires-Python an old Python
    installs what it cannot run; without a link nobody finds where to report a bug.

        bad   Name, Version, and nothing else
        good  Summary, License-Expression, Requires-Python, Description-Content-Type, Project-URL: Source, ...
    """
    for gaps, where in _each(facts, lambda d: filter(None, [_listed(_gaps(d.says))])):
        yield Said(text=f"{where} has no {gaps}", fix=_WRITTEN)


def _gaps(says: Metadata) -> Iterator[str]:
    licensed = says.license_expression or says.license or any(c.startswith(_LICENSES) for c in says.classifiers)
    told = {
        "summary": says.summary,
        "description": says.description.strip(),
        "Description-Content-Type": says.content_type or not says.description.strip(),
        "licence": licensed,
        "Requires-Python": says.requires_python,
        "link to its source": says.urls,
    }
    return (name for name, value in told.items() if not value)


def _listed(words: Iterable[str]) -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and no {last}" if most else last


@rule("META011", "files-agree", needs=("settings", "metadata"), across=True)
def files_agree(facts: After) -> Iterator[Said]:
    """Wheels and sdist of one release say the same name, version, Python and requirements.

    Resolvers ask one file and install another. What an sdist calls Dynamic may differ, and so may everything in an
    sdist from before Metadata-Version 2.2, but for name, version and Requires-Python. Wheels for different platforms
    may need different things; it is said, because uv and Poetry ask one of them for all.

        bad   Requires-Dist: b>=2 in the wheel, b>=1 in the sdist
        good  Requires-Dist: b>=1 in both
    """
    first = facts.described[0]
    for other in facts.described[1:]:
        for field, one, two in _differences(first, other):
            wheels = all(d.files[0].endswith(".whl") for d in (first, other))
            mild = field == "Requires-Dist" and (wheels or _is_old(first, other))
            text = f"{first.files[0]} and {other.files[0]} have different {field}: {one[:80]}; {two[:80]}"
            fix = "build both from the same tree with the same backend; look for what the build decides by itself"
            yield Said(text=text, fix=fix, level="warning" if mild else None)


def _is_old(*described: Described) -> bool:
    return any(d.says.form in ("", "1.0", "1.1", "1.2", "2.0", "2.1") for d in described if _is_sdist(d))


def _is_sdist(described: Described) -> bool:
    return any(not name.endswith(".whl") for name in described.files)


def _differences(one: Described, two: Described) -> Iterator[tuple[str, str, str]]:
    from packaging.utils import canonicalize_name

    dynamic = {field for d in (one, two) if _is_sdist(d) for field in d.says.dynamic}
    a, b = one.says, two.says
    if canonicalize_name(a.name) != canonicalize_name(b.name):
        yield "Name", a.name, b.name
    if (parse(a.version) or a.version) != (parse(b.version) or b.version):
        yield "Version", a.version, b.version
    if "requires-python" not in dynamic and _parts(a.requires_python) != _parts(b.requires_python):
        yield "Requires-Python", a.requires_python or "none", b.requires_python or "none"
    odd = [{_spaceless(r) for r in says.requires} for says in (a, b)]
    if "requires-dist" not in dynamic and odd[0] != odd[1]:
        yield "Requires-Dist", _only(odd[0] - odd[1]), _only(odd[1] - odd[0])


def _parts(specifier: str) -> set[str]:
    return {_spaceless(part) for part in specifier.split(",")}


def _spaceless(text: str) -> str:
    return "".join(text.split()).replace('"', "'").replace("(", "").replace(")", "").lower()


def _only(requirements: set[str]) -> str:
    return f"only here {', '.join(sorted(requirements))}" if requirements else "nothing of its own"


@rule("META012", "patch-is-a-patch", needs=("settings", "metadata", "previous"))
def patch_is_a_patch(facts: After) -> Iterator[Said]:
    """A patch release drops no Python that the release before it ran on, and raises no minimum.

    People take a patch without looking. What is asked here is what the built files say; TAG017 asks the project's own
    files before the build. A raised minimum is a warning.

        bad   Requires-Python: >=3.10           in 9.7.1     (>=3.9 in 9.7.0)
        asked Requires-Dist: oslo.utils>=8.0    in 9.7.1     (>=3.33 in 9.7.0)
        good  the same, in 9.8.0
    """
    if facts.previous is None:
        return
    before, now = facts.previous, facts.described[0].says
    fix = "leave it as it was, or tag the next minor version"
    if gone := dropped_python(before.requires_python, now.requires_python):
        text = f"{facts.version} does not run on Python {', '.join(gone)}, {facts.follows} does"
        yield Said(text=text, fix=fix, code="python-dropped")
    for name, old, new in raised(before.requires, now.requires):
        text = (
            f"{facts.version} needs {name}>={new}, {facts.follows} needs {f'{name}>={old}' if old else f'any {name}'}"
        )
        yield Said(text=text, fix=fix, code="minimum-raised", level="warning")


METADATA: tuple[Rule[After], ...] = (
    metadata_valid, classifiers_known, not_private, classifiers_of_its_kind, description_tells, description_renders,
    license_agrees, python_said, links, metadata_complete, files_agree, patch_is_a_patch,
)  # fmt: skip
