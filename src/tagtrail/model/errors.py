"""The errors of tagtrail, named for who must act; every one says what, why and the next command."""

__all__ = ["Error", "ProjectError", "RemoteError", "SetupError", "TamperError"]


class Error(Exception):
    """Something a person must read.

    `what` is one lower-case sentence with both values named; `why` is the reason behind it; `hint` is the next
    command to run or the line to change; `code` is a stable reason code (`tag-missing`) that `--json` shows.
    """

    exit_code: int = 1

    def __init__(self, what: str, *, code: str, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.code = code
        self.why = why
        self.hint = hint


class ProjectError(Error):
    """The maintainer must act: the tag, the version or the build is not what the policy allows (exit 3)."""

    exit_code = 3


class SetupError(Error):
    """The operator must act: usage, settings, this machine (exit 2)."""

    exit_code = 2


class RemoteError(Error):
    """Nobody must act, something else must answer: run it again later (exit 5)."""

    exit_code = 5


class TamperError(Error):
    """Alarm: bytes are not what somebody signed (exit 6 on the road; 7 in verify, audit and render --check)."""

    exit_code = 6
