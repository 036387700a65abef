"""``python -m benchmarks.compare_work make FOLDER FILES``, then ``compare FOLDER``."""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.server.past import Fate
from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.quality.compare import FileNow, SentFile
from airflow_provider_diffgram.review.quality.finals import PulledFiles

from .memory import Growth

EACH = 10
"""Predictions of a file."""

_LABELS = tuple(f"class {number}" for number in range(20))
_RECORD, _SET = "record.jsonl", "files.jsonl.gz"
_RUN = {"model_ref": "detector", "model_run_ref": "night"}


def make(folder: Path, files: int) -> None:
    """Write a record, and a pulled set in which people have reviewed nine of ten files."""
    dice = random.Random(7)
    with (folder / _RECORD).open("w") as record, gzip.open(folder / _SET, "wt", compresslevel=1) as pulled:
        for number in range(1, files + 1):
            predicted = [_prediction(dice) for _ in range(EACH)]
            packet = {"media": {"url": f"https://media.example/{number}.jpg"}, "instance_list": predicted}
            name = f"{number:07}.jpg"
            _write(record, {"name": name, "file_id": number, "directory_id": 7, "packet": packet})
            left = [row for n, each in enumerate(predicted) for row in _left(each, number * EACH + n, dice)]
            status = "complete" if dice.random() < 0.9 else "in_progress"
            _write(pulled, {"id": number, "name": name, "task_status": status, "instances": left})


def _write(file: Any, value: dict[str, Any]) -> None:
    file.write(json.dumps(value, separators=(",", ":")) + "\n")


def _prediction(dice: random.Random) -> dict[str, Any]:
    x, y = dice.randrange(500), dice.randrange(380)
    return {
        "type": "box",
        "label": dice.choice(_LABELS),
        "machine_made": True,
        "score": round(dice.random(), 4),
        "creation_ref_id": f"{dice.getrandbits(96):024x}",
        "x_min": x,
        "y_min": y,
        "x_max": x + dice.randrange(9, 120),
        "y_max": y + dice.randrange(9, 90),
        **_RUN,
    }


def _left(predicted: dict[str, Any], number: int, dice: random.Random) -> list[dict[str, Any]]:
    """Return what a person leaves of a prediction: mostly what it is, a twentieth each moved, deleted, drawn
    again or under another label, and now and then one more."""
    row = {
        **predicted,
        "id": number,
        "root_id": number,
        "version": 1,
        "label_file_id": 308,
        "model_run_id": 3,
    }
    chance = dice.random()
    if chance < 0.05:
        row |= {"version": 2, "x_max": row["x_max"] + 7}
    elif chance < 0.1:
        row |= {"version": 2, "label": dice.choice(_LABELS)}
    elif chance < 0.15:
        return []
    elif chance < 0.2:
        return [_drawn({**row, "x_max": row["x_max"] + 3}, dice)]
    return [row, _drawn({**row, "x_min": 1, "x_max": 40}, dice)] if chance > 0.97 else [row]


def _drawn(row: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    return {**row, "creation_ref_id": f"{dice.getrandbits(96):024x}", "machine_made": False, "score": None}


def _deleted_by_people(
    pulled: Iterable[tuple[SentFile, FileNow | None]],
) -> Iterator[tuple[SentFile, FileNow | None]]:
    """Tell what the histories would: there is no server to ask."""
    for sent, now in pulled:
        if now is not None:
            there = {row["creation_ref_id"] for rows in now.rows.values() for row in rows}
            gone = {str(each.reference) for each in sent.predictions} - there
            now.fates = {(None, reference): Fate.DELETED_BY_PERSON for reference in gone}
        yield sent, now


def measured(folder: Path) -> dict[str, Any]:
    """Compare, with every output, and tell what it took."""
    growth, started, cpu = Growth(), time.perf_counter(), time.process_time()
    finals = PulledFiles(str(folder / _SET), universal_path, _deleted_by_people)
    outputs = Outputs(
        metrics=str(folder / "metrics.json"),
        report=str(folder / "report.jsonl"),
        page=str(folder / "page.html"),
    )
    found = compare([str(folder / _RECORD)], finals, run="night", project="bench", outputs=outputs)
    finals.close()
    return {
        "seconds": time.process_time() - cpu,
        "elapsed_seconds": time.perf_counter() - started,
        "growth_mib": growth.mib,
        "predictions": found.headline["predictions"],
        "ap50": found.headline["ap50"],
    }


def main() -> None:
    """Do what the command line says."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        make(folder, int(sys.argv[3]))
    else:
        print(json.dumps(measured(folder)))


if __name__ == "__main__":
    main()
