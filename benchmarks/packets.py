"""The packets that are sent: pictures by URL, each with three boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .server import LABELS


def write_packets(path: Path, sender: str, amount: int) -> Path:
    """Write a JSON Lines file of packets and return its path.

    :param sender: what the names begin with.
    """
    with path.open("w") as file:
        file.writelines(json.dumps(packet) + "\n" for packet in _packets(sender, amount))
    return path


def _packets(sender: str, amount: int) -> Iterator[dict[str, Any]]:
    for number in range(amount):
        name = f"{sender}-{number:07}.jpg"
        yield {
            "media": {"url": f"http://media.invalid/{name}", "type": "image"},
            "original_filename": name,
            "instance_list": [_box(number, place) for place in range(len(LABELS))],
        }


def _box(number: int, place: int) -> dict[str, Any]:
    left, top = (7 * number + 31 * place) % 500, (11 * number + 17 * place) % 400
    box = {"x_min": left, "y_min": top, "x_max": left + 40 + place, "y_max": top + 60}
    return {"type": "box", "label": LABELS[place], "score": 0.9, **box}
