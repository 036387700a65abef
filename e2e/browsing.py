"""A module that acts in a browser, run in the environment that has Playwright."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compat.environment import ROOT, clean_environment

_SECONDS = 2400.0


def browse(python: Path, module: str, plan: Mapping[str, Any], log: Path) -> Iterator[dict[str, Any]]:
    """Run a module of this package and yield each step as it is done: ``{"name", "ok", "reason"}``.

    The next step may have begun when a step is yielded.

    :param plan: for the module, by stdin: arguments and environments of processes are for all to see.
    """
    told: list[dict[str, Any]] = []
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [python, "-m", f"{__package__}.{module}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=clean_environment(),
        )
        assert process.stdin
        assert process.stdout
        late = threading.Timer(_SECONDS, process.kill)
        late.start()
        try:
            with process.stdin as pipe:
                pipe.write(json.dumps(plan).encode())
            for line in process.stdout:
                told.append(json.loads(line))
                yield told[-1]
            process.wait()
        finally:
            late.cancel()
            process.kill()
            process.wait()
    if not told or (process.returncode and all(step["ok"] for step in told)):
        yield {"name": "the browser comes to its end", "ok": False, "reason": f"see {log}"}
