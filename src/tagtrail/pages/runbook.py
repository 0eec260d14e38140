"""The release process of one project as a checklist: CommonMark, made of its settings alone, the same for everybody.

Only what is public anyway stands in it: fingerprints and names of groups, names of targets and their addresses, rules
and written reasons; no people, no e-mail addresses, no paths of a machine: of an absolute one its last part stands
there, of a web address not whose it is, nor what follows its `?`. It lies beside each release, for ever.
"""

import re
from shlex import quote

from tagtrail.model.frozen import frozen
from tagtrail.model.settings import Project, RuleSwitch, Settings, TargetSettings
from tagtrail.pages.text import clean

__all__ = ["Runbook", "runbook", "steps"]


@frozen
class Runbook:
    """What a runbook is made from. `keys` are (group, fingerprints), `before` and `after` the numbers of rules asked of
    a tag and of files; `titles` are (rule id, name) of those that the settings switch; `witnesses` have the quorum's
    words; `repo` is the public address."""

    settings: Settings
    project: Project
    repo: str
    policy: str
    keys: tuple[tuple[str, tuple[str, ...]], ...]
    before: int
    after: int
    titles: tuple[tuple[str, str], ...] = ()
    witnesses: str = ""


_PRIVATE = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?:[^\s/`'\"]*@)?(?P<host>[^\s/?#`'\"]*)(?P<rest>[^\s?#`'\"]*)(?:[?#][^\s`'\"]*)?"
    r"|(?<![\w/.~*}>-])~?(?P<path>(?:/[\w.+@~-]+){2,})/?|\b[\w.+-]+@(?=[\w-]+\.\w)"
)
"""What is nobody else's business: who is at an address, what is asked of it, where things lie on a machine, people."""

Step = tuple[str, tuple[str, ...]]
"""A title and what is to be done or known, each one line of CommonMark."""


def runbook(facts: Runbook) -> str:
    """The whole text."""
    project, org = facts.project, facts.settings.org
    about = f"Made of the settings of {org.name} (trail {org.origin}, policy {facts.policy[:16]}): `tagtrail runbook`"
    parts = [f"# How {project.name} is released", f"{about} prints it anew."]
    for number, (title, lines) in enumerate(steps(facts), 1):
        parts.append("\n".join((f"## {number}. {title}", "", *(f"- [ ] {_line(line)}" for line in lines))))
    return "\n\n".join((*parts, _stops(project), _afterwards(project))) + "\n"


def steps(facts: Runbook) -> tuple[Step, ...]:
    """The steps in their order."""
    made = (_watch, _tag, _check, _build, _approve, _log, _publish, _announce)
    return tuple((title, lines) for title, lines in (step(facts) for step in made) if lines)


def _tag(facts: Runbook) -> Step:
    project = facts.project
    lines = [f"`tagtrail check {project.name} VERSION` has nothing against it, before the tag exists"]
    lines += [f"the version is one by `{project.versions}`, of a channel that may be released: {_channels(project)}"]
    lines += [f"the commit is on a branch like {_codes(project.branches)}"] if project.branches else []
    lines += [f"the files say the same version: {_codes((project.declares,))}"] if project.declares else []
    lines += ["a final version is its last candidate's commit"] if project.final_is_rc else []
    name = quote(project.tag.replace("{version}", "VERSION"))
    known = dict(facts.keys)
    signers = "; ".join(f"{group} ({_codes(known.get(group, ())) or 'nobody yet'})" for group in project.signers)
    return "Tag", (*lines, f"`git tag -s {name} && git push origin {name}` in {facts.repo}, signed by one of {signers}")


def _check(facts: Runbook) -> Step:
    lines = [f"{facts.before} rules are asked of the tag, {facts.after} of the files; an error ends it with 3"]
    names = dict(facts.titles)
    switches = {switch.rule: switch for switch in (*facts.settings.rules, *facts.project.rules)}
    lines += [_switch(switch, names.get(rule, "")) for rule, switch in sorted(switches.items())]
    return "Check", tuple(lines)


def _switch(switch: RuleSwitch, name: str) -> str:
    return f"{' '.join(filter(None, (switch.rule, name)))} is `{switch.level}` here: {switch.because}"


