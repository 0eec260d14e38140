"""Prints what becomes of 3,000 releases that are told on a keyed, a searchable and a blind channel, with 5 % faults at
each point (`make bench` does; another seed: `python -m bench.channels SEED`)."""

import sys
import time

from tests.workflows.channels import simulate


def main() -> None:
    """The line that counts is the second."""
    begun = time.perf_counter()
    print(simulate(3_000, 0.05, int(sys.argv[1]) if len(sys.argv) > 1 else 1))
    print(f"{time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
