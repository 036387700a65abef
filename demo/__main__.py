"""``python -m demo [--build DIR] [serve]``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from airflow_provider_diffgram.client import DiffgramError

from . import server
from .airflow_runs import RunFailed
from .demonstration import demonstrate
from .show import say


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "serve"), default="run")
    parser.add_argument("--build", type=Path, default=Path("build/demo"), help="folder for all that is made")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return demonstrate(options.build) if options.command == "run" else serve(options.build)
    except (DiffgramError, RunFailed, ValueError, OSError) as error:
        say(f"FAILED: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def serve(build: Path) -> int:
    """Keep the emulator with the demo's data in the foreground until Ctrl-C."""
    with server.emulator(build.resolve() / "emulator") as running:
        say(f"{running.what}: {running.url}  (project {running.project}); Ctrl-C ends it")
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