def _build(facts: Runbook) -> Step:
    project = facts.project
    what = [*project.build, *project.files]
    lines = [f"{_codes(tuple(what))} of the tag's commit, once, apart from all keys"] if what else []
    for word, commands in (("prepare, with network", project.prepare), ("run, without network", project.run)):
        lines += [f"{word}: {_codes((' '.join(command),))}" for command in commands]
    if project.expect:
        bring = f" by {', '.join(project.builders)}" if project.builders else ""
        add = f"`tagtrail add {project.name} TAG FILE`"
        lines += [f"{_codes(project.expect)} are built elsewhere and added{bring}: {add}"]
    return "Build", tuple(lines)


def _approve(facts: Runbook) -> Step:
    asks, name = facts.settings.org.approve, facts.project.name
    if not asks.need:
        return "Approve", ()
    author = "; who signed the tag counts too" if asks.author_counts else "; who signed the tag does not count"
    people = _codes(dict(facts.keys).get(asks.group, ()))
    line = f"{asks.need} of {asks.group} ({people}) approve the digests{author}: `tagtrail approve {name} TAG`"
    return "Approve", (line,)


def _log(facts: Runbook) -> Step:
    command, origin = f"`tagtrail release {facts.project.name} TAG`", facts.settings.org.origin
    lines = [f"{command} signs the files and enters them into {origin}"]
    lines += [f"the entry is witnessed: {facts.witnesses}"] if facts.witnesses else ["no witness is asked"]
    return "Log", (*lines, "from here on nothing is built again, and nothing can be held")


def _publish(facts: Runbook) -> Step:
    names = dict.fromkeys((facts.settings.site.name, *facts.project.publish))
    lines = (_target(facts.settings.target(name)) for name in names)
    return "Publish, in this order", tuple(lines)


def _announce(facts: Runbook) -> Step:
    lines = tuple(_target(facts.settings.target(name)) for name in facts.project.announce)
    first = "waits until every place above shows the release, or a person dropped it"
    return "Announce, once", (first, *lines) if lines else ()


def _target(target: TargetSettings) -> str:
    where = target.option("url") or target.option("repository") or target.option("upload") or ""
    about = ", ".join(filter(None, (target.type, str(where))))
    ci = "; a workflow uploads, tagtrail looks" if target.by == "ci" else ""
    day = "; the releases of a day in one" if getattr(target, "together", "") else ""
    return f"{target.name} ({about}): {', '.join(target.on)}{ci}{day}"


def _watch(facts: Runbook) -> Step:
    watch = facts.settings.watch
    if not watch.tell:
        return "Before: the team is told of a tag", ()
    names = ", ".join(watch.tell)
    told = f"`tagtrail watch` tells {names} when a tag appears, moves or vanishes, before anything is built"
    rests = f"with `--release` it goes on by itself after {watch.after // 60} minutes, unless somebody holds the tag"
    return "Before: the team is told of a tag", (told, rests)


def _stops(project: Project) -> str:
    name = project.name
    rows = (
        ("2", "usage, settings or the machine", "mend what it names, run it again"),
        ("3", "the policy refuses the tag", f"`tagtrail check {name} TAG`; a new version where it was pushed"),
        ("4", "it waits: approval, files, hold, a place", f"`tagtrail status {name}`, then `tagtrail resume`"),
        ("5", "a part is done, or a place does not answer", "`tagtrail resume`, as often as you like"),
        ("6", "other bytes stand there, or a tag moved", f"stop; `tagtrail status {name} TAG`; a person looks"),
        ("7", "a proof does not hold", "do not use the file; `tagtrail audit`"),
    )
    return "\n".join(("## When it stops", "", *(f"- with {code}: {means}; {do}" for code, means, do in rows)))


def _afterwards(project: Project) -> str:
    name = project.name
    return "\n".join(
        (
            "## To stop it, or to take it back",
            "",
            f"- before it is in the trail: `tagtrail hold {name} TAG --until 2h --because TEXT`, and `--lift`",
            f"- after: `tagtrail withdraw {name} VERSION --reason TEXT`; its bytes are never used again",
            "- the same command may always be run again: nothing is made twice, nothing is told twice",
        )
    )


def _channels(project: Project) -> str:
    return ", ".join(project.channels) or "all but dev"


def _codes(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{_line(word).replace('`', chr(39))}`" for word in words)


def _line(text: str) -> str:
    """One line that is fit to be shown to everybody."""
    return _PRIVATE.sub(_shown, " ".join(clean(text).split()))


def _shown(found: re.Match[str]) -> str:
    scheme, host, rest, path = (found[name] or "" for name in ("scheme", "host", "rest", "path"))
    return (path or rest).rpartition("/")[2] if path or scheme == "file://" else f"{scheme}{host}{rest}"
