"""A COCO dataset and results for it, and the two ways to packets that are compared.

``python -m benchmarks.coco ours FOLDER`` converts what is in a folder, and tells what it took.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.models import Packet
from airflow_provider_diffgram.predictions import Provenance, from_coco, packets_of

from .memory import Growth

_WIDTH, _HEIGHT = 640, 480
_CLASSES = 80
_RESULTS, _IMAGES = "results.json", "images.json"
_MODEL, _RUN = "model", "run"


def write_coco(folder: Path, images: int, boxes_each: int) -> None:
    """Write results in random order, some of them beyond the edges or too small, and their dataset.

    :param images: how many.
    :param boxes_each: how many boxes each image has.
    """
    dice = random.Random(7)
    order = [image for image in range(images) for _ in range(boxes_each)]
    dice.shuffle(order)
    with (folder / _RESULTS).open("w") as file:
        for number, image in enumerate(order):
            file.write(("[" if number == 0 else ",\n") + json.dumps(_record(image, dice)))
        file.write("]")
    classes = [{"id": number, "name": f"class {number}"} for number in range(_CLASSES)]
    every = [
        {"id": number, "file_name": f"{number:012d}.jpg", "width": _WIDTH, "height": _HEIGHT}
        for number in range(images)
    ]
    (folder / _IMAGES).write_text(json.dumps({"images": every, "categories": classes}))


def _record(image: int, dice: random.Random) -> dict[str, Any]:
    x, y = dice.uniform(-5, _WIDTH), dice.uniform(-5, _HEIGHT)
    bbox = [round(value, 2) for value in (x, y, dice.expovariate(0.02), dice.expovariate(0.02))]
    score = round(dice.random(), 5)
    return {"image_id": image, "category_id": dice.randrange(_CLASSES), "bbox": bbox, "score": score}


def ours(folder: Path) -> Iterator[Packet]:
    """Convert as the guide says."""
    return packets_of(
        from_coco(folder / _RESULTS, folder / _IMAGES),
        media=lambda image: {"url": _url(image.name)},
        provenance=Provenance(_MODEL, _RUN),
    )


def naive(folder: Path) -> Iterator[Packet]:
    """Convert as one would in an afternoon: everything in memory, a dictionary for each box."""
    records = json.loads((folder / _RESULTS).read_text())
    dataset = json.loads((folder / _IMAGES).read_text())
    names = {category["id"]: category["name"] for category in dataset["categories"]}
    by_image: dict[int, list[dict[str, Any]]] = {}
    for record in records:
        by_image.setdefault(record["image_id"], []).append(record)
    for image in dataset["images"]:
        best: dict[tuple[Any, ...], dict[str, Any]] = {}
        for record in by_image.get(image["id"], []):
            instance = _instance(record, image, names)
            if instance is not None:
                key = tuple(value for name, value in instance.items() if name != "score")
                if key not in best or instance["score"] > best[key]["score"]:
                    best[key] = instance
        media = {"url": _url(image["file_name"])}
        yield Packet.model_validate({"media": media, "instance_list": list(best.values())})


def _instance(
    record: Mapping[str, Any], image: Mapping[str, Any], names: Mapping[int, str]
) -> dict[str, Any] | None:
    x, y, width, height = record["bbox"]
    low = max(x, 0), max(y, 0)
    high = min(x + width, image["width"]), min(y + height, image["height"])
    if high[0] - low[0] < 1 or high[1] - low[1] < 1:
        return None
    return {
        "type": "box",
        "label": names[record["category_id"]],
        "x_min": math.floor(low[0] + 0.5),
        "y_min": math.floor(low[1] + 0.5),
        "x_max": math.floor(high[0] + 0.5),
        "y_max": math.floor(high[1] + 0.5),
        "score": record["score"],
        "machine_made": True,
        "model_ref": _MODEL,
        "model_run_ref": _RUN,
    }


def _url(name: str) -> str:
    return f"https://media.example/{name}"


WAYS: Mapping[str, Callable[[Path], Iterator[Packet]]] = {"ours": ours, "naive": naive}


def main() -> None:
    """Convert, and tell what it took."""
    way, folder = WAYS[sys.argv[1]], Path(sys.argv[2])
    growth, started, cpu = Growth(), time.perf_counter(), time.process_time()
    packets = instances = 0
    for packet in way(folder):
        packets += 1
        instances += len(packet.instance_list)
    told = {
        "seconds": time.process_time() - cpu,
        "elapsed_seconds": time.perf_counter() - started,
        "growth_mib": growth.mib,
        "packets": packets,
        "instances": instances,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
