"""A Diffgram with the pace of the measured one (server.md 10.7), and what it holds."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from airflow_provider_diffgram.ingest.send.push import push
from diffgram_emulator.options import Options
from diffgram_emulator.process import EmulatorProcess

from .media import picture
from .server import DATASET, LABELS

BOXES = 3
"""Predictions on each file, with score, reference and model."""

_PACE = (
    "image_seconds",
    "walrus_requests",
    "default_requests",
    "upload_seconds",
    "upload_work",
    "read_work",
    "update_work",
    "update_work_per_row",
    "settle_seconds",
    "settle_per_instance",
)
_REAL = {name: getattr(Options, name) for name in _PACE} | {"cycle": 2.6, "rows_per_cycle": 2}
"""The emulator's own speeds are those measured; three processes with these cycles drain 2.3 rows a second."""

_IDLE: dict[str, Any] = dict.fromkeys((name for name in _PACE if not name.endswith("requests")), 0.0)
_POLL = 0.1

Json = dict[str, Any]


def box(number: int, place: int, run: str | None = None) -> Json:
    """Return a prediction of a file, another one for each place.

    :param run: of the model.
    """
    left, top = (7 * number + 31 * place) % 500, (11 * number + 17 * place) % 400
    sides = {"x_min": left, "y_min": top, "x_max": left + 40 + place, "y_max": top + 60}
    origin = {"model_ref": "detector"} if run is None else {"model_ref": "detector", "model_run_ref": run}
    return {"type": "box", "label": LABELS[place % len(LABELS)], "score": 0.9} | origin | sides


@dataclass(frozen=True)
class Place:
    """A project to deliver to.

    :param emulator: of it.
    :param client: of it.
    :param directory_id: of the dataset.
    :param label_ids: of the labels by name.
    """

    emulator: EmulatorProcess
    client: DiffgramClient
    directory_id: int
    label_ids: dict[str, int]

    def address(self) -> Json:
        """Return what a client must know."""
        return {
            "host": self.emulator.url,
            "project": self.emulator.project,
            "client_id": self.emulator.client_id,
            "client_secret": self.emulator.client_secret,
            "dataset": DATASET,
            "directory_id": self.directory_id,
            "label_ids": self.label_ids,
        }

    def hurry(self) -> None:
        """Take no time for anything, to be filled."""
        self.emulator.tune(**_IDLE)

    def work(self) -> None:
        """Take the time that the measured server takes."""
        self.emulator.tune(**_REAL)

    def fill(self, names: Sequence[str], folder: Path, run: str | None = None) -> dict[str, int]:
        """Put files with their predictions into the dataset, in no time; return their ids by name.

        :param run: of the model that predicts them.
        """
        medium = folder / "picture.jpg"
        medium.write_bytes(picture())
        self.hurry()
        packets = [
            {
                "media": {"path": str(medium)},
                "original_filename": name,
                "instance_list": [box(number, place, run) for place in range(BOXES)],
            }
            for number, name in enumerate(names)
        ]
        push(self.client, packets, dataset=DATASET)
        self.work()
        return {name: self._ids()[name] for name in names}

    def add_parent(self, name: str) -> int:
        """Make a compound file; return its id."""
        created = routes.create_compound(self.client.project, self.directory_id, name, "compound", [])
        return self.client.send(created).id

    def counts(self) -> dict[str, list[int]]:
        """Return by name the counter and the number of living instances of each living file."""
        query = (
            "SELECT original_filename, coalesce(count_instances_changed, 0),"
            " (SELECT count(*) FROM instance WHERE file_id = file.id AND soft_delete = 0)"
            " FROM file WHERE state != 'removed' AND type = 'image'"
        )
        found: dict[str, list[int]] = {}
        for name, counted, held in self._rows(query):
            found.setdefault(name, []).extend((counted, held))
        return found

    def until_exact(
        self, names: Sequence[str], boxes: int, seconds: float, counted: int | None = None
    ) -> None:
        """Wait until there is one file of each name, with so many predictions.

        :param counted: rows that each has had; those that it has when None.
        :raises RuntimeError: if that takes too long.
        """
        deadline = time.monotonic() + seconds
        while wrong := [name for name in names if self.counts().get(name) != [counted or boxes, boxes]]:
            if time.monotonic() > deadline:
                found = {name: self.counts().get(name) for name in wrong[:5]}
                raise RuntimeError(f"{len(wrong)} of {len(names)} files are not as they are to be: {found}")
            time.sleep(_POLL)

    def _ids(self) -> dict[str, int]:
        return dict(self._rows("SELECT original_filename, id FROM file WHERE state != 'removed'"))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self.emulator.data_dir / "emulator.sqlite"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as base:
            return base.execute(query).fetchall()


@contextmanager
def serving_place(*, rate_limit: bool = True, **options: Any) -> Iterator[Place]:
    """Start a server.

    :param rate_limit: whether it admits 20 packets a second and process.
    :param options: of the emulator, beside the pace of the measured server.
    """
    pace = {**_REAL, "workers": 3, "limiter_processes": 3, "busy_pause": 0.0, **options}
    with EmulatorProcess.start(rate_limit=rate_limit, **pace) as emulator:
        project = emulator.with_project(emulator.project, labels=LABELS, datasets=[DATASET])
        settings = Settings(project.url, project.project, project.client_id, project.client_secret)
        with DiffgramClient(settings) as client:
            schema = client.send(routes.list_schemas(client.project))[0]
            labels = client.send(routes.list_labels(client.project, schema.id)).labels
            (dataset,) = client.send(routes.list_datasets(client.project, DATASET))
            yield Place(project, client, dataset.id, {label.name: label.id for label in labels})
