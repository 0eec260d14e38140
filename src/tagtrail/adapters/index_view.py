"""How core metadata look on a package index, by the very code and list that the public one uses.

Descriptions in reStructuredText are rendered by `readme_renderer`, which includes no file, passes no raw HTML and no
script, and stops at the first warning: so does the index, and refuses the upload. A `docutils.conf` where we happen to
be, or in HOME, would switch files and HTML on again: none is read. Any text is right as Markdown or as
plain text, so nothing is asked there. What says no content type is tried as reStructuredText and else shown as it is:
never refused. Classifiers are those of `trove-classifiers`.
"""

import io
import re
from functools import cache
from importlib.metadata import version

from tagtrail.model.metadata import IndexView, Metadata

__all__ = ["view"]

_RST = "text/x-rst"
_PLACE = re.compile(r"<string>:(\d+): \((?:INFO|WARNING|ERROR|SEVERE)/\d\) ")
MOST = 200
"""Characters of what the renderer says that are shown."""
LONGEST = 1 << 18
"""Characters of the longest description that is rendered: docutils takes seconds for more."""


def view(metadata: Metadata) -> IndexView:
    """What the index makes of it. Raises nothing for whatever text there is."""
    from trove_classifiers import classifiers, deprecated_classifiers

    said = set(metadata.classifiers)
    old = sorted(said & deprecated_classifiers.keys())
    return IndexView(
        refusal=_refusal(metadata.description) if _kind(metadata) == _RST else "",
        unknown=tuple(sorted(said - classifiers - deprecated_classifiers.keys())),
        deprecated=tuple((one, " or ".join(deprecated_classifiers[one])) for one in old),
        by=_by(),
    )


@cache
def _by() -> tuple[str, ...]:
    return tuple(f"{name} {version(name)}" for name in ("docutils", "readme-renderer", "trove-classifiers"))


def _kind(metadata: Metadata) -> str:
    return metadata.content_type.partition(";")[0].strip().lower()


def _refusal(text: str) -> str:
    """What the renderer says, with the line of the description; empty where it renders."""
    if not text.strip():
        return ""
    if len(text) > LONGEST:
        return f"it has {len(text)} characters, {LONGEST} are rendered"
    from readme_renderer import rst

    rst.SETTINGS["_disable_config"] = True
    stream = io.StringIO()
    try:
        if rst.render(text, stream=stream) is not None:
            return ""
    except (ValueError, RecursionError, LookupError, AttributeError, TypeError) as error:
        return f"the renderer gave up: {type(error).__name__}"
    said = " ".join(stream.getvalue().split())
    return _PLACE.sub(r"line \1: ", said, count=1)[:MOST]
