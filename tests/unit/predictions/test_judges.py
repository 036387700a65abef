"""Well-kept libraries read the same files: geometry agrees to a hundredth of a pixel.

supervision is at hand; what Ultralytics and Label Studio's SDK make is recorded in ``tests/model_outputs``
beside the scripts that recorded it, since both are heavy.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from supervision import DetectionDataset, Detections

from airflow_provider_diffgram.predictions import (
    RawImage,
    from_label_studio,
    from_ultralytics,
    from_voc,
    from_yolo_text,
    read_classes,
)

MODEL_OUTPUTS = Path(__file__).parents[2] / "model_outputs"
HUNDREDTH = {"abs": 0.01, "rel": 0}
SIZES = {"a.png": (640, 480), "b.jpg": (1920, 1080), "c.png": (333, 777)}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for name, size in SIZES.items():
        Image.new("RGB", size).save(tmp_path / "images" / name)
    (tmp_path / "data.yaml").write_text("train: images\nnc: 3\nnames: [cat, dog, traffic light]\n")
    return tmp_path


def turned_box(rng: random.Random) -> list[float]:
    x, y, across, down, turn = (
        rng.uniform(low, high) for low, high in ((0.3, 0.7), (0.3, 0.7), (0.05, 0.2), (0.05, 0.2), (0, 3))
    )
    corners = [(-across, -down), (across, -down), (across, down), (-across, down)]
    right, below = np.cos(turn), np.sin(turn)
    return [each for a, b in corners for each in (x + a * right - b * below, y + a * below + b * right)]


def box(rng: random.Random) -> list[float]:
    return [rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.01, 0.3), rng.uniform(0.01, 0.3)]


def write(dataset: Path, geometry: Any) -> None:
    rng = random.Random(7)
    for name in SIZES:
        lines = [" ".join(f"{each:.6f}" for each in geometry(rng)) for _ in range(20)]
        text = "".join(f"{rng.randrange(3)} {line}\n" for line in lines)
        (dataset / "labels" / name).with_suffix(".txt").write_text(text)


def by_name(images: Any) -> dict[str, RawImage]:
    return {Path(image.name).name: image for image in images}


def theirs(dataset: Path, **options: Any) -> dict[str, Detections]:
    found = DetectionDataset.from_yolo(
        str(dataset / "images"), str(dataset / "labels"), str(dataset / "data.yaml"), **options
    )
    return {Path(path).name: found.annotations[path] for path in found.image_paths}


def ours(dataset: Path, **options: Any) -> dict[str, RawImage]:
    classes = read_classes(dataset / "data.yaml")
    return by_name(from_yolo_text(dataset / "labels", dataset / "images", classes=classes, **options))


@pytest.mark.parametrize("task, geometry", [("detect", box), ("obb", turned_box)])
def test_yolo_texts_are_what_supervision_reads(dataset: Path, task: Any, geometry: Any):
    write(dataset, geometry)
    names = read_classes(dataset / "data.yaml")
    judged = theirs(dataset, is_obb=task == "obb")
    for name, image in ours(dataset, task=task).items():
        theirs_here = judged[name]
        assert [each.label for each in image.predictions] == [
            names[number] for number in theirs_here.class_id
        ]
        if task == "detect":
            found = np.array([each.box for each in image.predictions])
            expected = theirs_here.xyxy
        else:
            found = np.array([each.polygons[0] for each in image.predictions])
            expected = theirs_here.data["xyxyxyxy"]
        assert found == pytest.approx(expected, **HUNDREDTH)
        assert len(found) == 20


def test_outlines_of_yolo_texts_cover_what_supervision_reads(dataset: Path):
    """supervision keeps no outline but pixels: the boxes around both agree to the pixel that it rounds to."""
    write(dataset, turned_box)
    judged = theirs(dataset)
    for name, image in ours(dataset, task="segment").items():
        rings = [np.array(each.polygons[0]) for each in image.predictions]
        found = np.array([[*ring.min(axis=0), *ring.max(axis=0)] for ring in rings])
        assert found == pytest.approx(judged[name].xyxy, **HUNDREDTH)


def test_voc_files_are_what_supervision_reads(dataset: Path):
    folder = dataset / "annotations"
    folder.mkdir()
    rng = random.Random(7)
    for name, (width, height) in SIZES.items():
        objects = []
        for _ in range(20):
            left, top = rng.uniform(1, width / 2), rng.uniform(1, height / 2)
            edges = left, top, left + rng.uniform(1, width / 2), top + rng.uniform(1, height / 2)
            if rng.random() < 0.3:  # drawn from another corner
                edges = edges[2], edges[1], edges[0], edges[3]
            tags = zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
            shown = "".join(f"<{tag}>{edge:.3f}</{tag}>" for tag, edge in tags)
            objects.append(
                f"<object><name>{rng.choice(['cat', 'dog'])}</name><bndbox>{shown}</bndbox></object>"
            )
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        text = f"<annotation><filename>{name}</filename>{size}{''.join(objects)}</annotation>"
        (folder / name).with_suffix(".xml").write_text(text)
    judged = DetectionDataset.from_pascal_voc(str(dataset / "images"), str(folder))
    for name, image in by_name(from_voc(folder)).items():
        theirs_here = judged.annotations[str(dataset / "images" / name)]
        assert np.array([each.box for each in image.predictions]) == pytest.approx(
            theirs_here.xyxy, **HUNDREDTH
        )
        assert [each.label for each in image.predictions] == [judged.classes[n] for n in theirs_here.class_id]


# Recorded

ULTRALYTICS = json.loads((MODEL_OUTPUTS / "ultralytics.json").read_text())
LABEL_STUDIO = json.loads((MODEL_OUTPUTS / "label_studio.json").read_text())


@pytest.mark.parametrize("task", sorted(ULTRALYTICS["texts"]))
def test_texts_of_ultralytics_own_writer_are_its_results(tmp_path: Path, task: Any):
    saved = ULTRALYTICS["results"][task]
    height, width = saved["orig_shape"]
    for name in ("labels", "images"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (width, height)).save(tmp_path / "images" / "a.png")
    (tmp_path / "labels" / "a.txt").write_text(ULTRALYTICS["texts"][task])
    (image,) = from_yolo_text(
        tmp_path / "labels", tmp_path / "images", classes=[str(number) for number in range(80)], task=task
    )
    for place, each in enumerate(image.predictions):
        if task == "detect":
            assert each.box == pytest.approx(saved["boxes"]["xyxy"][place], **HUNDREDTH)
        elif task == "obb":
            assert np.array(each.polygons[0]) == pytest.approx(
                np.array(saved["obb"]["xyxyxyxy"][place]), **HUNDREDTH
            )
        elif task == "segment":
            assert np.array(each.polygons[0]) == pytest.approx(
                np.array(saved["masks"]["xy"][place]), **HUNDREDTH
            )
        else:
            found = [(0, 0) if point is None else (point.x, point.y) for point in each.keypoints.points]
            assert np.array(found) == pytest.approx(np.array(saved["keypoints"]["xy"][place]), **HUNDREDTH)
    assert image.predictions


def test_label_studio_is_what_its_own_converter_makes():
    (image,) = from_label_studio(LABEL_STUDIO["rectangles"])
    expected = [(x, y, x + width, y + height) for x, y, width, height in LABEL_STUDIO["converted"]["coco"]]
    assert np.array([each.box for each in image.predictions]) == pytest.approx(
        np.array(expected), **HUNDREDTH
    )
    (shapes,) = from_label_studio(LABEL_STUDIO["shapes"])
    corners = np.array(LABEL_STUDIO["turned_corners"])
    assert np.array(shapes.predictions[0].polygons[0]) == pytest.approx(corners, **HUNDREDTH)


def test_results_of_ultralytics_keep_its_numbers():
    saved = ULTRALYTICS["results"]["obb"]
    parts = {key: np.array(value) if value else None for key, value in saved["obb"].items()}
    nothing = dict.fromkeys(("boxes", "masks", "keypoints", "probs"))
    result = SimpleNamespace(
        path="a.jpg",
        orig_shape=tuple(saved["orig_shape"]),
        names={int(number): name for number, name in saved["names"].items()},
        obb=SimpleNamespace(**parts),
        **nothing,
    )
    (image,) = from_ultralytics([result])
    found = np.array([each.polygons[0] for each in image.predictions])
    assert found == pytest.approx(np.array(saved["obb"]["xyxyxyxy"]), **HUNDREDTH)
