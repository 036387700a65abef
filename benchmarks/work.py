"""What processes that do a task have in common; the official client's import it as well.

What they are told, and tell, goes as :class:`.process.Process` says.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from .memory import Growth

BOX = {"type": "box", "x_min": 10, "y_min": 20, "x_max": 110, "y_max": 220}
"""What each child has, beside its label."""


def main(tasks: Mapping[str, Callable[[Mapping[str, Any]], None]]) -> None:
    """Do the task that is told, and tell what it took."""
    answers, sys.stdout = sys.stdout, sys.stderr  # the official client prints
    told = json.loads(sys.stdin.readline())
    print("ready", file=answers, flush=True)
    sys.stdin.readline()
    error, growth, began = None, Growth(), time.monotonic()
    try:
        tasks[told["task"]](told)
    except Exception as raised:  # noqa: BLE001  # whatever it raises is its result
        error = f"{type(raised).__name__}: {raised}"
    seconds = time.monotonic() - began
    result = {"error": error, "seconds": seconds, "growth_mib": growth.mib}
    print(json.dumps(result), file=answers, flush=True)
