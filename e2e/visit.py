"""A person visits a fresh Airflow that has the wheel, and the Diffgram beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chaos.airflow import ChaosError, DagRun
from demo import media
from diffgram_emulator.process import EmulatorProcess

from . import given
from .answers import keep_answers
from .browsing import browse
from .compared import write_page
from .programs import program
from .standalone import Standalone

DAG, RUN = "diffgram_push_predictions", "by_hand"
DATASET, LABEL = "photos", "face"
PHOTO = "photo-astronaut.png"
"""One in which there is a face."""
PACE = {"cycle": 5.0, "rows_per_cycle": 1}
"""How the emulator looks into its queue: so slow that a wait is one on any machine."""


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
    pictures.mkdir(exist_ok=True)
    prepared = media.prepare(folder / "media")
    with (
        EmulatorProcess.start(folder.parent / "diffgram-browser", **PACE) as emulator,
        Standalone(folder / "airflow", python, secret_key, folder / "lineage" / "event") as airflow,
    ):
        emulator = emulator.with_project(emulator.project, (LABEL,), (DATASET, given.TO_REVIEW))
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
            "queued": f"{given.QUEUED}/runs/{given.RUN}",
            "refused": f"{given.REFUSED}/runs/{given.RUN}",
            "reviewed": f"{given.REVIEWED}/runs/{given.RUN}",
            "run": RUN,
        }
        hidden = (emulator.client_secret, f"{emulator.client_id}:{emulator.client_secret}")
        for step in browse(browser_python, "browser", plan, folder / "browser.log"):
            yield step, hidden
            if step["ok"] and step["name"] == "trigger the DAG with its form":
                given.start(airflow, folder / "given", prepared.photos)
            elif step["ok"] and step["name"] == "see a review wait for people":
                given.review(emulator)
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
