"""`--override RULE --because TEXT`, as pairs: what `check`, `plan` and `release` take alike."""

import argparse

from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Override

__all__ = ["add_overrides", "overrides_of"]


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """[--override RULE --because TEXT]..."""
    parser.add_argument("--override", action="append", metavar="RULE", default=[], help="set it aside, this once")
    parser.add_argument(
        "--because", action="append", metavar="TEXT", default=[], help="the reason, public in the entry; one for each"
    )


def overrides_of(args: argparse.Namespace) -> tuple[Override, ...]:
    """The pairs, in order. Raises SetupError `usage`, and what `override` raises."""
    rules, reasons = args.override, args.because
    if len(rules) != len(reasons):
        what = f"{len(rules)} --override and {len(reasons)} --because: each rule is set aside with its own reason"
        raise SetupError(what, code="usage", hint=f'--override {(rules or ["RULE"])[-1]} --because "why"')
    if not rules:
        return ()
    from tagtrail.workflows.overrides import override

    return tuple(override(rule, because) for rule, because in zip(rules, reasons, strict=True))
