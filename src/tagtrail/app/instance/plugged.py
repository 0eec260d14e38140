"""Types of targets that other packages bring, by the entry points `tagtrail.targets`.

    [project.entry-points."tagtrail.targets"]
    shelf = "example_shelf:Shelf"              # type = "shelf" in the settings

What is named is called with the target's name, its table without `type`, `on` and `by` (lists as tuples, tables as
tuples of pairs), and a `tagtrail.ports.Given`; it gives a `tagtrail.ports.Target`. It raises SetupError for options
that it does not like.
"""

from importlib.metadata import EntryPoint, entry_points

from tagtrail.app.instance.targets import Context
from tagtrail.model.errors import Error, SetupError
from tagtrail.model.facts import Entry
from tagtrail.model.settings import TargetSettings
from tagtrail.ports import Given, Target

__all__ = ["GROUP", "brought", "plugged"]

GROUP = "tagtrail.targets"
_PORT = ("name", "retry", "lag", "survey", "plan", "find", "apply")


def brought(kind: str) -> tuple[EntryPoint, ...]:
    """Who brings a type of that name."""
    return tuple(entry_points(group=GROUP, name=kind))


def plugged(target: TargetSettings, context: Context) -> Target:
    """The target that another package makes.

    Raises SetupError `target-missing` (nobody makes it), `target-ambiguous`, `target-import`, `target-options`,
    `target-port`; each names the distribution.
    """
    points = brought(target.type)
    if not points:
        hint = f"install what brings it, or take {target.name} out of publish and announce"
        raise SetupError(f"nobody makes a target of type {target.type!r}", code="target-missing", hint=hint)
    if len(points) > 1:
        both = ", ".join(sorted(map(_whose, points)))
        hint = "remove all but one of them"
        raise SetupError(f"type {target.type!r} is brought by {both}", code="target-ambiguous", hint=hint)
    return _made(points[0], target, context)


def _made(point: EntryPoint, target: TargetSettings, context: Context) -> Target:
    whose, known = _whose(point), f"targets.{target.name} of type {target.type!r}, brought by {_whose(point)}"
    hint = f"ask the makers of {whose.partition(' ')[0]}, or take {target.name} out of publish and announce"
    try:
        maker = point.load()
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise SetupError(
            f"{known}: {point.value} cannot be imported", code="target-import", why=why, hint=hint
        ) from error
    try:
        made: Target = maker(target.name, dict(target.options), _given(context))
    except Error:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise SetupError(f"{known}: its options are not taken", code="target-options", why=why, hint=hint) from error
    lacking = [part for part in _PORT if not hasattr(made, part)]
    if lacking:
        raise SetupError(f"{known} has no {', '.join(lacking)}", code="target-port", hint=hint)
    return made


def _given(context: Context) -> Given:
    from tagtrail.app.instance.trackers import page

    def paged(entry: Entry) -> str:
        return page(context, entry)

    return Given(kept=context.kept, entry=context.entry, page=paged, secret=context.secrets.value, clock=context.clock)


def _whose(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
