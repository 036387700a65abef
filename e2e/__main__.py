"""``python -m e2e``: build/e2e/summary.json and pictures. Status 1: a part failed; 3: one cannot run here."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from compat.environment import ROOT, StepFailed, build_wheels, make
from compat.rows import pinned
from tests.secrets_scan import find_secrets

from . import distributed, emulator_page, reviewed, site, visit
from .programs import CannotRunError

BUILD = Path("build")
CONSTRAINTS = ROOT / "constraints" / "e2e.txt"
CELERY = ("apache-airflow-providers-celery", "asyncpg", "celery[redis]", "psycopg2-binary")
OPENLINEAGE = "apache-airflow-providers-openlineage"

_FAILED, _CANNOT_RUN = 1, 3


@dataclass
class Step:
    """One thing that was tried.

    :param reason: why it is not ok; empty if it is.
    """

    name: str
    ok: bool
    reason: str = ""


@dataclass
class Report:
    """What came of it all.

    :param distributed: ``lost`` and ``duplicated``; empty if that part did not come to its end.
    :param skipped: parts that could not run here.
    :param secrets_found: places; None if nothing was searched.
    """

    steps: list[Step] = field(default_factory=list)
    distributed: dict[str, int] = field(default_factory=dict)
    skipped: list[Step] = field(default_factory=list)
    secrets_found: int | None = None

    def add(self, step: Step) -> None:
        """Note a step and tell it."""
        self.steps.append(step)
        print(f"  {'ok' if step.ok else 'FAILED':8}{step.name}  {step.reason}".rstrip(), flush=True)

    @property
    def status(self) -> int:
        """The exit status."""
        if not all(step.ok for step in self.steps) or self.secrets_found or any(self.distributed.values()):
            return _FAILED
        return _CANNOT_RUN if self.skipped else 0


class EndToEnd:
    """One run of everything.

    :param folder: for all that it leaves.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = Report()
        self._secrets: set[str] = set()
        self._secret_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()

    def prepare(self) -> None:
        """Build the wheels and the clean environments."""
        began = time.monotonic()
        wheels = build_wheels(self.folder / "wheels")
        log, python = self.folder / "install.log", Path(sys.executable)
        self._browser_python = make(self.folder / "browser", python, ["playwright"], CONSTRAINTS, log)
        airflow = f"apache-airflow=={pinned('apache-airflow', CONSTRAINTS)}"
        wanted = [*wheels.requirements("emulator,examples"), airflow, OPENLINEAGE, *CELERY]
        self._python = make(self.folder / "venv", python, wanted, CONSTRAINTS, log)
        print(
            f"{wheels.provider.name} and {airflow} installed after {time.monotonic() - began:.0f} s",
            flush=True,
        )

    def browse(self) -> None:
        """Do what a person does."""
        pythons = (self._python, self._browser_python)
        for told, secret in visit.visit(self.folder / "browser-run", *pythons, self._secret_key):
            self.hide(*secret)
            self.report.add(Step(**told))

    def look(self) -> None:
        """Open every page of the site of the guides."""
        for told in site.visit(self.folder / "site", self._browser_python):
            self.report.add(Step(**told))

    def correct(self) -> None:
        """Correct predictions on the emulator's page."""
        for told, secret in emulator_page.run(self.folder / "page", self._browser_python):
            self.hide(*secret)
            self.report.add(Step(**told))

    def distribute(self) -> None:
        """Send from two workers."""
        outcome = distributed.run(self.folder / "distributed", self._python, self._secret_key)
        self.hide(*outcome.secrets)
        self.report.distributed = {"lost": outcome.row.lost, "duplicated": outcome.row.duplicated}
        name = f"{distributed.TASKS} mapped tasks on two workers, one killed"
        self.report.add(Step(name, not outcome.problem, outcome.problem))
        self.report.add(Step("a DAG scheduled on the dataset is run", not outcome.after, outcome.after))
        print(f"  killed at {outcome.killed} tasks; {outcome.refused} requests met the rate limit")

    def review(self) -> None:
        """Have people review, and a DAG run by it."""
        for told, secret in reviewed.run(self.folder / "reviewed", self._python, self._secret_key):
            self.hide(*secret)
            self.report.add(Step(**told))

    def hide(self, *secrets: str) -> None:
        """Note what must be found nowhere."""
        self._secrets.update(secrets)

    def part(self, name: str, act: Callable[[], None]) -> None:
        """Run a part; whatever happens, the others run too."""
        began = time.monotonic()
        print(f"{name}:", flush=True)
        try:
            act()
        except CannotRunError as error:
            self.report.skipped.append(Step(name, False, str(error)))
            print(f"  SKIPPED {error}", flush=True)
        except Exception as error:  # noqa: BLE001
            self.report.add(Step(name, False, f"{type(error).__name__}: {error}"))
        print(f"  {time.monotonic() - began:.0f} s", flush=True)

    def search(self) -> None:
        """Look for the credentials in all that was left."""
        if not self._secrets:
            return
        searched = [self.folder / name for name in ("browser-run", "page", "distributed", "reviewed")]
        found = find_secrets([path for path in searched if path.exists()], sorted(self._secrets))
        self.report.secrets_found = len(found)
        (self.folder / "secrets.txt").write_text("".join(f"{place}\n" for place in found))
        for place in found[:20]:
            print(f"  SECRET in {place}")

    def write(self) -> None:
        """Write the summary."""
        summary: dict[str, Any] = asdict(self.report)
        (self.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")


def main() -> int:
    """Run the parts that PARTS names, all if it names none."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = (BUILD / "e2e").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    everything = EndToEnd(folder)
    parts = {
        "browser": everything.browse,
        "page": everything.correct,
        "site": everything.look,
        "distributed": everything.distribute,
        "review": everything.review,
    }
    wanted = os.environ.get("PARTS", "").replace(",", " ").split() or list(parts)
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        raise SystemExit(f"no part is named {unknown[0]!r}; there are {', '.join(parts)}")
    try:
        everything.prepare()
    except StepFailed as error:
        everything.report.add(Step("install the wheel", False, str(error)))
    else:
        everything.report.add(Step("install the wheel in a clean environment", True))
        for name in wanted:
            everything.part(name, parts[name])
        everything.search()
    everything.write()
    for name in ("venv", "browser"):
        shutil.rmtree(folder / name, ignore_errors=True)
    report = everything.report
    print(
        f"{sum(step.ok for step in report.steps)} of {len(report.steps)} steps ok; distributed "
        f"{report.distributed or 'not run'}; secrets found: {report.secrets_found}; {folder / 'summary.json'}"
    )
    return report.status


if __name__ == "__main__":
    sys.exit(main())
