"""COCO files as people have them: each record read right, or refused by file, record and reason."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as runs
from pycocotools.coco import COCO

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import Options, RawPrediction, from_coco, packets_of
from airflow_provider_diffgram.predictions.core.geometry import area
from airflow_provider_diffgram.predictions.formats.coco.shapes import segmentation_of

WIDTH, HEIGHT = 200, 100
NAN = float("nan")
PERSON = {"id": 7, "name": "person", "keypoints": ["a", "b", "c"], "skeleton": [[1, 2], [2, 3]]}
DATASET: dict[str, Any] = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT},
        {"id": 2, "file_name": "b.jpg", "width": WIDTH, "height": HEIGHT},
    ],
    "categories": [{"id": 1, "name": "cat"}, PERSON],
}
BBOX = [10, 20, 30, 40]
EDGES = (10, 20, 40, 60)
OUTLINE = [1, 1, 50, 1, 50, 50]
JOINTS = [10, 10, 2, 20, 20, 0, 30, 30, 1]


def record(**rest: Any) -> dict[str, Any]:
    return {"image_id": 1, "category_id": 1, "score": 0.9, **rest}


def read(*records: Any, dataset: Any = DATASET, **options: Any) -> list[RawPrediction]:
    return [each for image in from_coco(records, dataset, **options) for each in image.predictions]


def refused(results: Any, dataset: Any = DATASET, **options: Any) -> InvalidValueError:
    with pytest.raises(InvalidValueError) as caught:
        from_coco(results, dataset, **options)
    return caught.value


def written(path: Path, value: Any) -> Path:
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


# 1: units and frames of reference


def test_corners_instead_of_a_width_and_a_height_are_refused_kind_1():
    corners = [record(bbox=[10, 20, 40, 60]), record(bbox=[120, 30, 180, 90], image_id=2)]
    (problem,) = refused(corners).problems
    assert problem.startswith(
        "record 1: bbox is [120.0, 30.0, 180.0, 90.0] on an image of 200 x 100: are these"
    )


def test_one_box_that_cannot_be_corners_shows_that_none_is_kind_1():
    beyond = record(bbox=[120, 30, 180, 90])
    assert len(read(beyond, record(bbox=[50, 20, 30, 40]))) == 2
    assert len(read(record(bbox=[1, 1, 205, 104]))) == 1  # a little beyond, as boxes of a model are


def test_shares_of_the_size_are_less_than_a_pixel_and_too_many_of_them_kind_1():
    shares = [record(bbox=[0.1, 0.2, 0.5, 0.5])] * 3
    with pytest.raises(InvalidValueError, match="3 of 3 predictions are wrong"):
        list(packets_of(from_coco(shares, DATASET), media=lambda image: {"path": image.name}))


def test_a_mask_in_another_size_than_its_picture_is_refused_kind_1():
    half = {"size": [HEIGHT // 2, WIDTH // 2], "counts": [0, HEIGHT * WIDTH // 4]}
    (problem,) = refused([record(segmentation=half)]).problems
    assert problem == "record 0: mask is [50, 100] high and wide, its image [100, 200]: scale the mask"


def test_of_an_image_of_unknown_size_its_masks_tell_it_kind_1():
    dataset = {**DATASET, "images": [{"id": 1, "file_name": "a.jpg"}]}
    mask = {"size": [HEIGHT, WIDTH], "counts": [0, HEIGHT * WIDTH]}
    (image,) = from_coco([record(segmentation=mask)], dataset)
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    other = {"size": [HEIGHT // 2, WIDTH // 2], "counts": [0, HEIGHT * WIDTH // 4]}
    (problem,) = refused([record(segmentation=mask), record(segmentation=other)], dataset).problems
    assert problem.startswith("record 1: mask is [50, 100] high and wide, its image [100, 200]")


def test_joints_in_shares_of_the_size_are_less_than_a_pixel_kind_1():
    person = record(category_id=7, keypoints=[0.1, 0.2, 2, 0.5, 0.5, 2, 0.9, 0.8, 1])
    with pytest.raises(InvalidValueError, match="1 less than a pixel"):
        list(packets_of(from_coco([person], DATASET), media=lambda image: {"path": image.name}))
    alone = record(category_id=7, keypoints=[0.5, 0.5, 2, 0, 0, 0, 0, 0, 0])
    (packet, _) = packets_of(from_coco([alone], DATASET), media=lambda image: {"path": image.name})
    assert len(packet.instance_list) == 1


# 3: what is no dustbin


@pytest.mark.parametrize("bbox", [[40, 60, -30, -40], [40, 20, -30, 40], [10, 60, 30, -40]])
def test_a_box_may_be_drawn_from_any_corner_kind_3(bbox: list[float]):
    assert [each.box for each in read(record(bbox=bbox))] == [EDGES]


@pytest.mark.parametrize("joints", [[0] * 9, [0, 0, 1] * 3, [10, 10, 0] * 3, [None, None, 0] * 3])
@pytest.mark.parametrize("image", [1, 2])
def test_where_no_joint_was_found_the_box_was_kind_3(joints: list[Any], image: int):
    person = record(category_id=7, keypoints=joints, num_keypoints=0, bbox=BBOX, image_id=image)
    (found,) = read(person)
    assert (found.box, found.by_box, found.keypoints) == (EDGES, True, None)
    packets = packets_of(from_coco([person], DATASET), media=lambda image: {"path": image.name})
    assert [box.type for packet in packets for box in packet.instance_list] == ["box"]
    assert (packets.account.by_box, packets.account.wrong) == (1, 0)


def test_without_joints_and_without_a_box_there_is_no_shape_kind_3():
    nothing = record(category_id=7, keypoints=[0] * 9)
    packets = packets_of(
        from_coco([nothing], DATASET), media=lambda image: {"path": image.name}, options=Options(max_wrong=1)
    )
    assert [packet.instance_list for packet in packets] == [[], []]
    assert packets.account.empty == 1


# 4: nothing found is not nothing predicted


@pytest.mark.parametrize(
    "results, told",
    [
        ({"predictions": [record(bbox=BBOX)]}, "has no annotations, but predictions: results are a list"),
        ({"annotations": {"1": record()}}, "annotations is an object, not a list of records"),
        ({"annotations": {"item": [record()]}}, "annotations is an object, not a list of records"),
        ({"annotations": None}, "annotations is null, not a list of records"),
        ({}, "has no annotations, but nothing"),
        (DATASET, "has no records in annotations, but images, categories: this is a dataset without"),
        ({**DATASET, "annotations": []}, "this is a dataset without predictions: give the results; []"),
        (7, "is a single value, not a list of records"),
        (None, "is a single value, not a list of records"),
    ],
)
def test_what_holds_no_records_is_refused_by_file_kind_4(tmp_path: Path, results: Any, told: str):
    path = written(tmp_path / "results.json", results)
    error = refused(path)
    assert error.what == str(path)
    assert told in error.problems[0]
    if isinstance(results, dict):
        assert told in refused(results).problems[0].replace("a dict", "an object")


def test_nothing_found_is_said_by_an_empty_list_kind_4(tmp_path: Path):
    assert read() == []
    for nothing in ([], {"annotations": []}):
        assert list(from_coco(written(tmp_path / "r.json", nothing), DATASET)) == list(from_coco([], DATASET))


@pytest.mark.parametrize(
    "dataset, told",
    [
        ([record(bbox=BBOX)], "is a list, not an object with images and categories: are these the results?"),
        ({"info": {}, "annotations": []}, "has no images, but info, annotations: give the dataset file"),
        ({**DATASET, "images": {"1": {}}}, "images is an object, not a list"),
        ({**DATASET, "categories": None}, "categories is null, not a list"),
    ],
)
def test_what_is_no_dataset_is_refused_by_file_kind_4(tmp_path: Path, dataset: Any, told: str):
    path = written(tmp_path / "dataset.json", dataset)
    error = refused([], path)
    assert error.what == str(path)
    assert told in error.problems[0]


def test_a_table_is_no_list_of_records_kind_4():
    table = pd.DataFrame([record(score=0.5)])
    assert "give table.to_dict('records')" in refused(table).problems[0]
    with_box = pd.DataFrame([record(bbox=BBOX)]).to_dict("records")
    assert [each.box for each in read(*with_box)] == [EDGES]


@pytest.mark.parametrize("results", [7, None, b"[]", object()])
def test_what_cannot_be_results_is_refused_kind_4(results: Any):
    assert "give a file, or a list of records" in refused(results).problems[0]
    assert "give the dataset file" in refused([], results).problems[0]


@pytest.mark.parametrize(
    "images, categories, told",
    [
        ([], [{"id": 1, "name": "car"}], "category 2 (car): a second category has the id 1"),
        ([], [{"id": 1.0, "name": "car"}], "category 2 (car): a second category has the id 1.0"),
        ([{"id": 1, "file_name": "c.jpg"}], [], "image 2 (c.jpg): a second image has the id 1"),
        ([{"id": 3, "file_name": "a.jpg"}], [], "image 2 (a.jpg): a second image has this file_name"),
        (
            [{"id": [3], "file_name": "c.jpg"}],
            [],
            "image 2 (c.jpg): its id is [3], neither a number nor text",
        ),
        ([{"id": None, "file_name": "c.jpg"}], [], "image 2 (c.jpg): its id is None"),
        ([{"id": 3, "file_name": None}], [], "image 2: file_name is None, not text"),
        ([], [{"id": 3, "name": None}], "category 2: name is None, not text"),
        ([], [{"id": 3, "name": " "}], "category 2: name is ' ', not text"),
        ([], [{"id": {}, "name": "x"}], "category 2 (x): its id is {}"),
        ([{"id": 3, "file_name": "c.jpg", "width": "wide"}], [], "image 2 (c.jpg): width is 'wide'"),
        ([{"id": 3, "file_name": "c.jpg", "height": -1}], [], "image 2 (c.jpg): height is -1"),
    ],
)
def test_a_second_one_of_an_id_and_what_has_no_name_are_refused_kind_4(
    images: list[Any], categories: list[Any], told: str
):
    dataset = {
        "images": DATASET["images"] + images,
        "categories": DATASET["categories"] + categories,
    }
    (problem,) = refused([record(bbox=BBOX)], dataset).problems
    assert problem.startswith(told)


@pytest.mark.parametrize(
    "text, told",
    [
        (b'[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"bbox":[5,6,7,8]}]', "record 1: the key 'bbox'"),
        (b'[{"image_id":1,"segmentation":{"size":[1,1],"size":[2,2]}}]', "record 1: the key 'size'"),
        (b'{"annotations":[{"id":1},{"id":1,"id":2}]}', "annotations 1: the key 'id' is there twice"),
        (b'{"annotations":[],"annotations":[{"id":1}]}', "the key 'annotations' is there twice"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_kind_4(tmp_path: Path, text: bytes, told: str):
    good = json.dumps(record(bbox=BBOX)).encode()
    path = written(tmp_path / "results.json", b"[" + good + b"," + text[1:] if text[:1] == b"[" else text)
    error = refused(path)
    assert error.what == str(path)
    assert error.problems[0].startswith(told)


def test_a_key_of_the_dataset_that_is_there_twice_is_refused_kind_4(tmp_path: Path):
    text = json.dumps(DATASET)[:-1] + ',"images":[]}'
    assert (
        "the key 'images' is there twice"
        in refused([], written(tmp_path / "d.json", text.encode())).problems[0]
    )


# 5: null, missing, not known


@pytest.mark.parametrize(
    "outline", [[[]], [[1, 1, 5, 5]], [[], [1, 1]], {"size": [100, 200], "counts": [20000]}]
)
def test_the_box_stands_in_for_an_outline_that_shows_nothing_kind_5(outline: Any):
    (found,) = read(record(segmentation=outline, bbox=BBOX))
    assert (found.box, found.by_box, found.polygons) == (EDGES, True, None)


@pytest.mark.parametrize("outline", [[], None])
def test_without_an_outline_the_box_is_what_there_is_kind_5(outline: Any):
    (found,) = read(record(segmentation=outline, keypoints=None, bbox=BBOX))
    assert (found.box, found.by_box) == (EDGES, False)


def test_parts_without_corners_are_counted_beside_those_that_have_them_kind_5():
    packets = packets_of(
        from_coco([record(segmentation=[OUTLINE, [], [7, 7], [3, 3, 4, 4]])], DATASET),
        media=lambda image: {"path": image.name},
    )
    assert [len(packet.instance_list) for packet in packets] == [1, 0]
    assert (packets.account.parts, packets.account.lost_parts) == (2, 2)


@pytest.mark.parametrize("kind", [np.array, lambda rings: [np.array(ring) for ring in rings], tuple])
def test_outlines_of_a_model_are_arrays_kind_5(kind: Any):
    (found,) = read(record(segmentation=kind([OUTLINE])))
    assert found.polygons == [[(1, 1), (50, 1), (50, 50)]]


def test_an_outline_that_shows_nothing_alone_is_counted_kind_5():
    packets = packets_of(
        from_coco([record(segmentation=[[]])], DATASET), media=lambda image: {"path": image.name}
    )
    with pytest.raises(InvalidValueError, match="1 without a shape"):
        list(packets)


def test_a_joint_with_v_0_was_not_found_wherever_it_is_kind_5():
    (found,) = read(record(category_id=7, keypoints=JOINTS))
    assert found.keypoints is not None
    assert [point and (point.name, point.x, point.visible) for point in found.keypoints.points] == [
        ("a", 10, True),
        None,
        ("c", 30, False),
    ]
    packets = packets_of(
        from_coco([record(category_id=7, keypoints=JOINTS)], DATASET),
        media=lambda image: {"path": image.name},
    )
    (skeleton,) = next(packets).instance_list
    assert ([node.name for node in skeleton.nodes], skeleton.edges) == (["a", "c"], [])


def test_results_that_write_v_0_for_all_joints_do_not_say_which_were_found_kind_5():
    wrong = [record(category_id=7, keypoints=[10, 10, 0] * 3)] * 2
    assert refused(wrong).problems == [
        "keypoints of 2 records have coordinates, but v is 0 in all of them, which means that it was not "
        "found: write 1 where it was"
    ]
    assert len(read(*wrong, record(category_id=7, keypoints=JOINTS))) == 3


@pytest.mark.parametrize("score", [NAN, "0.9", "high", True, 87, -0.1, [0.9], 10**400])
def test_a_score_that_is_none_is_refused_kind_5(score: Any):
    (problem,) = refused([record(bbox=BBOX, score=score)]).problems
    assert problem.startswith("record 0: score is ")


@pytest.mark.parametrize("key", ["confidence", "conf", "prob", "probability", "scores"])
def test_a_score_by_another_name_is_refused_kind_5(key: str):
    other = {"image_id": 1, "category_id": 1, "bbox": BBOX, key: 0.9}
    assert refused([other]).problems == [f"record 0: has {key}, which COCO calls score"]


def test_a_score_that_is_null_or_missing_is_none_kind_5():
    without = {key: value for key, value in record(bbox=BBOX).items() if key != "score"}
    assert [each.score for each in read(record(bbox=BBOX, score=None), without)] == [None, None]


@pytest.mark.parametrize("skeleton", [[[0, 1], [1, 2]], [[1, 9]], [["a", "b"]], [1, 2], "ab", [[1, 2, 3]], 5])
@pytest.mark.parametrize("joints", [[], ["a", "b", "c"]])
def test_a_skeleton_is_looked_at_where_keypoints_are_kind_5(skeleton: Any, joints: list[str]):
    dataset = {**DATASET, "categories": [{**PERSON, "keypoints": joints, "skeleton": skeleton}]}
    beside = record(category_id=7, bbox=BBOX)
    assert [each.box for each in read(beside, dataset=dataset)] == [EDGES]
    both = record(category_id=7, bbox=BBOX, keypoints=JOINTS)
    assert [each.box for each in read(both, dataset=dataset, geometries=["bbox"])] == [EDGES]
    (problem,) = refused([beside, both], dataset).problems
    assert problem.startswith("record 1: skeleton of 'person'")


@pytest.mark.parametrize("joints", ["abc", 3, [1, 2, 3], [None] * 3, ["a", "", "c"], ["a\0"] * 3, {"a": 1}])
def test_names_of_joints_are_looked_at_where_keypoints_are_kind_5(joints: Any):
    dataset = {**DATASET, "categories": [{**PERSON, "keypoints": joints}]}
    assert len(read(record(category_id=7, bbox=BBOX), dataset=dataset)) == 1
    (problem,) = refused([record(category_id=7, keypoints=JOINTS)], dataset).problems
    assert problem.startswith("record 0: keypoints of 'person' are ")


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"segmentation": [[1, 1, 50, 1, NAN, 50]]}, "a polygon has nan, not a finite number"),
        ({"segmentation": [[1, 1, 50, 1, None, 50]]}, "a polygon has None, not a finite number"),
        ({"segmentation": [[1, 1, 50, 1, "9", 50]]}, "a polygon has '9', not a finite number"),
        (
            {"segmentation": [[[1, 1], [50, 1], [50, 50]]]},
            "a polygon has [1, 1]; COCO has its numbers in a row",
        ),
        ({"segmentation": [[1, 1, 50, 1, 50, 50, 3]]}, "a polygon has 7 numbers"),
        ({"segmentation": {"size": [100, 200], "counts": [1, -1, 20000]}}, "a run length is -1"),
        ({"segmentation": {"size": [100, 200], "counts": [1.5]}}, "a run length is 1.5, not a whole number"),
        ({"segmentation": {"size": [100, 200], "counts": None}}, "counts are None, not run lengths"),
        (
            {"segmentation": {"size": [100, 200], "counts": "a cat"}},
            "one of the letters is not part of a number",
        ),
        ({"segmentation": {"size": [100, 200], "counts": "11"}}, "run lengths add up to 2, not to 100 x 200"),
        ({"keypoints": [1, 1, 2, 3, 3, 2, NAN, 5, 1], "category_id": 7}, "keypoints have nan"),
        ({"keypoints": [1, 1, 2, 3, 3, 2, 5, 5, None], "category_id": 7}, "keypoints have None"),
        ({"keypoints": [1, 1, 2, 3, 3, 2, 5, 5, -1], "category_id": 7}, "a keypoint has v -1"),
        ({"keypoints": [1, 1, 2], "category_id": 7}, "keypoints are 3 numbers, not 3 for each of 3 joints"),
        ({"bbox": [1, 1, True, 5]}, "bbox is [1, 1, True, 5], not the numbers"),
        ({"bbox": [1, 1, 10**400, 5]}, "not finite"),
        ({"bbox": [1, 1, None, 5]}, "not the numbers"),
        ({"bbox": []}, "bbox is [], not the numbers"),
        ({"bbox": {"x": 1}}, "bbox is {'x': 1}, not the numbers"),
    ],
)
def test_every_record_is_checked_before_the_first_packet_kind_5(wrong: dict[str, Any], told: str):
    (problem,) = refused([record(bbox=BBOX), record(image_id=2, **wrong)]).problems
    assert problem.startswith("record 1: ")
    assert told in problem


# 6: labels and ids as other types


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"image_id": "1"}, "the dataset file has no image_id '1', but 1: write both alike"),
        ({"category_id": "7"}, "the dataset file has no category_id '7', but 7: write both alike"),
        ({"category_id": None}, "the dataset file has no category_id None"),
        ({"category_id": True}, "not true"),
        ({"image_id": [1]}, "the dataset file has no image_id [1]"),
        ({"image_id": NAN}, "the dataset file has no image_id nan"),
    ],
)
def test_an_id_of_another_type_is_refused_kind_6(wrong: dict[str, Any], told: str):
    (problem,) = refused([record(bbox=BBOX, **wrong)]).problems
    assert told in problem


def test_a_tolerance_that_is_none_is_told_before_the_first_packet():
    with pytest.raises(ValueError, match="tolerance is -1 pixels"):
        from_coco([record(bbox=BBOX)], DATASET, tolerance=-1)


def test_an_id_of_a_table_with_gaps_is_its_number_kind_6():
    (found,) = read(record(image_id=1.0, category_id=7.0, bbox=BBOX))
    assert found.label == "person"
    dataset = {**DATASET, "images": [{"id": 1, "file_name": "a.jpg", "width": 200.0, "height": "100"}]}
    (image,) = from_coco([record(bbox=BBOX)], dataset)
    assert (image.width, image.height) == (200, 100)


def test_a_category_may_be_named_by_a_number_kind_6():
    dataset = {**DATASET, "categories": [{"id": 1, "name": 12}]}
    assert [each.label for each in read(record(bbox=BBOX), dataset=dataset)] == ["12"]


# 7: files as they are on disk


@pytest.mark.parametrize(
    "write",
    [
        lambda data: codecs.BOM_UTF8 + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.decode().encode("utf-16-be"),
        gzip.compress,
        lambda data: b"\n" * 70 + data,
        lambda data: b" " * 9000 + data,
        lambda data: data.replace(b",", b",\r\n"),
    ],
)
@pytest.mark.parametrize("wrap", [list, lambda records: {"annotations": records}])
def test_what_other_systems_write_is_read_kind_7(tmp_path: Path, write: Any, wrap: Any):
    records = [record(bbox=BBOX), record(image_id=2, segmentation=[OUTLINE])]
    results = written(tmp_path / "results.json.gz", write(json.dumps(wrap(records)).encode()))
    images = written(tmp_path / "images.json", write(json.dumps(DATASET).encode()))
    assert list(from_coco(results, images)) == list(from_coco(records, DATASET))


@pytest.mark.parametrize(
    "data, told",
    [
        (b"", "is empty, so it is not JSON"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is a page of HTML or XML, not JSON"),
        (b"image_id,category_id\n1,1\n", "is not JSON: it begins with 'image_id,category_id'"),
        (b"PK\x03\x04...", "is packed by zip: unpack it first"),
        (
            b'[{"image_id": 1, "category_id": 1, "bbox": [1, 2',
            "is not JSON at record 0: parse error: premature EOF",
        ),
        (b'[{"image_id": 1}] []', "; a second value follows the first, as in JSON Lines"),
        (b'[{"image_id": "\xff"}]', "is not JSON at record 0: lexical error: invalid bytes in UTF8 string"),
        (b'[{"image_id": "\xc1\x8f"}]', "is not JSON at record 0: not UTF-8: invalid start byte"),
        (b'[{"score": NaN}]', "JSON has no NaN and no Infinity"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_by_file_kind_7(tmp_path: Path, data: bytes, told: str):
    path = written(tmp_path / "file.json", data)
    error = refused(path)
    assert error.what == str(path)
    assert told in error.problems[0]
    assert refused([], path).what == str(path)


@pytest.mark.parametrize("wrap", ["[%s]", '{"info": {}, "annotations": [%s]}'])
@pytest.mark.parametrize("before", [0, 1, 57, 3000])
def test_what_is_no_json_is_told_by_its_record_kind_7(tmp_path: Path, wrap: str, before: int):
    good = json.dumps(record(bbox=BBOX, segmentation=[OUTLINE]))
    bad = good.replace("0.9", "NaN")
    path = written(tmp_path / "r.json", (wrap % ", ".join([good] * before + [bad, good])).encode())
    (problem,) = refused(path).problems
    place = "record" if wrap.startswith("[") else "annotations"
    assert problem.startswith(f"is not JSON at {place} {before}: lexical error: invalid char in json text.")


def test_what_is_no_json_is_told_by_its_image_kind_7(tmp_path: Path):
    text = json.dumps(DATASET).replace('"b.jpg"', "b.jpg")
    (problem,) = refused([], written(tmp_path / "d.json", text.encode())).problems
    assert problem.startswith("is not JSON at images 1: lexical error")


def test_a_folder_is_no_file_kind_7(tmp_path: Path):
    error = refused(tmp_path)
    assert (error.what, error.problems) == (str(tmp_path), ["cannot be read: Is a directory"])


# Beside pycocotools


masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: st.lists(st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda pixels: np.array(pixels, dtype=np.uint8).reshape(size)
    )
)


@given(masks, st.integers(1, 40))
def test_run_lengths_are_those_of_pycocotools(mask: np.ndarray, times: int):
    wide = np.repeat(mask, times, axis=1)
    packed = runs.encode(np.asfortranarray(wide))
    for counts in (packed["counts"], packed["counts"].decode()):
        kept, shows = segmentation_of({"size": list(wide.shape), "counts": counts}, 0, 0)
        assert kept == {"size": list(wide.shape), "counts": packed["counts"].decode()}
        assert shows == bool(runs.area(packed))


@given(masks, st.data())
def test_run_lengths_that_do_not_fill_the_mask_are_refused(mask: np.ndarray, data: st.DataObject):
    text = runs.encode(np.asfortranarray(mask))["counts"].decode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(ValueError, match=r"run lengths|end in the middle"):
        segmentation_of({"size": list(mask.shape), "counts": cut}, 0, 0)


def test_pycocotools_reads_the_same_of_each_geometry(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    disc = np.hypot(x - 90, y - 50) < 30
    packed = runs.encode(np.asfortranarray(disc.astype(np.uint8)))
    mask = {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()}
    outlines = [OUTLINE, [60.25, 10, 90.5, 10, 90.5, 40.75, 60.25, 40.75]]
    annotations = [
        record(id=1, segmentation=mask, iscrowd=1),
        record(id=2, segmentation={**mask, "counts": runs_of(disc)}, iscrowd=1),
        record(id=3, segmentation=outlines, bbox=BBOX),
        record(id=4, category_id=7, keypoints=JOINTS, bbox=BBOX),
        record(id=5, bbox=[1.25, 2.5, 30.125, 40]),
    ]
    path = written(tmp_path / "both.json", {**DATASET, "info": {}, "annotations": annotations})
    theirs = COCO(str(path))
    crowd, crowd_too, polygon, pose, box = [
        each for image in from_coco(path, path, tolerance=0) for each in image.predictions
    ]
    for number, ours in enumerate((crowd, crowd_too), start=1):
        encoded = theirs.annToRLE(theirs.anns[number])
        assert ours.polygons is not None
        x0, y0, width, height = runs.toBbox(encoded)
        corners = np.concatenate([np.array(ring) for ring in ours.polygons])
        bounds = [*corners.min(axis=0), *corners.max(axis=0)]
        assert bounds == pytest.approx([x0, y0, x0 + width, y0 + height], abs=0.01)
        assert sum(area(list(ring)) for ring in ours.polygons) == runs.area(encoded)
    assert polygon.polygons is not None
    flat = [np.array(ring).ravel().tolist() for ring in polygon.polygons]
    assert runs.frPyObjects(flat, HEIGHT, WIDTH) == runs.frPyObjects(outlines, HEIGHT, WIDTH)
    assert pose.keypoints is not None
    triples = np.array(theirs.anns[4]["keypoints"]).reshape(-1, 3)
    found = [(point.x, point.y) for point in pose.keypoints.points if point]
    assert found == [(x, y) for x, y, v in triples if v]
    (theirs_box,) = theirs.loadRes([annotations[-1]]).anns.values()
    x0, y0, width, height = theirs_box["bbox"]
    assert box.box == pytest.approx((x0, y0, x0 + width, y0 + height), abs=0.01)


def runs_of(mask: np.ndarray) -> list[int]:
    """Run lengths as annotators write crowds: a list that begins with unset pixels."""
    flat = mask.flatten(order="F").astype(int)
    changes = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *changes, len(flat)]).tolist()
    return [0, *lengths] if flat[0] else lengths
