"""COCO results, with masks as pycocotools makes them, become predictions in any order of the records."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as runs
from pycocotools.coco import COCO
from upath import UPath

from airflow_provider_diffgram.models import Box, InvalidValueError
from airflow_provider_diffgram.predictions import Options, Provenance, from_coco, packets_of
from airflow_provider_diffgram.predictions.core.convert import convert_image
from airflow_provider_diffgram.predictions.core.geometry import area

DATASET: dict[str, Any] = {
    "images": [
        {"id": 9, "file_name": "nine.jpg", "width": 80, "height": 60},
        {"id": 4, "file_name": "four.jpg", "width": 80, "height": 60},
        {"id": 5, "file_name": "five.jpg"},
    ],
    "categories": [
        {"id": 3, "name": "cat"},
        {"id": 7, "name": "person", "keypoints": ["nose", "eye", "ear"], "skeleton": [[1, 2], [2, 3]]},
        {"id": 8, "name": "unused"},
    ],
}


def record(image: int = 9, category: int = 3, **rest: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "score": 0.5, **rest}


def boxes() -> list[dict[str, Any]]:
    return [
        record(4, bbox=[10, 10, 20, 20]),
        record(9, bbox=[1, 2, 30.5, 40.5], score=0.25),
        record(4, 7, bbox=[70, 50, 20, 20]),
        record(9, bbox=[3, 3, 10, 10]),
    ]


def shape() -> np.ndarray:
    """A disc with a hole, and a square beside it."""
    y, x = np.mgrid[:60, :80]
    distance = np.hypot(x - 30, y - 30)
    return ((distance < 20) & (distance > 5)) | ((x > 60) & (y > 50))


def uncompressed(mask: np.ndarray) -> dict[str, Any]:
    flat = mask.flatten(order="F").astype(int)
    changes = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *changes, len(flat)]).tolist()
    return {"size": list(mask.shape), "counts": [0, *lengths] if flat[0] else lengths}


def written(path: Path, value: Any) -> Path:
    data = json.dumps(value).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_predictions_come_with_their_image_in_the_order_of_the_dataset():
    nine, four, five = from_coco(boxes(), DATASET)
    assert [(each.name, each.width, each.height) for each in (nine, four, five)] == [
        ("nine.jpg", 80, 60),
        ("four.jpg", 80, 60),
        ("five.jpg", None, None),
    ]
    assert [(each.label, each.score, each.box) for each in nine.predictions] == [
        ("cat", 0.25, (1, 2, 31.5, 42.5)),
        ("cat", 0.5, (3, 3, 13, 13)),
    ]
    assert [each.label for each in four.predictions] == ["cat", "person"]
    assert five.predictions == []


def test_the_order_of_records_of_different_images_is_nothing():
    shuffled = sorted(boxes(), key=lambda each: each["image_id"])
    assert list(from_coco(shuffled, DATASET)) == list(from_coco(boxes(), DATASET))


@pytest.mark.parametrize("name", ["results.json", "results.json.gz"])
@pytest.mark.parametrize("wrap", [list, lambda records: {"info": {}, "annotations": records}])
@pytest.mark.parametrize("kind", [str, Path, UPath])
def test_files_are_read_as_what_they_hold(tmp_path: Path, name: str, wrap: Any, kind: Any):
    results = written(tmp_path / name, wrap(boxes()))
    images = written(tmp_path / f"images-{name}", {**DATASET, "annotations": boxes()})
    assert list(from_coco(kind(results), kind(images))) == list(from_coco(boxes(), DATASET))


def test_pycocotools_reads_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    truth = COCO(str(written(tmp_path / "images.json", {**DATASET, "info": {}})))
    theirs = truth.loadRes(str(written(tmp_path / "results.json", boxes())))
    for image in from_coco(tmp_path / "results.json", tmp_path / "images.json"):
        (image_id,) = (each["id"] for each in DATASET["images"] if each["file_name"] == image.name)
        expected = theirs.loadAnns(theirs.getAnnIds(imgIds=[image_id]))
        assert [each.box for each in image.predictions] == [
            (x, y, x + width, y + height) for x, y, width, height in (each["bbox"] for each in expected)
        ]


def random_records(count: int) -> list[dict[str, Any]]:
    dice = random.Random(7)
    numbers = [
        [dice.uniform(-20, 80), dice.uniform(-20, 60), dice.uniform(-1, 40), dice.uniform(-1, 40)]
        for _ in range(count)
    ]
    return [
        record(dice.choice([9, 4, 5]), dice.choice([3, 7]), bbox=bbox, score=dice.random())
        for bbox in numbers
    ]


@pytest.mark.parametrize("with_masks", [False, True])
def test_packets_hold_what_each_image_is_converted_to(with_masks: bool):
    records = random_records(300)
    if with_masks:
        records.append(record(4, segmentation=uncompressed(shape())))
    results, options, provenance = (
        from_coco(records, DATASET),
        Options(min_score=0.2, max_wrong=1),
        Provenance("m", "r"),
    )
    packets = packets_of(
        results, media=lambda image: {"path": image.name}, options=options, provenance=provenance
    )
    expected = [convert_image(image, options, provenance) for image in results]
    assert [tuple(packet.instance_list) for packet in packets] == [each.instances for each in expected]
    assert packets.account.predictions == len(records)
    assert packets.account.wrong == sum(each.account.wrong for each in expected) > 0


def test_classes_without_a_label_are_known_before_the_first_packet():
    packets = packets_of(
        from_coco(boxes(), DATASET), media=lambda image: {"path": image.name}, options=Options({"cat": "cat"})
    )
    with pytest.raises(InvalidValueError, match="no label for class 'person'"):
        next(packets)


def test_no_records_are_no_predictions():
    assert [image.predictions for image in from_coco([], DATASET)] == [[], [], []]
    packets = packets_of(from_coco([], DATASET), media=lambda image: {"path": image.name})
    assert [packet.instance_list for packet in packets] == [[], [], []]


# Masks


@pytest.mark.parametrize(
    "segmentation",
    [
        uncompressed(shape()),
        runs.encode(np.asfortranarray(shape().astype(np.uint8))),
        {
            **(packed := runs.encode(np.asfortranarray(shape().astype(np.uint8)))),
            "counts": packed["counts"].decode(),
        },
    ],
    ids=["uncompressed", "compressed", "compressed text"],
)
def test_run_lengths_become_outlines_and_holes_are_told(segmentation: dict[str, Any]):
    image, *_ = from_coco([record(segmentation=segmentation)], DATASET, tolerance=0)
    (mask,) = image.predictions
    assert mask.polygons is not None
    disc = np.hypot(*(np.mgrid[:60, :80] - np.array([30, 30])[:, None, None])) < 20
    assert [area(list(ring)) for ring in mask.polygons] == [disc.sum(), 9 * 19]
    assert mask.holes == 1
    (packet, *_) = packets_of(
        from_coco([record(segmentation=segmentation)], DATASET), media=lambda i: {"path": i.name}
    )
    assert [each.type for each in packet.instance_list] == ["polygon", "polygon"]


def test_the_tolerance_is_that_of_the_outline():
    found = [
        len(
            next(iter(from_coco([record(segmentation=uncompressed(shape()))], DATASET, tolerance=pixels)))
            .predictions[0]
            .polygons[0]
        )
        for pixels in (0, 1, 4)
    ]
    assert found[0] > found[1] > found[2]


def test_polygons_stay_as_they_are():
    flat = [[1, 1, 10.25, 1, 10, 10], [20, 20, 30, 20, 30, 30, 20, 30]]
    (prediction,) = next(iter(from_coco([record(segmentation=flat)], DATASET))).predictions
    assert prediction.polygons == [
        [(1, 1), (10.25, 1), (10, 10)],
        [(20, 20), (30, 20), (30, 30), (20, 30)],
    ]


# Keypoints


def joints_of(*numbers: float) -> Any:
    (prediction,) = next(iter(from_coco([record(category=7, keypoints=list(numbers))], DATASET))).predictions
    return prediction.keypoints


def test_keypoints_get_names_bones_and_visibility():
    skeleton = joints_of(10, 11, 2, 0, 0, 0, 12, 13, 1)
    nose, eye, ear = skeleton.points
    assert (nose.x, nose.y, nose.name, nose.visible) == (10, 11, "nose", True)
    assert eye is None
    assert (ear.name, ear.visible) == ("ear", False)
    assert skeleton.bones == [(0, 1), (1, 2)]


@pytest.mark.parametrize("v", [1, 0.83])
def test_keypoints_of_a_model_do_not_say_which_are_hidden(v: float):
    assert [each.visible for each in joints_of(10, 11, v, 1, 1, v, 12, 13, v).points] == [None] * 3


def test_arrays_of_a_model_are_read_as_lists():
    records = [
        record(bbox=np.array([1, 2, 3, 4], dtype=np.float32), score=np.float32(0.25)),
        record(segmentation=[np.array([1, 1, 9, 1, 9, 9])]),
        record(category=7, keypoints=np.array([10, 11, 2, 0, 0, 0, 12, 13, 1])),
    ]
    box, mask, skeleton = next(iter(from_coco(records, DATASET))).predictions
    assert (box.box, box.score) == ((1, 2, 4, 6), 0.25)
    assert mask.polygons == [[(1, 1), (9, 1), (9, 9)]]
    assert skeleton.keypoints is not None
    assert skeleton.keypoints.points[1] is None


# One of several geometries


def test_the_finest_geometry_counts_unless_told_otherwise():
    both = record(bbox=[1, 2, 3, 4], segmentation=[[1, 1, 9, 1, 9, 9]], keypoints=[])
    (mask,) = next(iter(from_coco([both], DATASET))).predictions
    (box,) = next(iter(from_coco([both], DATASET, geometries=["bbox"]))).predictions
    assert (mask.box, box.polygons, box.box) == (None, None, (1, 2, 4, 6))
    with pytest.raises(ValueError, match="choose from segmentation, keypoints, bbox"):
        from_coco([both], DATASET, geometries=["box"])


# What is wrong


@pytest.mark.parametrize("size", [np.array([60, 80]), (np.int64(60), np.int32(80)), [60.0, 80.0], (60, 80)])
def test_the_size_of_a_mask_may_be_in_the_numbers_of_an_array(size: Any):
    mask = {"size": size, "counts": [0, 2400, 2400]}
    (found,) = next(iter(from_coco([record(segmentation=mask)], DATASET))).predictions
    assert found.polygons == [[(0, 0), (40, 0), (40, 60), (0, 60)]]


@pytest.mark.parametrize("value, score", [(1 + 1e-7, 1.0), (np.float32(1.0000001), 1.0), (-1e-9, 0.0)])
def test_a_score_that_rounding_put_beyond_is_the_bound(value: Any, score: float):
    (found,) = next(iter(from_coco([record(score=value, bbox=[1, 2, 3, 4])], DATASET))).predictions
    assert found.score == score


@pytest.mark.parametrize("named", ["a", "a.jpg", "b.jpg"])
def test_an_image_named_by_its_file_is_told_its_id(named: str):
    images = [{"id": 31, "file_name": "x/a.jpg"}, {"id": 32, "file_name": "b.jpg"}]
    dataset = {"images": images, "categories": DATASET["categories"]}
    with pytest.raises(InvalidValueError) as caught:
        from_coco([record(named, bbox=[1, 2, 3, 4])], dataset)  # type: ignore[arg-type]
    hint = {"a": ", but a file of that name with the id 31: write the id", "a.jpg": ""}
    told = hint.get(named, ", but a file of that name with the id 32: write the id")
    assert caught.value.problems[0].endswith(f"has no image_id {named!r}{told}")


def test_all_wrong_records_are_told_at_once():
    wrong: dict[str, Any] = {
        "has no image_id 1 and no category_id 2": record(1, 2, bbox=[1, 1, 1, 1]),
        "has no image_id [9]": record([9], bbox=[1, 1, 1, 1]),  # type: ignore[arg-type]
        "must be an object with image_id and category_id": {"bbox": [1, 1, 1, 1]},
        "must be an object with": 7,
        "score is 87.0, not between 0 and 1": record(score=87, bbox=[1, 1, 1, 1]),
        "score is 'high'": record(score="high", bbox=[1, 1, 1, 1]),
        "score is nan": record(score=float("nan"), bbox=[1, 1, 1, 1]),
        "has none of segmentation, keypoints, bbox": record(),
        "bbox is [1, 2, 3], not the numbers": record(bbox=[1, 2, 3]),
        "bbox is [1, 2, 3, '4'], not the numbers": record(bbox=[1, 2, 3, "4"]),
        "bbox is [1, 2, inf, 4], not finite": record(bbox=[1, 2, float("inf"), 4]),
        "mask is [80, 60] high and wide, its image [60, 80]": record(
            segmentation={"size": [80, 60], "counts": [4800]}
        ),
        "segmentation is neither polygons nor run lengths": record(segmentation={"counts": [4800]}),
        "mask has the size 60": record(segmentation={"size": 60, "counts": [4800]}),
        "mask has the size [60, 0]": record(segmentation={"size": [60, 0], "counts": [0]}),
        "polygons are lists of numbers": record(segmentation=[1, 1, 9, 1, 9, 9]),
        "segmentation is neither polygons nor": record(segmentation="0101"),
        "bbox is 5, not the numbers": record(bbox=5),
        "keypoints are {1}, not a list of numbers": record(keypoints={1}),
    }
    with pytest.raises(InvalidValueError) as caught:
        from_coco(wrong.values(), DATASET)
    for number, (problem, told) in enumerate(zip(caught.value.problems, wrong, strict=True)):
        assert problem.startswith(f"record {number}: ")
        assert told in problem


@pytest.mark.parametrize(
    "wrong, told",
    [
        (
            {"segmentation": {"size": [60, 80], "counts": [4799]}},
            "run lengths add up to 4799, not to 60 x 80",
        ),
        ({"segmentation": {"size": [60, 80], "counts": "ooooooo"}}, "which end in the middle of a number"),
        ({"segmentation": [[1, 1, 9, 1, 9]]}, "a polygon has 5 numbers"),
        ({"keypoints": "1 1 2"}, "keypoints are '1 1 2', not a list of numbers"),
        ({"keypoints": [1, 1, 2, 4]}, "keypoints are 4 numbers, not 3 for each joint"),
        ({"category": 7, "keypoints": [1, 1, 2]}, "keypoints are 3 numbers, not 3 for each of 3 joints"),
    ],
)
def test_a_shape_that_is_none_is_told_before_the_first_image(wrong: dict[str, Any], told: str):
    with pytest.raises(InvalidValueError) as caught:
        from_coco([boxes()[0], record(**wrong)], DATASET)
    (problem,) = caught.value.problems
    assert problem.startswith("record 1: ")
    assert told in problem


def test_no_more_than_a_hundred_problems_are_shown():
    with pytest.raises(InvalidValueError, match="130 problem") as caught:
        from_coco([record()] * 130, DATASET)
    assert (len(caught.value.problems), caught.value.unshown) == (100, 30)


@pytest.mark.parametrize(
    "dataset, told",
    [
        ({"images": [], "categories": DATASET["categories"]}, "no images: give the dataset"),
        ({"images": DATASET["images"]}, "has no categories, but images: give the dataset file"),
        ({**DATASET, "categories": []}, "there are no categories"),
        ({**DATASET, "images": [{"id": 1}]}, "image 0: needs id and file_name"),
        ({**DATASET, "images": [{"id": 1, "file_name": "a", "width": 1.5}]}, r"image 0 \(a\): width is 1.5"),
        (
            {**DATASET, "images": [DATASET["images"][0]] * 2},
            r"image 1 \(nine.jpg\): a second image has the id 9",
        ),
        ({**DATASET, "categories": [{"id": 1}]}, "category 0: needs id and name"),
        (
            {**DATASET, "categories": [*DATASET["categories"], {"id": 3, "name": "x"}]},
            r"category 3 \(x\): a second category has the id 3",
        ),
    ],
)
def test_a_dataset_that_is_none_is_refused(dataset: dict[str, Any], told: str):
    with pytest.raises(InvalidValueError, match=told):
        from_coco(boxes(), dataset)


@pytest.mark.parametrize(
    "text, told",
    [
        (
            b'[{"score": NaN}]',
            "is not JSON at record 0: lexical error: invalid char in json text.; JSON has no NaN",
        ),
        (b'[{"score": 1', "is not JSON at record 0: parse error: premature EOF"),
        (b"", "is empty, so it is not JSON"),
        (b"\x1f\x8b\x08nonsense", "cannot be unpacked"),
    ],
)
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, text: bytes, told: str):
    path = tmp_path / "results.json"
    path.write_bytes(text)
    with pytest.raises(InvalidValueError) as caught:
        from_coco(path, DATASET)
    assert caught.value.what == str(path)
    assert told in caught.value.problems[0]


def test_a_file_that_is_cut_off_while_packed_is_refused(tmp_path: Path):
    path = tmp_path / "results.json.gz"
    path.write_bytes(gzip.compress(json.dumps(random_records(99)).encode())[:-40])
    with pytest.raises(InvalidValueError, match="cannot be unpacked"):
        from_coco(path, DATASET)


def test_a_file_that_is_not_there_is_refused_without_its_signature(tmp_path: Path):
    with pytest.raises(InvalidValueError, match=r"none\.json: cannot be read"):
        from_coco(tmp_path / "none.json", DATASET)
    with pytest.raises(InvalidValueError) as caught:
        from_coco("http://127.0.0.1:9/results.json?X-Amz-Signature=abcdef0123", DATASET)
    assert "abcdef0123" not in str(caught.value)


def test_instances_are_boxes_with_their_provenance():
    packets = packets_of(
        from_coco(boxes(), DATASET), media=lambda image: {"path": image.name}, provenance=Provenance("m", "r")
    )
    (first, *_) = packets
    assert first.instance_list[0] == Box(
        label="cat",
        x_min=1,
        y_min=2,
        x_max=32,
        y_max=43,
        score=0.25,
        machine_made=True,
        model_ref="m",
        model_run_ref="r",
    )
