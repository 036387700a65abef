"""The demo's second night: the same photographs, a stricter threshold, and a person in between."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest import push, wait
from airflow_provider_diffgram.models import Handle
from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess

from .media import PHOTOS, photo_name
from .project import ensure_dataset
from .reviewer import Work, mend
from .show import say

DATASET = "airflow-demo-nights"
"""Of its own, so that what the person does here stays apart from the other runs."""

MODEL = "demo-faces"
THRESHOLDS = (0.3, 0.4)

_MOVED, _MENDED = "camera.png", "motorcycle_left.png"
"""Photographs that the person looks at: they move a box in one, and mend the other, which has no face."""


@dataclass(frozen=True)
class Nights:
    """What two nights did.

    :param counts: of each night, as its handle tells them.
    :param work: what the person did in between.
    :param moved: how many boxes they moved a little.
    :param undone: what of that is not so any more.
    """

    counts: tuple[dict[str, int], dict[str, int]]
    work: Work
    moved: int
    undone: list[str]


def two_nights(
    emulator: EmulatorProcess, client: DiffgramClient, predictions: Path, photos: Path, run: str, face: int
) -> Nights:
    """Push what the model found, let a person correct some, and push what is left above a stricter threshold.

    :param predictions: packets with scores, a line each.
    :param photos: folder of the photographs.
    :param run: of this demo: each of its nights is a run of its own.
    :param face: id of the label that the person draws with.
    """
    directory_id = ensure_dataset(client, DATASET)
    first = push_night(client, predictions, photos, f"{run}, first night", THRESHOLDS[0])
    person, work = Person.of(emulator), Work()
    files = client.send(routes.list_files(client.project, directory_id)).file_list
    ids = {file.original_filename: file.id for file in files}
    moved = _correct(person, ids, work, face)
    second = push_night(client, predictions, photos, f"{run}, second night", THRESHOLDS[1])
    undone = [f"{each.kind} {each.reference} of file {each.file_id}" for each in person.undone()]
    return Nights((first.refreshed, second.refreshed), work, moved, undone)


def _correct(person: Person, ids: dict[str | None, int], work: Work, face: int) -> int:
    """Correct two photographs, unless that was done; return how many boxes were moved."""
    moved = 0
    for photo in PHOTOS:
        page = person.open(ids[photo_name(photo)])
        if photo.source == _MOVED and page.rows and page.rows[0]["version"] == 1:
            page.move(0, 3)
            moved += 1
        if photo.source == _MENDED:
            mend(page, photo, face, work)
        if page.edits:
            person.save(page)
    return moved


def push_night(client: DiffgramClient, predictions: Path, photos: Path, run: str, least: float) -> Handle:
    """Push what a run of the model found, and wait until it is in.

    :param predictions: packets with scores, a line each.
    :param photos: folder of the photographs.
    :param least: score below which a prediction is left out.
    """
    packets = [_packet(json.loads(line), photos, least) for line in predictions.read_text().splitlines()]
    # The person has saved just now, and is gone: by itself a refresh would leave their files for later.
    options: dict[str, Any] = {"if_exists": "refresh", "delivery": "upload"}
    handle = push(client, packets, dataset=DATASET, origin=(MODEL, run), **options)
    wait(client, [handle])
    return handle


def _packet(packet: dict[str, Any], photos: Path, least: float) -> dict[str, Any]:
    name = packet["original_filename"]
    found = [
        {key: value for key, value in each.items() if key not in ("model_ref", "model_run_ref")}
        for each in packet["instance_list"]
        if each["score"] >= least
    ]
    media = {"path": str(photos / name.removeprefix("photo-"))}
    return {"media": media, "original_filename": name, "instance_list": found}


def report(nights: Nights) -> None:
    """Say what changed, and what stayed."""
    before, after = THRESHOLDS
    say(f"a second night, with a threshold of {after} instead of {before}, in {DATASET}")
    say(f"  a person deleted {nights.work.deleted} and moved {nights.moved} of the boxes in between")
    for when, counts in zip(("first", "second"), nights.counts, strict=True):
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        say(f"  the {when} night: {told or 'all new'}")
    if not nights.undone:
        say("  what the person did is as they left it")
    say("")
