"""Whether a process is still there."""

import time
from pathlib import Path


def alive(pid: int) -> bool:
    """What was killed is given twenty seconds: it dies when the kernel gives it the processor again."""
    state = Path(f"/proc/{pid}/stat")
    for _ in range(1000):
        try:
            if ") Z " in state.read_text():
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.02)
    return True
