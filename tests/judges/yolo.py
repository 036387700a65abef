"""Sets as a pull writes them for YOLO, read by Ultralytics: ``python -m tests.judges.yolo PYTHON``.

PYTHON is an interpreter that has the package ``ultralytics``; ``make judge JUDGE=PYTHON`` is the same. It
brings PyTorch, some gigabytes, so it is no part of the development environment; a CPU build will do: nothing
is trained.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.review.sets.folder import Folder
from airflow_provider_diffgram.review.sets.formats import writer
from airflow_provider_diffgram.review.sets.formats.core import FileNames, LeftOut, split_of
from airflow_provider_diffgram.review.sets.stored import StoredFile

PICTURES = 150
SPLIT = {"train": 0.8, "val": 0.2}
FORMATS = {"detect": "yolo", "segment": "yolo-segment", "obb": "yolo-obb", "pose": "yolo-pose"}
LABELS = ("cat", "Cat", "traffic light", "Élan", "no", "3", "a: b")
JOINTS = ("nose", "left_eye", "right_eye")
CLOSE = 1e-4
"""Shares are read as floats of 32 bit."""

Row = dict[str, Any]
Told = dict[str, list[tuple[str, list[float]]]]
"""Name of a picture -> label and shares of each annotation."""

_READER = """
import json, sys
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset
folder, task = sys.argv[1:]
data, found = check_det_dataset(folder + "/data.yaml", autodownload=False), {}
for part in ("train", "val"):
    read = YOLODataset(img_path=data[part], data=data, task=task, augment=False, imgsz=64)
    for each in read.labels:
        names = [data["names"][int(number)] for number in each["cls"].reshape(-1)]
        if task == "detect":
            shares = each["bboxes"].tolist()
        elif task == "pose":
            shares = [joints.reshape(-1).tolist() for joints in each["keypoints"]]
        else:
            shares = [corners.reshape(-1).tolist() for corners in each["segments"]]
        found[each["im_file"].rpartition("/")[2]] = list(zip(names, shares, strict=True))
print("found " + json.dumps(found))
"""


def _row(task: str, chance: random.Random, number: int, width: int, height: int) -> Row:
    """Return an annotation, which may reach beyond its picture."""
    x, y = chance.randrange(width - 4), chance.randrange(height - 4)
    row: Row = {"id": number, "label": chance.choice(LABELS), "type": "box"}
    if task == "detect":
        return row | {"x_min": x, "y_min": y, "x_max": x + chance.randrange(1, width), "y_max": y + 3}
    if task == "pose":
        names = chance.sample(JOINTS, chance.randrange(2, len(JOINTS) + 1))
        places = [
            {"id": at, "name": name, "x": chance.randrange(1, width), "y": chance.randrange(1, height)}
            for at, name in enumerate(names)
        ]
        nodes = [each | {"ordinal": JOINTS.index(each["name"])} for each in places]
        return row | {"type": "keypoints", "nodes": nodes, "edges": []}
    corners = 4 if task == "obb" else chance.randrange(3, 9)
    turns = [2 * math.pi * corner / corners for corner in range(corners)]
    points = [
        {"x": round(width / 2 * (1 + 0.9 * math.cos(turn)), 2), "y": round(y + 2 * math.sin(turn), 2)}
        for turn in turns
    ]
    return row | {"type": "polygon", "points": points}


def _files(task: str) -> list[StoredFile]:
    chance, files = random.Random(task), []
    for number in range(1, PICTURES + 1):
        width, height = chance.randrange(16, 200), chance.randrange(16, 200)
        rows = [_row(task, chance, at, width, height) for at in range(chance.randrange(4))]
        name = chance.choice(("{}.png", "scan of 猫 {}.png", "A.{}.png")).format(number)
        files.append(StoredFile(number, name, "image", width, height, instances=rows))
    return files


def _shares(task: str, row: Row, width: int, height: int) -> list[float]:
    """Return what a reader is to find."""
    if task == "detect":
        right, below = min(row["x_max"], width), min(row["y_max"], height)
        middle = [(row["x_min"] + right) / 2 / width, (row["y_min"] + below) / 2 / height]
        return [*middle, (right - row["x_min"]) / width, (below - row["y_min"]) / height]
    if task == "pose":
        there = {node["name"]: node for node in row["nodes"]}
        joints = [there.get(name) for name in JOINTS]
        return [
            share
            for joint in joints
            for share in (
                (joint["x"] / width, joint["y"] / height, 1.0) if joint is not None else (0.0, 0.0, 0.0)
            )
        ]
    return [
        min(max(point[axis] / size, 0.0), 1.0)
        for point in row["points"]
        for axis, size in (("x", width), ("y", height))
    ]


def _expected(task: str, files: list[StoredFile]) -> Told:
    return {
        file.name: [
            (row["label"], _shares(task, row, file.width or 1, file.height or 1)) for row in file.instances
        ]
        for file in files
    }


def _write(task: str, files: list[StoredFile], folder: Path) -> LeftOut:
    """Write a set with its pictures."""
    left_out = LeftOut()
    writer(FORMATS[task], split=SPLIT)(files, Folder(str(folder), universal_path), FileNames(), left_out)
    for file in files:
        path = folder / "images" / split_of(file, SPLIT) / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (file.width or 1, file.height or 1)).save(path)
    return left_out


def _read(task: str, folder: Path, python: str) -> Told:
    """Let Ultralytics read a set.

    :raises RuntimeError: if it fails.
    """
    settings = os.environ | {"YOLO_CONFIG_DIR": str(folder / "settings"), "YOLO_OFFLINE": "true"}
    command = [python, "-c", _READER, str(folder), task]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if line.startswith("found ")]
    if not told:
        raise RuntimeError(f"{task}: {done.stderr[-2000:]}")
    found: Told = json.loads(told[-1].removeprefix("found "))
    return found


def differences(expected: Told, found: Told) -> list[str]:
    """Return what is read otherwise than it was written, in words."""
    problems = [f"{name} is left out" for name in expected.keys() - found.keys()]
    for name in expected.keys() & found.keys():
        told, read = sorted(expected[name]), sorted(map(tuple, found[name]))
        is_same = len(told) == len(read) and all(
            one[0] == other[0]
            and len(one[1]) == len(other[1])
            and all(math.isclose(a, b, abs_tol=CLOSE) for a, b in zip(one[1], other[1], strict=True))
            for one, other in zip(told, read, strict=True)
        )
        if not is_same:
            problems.append(f"{name}: {told} is read as {read}")
    return sorted(problems)


def main(arguments: list[str]) -> int:
    """Judge all tasks and return the exit status."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    failed = False
    for task in FORMATS:
        files = _files(task)
        with tempfile.TemporaryDirectory() as name:
            left_out = _write(task, files, Path(name))
            problems = differences(_expected(task, files), _read(task, Path(name), arguments[0]))
        problems += [f"{count} x {what} left out" for what, count in left_out.counts.items()]
        count = sum(len(file.instances) for file in files)
        print(f"{task}: {len(files)} pictures, {count} annotations, {len(problems)} read otherwise")
        for problem in problems[:5]:
            print(f"  {problem}")
        failed = failed or bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
