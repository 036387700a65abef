"""A Diffgram with many files that have annotations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

from diffgram_emulator.process import EmulatorProcess

from .server import DATASET, LABELS, Server

BOXES = 5
_FILES_AT_ONCE = 2_000


class ReviewServer(Server):
    """A server whose dataset is filled.

    :param emulator: seen from the project to pull from.
    :param files: so many, with :data:`BOXES` boxes each, of one model run.
    """

    def __init__(self, emulator: EmulatorProcess, files: int) -> None:
        super().__init__(emulator)
        self._base = emulator.data_dir / "emulator.sqlite"
        self._edited = 0
        with closing(sqlite3.connect(self._base)) as base:
            (dataset,) = base.execute("SELECT id FROM directory WHERE nickname = ?", (DATASET,)).fetchone()
            (label,) = base.execute("SELECT min(id) FROM file WHERE type = 'label'").fetchone()
        body = {"project": emulator.project, "dataset_id": dataset, "label_file_id": label, "boxes": BOXES}
        for start in range(0, files, _FILES_AT_ONCE):
            emulator.control("fill", {**body, "files": min(_FILES_AT_ONCE, files - start)})

    def edit(self, files: int) -> None:
        """Move a box of so many files, spread over the dataset, as a person does."""
        self._edited += 1
        now = datetime.now(UTC).replace(tzinfo=None)
        with closing(sqlite3.connect(self._base, timeout=60)) as base, base:
            there = [
                file_id for (file_id,) in base.execute("SELECT id FROM file WHERE type = 'image' ORDER BY id")
            ]
            for number, file_id in enumerate(there[:: max(1, len(there) // files)]):
                row_id, data = base.execute(
                    "SELECT min(id), data FROM instance WHERE file_id = ?", (file_id,)
                ).fetchone()
                moved = json.loads(data)
                moved |= {"x_max": moved["x_max"] + self._edited, "version": 1 + self._edited}
                moment = (now + timedelta(microseconds=number)).isoformat(timespec="microseconds")
                base.execute("UPDATE instance SET data = ? WHERE id = ?", (json.dumps(moved), row_id))
                base.execute("UPDATE file SET time_last_updated = ? WHERE id = ?", (moment, file_id))


@contextmanager
def reviewed(files: int) -> Iterator[ReviewServer]:
    """Start a server with so many files."""
    with EmulatorProcess.start(rate_limit=False) as emulator:
        project = emulator.with_project(emulator.project, labels=LABELS, datasets=[DATASET])
        yield ReviewServer(project, files)
