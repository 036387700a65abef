"""What the demo prints and draws."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .drawing import Tile, contact_sheet, draw_instances
from .project import Project, Snapshot
from .stored import Comparison

PAGE_SCALE = 2
"""Scans are small: their pictures are drawn twice as large."""


class Progress:
    """Prints lines with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        say(f"[{time.monotonic() - self._started:5.1f} s] {text}")


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(rows: Sequence[tuple[str, int, str]]) -> list[str]:
    """Return name, number of instances and status of each file in aligned lines of text."""
    width = max(len(name) for name, _, _ in [("file", 0, ""), *rows])
    lines = [f"{'file':<{width}}  instances  status"]
    return lines + [f"{name:<{width}}  {count:>9}  {status}" for name, count, status in rows]


def draw_all(
    folder: Path,
    project: Project,
    photos: Sequence[Comparison],
    pages: Sequence[Comparison],
    after: Snapshot,
) -> Path:
    """Write one picture per stored file, and the overview of all; return the path of the overview."""
    folder.mkdir(parents=True, exist_ok=True)
    photo_tiles = [_tile(folder, project, each, 1) for each in photos if each.files]
    page_tiles = [_tile(folder, project, each, PAGE_SCALE) for each in pages if each.files]
    rows = [photo_tiles[start : start + 4] for start in range(0, len(photo_tiles), 4)] + [page_tiles]
    overview = contact_sheet(
        [row for row in rows if row],
        heading="Predictions as Diffgram stores them",
        line=f"{len(after.files)} files and {after.instances} instances, read back from the server after two "
        "Airflow DAGs had sent them. Numbers are the models' scores.",
    )
    path = folder / "overview.png"
    overview.save(path, optimize=True)
    return path


def _tile(folder: Path, project: Project, comparison: Comparison, scale: int) -> Tile:
    file = comparison.files[0]
    with Image.open(comparison.intended.source) as image:
        picture = draw_instances(image, file.instances, project.label_names, scale)
    picture.save(folder / f"{Path(file.name).stem}.png")
    kinds = [project.label_names.get(each["label_file_id"], "?") for each in file.instances]
    counts = ", ".join(f"{kinds.count(kind)} x {kind}" for kind in sorted(set(kinds)))
    return Tile(picture, file.name, counts or "nothing found")
