"""A race: us and a peer in turns, whole processes, in one run on one machine; medians, and whether the goal holds."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

LIMIT = 300.0
"""Seconds that one process may take before the race is called off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What is compared. `ours` and `peer` each do one whole run and return its seconds, preparations not counted.

    `goal` bounds ours / peer, or with measure "difference" the seconds of ours - peer, each run set against the one of
    the peer that came right after it: on a machine whose speed drifts, that says more than two medians that each have
    their own good and bad minutes. With "peak" both are megabytes, and it bounds ours. None: the figures are stated,
    nothing is promised. `warm` runs each once before, uncounted.
    """

    name: str
    ours: Callable[[], float]
    peer: Callable[[], float]
    peer_version: str
    goal: float | None
    measure: Literal["ratio", "difference", "peak"] = "ratio"
    rounds: int = 5
    warm: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of bench/results.json; ours, peer and the difference of pairs are medians, in seconds (or megabytes:
    `measure` "peak"); `spread` is the least and the most of ours and of the peer."""

    name: str
    ours: float
    peer: float
    peer_version: str
    ratio: float
    difference: float
    goal: float | None
    holds: bool
    measure: str
    rounds: int
    spread: tuple[tuple[float, float], tuple[float, float]]


def run(race: Race) -> Result:
    """One discarded run each, so that caches are warm, then A B A B."""
    if race.warm:
        race.ours()
        race.peer()
    times = [(race.ours(), race.peer()) for _ in range(race.rounds)]
    ours, peer = (median(column) for column in zip(*times, strict=True))
    difference = median(a - b for a, b in times)
    found = {"ratio": ours / peer, "difference": difference, "peak": ours}[race.measure]
    return Result(
        name=race.name,
        ours=round(ours, 4),
        peer=round(peer, 4),
        peer_version=race.peer_version,
        ratio=round(ours / peer, 4),
        difference=round(difference, 4),
        goal=race.goal,
        holds=race.goal is None or found <= race.goal,
        measure=race.measure,
        rounds=race.rounds,
        spread=(_ends([a for a, _ in times]), _ends([b for _, b in times])),
    )


def _ends(times: Sequence[float]) -> tuple[float, float]:
    return round(min(times), 4), round(max(times), 4)


def seconds(
    command: Sequence[str | Path], *, log: Path, cwd: Path, env: Mapping[str, str], limit: float = LIMIT
) -> float:
    """The wall time of one process, to its end; its output goes to `log`.

    Waits on a pidfd: `wait(timeout=)` looks only every 50 ms, which is longer than some of the runs. Raises
    RuntimeError with the end of the log when the process fails or takes longer than `limit`.
    """
    with log.open("ab") as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        pidfd = os.pidfd_open(process.pid)
        try:
            ended = select.select([pidfd], [], [], limit)[0]
            if not ended:
                process.kill()
            code = process.wait()
            took = time.perf_counter() - start
        finally:
            os.close(pidfd)
    if code != 0:
        said = log.read_text(errors="replace")[-2000:]
        why = f"ended with {code}" if ended else f"took longer than {limit:.0f} s"
        msg = f"{' '.join(map(str, command))} {why}:\n{said}"
        raise RuntimeError(msg)
    return took


_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(command: Sequence[str | Path]) -> float:
    """The most memory that a run of `command` held, in MB.

    Asked of a small process between: what this one holds itself would count as the child's until that has begun.
    """
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, timeout=LIMIT)
    return int(done.stdout) * 1024 / 1e6


def environment(**more: str) -> dict[str, str]:
    """What both sides get: the machine's own environment (its index, its caches), and byte code that may be stored."""
    ours = {"GNUPGHOME", "PYTHONDONTWRITEBYTECODE", "TAGTRAIL_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("TWINE_")}
    return {**kept, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more}
