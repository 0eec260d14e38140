"""The settings: `tagtrail.toml` and `projects/*.toml`, read strictly; every problem is shown, with its field's path.

    [org]
    name   = "Example Cloud"
    origin = "releases.example.org/trail"      # the trail's name; permanent
    [people.release-team]
    keys = ["keys/release-team.asc"]           # paths from the settings' directory
    [targets.site]
    type = "site"
    root = "site"
    url  = "https://releases.example.org/"     # optional: none means local only
    [kind.library]
    build   = ["sdist", "wheel"]
    publish = ["site"]
    [project.nova]                             # may repeat any key of its kind
    kind    = "library"
    repo    = "https://git.example.org/nova"
    signers = ["release-team"]

docs/settings.md tells every key; those of people, builders and secret keys are in `tagtrail.formats.trusting`, those of
what is built and how in `tagtrail.formats.kinds`, those of tags and versions in `tagtrail.formats.tagging`, those of
announcements in `tagtrail.formats.saying`, those of `watch` in `tagtrail.formats.watching`, those of targets in
`tagtrail.formats.targets`. Files under projects/ hold `[project.X]` tables only.
Reason codes (SetupError): settings, project-unknown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from tagtrail.formats import canonical, toml
from tagtrail.formats.facts import dump
from tagtrail.formats.forms import (
    file_pattern_fault,
    group_fault,
    origin_fault,
    pattern_fault,
    plain_fault,
    project_fault,
    reason_fault,
    relative_fault,
    repo_fault,
    secret_faults,
)
from tagtrail.formats.kinds import BUILDS, building, making, making_faults
from tagtrail.formats.saying import saying, texts
from tagtrail.formats.site import DEFAULT_PATH, Site
from tagtrail.formats.tagging import CHANNELS, because_of_years, tagging, tagging_faults
from tagtrail.formats.targets import read_target
from tagtrail.formats.toml import Table, meant, quoted_key
from tagtrail.formats.trusting import bringer, group, secret_keys
from tagtrail.formats.watching import watching
from tagtrail.model.errors import SetupError
from tagtrail.model.names import project_key
from tagtrail.model.settings import (
    FILE,
    Approve,
    Kind,
    Org,
    Project,
    RuleSwitch,
    Settings,
)
from tagtrail.model.texts import Text

__all__ = ["CHANNELS", "parse_settings", "project_of", "settings_digest", "site_of"]

NOTES = ("", "auto", "reno", "changelog", "fragments", "commits")
LEVELS = ("error", "warning", "off")


def parse_settings(
    files: Mapping[str, bytes],
    rules: Callable[[], Mapping[str, bool]] | None = None,
    plugged: Callable[[str], bool] = lambda _: False,
) -> Settings:
    """The settings in these files, by name (`tagtrail.toml`, `projects/nova.toml`).

    `rules` gives the known rules, true for one that cannot be switched (None: any rule may be named), where some are
    switched; `plugged` knows the types of targets that other packages bring. Raises SetupError `settings`, whose `why`
    has one line for every problem.
    """
    problems: list[str] = []
    main = toml.read(FILE, files.get(FILE, b""), problems)
    others = [toml.read(name, files[name], problems) for name in sorted(files) if name != FILE]
    if not problems:
        settings = _Reader(main, others, rules, plugged).settings()
        if not problems:
            return settings
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    hint = "mend what is named above; docs/settings.md tells every key"
    raise SetupError(f"the settings have {count}", code="settings", why="\n".join(problems), hint=hint)


class _Reader:
    """One reading: what stands first is what later tables may refer to."""

    def __init__(
        self,
        main: Table,
        others: list[Table],
        rules: Callable[[], Mapping[str, bool]] | None,
        plugged: Callable[[str], bool],
    ) -> None:
        self.main = main
        self.plugged = plugged
        self.others = others
        self.rules = rules
        self.groups: set[str] = set()
        self.bringers: set[str] = set()
        self.targets: set[str] = set()
        self.indexes: set[str] = set()
        self.kinds: dict[str, Kind] = {}

    def settings(self) -> Settings:
        main = self.main
        for file in (main, *self.others):
            for path, fault in secret_faults(file.values):
                file.problem(path, fault)
        people = tuple(group(name, table) for name, table in main.tables("people"))
        self.groups = {p.name for p in people}
        org = self._org(main.table("org"))
        targets = tuple(read_target(name, table, self.plugged) for name, table in main.tables("targets"))
        self.targets = {t.name for t in targets}
        self.indexes = {t.name for t in targets if t.type == "index"}
        if sum(t.type == "site" for t in targets) != 1:
            main.problem("targets", 'exactly one has type = "site": the trail is shown there')
        self.kinds = {name: self._kind(name, table) for name, table in main.tables("kind")}
        builders = tuple(bringer(name, table) for name, table in main.tables("builders"))
        self.bringers = {b.name for b in builders}
        settings = Settings(
            org=org,
            people=people,
            targets=targets,
            kinds=tuple(self.kinds.values()),
            projects=tuple(self._projects()),
            build=building(main.table("build")),
            rules=self._switches(main),
            builders=builders,
            keys=secret_keys(main.table("keys")),
            watch=watching(main.table("watch"), {t.name: t for t in targets}),
            texts=texts(main.table("texts")),
        )
        main.later("engine")
        for file in (main, *self.others):
            file.close()
        return settings

    def _org(self, table: Table) -> Org:
        org = Org(
            name=table.text("name"),
            origin=table.text("origin"),
            approve=self._approve(table.table("approve")),
            witnesses=table.formed("witnesses", relative_fault, ""),
            reproducers=table.text("reproducers", ""),
        )
        table.known("reproducers", [org.reproducers] if org.reproducers else [], self.groups, "group")
        table.fault("name", plain_fault(org.name))
        table.fault("origin", origin_fault(org.origin) if org.origin else "")
        table.close()
        return org

    def _approve(self, table: Table) -> Approve:
        group = table.text("from") if table.values else ""
        approve = Approve(need=table.number("need", 0), group=group, author_counts=table.flag("author"))
        table.known("from", [group] if group else [], self.groups, "group")
        table.close()
        return approve

    def _kind(self, name: str, table: Table) -> Kind:
        table.fault("", group_fault(name))
        kind = Kind(name=name, **self._shared(table, Kind(name=name)))
        table.close()
        return kind

    def _shared(self, table: Table, above: Kind) -> dict[str, Any]:
        """What a kind says and a project may repeat."""
        words = {
            "build": (BUILDS, "build kind"),
            "publish": (self.targets, "target"),
            "announce": (self.targets, "target"),
        }
        said = {key: table.texts(key, getattr(above, key)) for key in (*words, "classifiers", "tells")}
        said["without_classifiers"] = table.texts("without-classifiers", above.without_classifiers)
        for key in words.keys() & table.values.keys():
            table.known(key, said[key], *words[key])
        notes = {"notes": _notes(table, above.notes)}
        return said | notes | making(table, above) | tagging(table, above) | saying(table, above)

    def _projects(self) -> Iterator[Project]:
        places: dict[str, str] = {}
        for file in (self.main, *self.others):
            for name, table in file.tables("project"):
                first = places.setdefault(project_key(name), f"{file.file}: {table.path}")
                if first != f"{file.file}: {table.path}":
                    table.problem("", f"is one project with {first}")
                yield self._project(name, table)

    def _project(self, name: str, table: Table) -> Project:
        table.fault("", project_fault(name))
        kind, signers = table.text("kind"), table.texts("signers")
        table.known("kind", [kind] if kind else [], self.kinds, "kind")
        table.known("signers", signers, self.groups, "group")
        if "signers" in table.values and not signers:
            table.problem("signers", "names nobody: no tag could ever be released")
        shared = self._shared(table, self.kinds.get(kind, Kind(name=kind)))
        project = Project(
            name=name,
            kind=kind,
            signers=signers,
            repo=table.formed("repo", repo_fault),
            public=table.formed("public", repo_fault, ""),
            tag=table.formed("tag", pattern_fault, "{version}"),
            series=table.formed("series", plain_fault, ""),
            subdirectory=table.formed("subdirectory", relative_fault, ""),
            rules=(*because_of_years(shared), *self._switches(table)),
            expect=table.texts("expect", ()),
            builders=table.texts("builders", ()),
            generated=_reasons(table.table("generated")),
            not_secret=_reasons(table.table("not-secret")),
            sbom=table.formed("sbom", relative_fault, ""),
            declares=table.text("declares", ""),
            branches=table.texts("branches", ()),
            **shared,
        )
        faults = (*making_faults(project, self.indexes), *tagging_faults(project)) if kind in self.kinds else ()
        for key, fault in faults:
            table.problem(key, fault)
        if project.public.startswith("/"):
            table.problem("public", "is an address that others can reach, not a path")
        table.known("builders", project.builders, self.bringers, "builder")
        for pattern in project.expect:
            table.fault("expect", file_pattern_fault(pattern))
        table.later("after")
        table.close()
        return project

    def _switches(self, table: Table) -> tuple[RuleSwitch, ...]:
        return tuple(self._switch(rule, switch) for rule, switch in table.tables("rules"))

    def _switch(self, rule: str, table: Table) -> RuleSwitch:
        switch = RuleSwitch(rule=rule, level=table.text("level"), because=table.text("because"))
        table.known("level", [switch.level] if switch.level else [], LEVELS, "level")
        table.fault("because", reason_fault(switch.because))
        rules = self.rules() if self.rules else {rule: False}
        if rule not in rules:
            table.problem("", f"there is no such rule{meant(rule, rules)}")
        elif rules[rule]:
            table.problem("", "this rule cannot be switched")
        table.close()
        return switch


def _reasons(table: Table) -> tuple[tuple[str, str], ...]:
    """Patterns of members, each with the written reason."""
    reasons = tuple((pattern, table.text(pattern)) for pattern in table.values)
    for pattern, because in reasons:
        table.fault(quoted_key(pattern), reason_fault(because))
    return reasons


def _notes(table: Table, above: str) -> str:
    """Where release notes are read; empty: wherever they are."""
    how = table.text("notes", above)
    word, _, path = how.partition(":")
    if how not in NOTES and (word not in ("changelog", "fragments") or relative_fault(path)):
        table.problem("notes", f"{how!r} is none of {', '.join(filter(None, NOTES))}, changelog:PATH, fragments:DIR")
    return "" if how == "auto" else how


# --- asking ---------------------------------------------------------------------------------------------------------


def project_of(settings: Settings, name: str) -> Project:
    """The project called `name`, in any spelling.

    Raises SetupError `project-unknown`.
    """
    found = next((p for p in settings.projects if project_key(p.name) == project_key(name)), None)
    if found is None:
        why = f"the settings have no [project.{quoted_key(name)}]{meant(name, [p.name for p in settings.projects])}"
        raise SetupError(f"no project {name!r}", code="project-unknown", why=why, hint="tagtrail add-project PATH")
    return found


def site_of(settings: Settings) -> Site:
    """What pages need to know of the settings."""
    target = settings.site
    return Site(
        name=settings.org.name,
        origin=settings.org.origin,
        url=target.option("url", ""),
        path=target.option("path", DEFAULT_PATH),
    )


def settings_digest(settings: Settings, project: Project, people: Iterable[str], templates: Iterable[Text] = ()) -> str:
    """SHA-256 (hex) of what in the settings concerns a project, with the fingerprints of those who may sign its tags,
    and the templates of what is said of it, where people are told.

    Fields that say nothing are left out, so that a key that is new in tagtrail changes no digest.
    """
    concerned = {
        "origin": settings.org.origin,
        "approve": _said(settings.org.approve),
        "project": _said(project),
        "targets": [_said(settings.target(name)) for name in sorted({*project.publish, *project.announce})],
        "build": _said(settings.build),
        "rules": [_said(rule) for rule in settings.rules],
        "people": sorted(people),
    }
    bringers = [_said(bringer) for bringer in settings.builders if bringer.name in project.builders]
    concerned |= {"builders": bringers} if bringers else {}
    said = {text.name: sha256(text.source.encode()).hexdigest() for text in templates} if project.announce else {}
    concerned |= {"texts": said} if said else {}
    return sha256(canonical.dumps(concerned)).hexdigest()


def _said(value: Any) -> dict[str, Any]:
    fields = dump(value)
    if "options" in fields:
        fields["options"] = dict(fields["options"])
    return {key: said for key, said in fields.items() if said not in ("", (), [], 0, {})}
