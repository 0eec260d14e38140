"""The rule book: a rule is a function over frozen facts that yields what it has to say; all are asked, all is
shown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Literal, Protocol, TypeVar

from tagtrail.model.facts import Finding, Override
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import RuleSwitch

__all__ = ["Facts", "Rule", "Said", "Verdict", "judge", "rule"]

Level = Literal["error", "warning"]


@frozen
class Said:
    """What a rule found: `code` where one rule has several reasons, `level` where it is milder than the rule's
    own."""

    text: str
    fix: str = ""
    code: str = ""
    level: Level | None = None


class Facts(Protocol):
    """What rules look at."""

    def lacks(self, need: str) -> str:
        """Why a rule that needs `need` cannot be asked; empty where it can."""
        ...


F = TypeVar("F", bound=Facts)


@frozen
class Rule(Generic[F]):
    """A rule with its stable id and name. A `firm` rule cannot be switched: the road would make no sense without it.

    One that looks `across` holds files of a release against each other."""

    id: str
    name: str
    level: Level
    says: Callable[[F], Iterator[Said]]
    needs: tuple[str, ...] = ()
    firm: bool = False
    across: bool = False

    @property
    def about(self) -> str:
        """Its documentation, whose first line is the rule in one sentence."""
        from inspect import cleandoc

        return cleandoc(self.says.__doc__ or "")


def rule(
    id: str,  # noqa: A002  (that is what it is called in the settings)
    name: str,
    level: Level = "error",
    *,
    needs: tuple[str, ...] = (),
    firm: bool = False,
    across: bool = False,
) -> Callable[[Callable[[F], Iterator[Said]]], Rule[F]]:
    """Make a rule of a function; its docstring is the rule's documentation."""

    def entered(says: Callable[[F], Iterator[Said]]) -> Rule[F]:
        return Rule(id=id, name=name, level=level, says=says, needs=needs, firm=firm, across=across)

    return entered


@frozen
class Verdict:
    """What the rules said: `ran` are ids; `skipped` are (id, why it could not be asked); `overrides` are rules whose
    finding was set aside, by the settings or for this release, with the written reason.
    """

    findings: tuple[Finding, ...] = ()
    ran: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    overrides: tuple[Override, ...] = ()

    def __add__(self, other: "Verdict") -> "Verdict":
        """What the rules said here and there."""
        return Verdict(
            findings=self.findings + other.findings,
            ran=self.ran + other.ran,
            skipped=self.skipped + other.skipped,
            overrides=self.overrides + other.overrides,
        )

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop a release."""
        return tuple(f for f in self.findings if f.level == "error")


def judge(
    rules: Iterable[Rule[F]], facts: F, switches: Sequence[RuleSwitch] = (), overrides: Sequence[Override] = ()
) -> Verdict:
    """Ask every rule; later switches win over earlier ones, overrides over all; a firm rule has none.

    What an override sets aside is shown still, as a warning.
    """
    aside = (RuleSwitch(rule=o.rule, level="warning", because=o.because) for o in overrides)
    switched = {switch.rule: switch for switch in (*switches, *aside)}
    findings: list[Finding] = []
    ran: list[str] = []
    skipped: list[tuple[str, str]] = []
    said_aside: list[Override] = []
    for rule in rules:
        if why := next(filter(None, (facts.lacks(need) for need in rule.needs)), ""):
            skipped.append((rule.id, why))
            continue
        ran.append(rule.id)
        switch = None if rule.firm else switched.get(rule.id)
        said = tuple(rule.says(facts))
        if said and switch and switch.level != "error":
            said_aside.append(Override(rule=rule.id, because=switch.because))
        findings += _findings(rule, said, switch.level if switch else "")
    return Verdict(findings=tuple(findings), ran=tuple(ran), skipped=tuple(skipped), overrides=tuple(said_aside))


def _findings(rule: Rule[F], said: Iterable[Said], level: str) -> Iterator[Finding]:
    for one in said if level != "off" else ():
        wanted: Level = "warning" if "warning" in (level, one.level or rule.level) else "error"
        shown: Level = "error" if level == "error" else wanted
        yield Finding(rule=rule.id, name=rule.name, level=shown, text=one.text, fix=one.fix, code=one.code or rule.name)
