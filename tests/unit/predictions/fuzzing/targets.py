"""The readers that are fuzzed, each with good inputs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from airflow_provider_diffgram.drawing import small
from airflow_provider_diffgram.predictions import (
    RawImage,
    RawPrediction,
    box_instances,
    from_label_studio,
    from_ultralytics,
    from_voc,
    from_yolo_text,
    polygon_instances,
    read_classes,
)
from airflow_provider_diffgram.predictions.core.pictures import measure
from tests.unit.predictions.fuzzing import FileTarget, Target, ValueTarget
from tests.unit.predictions.fuzzing.model_outputs import MODEL_TARGETS

MODEL_OUTPUTS = Path(__file__).parents[3] / "model_outputs"
ULTRALYTICS = json.loads((MODEL_OUTPUTS / "ultralytics.json").read_text())
LABEL_STUDIO = json.loads((MODEL_OUTPUTS / "label_studio.json").read_text())
CLASSES = [str(number) for number in range(80)]


def _yolo(task: Any, *texts: str, **options: Any) -> FileTarget:
    def read(path: Path) -> Iterator[RawImage]:
        picture = path.parent / "images" / "a.png"
        if not picture.exists():
            picture.parent.mkdir()
            Image.new("L", (64, 48)).save(picture)
        return from_yolo_text(path.parent, picture.parent, classes=CLASSES, task=task, **options)

    return FileTarget([text.encode() for text in texts], read, "a.txt")


def _pictures() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = []
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP"):
        written = io.BytesIO()
        Image.new("RGB", (12, 8), "teal").save(written, kind, **({} if kind == "BMP" else {"exif": exif}))
        found.append(written.getvalue())
    return found


def _picture(path: Path) -> Iterator[RawImage]:
    assert small(path.read_bytes()).data is not None or small(path.read_bytes()).reason
    size = measure(path)
    yield RawImage("a.jpg", size.width, size.height)


def _classes(path: Path) -> Iterator[RawImage]:
    classes = read_classes(path)
    assert classes
    names = classes.values() if isinstance(classes, dict) else classes
    yield RawImage("a.jpg", 64, 48, [RawPrediction(name, tag=True) for name in names])


_OBJECT = """<object><name>cat</name><score>0.5</score><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>30</xmax>
<ymax>40</ymax></bndbox></object>"""
_OUTLINE = """<object><name>dog</name><polygon><x1>3</x1><y1>4</y1><x2>30</x2><y2>4</y2><x3>9</x3><y3>40</y3>
</polygon><part><name>head</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>
</object>"""
_ANNOTATION = f"""<annotation><filename>a.jpg</filename><size><width>64</width><height>48</height></size>
{_OBJECT}{_OUTLINE}</annotation>"""


def _tasks() -> list[Any]:
    named = LABEL_STUDIO["rectangles"][0]["predictions"][0]["result"][0]
    value = {key: value for key, value in named["value"].items() if key != "rectanglelabels"}
    ocr = [
        {**named, "id": "r", "type": "rectangle", "value": value},
        {**named, "id": "r", "type": "labels", "value": {**value, "labels": ["Text"]}},
    ]
    tasks = [*LABEL_STUDIO["rectangles"], *LABEL_STUDIO["shapes"]]
    tasks.append(
        {"id": 9, "data": {"image": "c.png"}, "predictions": [{"model_version": "v", "result": ocr}]}
    )
    return json.loads(json.dumps(tasks))  # type: ignore[no-any-return]


def _results() -> list[Any]:
    """Recorded results, arrays where they have tensors."""

    def part(values: Any) -> Any:
        return values and SimpleNamespace(
            **{key: np.array(value) if _is_even(value) else value for key, value in values.items()}
        )

    return [
        SimpleNamespace(
            path=saved["path"],
            orig_shape=tuple(saved["orig_shape"]),
            names={int(number): name for number, name in saved["names"].items()},
            **{name: part(saved[name]) for name in ("boxes", "obb", "keypoints", "probs", "masks")},
        )
        for saved in ULTRALYTICS["results"].values()
    ]


def _is_even(value: Any) -> bool:
    return isinstance(value, list) and len({np.shape(each) for each in value}) == 1


def _converted(convert: Callable[..., Any]) -> Callable[[Any], Iterable[RawImage]]:
    def read(values: Any) -> Iterator[RawImage]:
        shapes, labels, scores = values if isinstance(values, list) and len(values) == 3 else (values,) * 3
        convert(shapes, labels, scores, width=64, height=48, model_ref="m")
        yield RawImage("a.jpg")

    return read


TARGETS: dict[str, Target] = {
    **MODEL_TARGETS,
    "yolo detect": _yolo(
        "detect", "0 .5 .5 .2 .2\n3 .1 .2 .3 .4\n", "0 .5 .5 .2 .2 .9 7\n1 .1 .2 .3 .4 .8 9\n"
    ),
    "yolo segment": _yolo("segment", ULTRALYTICS["texts"]["segment"], "0 .1 .1 .5 .1 .5 .5 .1 .5 .9 7\n"),
    "yolo obb": _yolo("obb", ULTRALYTICS["texts"]["obb"], "0 .1 .1 .5 .1 .5 .5 .1 .5\n"),
    "yolo pose": _yolo(
        "pose", "0 .5 .5 .2 .2 .1 .1 2 .2 .2 1 0 0 0 .9 7\n", "0 .5 .5 .2 .2 .1 .1 .2 .2 .3 .3\n", joints=3
    ),
    "yolo classify": _yolo("classify", "0.91 1\n0.07 2\n0.01 3\n"),
    "classes": FileTarget(
        [
            b"cat\ntraffic light\n",
            b"train: ../images\nnc: 2\nnames: [cat, dog]\n",
            b"names:\n  0: cat\n  1: dog\n",
        ],
        _classes,
        "classes.txt",
    ),
    "pictures": FileTarget(_pictures(), _picture, "a.jpg"),
    "voc": FileTarget(
        [
            _ANNOTATION.encode(),
            f'<?xml version="1.0" encoding="gb2312"?>\n{_ANNOTATION}'.replace("cat", "猫").encode("gbk"),
            LABEL_STUDIO["converted"]["voc"].encode(),
        ],
        from_voc,
        "a.xml",
    ),
    "label studio file": FileTarget([json.dumps(_tasks()).encode()], from_label_studio, "tasks.json"),
    "label studio": ValueTarget(_tasks, from_label_studio),
    "ultralytics": ValueTarget(_results, from_ultralytics),
    "boxes": ValueTarget(
        lambda: [np.array([[1.0, 2, 30, 40], [5, 6, 9, 12]]), ["cat", "dog"], [0.5, 0.25]],
        _converted(box_instances),
    ),
    "polygons": ValueTarget(
        lambda: [
            [[(1, 2), (30, 2), (9, 40)], [(3, 3), (9, 3), (5, 9)]],
            ["cat", "dog"],
            np.array([0.5, 0.25]),
        ],
        _converted(polygon_instances),
    ),
}
