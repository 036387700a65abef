"""Record Label Studio tasks made with its SDK, and what the SDK's own converters make of them.

Run it where ``label-studio-sdk`` is installed: ``python record_label_studio.py``.
"""

from __future__ import annotations

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.brush import encode_rle
from label_studio_sdk.converter.utils import convert_annotation_to_yolo_obb
from label_studio_sdk.label_interface import LabelInterface

HERE = Path(__file__).parent
WIDTH, HEIGHT = 60, 40
RECTANGLES = """<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels>
</View>"""
ALL = """<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels>
<PolygonLabels name="outline" toName="image"><Label value="cat"/></PolygonLabels>
<EllipseLabels name="round" toName="image"><Label value="cat"/></EllipseLabels>
<KeyPointLabels name="joint" toName="image"><Label value="nose"/></KeyPointLabels>
<BrushLabels name="brush" toName="image"><Label value="grass"/></BrushLabels>
<Choices name="scene" toName="image"><Choice value="indoor"/><Choice value="outdoor"/></Choices></View>"""
TEXTS = """<View><Text name="text" value="$text"/>
<Labels name="entity" toName="text"><Label value="PER"/><Label value="LOC"/></Labels></View>"""


def region(name: str, kind: str, value: dict[str, Any], score: float | None = None) -> dict[str, Any]:
    made = {"from_name": name, "to_name": "image", "type": kind, "value": value}
    size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    return {**made, **size} | ({"score": score} if score is not None else {})


def rectangle(
    x: float, y: float, width: float, height: float, label: str, rotation: float = 0
) -> dict[str, Any]:
    place = {"x": x, "y": y, "width": width, "height": height, "rotation": rotation}
    return region("box", "rectanglelabels", {**place, "rectanglelabels": [label]}, 0.75)


def mask() -> np.ndarray[Any, Any]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    disk = (rows - 20) ** 2 + (columns - 25) ** 2 < 12**2
    disk[30:, 50:] = True
    return disk


def brush(pixels: np.ndarray[Any, Any]) -> dict[str, Any]:
    colours = np.repeat(pixels[:, :, None] * np.uint8(255), 4, axis=2)
    value = {"format": "rle", "rle": encode_rle(colours.flatten()), "brushlabels": ["grass"]}
    return region("brush", "brushlabels", value, 0.6)


def task(number: int, data: dict[str, str], results: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    prediction = {"model_version": "v1", "score": 0.5, "result": results, **more}
    return {"id": number, "data": data, "predictions": [prediction]}


def checked(config: str, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tasks if the SDK holds their predictions for valid."""
    interface = LabelInterface(config)
    for each in tasks:
        for prediction in each["predictions"]:
            problems = interface.validate_prediction(prediction, return_errors=True)
            assert not problems, problems
    return tasks


def converted(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the tasks of plain rectangles as the SDK converts them to COCO, VOC and YOLO."""
    annotated = [{**each, "annotations": [{**each["predictions"][0], "id": 1}]} for each in tasks]
    with tempfile.TemporaryDirectory() as folder:
        source, images = Path(folder) / "tasks.json", Path(folder) / "images"
        source.write_text(json.dumps(annotated))
        images.mkdir()
        converter = Converter(config=RECTANGLES, project_dir=folder, download_resources=False)
        out = {name: Path(folder) / name for name in ("coco", "voc", "yolo")}
        converter.convert_to_coco(source, out["coco"], output_image_dir=str(images), is_dir=False)
        converter.convert_to_voc(source, out["voc"], output_image_dir=str(images), is_dir=False)
        converter.convert_to_yolo(source, out["yolo"], output_image_dir=str(images), is_dir=False)
        coco = json.loads((out["coco"] / "result.json").read_text())
        (voc,) = (out["voc"] / "Annotations").glob("*.xml")
        (yolo,) = (out["yolo"] / "labels").glob("*.txt")
        return {
            "coco": [each["bbox"] for each in coco["annotations"]],
            "voc": ElementTree.canonicalize(voc.read_text()).replace(str(images), "images"),
            "yolo": {"text": yolo.read_text(), "classes": (out["yolo"] / "classes.txt").read_text()},
        }


def main() -> None:
    rectangles = [
        task(1, {"image": "a.png"}, [rectangle(10, 25, 30, 50, "cat"), rectangle(50, 5, 12.5, 20, "dog")])
    ]
    turned = rectangle(50, 25, 20, 30, "dog", rotation=30)
    points = [[10, 10], [90, 15], [50, 80]]
    shapes = [
        turned,
        region("outline", "polygonlabels", {"points": points, "polygonlabels": ["cat"]}),
        region("round", "ellipselabels", {
            "x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 15, "ellipselabels": ["cat"]
        }),
        region("joint", "keypointlabels", {"x": 25, "y": 75, "width": 1, "keypointlabels": ["nose"]}, 0.9),
        brush(mask()),
        {"from_name": "scene", "to_name": "image", "type": "choices", "value": {"choices": ["outdoor"]}},
    ]  # fmt: skip
    text = "Alice flew to New York."
    spans = [
        {
            "from_name": "entity", "to_name": "text", "type": "labels",
            "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]},
        }
        for start, end, label in ((0, 5, "PER"), (14, 22, "LOC"))
    ]  # fmt: skip
    payload = {
        "versions": {"label-studio-sdk": version("label-studio-sdk")},
        "rectangles": checked(RECTANGLES, rectangles),
        "converted": converted(rectangles),
        "shapes": checked(ALL, [task(2, {"image": "b.png"}, shapes)]),
        "turned_corners": convert_annotation_to_yolo_obb({**turned, **turned["value"]}, normalize=False),
        "mask": ["".join("#" if pixel else "." for pixel in row) for row in mask()],
        "texts": checked(TEXTS, [task(3, {"text": text}, spans)]),
    }
    (HERE / "label_studio.json").write_text(json.dumps(payload) + "\n")


if __name__ == "__main__":
    main()
