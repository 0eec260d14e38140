"""What a command may look at without a secret key and without writing: settings, people's keys, a project's history."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tagtrail.formats.settings import parse_settings, site_of
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Entry, Key
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import FILE, People, Project, Settings
from tagtrail.model.texts import Text

if TYPE_CHECKING:
    from tagtrail.formats.note import Verifier
    from tagtrail.formats.policy import Policy

__all__ = ["Instance", "open_instance", "read_files", "read_settings"]

TRAIL = CHECKPOINT.removesuffix("checkpoint")


@frozen
class Instance:
    """An instance as it lies there."""

    home: Path
    settings: Settings

    def keys(self, project: Project) -> tuple[Key, ...]:
        """The keys that may sign the project's tags. Raises SetupError `people-keys`, and what `read_keys` raises."""
        return tuple(
            key for group in self.settings.people if group.name in project.signers for key in self.group(group)
        )

    def group(self, people: People) -> tuple[Key, ...]:
        """The keys of a group."""
        return tuple(key for file in people.keys for key in self._file(people.name, file))

    def people(self) -> dict[str, tuple[Key, ...]]:
        """The keys of every group."""
        return {
            group.name: tuple(k for f in group.keys for k in self._file(group.name, f))
            for group in self.settings.people
        }

    def names(self) -> dict[str, frozenset[str]]:
        """Under which names the keys of all groups are known: who has two keys is one person."""
        from tagtrail.verify.persons import names_in

        known: dict[str, frozenset[str]] = {}
        for group in self.settings.people:
            for file in group.keys:
                found = names_in((self.home / file).read_bytes(), self._file(group.name, file), file)
                known |= {key: known.get(key, frozenset()) | names for key, names in found.items()}
        return known

    def trust(self, log: "Verifier") -> "Policy":
        """What is asked of the log's own checkpoints: signed by `log`, seen by the settings' witnesses.

        Raises SetupError `witnesses`.
        """
        from tagtrail.formats.policy import Log, Policy, parse

        site, name = site_of(self.settings), self.settings.org.witnesses
        own = Policy(logs=(Log(verifier=log, url=f"{site.url}{TRAIL}" if site.url else ""),))
        if not name:
            return own
        hint = f"mend {self.home / name}: lines `witness NAME VKEY URL`, `group`, one `quorum`; docs/witnesses.md"
        try:
            asked = parse((self.home / name).read_bytes())
            if asked.logs:
                raise TamperError("it names a log: this instance's own is meant", code="policy-line")
            return replace(asked, logs=own.logs)
        except OSError as error:
            what = f"org.witnesses names {name}, which cannot be read: {error.strerror}"
            raise SetupError(what, code="witnesses", hint=hint) from error
        except TamperError as error:
            what = f"org.witnesses names {name}: {error.what}"
            raise SetupError(what, code="witnesses", why=error.why, hint=hint) from error

    def texts(self) -> tuple[Text, ...]:
        """The templates that replace ours. Raises SetupError `text-file`."""
        return tuple(self._text(name, file) for name, file in self.settings.texts)

    def _text(self, name: str, file: str) -> Text:
        try:
            data = (self.home / file).read_bytes()
            return Text(name=name, file=file, source=data.decode("utf-8").replace("\r\n", "\n"))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror or "" if isinstance(error, OSError) else f"not UTF-8 at byte {error.start}"
            what = f"texts.{name} names {file}, which cannot be read: {why}"
            raise SetupError(what, code="text-file", hint=f"put the template at {self.home / file}") from error

    def history(self, project: Project) -> tuple[Entry, ...]:
        """The project's entries in the trail, oldest first."""
        from tagtrail.adapters.sqlite import SqliteLedger

        database = self.home / "state" / "tagtrail.db"
        return SqliteLedger(database).entries(project=project.name) if database.is_file() else ()

    def _file(self, group: str, name: str) -> tuple[Key, ...]:
        from tagtrail.verify.keys import read_keys

        path = self.home / name
        try:
            return read_keys(path.read_bytes(), group)
        except OSError as error:
            what = f"[people.{group}] names {name}, which cannot be read: {error.strerror}"
            raise SetupError(what, code="people-keys", hint=f"put the key file at {path}") from error
        except SetupError as error:
            what, hint = f"[people.{group}] names {name}: {error.what}", error.hint or f"mend {path}"
            raise SetupError(what, code=error.code, why=error.why, hint=hint) from error


def open_instance(home: Path) -> Instance:
    """The instance at `home`. Raises what `read_settings` raises."""
    return Instance(home=home, settings=read_settings(home))


def read_settings(home: Path) -> Settings:
    """The settings at `home`. Raises SetupError `settings`, and what `read_files` raises."""
    return parse_settings(read_files(home), _rules, _plugged)


def _rules() -> Mapping[str, bool]:
    from tagtrail.rules.registry import FIRM

    return FIRM


def _plugged(kind: str) -> bool:
    from tagtrail.app.instance.plugged import brought

    return bool(brought(kind))


def read_files(home: Path) -> dict[str, bytes]:
    """`tagtrail.toml` and `projects/*.toml` by name. Raises SetupError `not-an-instance`, `not-readable`."""
    paths = (home / FILE, *sorted((home / "projects").glob("*.toml")))
    if not paths[0].is_file():
        raise SetupError(f"{home} has no {FILE}", code="not-an-instance", hint=f"tagtrail init {home} --origin NAME")
    try:
        return {str(path.relative_to(home)): path.read_bytes() for path in paths}
    except OSError as error:
        what = f"{error.filename} cannot be read: {error.strerror}"
        raise SetupError(what, code="not-readable", hint=f"ls -l {error.filename}; id -un") from error
