"""The page of a comparison, for the browser to look at: of the demo's photographs, reviewed three times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.drawing import Picture, small
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.quality.finals import PulledFiles

_SIDE, _GAP = 60, 80
_NIGHTS = ("monday", "tuesday", "wednesday")


def write_page(folder: Path, photos: Path) -> Path:
    """Write a page on three nights, each better than the one before, and return its path.

    :param photos: folder of pictures.
    """
    folder.mkdir(parents=True)
    paths = sorted(photos.glob("*.png"))
    for night, name in enumerate(_NIGHTS):
        record, pulled = folder / "record.jsonl", folder / "files.jsonl"
        sent = [[_box(number, each) for each in range(6)] for number in range(len(paths))]
        record.write_text(_lines(_recorded(n, paths[n], boxes) for n, boxes in enumerate(sent)))
        pulled.write_text(_lines(_reviewed(n, boxes, night) for n, boxes in enumerate(sent)))
        finals = PulledFiles(str(pulled), universal_path)
        outputs = Outputs(page=str(folder / "page.html"), history=str(folder / "history.jsonl"))
        compare(
            [str(record)],
            finals,
            run=name,
            project="photos",
            outputs=outputs,
            pictures=lambda sent: _picture(photos / sent.name),
        )
        finals.close()
    return folder / "page.html"


def _lines(values: Any) -> str:
    return "".join(json.dumps(each) + "\n" for each in values)


def _picture(path: Path) -> Picture:
    return small(path.read_bytes())


def _box(number: int, each: int) -> dict[str, Any]:
    left, top = 20 + _GAP * (each % 3), 20 + _GAP * (each // 3)
    return {
        "type": "box",
        "label": ("face", "hand")[each % 2],
        "score": (5 + number * 7 + each * 16) % 100 / 100,
        "creation_ref_id": f"{number}-{each}",
        "machine_made": True,
        "x_min": left,
        "y_min": top,
        "x_max": left + _SIDE,
        "y_max": top + _SIDE,
    }


def _recorded(number: int, path: Path, boxes: list[dict[str, Any]]) -> dict[str, Any]:
    packet = {"instance_list": boxes}
    return {"name": path.name, "file_id": number + 1, "directory_id": 1, "packet": packet}


def _reviewed(number: int, boxes: list[dict[str, Any]], night: int) -> dict[str, Any]:
    """Return what is left of the boxes of a picture: each night one correction less."""
    left = [dict(box, version=1) for box in boxes]
    corrections = 4 - night
    for each in range(corrections):
        kind = (number + each) % 4
        if kind == 0:
            left[each]["x_max"] += 15
        elif kind == 1:
            left[each]["label"] = "glove"
        elif kind == 2:
            left[each] = {}
        else:
            left.append(dict(left[each], creation_ref_id=f"new-{number}-{each}", machine_made=False, x_min=5))
    return {"id": number + 1, "task_status": "complete", "instances": [each for each in left if each]}
