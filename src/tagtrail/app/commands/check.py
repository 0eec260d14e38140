"""`tagtrail check PROJECT TAG [--at COMMIT]`: what is wrong with a tag, before it exists too; nothing is written.

`check . TAG` works on any checkout. It uses the instance that `-C` or `$TAGTRAIL_HOME` names, if the checkout is one of
its projects; otherwise no instance at all, and then it cannot say who may sign.
"""

import argparse
import os
import time
from pathlib import Path

from tagtrail.adapters.git import GitSource
from tagtrail.app.instance.home import find_home
from tagtrail.app.instance.reading import Instance, open_instance
from tagtrail.app.terminal.console import Console
from tagtrail.formats.settings import project_of
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import Org, Project, Settings
from tagtrail.rules.declared import declared
from tagtrail.rules.registry import explain
from tagtrail.rules.versions import pattern_of
from tagtrail.workflows.examine import Examined, Known, examined, gather, tell_examined

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG [--at COMMIT] | --explain RULE."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="a project's name, or a checkout: .")
    parser.add_argument("tag", metavar="TAG", nargs="?", help="the tag or the version; it need not exist yet")
    parser.add_argument("--at", metavar="COMMIT", help="as if the tag stood there (else where it is, else HEAD)")
    parser.add_argument("--explain", metavar="RULE", help="the documentation of a rule, such as TAG007")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where nothing stands against the tag, 3 where a rule refuses it. Raises what `examine` raises."""
    if args.explain:
        console.line(explain(args.explain))
        return 0
    if not args.tag:
        raise SetupError("check needs PROJECT and TAG", code="usage", hint="tagtrail check . 1.2.0")
    examined = _examined(args)
    _tell(examined, args, console)
    return 3 if examined.errors else 0


def _examined(args: argparse.Namespace) -> Examined:
    path = Path(args.project) if args.project.startswith((".", "/", "~")) else None
    instance = _instance(args, path)
    if path is None and instance is not None:
        return _known(instance, project_of(instance.settings, args.project), args)
    directory = _checkout(path or Path.cwd())
    project = _project_at(instance, directory) if instance else None
    if instance and project:
        return _known(instance, project_of(instance.settings, project.name), args)
    return _unknown(directory, args)


def _instance(args: argparse.Namespace, path: Path | None) -> Instance | None:
    """For a checkout an instance must be named: what lies in its parents may be anybody's."""
    if path is None or args.home or os.environ.get("TAGTRAIL_HOME"):
        return open_instance(find_home(args.home))
    return None


def _checkout(path: Path) -> Path:
    start = path.expanduser().resolve()
    return next((d for d in (start, *start.parents) if (d / ".git").exists()), start)


def _project_at(instance: Instance, directory: Path) -> Project | None:
    local = (p for p in instance.settings.projects if p.repo.startswith("/"))
    return next((p for p in local if Path(p.repo).resolve() == directory), None)


def _known(instance: Instance, project: Project, args: argparse.Namespace) -> Examined:
    known = Known(
        history=instance.history(project),
        keys=instance.keys(project),
        now=int(time.time()),  # noqa: TID251  (a command is where the clock is read)
    )
    source = GitSource(instance.home / "state" / "repos")
    return examined(gather(source, instance.settings, project, args.tag, known, at=args.at))


def _unknown(directory: Path, args: argparse.Namespace) -> Examined:
    source = GitSource(Path(os.devnull))  # a checkout is read where it lies: nothing is mirrored
    files = source.read(str(directory), args.tag, args.at)
    name = declared(files.pyproject, files.setup_cfg).name or directory.name
    pattern = pattern_of(tag for tag, _ in source.tags(str(directory)))
    project = Project(name=name, kind="", repo=str(directory), signers=(), tag=pattern)
    settings = Settings(org=Org(name="", origin=""), people=(), targets=(), kinds=(), projects=(project,))
    return examined(gather(source, settings, project, args.tag, Known(), at=args.at))


def _tell(examined: Examined, args: argparse.Namespace, console: Console) -> None:
    tagged = examined.tagged
    tell_examined(examined, console.tell)
    if tagged.raw is not None:
        console.line(f"the release shows the tag as git wrote it: {_tagger(tagged.raw)}")
    code = 3 if examined.errors else 0
    fields = {"exit": code, "state": "", "project": examined.project.name, "version": examined.version}
    console.tell("outcome", fields | {"text": _words(examined, args), "next": _next(examined)})


def _tagger(raw: bytes) -> str:
    """Who made the tag, as everybody will read it in PROJECT-VERSION.tag."""
    line = next((ln for ln in raw.partition(b"\n\n")[0].split(b"\n") if ln.startswith(b"tagger ")), b"tagger nobody")
    return line.decode("utf-8", "replace").rpartition(">")[0] + ">" if b">" in line else line.decode("utf-8", "replace")


def _words(examined: Examined, args: argparse.Namespace) -> str:
    tagged, count, taken = examined.tagged, len(examined.errors), examined.taken
    if taken and not count:
        return f"{taken.project} {taken.version} is released from this very tag (entry {taken.index})"
    where = "at HEAD" if tagged.kind == "absent" and not args.at else f"at {args.at}" if args.at else "tagged"
    against = f"{count} error{'s' * (count > 1)} against it" if count else "nothing against it"
    follows = f"follows {examined.follows}" if examined.follows else "the first release"
    about = "; ".join(filter(None, (follows, examined.visible))) if examined.version and not count else ""
    return f"{tagged.name} {where} ({tagged.commit[:8]}): {against}.{' ' * bool(about)} {about}".rstrip(". ")


def _next(examined: Examined) -> str:
    if examined.errors:
        return f"tagtrail check --explain {examined.errors[0].rule}"
    tagged = examined.tagged
    if tagged.kind == "absent":
        return f"git tag -s {tagged.name} && git push origin {tagged.name}"
    if examined.tag and not examined.taken:
        return f"tagtrail release {examined.project.name} {tagged.name}"
    return ""
