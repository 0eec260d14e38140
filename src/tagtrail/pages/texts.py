"""The templates of announcements: ours, or an organisation's own, in a sandbox where a name that is missing is an
error."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tagtrail.model.errors import SetupError
from tagtrail.model.texts import Text
from tagtrail.pages.plain import wrapped
from tagtrail.pages.text import clean

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment
    from markupsafe import Markup

__all__ = ["filled", "ready"]

MOST = 512 * 1024
"""Characters of one text."""

_WRONG = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def filled(texts: tuple[Text, ...], name: str, values: Mapping[str, Any]) -> str:
    """The text `name` (of `TEXTS`) filled in; `-html` ones are escaped. Raises SetupError `text-template`, which names
    the file and the line, where a template of the settings cannot be filled."""
    from jinja2 import TemplateError

    own = next((text for text in texts if text.name == name), None)
    try:
        found = _environment(texts).get_template(name).render(values)
    except (TemplateError, *_WRONG) as error:
        if own is None:
            raise
        raise _fault(own, _line(error, own.file), str(error) or type(error).__name__) from error
    if own and len(found) > MOST:
        raise _fault(own, 0, f"it makes {len(found):,} characters, at most {MOST:,} are sent")
    return found


def ready(compiled: "BytecodeCache | None") -> None:
    """Load our templates; `compiled` remembers what came out."""
    environment = _environment(())
    environment.bytecode_cache = compiled
    for name in environment.list_templates():
        environment.get_template(name)


def _fault(text: Text, line: int, why: str) -> SetupError:
    where = f"{text.file}, line {line}" if line else text.file
    what = f"texts.{text.name}: {where}: {why.splitlines()[0]}"
    hint = f"mend {text.file}; docs/announcements.md tells what it may name"
    return SetupError(what, code="text-template", hint=hint)


def _line(error: Exception, file: str) -> int:
    """The template's line: of a syntax error, or the last one of it that was at work."""
    found = getattr(error, "lineno", 0) or 0
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == file:
            found = frame.tb_lineno
        frame = frame.tb_next
    return found


@lru_cache(maxsize=16)
def _environment(texts: tuple[Text, ...]) -> "Environment":
    from jinja2 import ChoiceLoader, FunctionLoader, PackageLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    own = {text.name: (text.source, text.file, lambda: True) for text in texts}

    def fit(value: object) -> object:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*([FunctionLoader(own.get)] if own else []), PackageLoader("tagtrail.pages", "notices")]),
        autoescape=lambda name: bool(name) and name.endswith("-html"),
        undefined=StrictUndefined,
        finalize=fit,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"wrap": wrapped, "ticked": _ticked}
    return environment


def _ticked(text: str) -> "Markup":
    """What stands between backticks as code."""
    from markupsafe import Markup, escape

    parts = [escape(clean(part)) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else p for n, p in enumerate(parts))
