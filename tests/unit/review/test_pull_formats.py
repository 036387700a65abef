"""What the writers of pulled sets write, our readers and well-kept libraries read: the same annotations."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import supervision
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from shapely.geometry import Polygon as Outline
from shapely.geometry import box as rectangle

from airflow_provider_diffgram.ingest.check.instances import repeated_references
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.models import Box, Instance, Keypoints, Packet, Polygon
from airflow_provider_diffgram.predictions import (
    RawImage,
    from_coco,
    from_voc,
    from_yolo_text,
    instances_of,
    read_classes,
)
from airflow_provider_diffgram.review.sets.folder import Folder
from airflow_provider_diffgram.review.sets.formats import FORMATS, writer
from airflow_provider_diffgram.review.sets.formats.core import (
    FileNames,
    LeftOut,
    key_of,
    plain_name,
    split_of,
)
from airflow_provider_diffgram.review.sets.stored import StoredFile, packet_of

JOINTS = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
BONES = ((0, 1), (0, 2), (1, 3))
NO_NAMES = FileNames()

NAMES = ["cat", "traffic light", "Élan", "no", "3", "a: b", "'", '"x"', " x", "a\u2028b", "\U0001f600"]
labels = st.sampled_from(NAMES)
scores = st.none() | st.floats(0, 1)


def hundredths(most: int) -> st.SearchStrategy[float]:
    return st.integers(1, most * 100 - 1).map(lambda number: number / 100)


@st.composite
def boxes(draw: st.DrawFn, width: int, height: int) -> dict[str, Any]:
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    x_max, y_max = draw(st.integers(x + 1, width)), draw(st.integers(y + 1, height))
    return {"type": "box", "x_min": x, "y_min": y, "x_max": x_max, "y_max": y_max}


@st.composite
def polygons(draw: st.DrawFn, width: int, height: int, corners: int | None = None) -> dict[str, Any]:
    count = corners or draw(st.integers(3, 9))
    reach = st.floats(0.5, 1.0)
    points = []
    for number in range(count):
        turn, far = 2 * math.pi * number / count, draw(reach)
        x = width / 2 * (1 + far * 0.99 * math.cos(turn))
        y = height / 2 * (1 + far * 0.99 * math.sin(turn))
        points.append({"x": round(x, 2), "y": round(y, 2), "figure_id": number})
    return {"type": "polygon", "points": points}


@st.composite
def skeletons(draw: st.DrawFn, width: int, height: int) -> dict[str, Any]:
    places = draw(st.lists(st.integers(0, len(JOINTS) - 1), min_size=2, unique=True).map(sorted))
    told = draw(st.booleans())
    nodes = []
    for n, place in enumerate(places):
        x = draw(hundredths(width - 4)) + (3 if n else 0)
        node = {"id": place + 1, "x": round(x, 2), "y": draw(hundredths(height)), "name": JOINTS[place]}
        if told:
            node["occluded"] = draw(st.booleans()) if n else False
        nodes.append(node | {"ordinal": place})
    nodes[0]["x"] = 0.5
    bones = [bone for bone in BONES if set(bone) <= set(places)]
    return {"type": "keypoints", "nodes": nodes, "edges": [{"from": a + 1, "to": b + 1} for a, b in bones]}


@st.composite
def sets(draw: st.DrawFn, *kinds: str) -> list[StoredFile]:
    """Draw a few pictures with annotations of some kinds."""
    files, row_id = [], 0
    for number in range(draw(st.integers(1, 4))):
        width, height = draw(st.integers(8, 400)), draw(st.integers(8, 400))
        make = {
            "box": boxes(width, height),
            "polygon": polygons(width, height),
            "turned": polygons(width, height, 4),
            "keypoints": skeletons(width, height),
        }
        rows = []
        for row in draw(st.lists(st.one_of(*(make[kind] for kind in kinds)), max_size=4)):
            row_id += 1
            score = draw(scores)
            named = {"id": row_id, "label": draw(labels), "version": 1}
            rows.append({**row, **named, **({} if score is None else {"score": score})})
        files.append(StoredFile(number + 1, f"{number}.png", "image", width, height, instances=rows))
    return files


def written(files: Sequence[StoredFile], folder: Path, format: str, **options: Any) -> LeftOut:
    """Write a set and its pictures."""
    left_out = LeftOut()
    writer(format, **options)(files, Folder(str(folder), universal_path), NO_NAMES, left_out)
    return left_out


def told(instance: Instance, *, scored: bool) -> Any:
    """Return what an instance says, as far as formats tell it."""
    score = None if instance.score is None or not scored else round(instance.score, 6)
    if isinstance(instance, Box):
        shape: Any = (instance.x_min, instance.y_min, instance.x_max, instance.y_max)
    elif isinstance(instance, Polygon):
        shape = [(point.x, point.y) for point in instance.points]
    else:
        assert isinstance(instance, Keypoints)
        names = {node.id: node.name for node in instance.nodes}
        joints = sorted((node.name, node.x, node.y, node.occluded) for node in instance.nodes)
        shape = joints, sorted((names[edge.source], names[edge.target]) for edge in instance.edges)
    return instance.type, instance.label, score, shape


def sent(file: StoredFile, *, scored: bool = True) -> list[Any]:
    """Return what the rows of a file say."""
    from airflow_provider_diffgram.review.sets.stored import instance_of

    return sorted((told(instance_of(row), scored=scored) for row in file.instances), key=repr)


def read(image: RawImage, *, scored: bool = True) -> list[Any]:
    found = instances_of(image.predictions, width=image.width, height=image.height)
    return sorted((told(each, scored=scored) for each in found.instances), key=repr)


def distinct(values: Iterable[Any]) -> list[Any]:
    """Return values once: a reader keeps the better of two that are equal but for their score."""
    best: dict[str, Any] = {}
    for kind, label, score, shape in values:
        key = repr((kind, label, shape))
        if key not in best or (score or -1) > (best[key][2] or -1):
            best[key] = (kind, label, score, shape)
    return sorted(best.values(), key=repr)


def compare(files: Sequence[StoredFile], images: Iterable[RawImage], *, scored: bool = True) -> None:
    found = {Path(image.name).name: distinct(read(image, scored=scored)) for image in images}
    assert found == {file.name: distinct(sent(file, scored=scored)) for file in files}


@given(sets("box", "polygon", "keypoints"))
@settings(max_examples=60)
def test_coco_is_read_as_it_was_written(files: list[StoredFile]):
    with tempfile.TemporaryDirectory() as folder:
        assert written(files, Path(folder), "coco").counts == {}
        path = Path(folder) / "annotations.json"
        if any(file.instances for file in files):
            compare(files, from_coco(path, path))


@given(sets("box", "polygon"))
@settings(max_examples=60)
def test_voc_is_read_as_it_was_written(files: list[StoredFile]):
    held = [
        StoredFile(f.id, f.name, f.type, f.width, f.height, instances=[r for r in f.instances if _xml(r)])
        for f in files
    ]
    with tempfile.TemporaryDirectory() as folder:
        left_out = written(files, Path(folder), "voc")
        assert left_out.counts.total() == sum(len(f.instances) for f in files) - sum(
            len(f.instances) for f in held
        )
        compare(held, from_voc(Path(folder) / "Annotations"))


def _xml(row: dict[str, Any]) -> bool:
    return row["label"] == row["label"].strip()


@pytest.mark.parametrize(
    "format, kind",
    [("yolo", "box"), ("yolo-segment", "polygon"), ("yolo-obb", "turned"), ("yolo-pose", "keypoints")],
)
def test_yolo_is_read_as_it_was_written(format: str, kind: str):
    @given(sets(kind))
    @settings(max_examples=40)
    def check(files: list[StoredFile]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            assert written(files, folder, format, split={"train": 1}).counts == {}
            pictures = folder / "images" / "train"
            pictures.mkdir(parents=True)
            for file in files:
                Image.new("1", (file.width or 1, file.height or 1)).save(pictures / file.name)
            if not any(file.instances for file in files):
                return
            data = yaml.safe_load((folder / "data.yaml").read_text())
            more: dict[str, Any] = {}
            if kind == "keypoints":
                more = {"joints": data["joints"], "kpt_shape": tuple(data["kpt_shape"])}
                more["bones"] = [tuple(bone) for bone in data["bones"]]
            images = from_yolo_text(
                folder / "labels" / "train",
                pictures,
                classes=folder / "data.yaml",
                task=format.partition("-")[2] or "detect",  # type: ignore[arg-type]
                confidence=False,
                track=False,
                **more,
            )
            bones_of = {tuple(sorted(bone)) for bone in more.get("bones", ())}
            assert all(max(bone) < len(more["joints"]) for bone in bones_of)
            found = {Path(image.name).name: distinct(read(image, scored=False)) for image in images}
            assert set(found) == {file.name for file in files}
            for file in files:
                expected = distinct(sent(file, scored=False))
                if kind == "keypoints":  # the format has the bones of the class, not of each skeleton
                    found[file.name] = [_without_bones(each) for each in found[file.name]]
                    expected = [_without_bones(each) for each in expected]
                assert found[file.name] == expected

    check()


def _without_bones(value: Any) -> Any:
    kind, label, score, (joints, _) = value
    return kind, label, score, joints


@given(sets("box", "polygon", "keypoints"))
@settings(max_examples=40)
def test_packets_are_read_as_they_were_written(files: list[StoredFile]):
    with tempfile.TemporaryDirectory() as folder:
        assert written(files, Path(folder), "packets").counts == {}
        lines = (Path(folder) / "packets.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
        packets = [Packet.model_validate_json(line) for line in lines]
    assert [packet.file_id for packet in packets] == [file.id for file in files]
    for packet, file in zip(packets, files, strict=True):
        assert sorted((told(each, scored=True) for each in packet.instance_list), key=repr) == sent(file)


@given(sets("box", "polygon", "keypoints"))
@settings(max_examples=40)
def test_a_line_is_read_as_it_was_written(files: list[StoredFile]):
    assert [StoredFile.from_json(file.to_json()) for file in files] == files


@given(sets("box"))
@settings(max_examples=20)
def test_parquet_has_a_row_for_each_annotation(files: list[StoredFile]):
    with tempfile.TemporaryDirectory() as folder:
        assert written(files, Path(folder), "parquet").counts == {}
        rows = pq.read_table(Path(folder) / "instances.parquet").to_pylist()
        there = pq.read_table(Path(folder) / "files.parquet").to_pylist()
    edges = ("x_min", "y_min", "x_max", "y_max")
    assert [(row["file_id"], row["label"], row["score"], *(row[edge] for edge in edges)) for row in rows] == [
        (file.id, row["label"], row.get("score"), *(row[edge] for edge in edges))
        for file in files
        for row in file.instances
    ]
    assert [(row["file_id"], row["width"], row["instances"]) for row in there] == [
        (file.id, file.width, len(file.instances)) for file in files
    ]


def box(row_id: int, label: str, *edges: int) -> dict[str, Any]:
    named = dict(zip(("x_min", "y_min", "x_max", "y_max"), edges, strict=True))
    return {"id": row_id, "type": "box", "label": label, **named}


FIXED = [
    StoredFile(
        number,
        f"{number}.png",
        "image",
        64,
        48,
        instances=[
            box(10 * number, "cat", 3, 4, 20, 9),
            box(10 * number + 1, "dog", 0, 0, 64, 48),
        ],
    )
    for number in (1, 2, 3)
]


def test_pycocotools_reads_the_set_and_finds_it_perfect(tmp_path: Path):
    from pycocotools.cocoeval import COCOeval

    written(FIXED, tmp_path, "coco")
    truth = COCO(str(tmp_path / "annotations.json"))
    assert sorted(truth.getImgIds()) == [1, 2, 3]
    assert {each["name"] for each in truth.loadCats(truth.getCatIds())} == {"cat", "dog"}
    records = [{**each, "score": 0.9} for each in truth.dataset["annotations"]]
    judged = COCOeval(truth, truth.loadRes(records), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert judged.stats[0] == pytest.approx(1.0)


def test_pycocotools_finds_the_area_of_an_outline(tmp_path: Path):
    points = [{"x": x, "y": y} for x, y in ((1, 1), (31, 1), (31, 21), (1, 21))]
    row = {"id": 1, "type": "polygon", "label": "cat", "points": points}
    written([StoredFile(1, "a.png", "image", 64, 48, instances=[row])], tmp_path, "coco")
    truth = COCO(str(tmp_path / "annotations.json"))
    (annotation,) = truth.loadAnns(truth.getAnnIds())
    assert truth.annToMask(annotation).sum() == annotation["area"] == 600


@pytest.mark.parametrize("format", ["coco", "yolo", "voc"])
def test_supervision_reads_the_set(tmp_path: Path, format: str):
    written(FIXED, tmp_path, format, **({"split": {"train": 1}} if format == "yolo" else {}))
    pictures = tmp_path / ("images/train" if format == "yolo" else "images")
    pictures.mkdir(parents=True)
    for file in FIXED:
        Image.new("RGB", (64, 48)).save(pictures / file.name)
    if format == "coco":
        found = supervision.DetectionDataset.from_coco(str(pictures), str(tmp_path / "annotations.json"))
    elif format == "yolo":
        found = supervision.DetectionDataset.from_yolo(
            str(pictures), str(tmp_path / "labels/train"), str(tmp_path / "data.yaml")
        )
    else:
        found = supervision.DetectionDataset.from_pascal_voc(str(pictures), str(tmp_path / "Annotations"))
    assert sorted(found.classes) == ["cat", "dog"]
    assert len(found) == 3
    for _, _, detections in found:
        pairs = zip(detections.class_id, detections.xyxy, strict=True)
        by_class = {found.classes[number]: edges for number, edges in pairs}
        off = 1 if format == "voc" else 0  # it does not subtract the 1 that pixels of the format count from
        assert np.allclose(by_class["cat"], [3, 4, 20, 9], atol=0.01 + off)
        assert np.allclose(by_class["dog"], [0, 0, 64, 48], atol=0.01 + off)


def test_classes_and_parts_are_in_data_yaml(tmp_path: Path):
    written(FIXED, tmp_path, "yolo")
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert data == {"train": "images/train", "val": "images/val", "nc": 2, "names": {0: "cat", 1: "dog"}}
    assert read_classes(tmp_path / "data.yaml") == ["cat", "dog"]
    alone = tmp_path / "alone"
    written(FIXED, alone, "yolo", split={"train": 0.5, "test": 0.5})
    data = yaml.safe_load((alone / "data.yaml").read_text())
    assert data["val"] == "images/train", "Ultralytics demands one"


def test_left_and_right_change_places_in_a_mirror(tmp_path: Path):
    def data_of(*names: str) -> Any:
        nodes = [{"id": n, "x": 5 + n, "y": 9, "name": name} for n, name in enumerate(names)]
        row = {"id": 1, "type": "keypoints", "label": "cat", "nodes": nodes}
        folder = tmp_path / "-".join(names)
        written([StoredFile(1, "a.png", "image", 64, 48, instances=[row])], folder, "yolo-pose")
        return yaml.safe_load((folder / "data.yaml").read_text())

    assert data_of("nose", "left_eye", "right_eye")["flip_idx"] == [0, 2, 1]
    assert "flip_idx" not in data_of("nose", "left_eye")
    assert "flip_idx" not in data_of("front", "rear")


@given(st.text(min_size=1, max_size=30))
def test_a_name_from_the_server_leads_nowhere(name: str):
    plain = plain_name(name)
    assert plain
    assert Path(plain).name == plain
    assert plain not in (".", "..")
    assert len(plain_name(name * 30).encode()) <= 220


def test_two_files_of_one_name_are_told_apart():
    names = FileNames({key_of("A.png")})
    assert names.of(StoredFile(7, "a.jpg", "image")) == "a.7.jpg"
    assert names.of(StoredFile(8, "b.jpg", "image")) == "b.jpg"
    assert key_of("e\N{COMBINING ACUTE ACCENT}.png") == key_of("\N{LATIN SMALL LETTER E WITH ACUTE}.png")


@given(st.lists(st.sampled_from(["a.png", "A.jpg", "a.1.png", "a.2.png", "a.2.3.jpg", "b.1.png", "b.png"])))
def test_no_two_files_share_a_name_even_if_one_is_called_like_another_with_its_id(called: list[str]):
    files = [StoredFile(number, name, "image") for number, name in enumerate(called, 1)]
    keys = Counter(key_of(name) for name in called)
    names = FileNames({key for key, count in keys.items() if count > 1})
    stems = [Path(names.of(file)).stem.casefold() for file in files]
    assert len(set(stems)) == len(stems)


def test_a_picture_stays_in_its_part_and_pages_of_a_document_stay_together():
    split = {"train": 0.8, "val": 0.2}
    parts = [split_of(StoredFile(n, f"{n}.png", "image"), split) for n in range(2000)]
    assert 0.77 < parts.count("train") / 2000 < 0.83
    pages = {split_of(StoredFile(n, f"{n}.png", "image", group="scan"), split) for n in range(50)}
    assert len(pages) == 1


def test_what_no_format_of_pictures_holds_is_counted(tmp_path: Path):
    files = [
        StoredFile(1, "a.txt", "text", instances=[{"id": 1, "type": "text_token", "label": "x"}]),
        StoredFile(2, "b.png", "image"),
        StoredFile(3, "scene", "compound", instances=[{"id": 2, "type": "global"}]),
        StoredFile(4, "c.png", "image", 9, 9, instances=[{"id": 3, "type": "tag", "label": "x"}]),
    ]
    expected = {"text (not an image)": 1, "image of unknown size": 1, "global": 1, "tag": 1}
    for format in FORMATS:
        if format not in ("packets", "parquet"):
            assert written(files, tmp_path / format, format).counts == expected, format


def test_a_row_that_a_push_would_refuse_is_left_out_of_packets(tmp_path: Path):
    good = box(1, "cat", 1, 1, 3, 3)
    wrong: tuple[dict[str, Any], ...] = ({"score": 87.0}, {"score": "nan"}, {"type": "ghost"})
    bad = [{**good, "id": row_id, **each} for row_id, each in enumerate(wrong, start=2)]
    file = StoredFile(1, "a.png", "image", 9, 9, instances=[good, *bad])
    left_out = written([file], tmp_path, "packets")
    assert left_out.counts == {"box": 2, "ghost": 1}
    assert len(json.loads((tmp_path / "packets.jsonl").read_text())["instance_list"]) == 1


def test_a_reference_is_given_to_the_first_of_its_rows_alone():
    """A push refuses a reference that several instances have."""
    rows = [{**box(n, "cat", n, 1, n + 9, 9), "creation_ref_id": "a"} for n in (1, 2)]
    frames = {3: [{**rows[0], "id": 7}], 4: [{**rows[1], "id": 8, "creation_ref_id": "b"}]}
    image = packet_of(StoredFile(1, "a.png", "image", 99, 99, instances=rows))
    video = packet_of(StoredFile(1, "a.mp4", "video", 99, 99, frames={**frames, 5: rows}))
    assert [each.creation_ref_id for each in image.instances] == ["a", None]
    assert [each.creation_ref_id for each in video.instances] == ["a", "b", None, None]
    assert repeated_references(image) == repeated_references(video) == []


def shares_of(tmp_path: Path, format: str, *rows: dict[str, Any]) -> tuple[LeftOut, list[list[float]]]:
    """Return what was left out of a picture of 100 x 50, and the shares on each line of its text."""
    file = StoredFile(1, "a.png", "image", 100, 50, instances=list(rows))
    left_out = written([file], tmp_path, format, split={"train": 1})
    lines = (tmp_path / "labels/train/a.txt").read_text().splitlines()
    return left_out, [[float(each) for each in line.split()[1:]] for line in lines]


def test_what_reaches_beyond_its_picture_is_cut_since_ultralytics_would_drop_the_picture(tmp_path: Path):
    reaching, outside = box(1, "cat", -20, 10, 40, 70), box(2, "cat", 120, 1, 140, 9)
    left_out, ((x, y, across, down),) = shares_of(tmp_path, "yolo", reaching, outside)
    assert (left_out.clipped, left_out.counts) == ({"box": 1}, {"box": 1})
    assert (x, y, across, down) == pytest.approx((0.2, 0.6, 0.4, 0.8))


def test_corners_and_joints_beyond_the_picture_are_cut(tmp_path: Path):
    corners = [{"x": x, "y": y} for x, y in ((-5, 10), (150, 10), (50, 60))]
    far = [{"x": x + 300, "y": y} for x, y in ((0, 10), (50, 10), (50, 60))]
    polygon = {"id": 1, "type": "polygon", "label": "cat", "points": corners}
    left_out, (shares,) = shares_of(tmp_path, "yolo-segment", polygon, {**polygon, "id": 2, "points": far})
    assert (left_out.clipped, left_out.counts) == ({"polygon": 1}, {"polygon": 1})
    cut = Outline([(x * 100, y * 50) for x, y in zip(shares[::2], shares[1::2], strict=True)])
    wanted = Outline([(-5, 10), (150, 10), (50, 60)]).intersection(rectangle(0, 0, 100, 50))
    assert cut.symmetric_difference(wanted).area == pytest.approx(0, abs=1e-6)
    nodes = [{"id": n, "x": x, "y": 10, "name": f"joint {n}"} for n, x in enumerate((10, 30, 130))]
    skeleton = {"id": 1, "type": "keypoints", "label": "cat", "nodes": nodes}
    left_out, (shares,) = shares_of(tmp_path / "pose", "yolo-pose", skeleton)
    assert left_out.clipped == {"keypoints": 1}
    assert shares[4:] == pytest.approx([0.1, 0.2, 1, 0.3, 0.2, 1, 0, 0, 0])


def test_an_outline_around_a_corner_of_the_picture_is_beyond_it(tmp_path: Path):
    corners = [{"x": x, "y": y} for x, y in ((90, 70), (130, 70), (130, 10))]
    polygon = {"id": 1, "type": "polygon", "label": "cat", "points": corners}
    for format in ("yolo-segment", "yolo-obb"):
        four = {**polygon, "points": [*corners, {"x": 129, "y": 10}]} if format == "yolo-obb" else polygon
        left_out, lines = shares_of(tmp_path / format, format, four)
        assert (left_out.counts, left_out.clipped, lines) == ({"polygon": 1}, {}, [])


@given(sets("box"))
@settings(max_examples=30)
def test_all_shares_are_what_ultralytics_takes(files: list[StoredFile]):
    """It drops a picture with a share below 0 or above 1, and one with lines of several lengths."""
    with tempfile.TemporaryDirectory() as folder:
        written(files, Path(folder), "yolo", split={"train": 1})
        for text in Path(folder).glob("labels/train/*.txt"):
            for line in text.read_text().splitlines():
                number, *shares = line.split()
                assert number.isdecimal()
                assert len(shares) == 4
                assert all(0 <= float(share) <= 1 for share in shares)
