"""`tagtrail runbook PROJECT`: the project's own release process as a checklist, made of its settings."""

import argparse

from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT."""
    parser.add_argument("project", metavar="PROJECT")


def run(args: argparse.Namespace, console: Console) -> int:
    """0; the text is CommonMark. Raises SetupError."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.formats.settings import project_of
    from tagtrail.pages.runbook import runbook, steps
    from tagtrail.workflows.runbook import runbook_of

    road = open_road(find_home(args.home), tell=console.tell)
    project = project_of(road.settings, args.project)
    facts = runbook_of(road, project)
    told = [{"title": title, "lines": list(lines)} for title, lines in steps(facts)]
    console.tell("runbook", {"project": project.name, "policy": facts.policy, "steps": told, "text": runbook(facts)})
    return 0
