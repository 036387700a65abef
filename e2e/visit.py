"""A person visits a fresh Airflow that has the wheel, and the Diffgram beside it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chaos.airflow import ChaosError, DagRun
from compat.environment import clean_environment
from demo import media
from diffgram_emulator.process import EmulatorProcess

from .answers import keep_answers
from .compared import write_page
from .programs import program
from .standalone import Standalone

DAG, RUN = "diffgram_push_predictions", "by_hand"
DATASET, LABEL = "photos", "face"
PHOTO = "photo-astronaut.png"
"""One in which there is a face."""
PACE = {"cycle": 1.0, "rows_per_cycle": 2}
"""How the emulator looks into its queue: slow enough for a wait to be one."""

_SECONDS = 2400.0


def visit(
    folder: Path, python: Path, browser_python: Path, secret_key: str
) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Yield each step, ``{"name", "ok", "reason"}``, and what must be found nowhere.

    :param python: of the environment that has the wheel.
    :param browser_python: of the environment that has Playwright.
    :raises CannotRunError: if there is no Chromium.
    """
    folder.mkdir(parents=True)
    chromium = program("chromium", folder / "apt.log")
    pictures = folder.parent / "pictures"
    pictures.mkdir()
    prepared = media.prepare(folder / "media")
    with (
        EmulatorProcess.start(folder.parent / "diffgram-browser", **PACE) as emulator,
        Standalone(folder / "airflow", python, secret_key, folder / "lineage" / "event") as airflow,
    ):
        emulator = emulator.with_project(emulator.project, (LABEL,), (DATASET,))
        plan = {
            "airflow": airflow.url,
            "chromium": str(chromium),
            "comparison": str(write_page(folder / "comparison", prepared.photos)),
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "dag": DAG,
            "dataset": DATASET,
            "diffgram": emulator.url,
            "media": str(prepared.photos),
            "output": str(folder / "predictions"),
            "photo": PHOTO,
            "pictures": str(pictures),
            "project": emulator.project,
            "run": RUN,
        }
        hidden = (emulator.client_secret, f"{emulator.client_id}:{emulator.client_secret}")
        for step in _browse(browser_python, plan, folder / "browser.log"):
            yield step, hidden
        try:
            keep_answers(airflow, folder / "answers", DagRun(airflow, DAG, RUN))
        except ChaosError as error:
            yield {"name": "ask Airflow's REST API", "ok": False, "reason": str(error)}, hidden
        dataset = (f"diffgram://{urlsplit(emulator.url).netloc}", f"{emulator.project}/{DATASET}")
        problem = problem_of_lineage(folder / "lineage", dataset)
        yield {"name": "OpenLineage is told", "ok": not problem, "reason": problem}, hidden


def problem_of_lineage(folder: Path, dataset: tuple[str, str]) -> str:
    """Return what is wrong with what OpenLineage was told of the task that sends; empty if nothing is.

    :param folder: of events.
    :param dataset: namespace and name of what the task writes.
    """
    events = [json.loads(path.read_text()) for path in sorted(folder.iterdir())]
    sent = [event for event in events if event["job"]["name"] == f"{DAG}.send"]
    told = [
        (
            [(each["namespace"], each["name"]) for each in event["inputs"]],
            {(each["namespace"], each["name"]): each["outputFacets"] for each in event["outputs"]},
        )
        for event in sent
        if event["eventType"] == "COMPLETE"
    ]
    if (
        len(told) == 1
        and told[0][0]
        and told[0][1].get(dataset, {}).get("outputStatistics", {}).get("fileCount")
    ):
        return ""
    return f"of {len(events)} events {len(sent)} are of the task, those of its end are {told}"


def _browse(python: Path, plan: dict[str, str], log: Path) -> Iterator[dict[str, Any]]:
    with log.open("wb") as errors:
        done = subprocess.run(
            [python, Path(__file__).with_name("browser.py")],
            input=json.dumps(plan).encode(),
            stdout=subprocess.PIPE,
            stderr=errors,
            env=clean_environment(),
            timeout=_SECONDS,
            check=False,
        )
    yield from map(json.loads, done.stdout.splitlines())
    if done.returncode not in (0, 1):
        yield {"name": "the browser comes to its end", "ok": False, "reason": f"see {log}"}
