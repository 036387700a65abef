"""Somebody corrects predictions on the emulator's page, in a browser; then it is compared what they left.

``python -m e2e.emulator_page FOLDER PYTHON`` does this part alone, with the Playwright of the environment of
another Python. It leaves ``emulator-editor.jpg``, the picture in the guide to testing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.ingest import push, wait
from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.quality.finals import LiveFiles
from demo import media
from diffgram_emulator.process import EmulatorProcess

from .browsing import browse
from .programs import program

DATASET, FILLED = "night", "ten thousand"
LABELS = ("face", "coin", "cup", "helmet")
RUN = ("detector", "night-1")
LEFT = {
    "astronaut-0": "moved",
    "astronaut-1": "moved+relabelled",
    "astronaut-2": "deleted",
    "drawn by hand": "added",
}
"""What the reviewer makes of the first picture's predictions, as a comparison is to tell it."""

_HEAPS, _HEAP = 10, 1_000

Sides = tuple[int, int, int, int]


COINS: Sequence[Sides] = (
    (305, 16, 365, 72), (127, 28, 179, 74), (192, 30, 243, 73), (255, 34, 297, 72), (245, 96, 296, 144),
    (25, 104, 67, 146), (185, 105, 227, 144), (317, 105, 356, 145), (84, 107, 122, 145), (134, 110, 174, 145),
    (315, 156, 380, 218), (189, 170, 237, 216), (251, 172, 297, 216), (80, 175, 124, 217), (25, 178, 63, 217),
    (135, 179, 174, 217), (18, 233, 75, 288), (144, 236, 201, 288), (276, 240, 326, 288),
    (220, 241, 269, 288), (92, 245, 136, 287), (336, 248, 381, 289),
)  # fmt: skip
"""All but two of the coins in their picture."""


def run(folder: Path, browser_python: Path) -> Iterator[tuple[dict[str, Any], Sequence[str]]]:
    """Yield each step, ``{"name", "ok", "reason"}``, and what must be found nowhere.

    :param browser_python: of the environment that has Playwright.
    :raises CannotRunError: if there is no Chromium.
    """
    folder.mkdir(parents=True)
    chromium = program("chromium", folder / "apt.log")
    pictures = folder.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    prepared = media.prepare(folder / "media")
    with EmulatorProcess.start(folder.parent / "diffgram-page", rate_limit=False) as emulator:
        emulator = emulator.with_project(emulator.project)
        hidden = (emulator.client_secret, f"{emulator.client_id}:{emulator.client_secret}")
        files, datasets = furnish(emulator, prepared.photos, folder / "records")
        plan = {
            "url": emulator.url,
            "project": emulator.project,
            "dataset": datasets[DATASET],
            "filled": datasets[FILLED],
            "file": files["astronaut"],
            "polygon": files["coffee"],
            "pictures": str(pictures),
            "chromium": str(chromium),
        }
        for step in browse(browser_python, "correcting", plan, folder / "browser.log"):
            yield step, hidden
        problem = problem_of_comparison(emulator, folder)
        name = "emulator page: a comparison tells what was done"
        yield {"name": name, "ok": not problem, "reason": problem}, hidden


def problem_of_comparison(emulator: EmulatorProcess, folder: Path) -> str:
    """Return how a comparison differs from what the reviewer did; empty if it does not."""
    report = folder / "report.jsonl"
    with _client(emulator) as client:
        compare(
            [str(path) for path in sorted((folder / "records").iterdir())],
            LiveFiles(client, job_id=1),
            run=RUN[1],
            project=emulator.project,
            outputs=Outputs(report=str(report)),
        )
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    told = {
        "drawn by hand" if line["outcome"] == "added" else line["reference"]: line["outcome"]
        for line in lines
        if line["name"] == "astronaut.png"
    }
    others = {line["outcome"] for line in lines if line["name"] != "astronaut.png"}
    if told == LEFT and others <= {"not_reviewed"}:
        return ""
    return f"it tells {told} of the first picture, and {sorted(others)} of the others"


def furnish(emulator: EmulatorProcess, photos: Path, records: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Send the demo's photographs with boxes, some of them wrong, and fill a large dataset.

    :param records: folder for the record of each push.
    :returns: the id of each photograph by its stem, and of each dataset.
    """
    body = {"name": emulator.project, "labels": LABELS, "datasets": [DATASET, FILLED]}
    made = emulator.control("projects", body)
    records.mkdir(parents=True)
    handles = []
    with _client(emulator) as client:
        for path in sorted(photos.iterdir()):  # one by one, so that they are listed in this order
            packet = {
                "media": {"path": str(path)},
                "original_filename": path.name,
                "instance_list": [
                    *(_box(path.stem, *each) for each in enumerate(_predicted(path))),
                    *_outlines.get(path.stem, ()),
                ],
            }
            record = str(records / f"{path.stem}.jsonl")
            handles.append(push(client, [packet], dataset=DATASET, origin=RUN, record=record))
        wait(client, handles, poll_interval=0.2)
    filling = {
        "project": emulator.project,
        "dataset_id": made["datasets"][FILLED],
        "label_file_id": made["labels"]["face"],
        "files": _HEAP,
        "boxes": 10,
    }
    for _ in range(_HEAPS):
        emulator.control("fill", filling)
    sent = {path.stem: json.loads(path.read_text()) for path in records.iterdir()}
    return {stem: line["file_id"] for stem, line in sent.items()}, made["datasets"]


def _client(emulator: EmulatorProcess) -> DiffgramClient:
    return DiffgramClient(
        Settings(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
    )


def _predicted(path: Path) -> list[tuple[str, float, Sides]]:
    """Return what a detector might see: not all of it is right."""
    if path.stem == "coins":
        return [("coin", 0.99 - number / 80, sides) for number, sides in enumerate(COINS)]
    seen: Mapping[str, list[tuple[str, float, Sides]]] = {
        "astronaut": [
            ("face", 0.97, (190, 84, 290, 192)),
            ("face", 0.41, (392, 20, 470, 120)),
            ("face", 0.22, (128, 340, 222, 420)),
        ],
        "camera": [("face", 0.58, (188, 116, 258, 202))],
        "chelsea": [("face", 0.72, (112, 34, 330, 292))],
        "coffee": [("cup", 0.94, (176, 20, 436, 306))],
    }
    return seen.get(path.stem, [])


_outlines: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "coffee": [
        {
            "type": "polygon",
            "label": "face",
            "creation_ref_id": "coffee-saucer",
            "points": [
                {"x": x, "y": y} for x, y in ((80, 220), (170, 130), (470, 150), (480, 260), (290, 390))
            ],
        }
    ]
}


def _box(stem: str, number: int, seen: tuple[str, float, Sides]) -> dict[str, Any]:
    label, score, sides = seen
    placed = dict(zip(("x_min", "y_min", "x_max", "y_max"), sides, strict=True))
    named = {"type": "box", "label": label, "creation_ref_id": f"{stem}-{number}"}
    return {**named, "score": round(score, 2), **placed}


def main() -> int:
    """Do this part alone."""
    folder, python = (Path(argument) for argument in sys.argv[1:])
    steps = [told for told, _ in run(folder.resolve() / "page", python)]
    with Image.open(folder / "pictures" / "emulator-editor.png") as picture:
        picture.convert("RGB").save(folder / "emulator-editor.jpg", quality=85)
    for told in steps:
        print("ok    " if told["ok"] else "FAILED", told["name"], told["reason"])
    return 0 if all(told["ok"] for told in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
