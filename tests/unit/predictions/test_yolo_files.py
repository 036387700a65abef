"""YOLO's text files as people have them: each read right, or refused by file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from PIL import Image

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import RawImage, RawPrediction, from_yolo_text, read_classes

CLASSES = ["cat", "dog"]
WIDTH, HEIGHT = 200, 100
BOX = "0 .5 .5 .2 .2"
OUTLINE = "0 .1 .1 .5 .1 .5 .5 .1 .5"


def put(root: Path, name: str, text: str | bytes) -> None:
    path = root / "labels" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def picture(root: Path, name: str, size: tuple[int, int] = (WIDTH, HEIGHT), orientation: int = 1) -> None:
    path = root / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(path, exif=exif)


def images(root: Path, **options: Any) -> list[RawImage]:
    return list(from_yolo_text(root / "labels", root / "images", **{"classes": CLASSES, **options}))


def read(root: Path, text: str | bytes, **options: Any) -> list[RawPrediction]:
    put(root, "a.txt", text)
    picture(root, "a.png")
    return images(root, **options)[0].predictions


def refused(root: Path, text: str | bytes, **options: Any) -> list[str]:
    """The problems that are told of a text."""
    with pytest.raises(InvalidValueError) as caught:
        read(root, text, **options)
    assert caught.value.what == str(root / "labels" / "a.txt")
    return caught.value.problems


# 1: units and frames of reference


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_shares_are_of_the_picture_as_people_see_it_kind_1(tmp_path: Path, name: str, orientation: int):
    put(tmp_path, "a.txt", "0 .5 .25 .5 .25")
    picture(tmp_path, name, (400, 200), orientation)
    (image,) = images(tmp_path)
    size = (200, 400) if orientation > 4 else (400, 200)
    assert (image.width, image.height) == size
    x, y = size[0] / 4, size[1] / 8
    assert image.predictions[0].box == (x, y, 3 * x, 3 * y)


@pytest.mark.parametrize("line", ["0 100 50 40 20", "0 50 50 20 20", "0 .5 .5 .2 20", "0 -40 .5 .1 .1"])
def test_pixels_and_percentages_are_no_shares_kind_1(tmp_path: Path, line: str):
    (problem,) = refused(tmp_path, f"{BOX}\n{line}")
    assert problem.startswith("line 2: ")
    assert "is not a share of the picture's size: are these pixels, or percentages?" in problem


def test_a_thing_may_reach_beyond_the_picture_kind_1(tmp_path: Path):
    (found,) = read(tmp_path, "0 0 .5 1.5 .2")
    assert found.box == (-150, 40, 150, 60)


# 2: what the numbers are


@pytest.mark.parametrize("rest, score, track", [("", None, None), (" .9", 0.9, None), (" .9 7", 0.9, 7)])
@pytest.mark.parametrize(
    "task, geometry, options",
    [
        ("detect", BOX, {}),
        ("segment", OUTLINE, {}),
        ("obb", OUTLINE, {}),
        ("pose", f"{BOX} .1 .1 .2 .2 .3 .3", {"joints": 3}),
        ("pose", f"{BOX} .1 .1 2 .2 .2 1", {"kpt_shape": (2, 3)}),
    ],
)
def test_confidence_and_track_are_told_from_the_geometry_of_each_task_kind_2(
    tmp_path: Path, task: str, geometry: str, options: Any, rest: str, score: Any, track: Any
):
    (alone,) = read(tmp_path, geometry, task=task, track=False, **options)
    (found,) = read(tmp_path, geometry + rest, task=task, **options)
    assert (found.score, found.track) == (score, track)
    assert (found.box, found.polygons, found.keypoints) == (alone.box, alone.polygons, alone.keypoints)


@pytest.mark.parametrize(
    "task, line",
    [
        ("detect", f"{BOX} 1"),
        ("detect", f"{BOX} 7"),
        ("detect", f"{BOX} .9 1"),
        ("segment", f"{OUTLINE} 1"),
        ("segment", f"{OUTLINE} .9 1"),
        ("segment", "0 .1 .1 .5 .1 .5 0"),
        ("obb", f"{OUTLINE} 3"),
        ("pose", f"{BOX} .1 .1 1 .2 .2 1"),
    ],
)
def test_what_no_line_tells_is_asked_for_kind_2(tmp_path: Path, task: str, line: str):
    (problem,) = refused(tmp_path, line, task=task, joints=2)
    assert problem.startswith("line 1: ")
    assert "set " in problem or "give kpt_shape" in problem


@pytest.mark.parametrize(
    "task, line, options, score, track",
    [
        ("detect", f"{BOX} 1", {"confidence": True}, 1.0, None),
        ("detect", f"{BOX} 1", {"track": False}, 1.0, None),
        ("detect", f"{BOX} 1", {"confidence": False}, None, 1),
        ("detect", f"{BOX} 7", {"track": True}, None, 7),
        ("detect", f"{BOX} .9 1", {"track": True}, 0.9, 1),
        ("segment", f"{OUTLINE} .9 1", {"confidence": True}, 0.9, 1),
        ("segment", f"{OUTLINE} .9 1", {"track": True}, 0.9, 1),
        ("segment", f"{OUTLINE} .9 1", {"track": False}, None, None),
        ("segment", f"{OUTLINE} 1", {"confidence": False, "track": True}, None, 1),
    ],
)
def test_what_is_said_is_read_kind_2(
    tmp_path: Path, task: str, line: str, options: Any, score: Any, track: Any
):
    (found,) = read(tmp_path, line, task=task, **options)
    assert (found.score, found.track) == (score, track)
    if found.polygons:
        assert len(found.polygons[0]) == (4 if track or score else 5)


def test_one_line_tells_of_the_others_in_all_texts_kind_2(tmp_path: Path):
    put(tmp_path, "b.txt", f"{OUTLINE} .8 7")
    picture(tmp_path, "b.png")
    (found,) = read(tmp_path, f"{OUTLINE} .9 1", task="segment")
    assert (found.score, found.track, len(found.polygons[0])) == (0.9, 1, 4)
    put(tmp_path, "b.txt", "0 .1 .1 .5 .1 .5 .5 .1 .2")
    (found,) = read(tmp_path, "0 .1 .1 .5 .1 .5 .5 .1 1", task="segment")
    assert (found.score, found.track, len(found.polygons[0])) == (None, None, 4)


def test_a_track_that_a_line_lacks_is_no_track_kind_2(tmp_path: Path):
    found = read(tmp_path, f"{BOX} .9 7\n{BOX} .8\n{BOX} 1")
    assert [(each.score, each.track) for each in found] == [(0.9, 7), (0.8, None), (1.0, None)]


@pytest.mark.parametrize(
    "task, line, told",
    [
        (
            "detect",
            "1 .1 .2 .6 .2 .35 .8",
            "two numbers follow the geometry, and the last one, 0.8, is not a track",
        ),
        ("detect", OUTLINE, "8 numbers follow the class; detect has 4 to 6: is task right?"),
        ("detect", "0 .5 .5 .2", "3 numbers follow the class; detect has 4 to 6"),
        ("segment", BOX, "4 numbers follow the class, which are not an outline. Is it a box?"),
        ("segment", f"{BOX} .9", "5 numbers follow the class, which are not an outline. Is it a box?"),
        ("segment", f"{BOX} .9 3", "6 numbers follow the class, which are not an outline. Is it a box?"),
        ("segment", f"{BOX} .9 1", "may be a track or a coordinate, and no line shows which"),
        ("obb", f"{BOX} .9", "5 numbers follow the class; obb has 8 to 10"),
        ("pose", f"{BOX} .9 7", "6 numbers follow the class; pose has 38 to 40 or 55 to 57"),
        ("detect", "0.5 .5 .5 .2 .2", "class is '0.5', not a whole number"),
        ("detect", "1_0 .5 .5 .2 .2", "class is '1_0', not a whole number"),
        ("detect", "cat .5 .5 .2 .2", "class is 'cat', not a whole number"),
        ("detect", "2 .5 .5 .2 .2", "class 2 has no name among the 2 given"),
        ("detect", "-1 .5 .5 .2 .2", "class -1 has no name"),
        ("detect", f"{BOX} .9 .5", "is not a track"),
        ("detect", f"{BOX} 87.5", "confidence is 87.5, not between 0 and 1"),
        ("detect", "0,.5,.5,.2,.2", "0 numbers follow the class|class is"),
        ("detect", "0 .5 .5 .2 1_0", "one of its numbers is '1_0', not a number"),
        ("detect", "0 .5 nan .2 .2", "one of its numbers is 'nan', not a number"),
        ("detect", "0 .5 inf .2 .2", "one of its numbers is 'inf', not a number"),
    ],
)
def test_what_does_not_fit_is_refused_by_line_kind_2(tmp_path: Path, task: str, line: str, told: str):
    good = OUTLINE[:-2] + ".4" if task in ("segment", "obb") else BOX
    text = f"{good}\n\n{line}" if task != "pose" else f"\n\n{line}"
    (problem,) = refused(tmp_path, text, task=task)
    assert problem.startswith("line 3: ")
    assert any(each in problem for each in told.split("|"))


def test_a_class_may_be_written_as_a_fraction_that_is_whole_kind_2(tmp_path: Path):
    assert read(tmp_path, "1.0 .5 .5 .2 .2")[0].label == "dog"


def test_classify_has_the_best_class_by_name_kind_2(tmp_path: Path):
    (found,) = read(tmp_path, "0.91 traffic light\n0.07 cat\n", task="classify", classes=None)
    assert (found.label, found.score, found.tag) == ("traffic light", 0.91, True)
    (problem,) = refused(tmp_path, "0.91 cow\n", task="classify")
    assert problem == "line 1: class is 'cow', not a whole number"
    problems = refused(tmp_path, f"1.5 cat\n.5\n{BOX}x\n", task="classify")
    assert [each[:7] for each in problems] == ["line 1:", "line 2:", "line 3:"]


def test_the_task_and_the_classes_are_asked_for_kind_2(tmp_path: Path):
    with pytest.raises(InvalidValueError, match="is 'boxes'; it can be detect, segment"):
        read(tmp_path, BOX, task="boxes")
    with pytest.raises(InvalidValueError, match="are missing: lines name classes by number"):
        read(tmp_path, BOX, classes=None)
    with pytest.raises(InvalidValueError, match="a joint has 2 or 3 numbers"):
        read(tmp_path, BOX, task="pose", kpt_shape=(17, 4))


# 3: not less than a pixel


@pytest.mark.parametrize("sides", [".2 -.2", "-.2 .2", "-.2 -.2"])
def test_a_box_drawn_backwards_is_the_same_box_kind_3(tmp_path: Path, sides: str):
    assert read(tmp_path, f"0 .5 .5 {sides}")[0].box == pytest.approx((80, 40, 120, 60))


@pytest.mark.parametrize("corners", [".1 .1 .5 .5 .5 .1 .1 .5", ".1 .1 .5 .1 .1 .5 .5 .5"])
def test_corners_of_a_turned_box_go_around_it_kind_3(tmp_path: Path, corners: str):
    (ring,) = read(tmp_path, f"0 {corners}", task="obb")[0].polygons
    assert set(ring) == {(20, 10), (100, 10), (100, 50), (20, 50)}
    sides = {abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)}
    assert sides == {80, 40}


def test_where_no_joint_was_found_the_box_stays_kind_3(tmp_path: Path):
    (found,) = read(tmp_path, f"{BOX} 0 0 0 .5 .5 0", task="pose", kpt_shape=(2, 3))
    assert (found.keypoints, found.box, found.by_box) == (None, pytest.approx((80, 40, 120, 60)), True)


# 4: nothing found


def test_folders_of_folders_are_read_kind_4(tmp_path: Path):
    for name in ("train/a", "val/a"):
        put(tmp_path, f"{name}.txt", BOX)
        picture(tmp_path, f"{name}.PNG")
    put(tmp_path, "classes.txt", "cat\n")
    found = images(tmp_path)
    assert [image.name.removeprefix(str(tmp_path)) for image in found] == [
        "/images/train/a.PNG",
        "/images/val/a.PNG",
    ]
    assert [len(image.predictions) for image in found] == [1, 1]


def test_a_folder_that_is_not_there_or_holds_nothing_is_refused_kind_4(tmp_path: Path):
    picture(tmp_path, "a.png")
    with pytest.raises(InvalidValueError, match=r"labels: (?s:.*)is not a folder here: texts are looked for"):
        images(tmp_path)
    put(tmp_path, "a.xml", "")
    with pytest.raises(InvalidValueError, match=r"labels: (?s:.*)holds no texts \(.txt\), but 1 .xml"):
        images(tmp_path)
    put(tmp_path, "classes.txt", "cat")
    with pytest.raises(InvalidValueError, match="holds no text but classes"):
        images(tmp_path)
    put(tmp_path, "a.txt", BOX)
    (tmp_path / "images" / "a.png").unlink()
    with pytest.raises(InvalidValueError, match=r"images: (?s:.*)holds no pictures .* but no files at all"):
        images(tmp_path)


def test_texts_that_match_no_picture_are_refused_kind_4(tmp_path: Path):
    put(tmp_path, "train/a.txt", BOX)
    picture(tmp_path, "a.png")
    with pytest.raises(InvalidValueError, match=r"1 text without a picture in .*images: train/a.txt"):
        images(tmp_path)


def test_two_pictures_of_one_text_are_refused_kind_4(tmp_path: Path):
    put(tmp_path, "a.txt", BOX)
    picture(tmp_path, "a.png")
    picture(tmp_path, "a.jpg", (400, 200))
    with pytest.raises(
        InvalidValueError, match=r"a\.jpg and a\.png differ by their extension only: keep one"
    ):
        images(tmp_path)


# 5: not known


def test_a_track_of_minus_one_is_none_kind_5(tmp_path: Path):
    found = read(tmp_path, f"{BOX} .9 -1\n{BOX} .8 3")
    assert [(each.score, each.track) for each in found] == [(0.9, None), (0.8, 3)]


def test_a_joint_whose_third_number_is_0_is_not_there_kind_5(tmp_path: Path):
    (found,) = read(tmp_path, f"{BOX} .1 .1 2 .2 .2 0 .3 .3 1", task="pose", joints=["a", "b", "c"])
    shown = [point and (point.x, point.y, point.name, point.visible) for point in found.keypoints.points]
    assert shown == [
        (pytest.approx(20), pytest.approx(10), "a", True),
        None,
        (pytest.approx(60), pytest.approx(30), "c", False),
    ]


def test_a_joint_with_a_strange_confidence_is_refused_kind_5(tmp_path: Path):
    (problem,) = refused(tmp_path, f"{BOX} .1 .1 .5 .2 .2 3 .3 .3 .1", task="pose", joints=3)
    assert "a joint has the confidence 3, not between 0 and 1" in problem


def test_an_empty_text_is_a_picture_without_predictions_kind_5(tmp_path: Path):
    put(tmp_path, "b.txt", BOX)
    picture(tmp_path, "b.png")
    assert read(tmp_path, " \n\n") == []


# 6: labels


@pytest.mark.parametrize("classes", [CLASSES, {0: "cat", 1: "dog"}, {"0": "cat", "1": "dog"}])
def test_classes_are_a_list_or_a_mapping_kind_6(tmp_path: Path, classes: Any):
    assert [each.label for each in read(tmp_path, f"{BOX}\n1{BOX[1:]}", classes=classes)] == CLASSES


def test_classes_may_be_the_file_that_holds_them_kind_6(tmp_path: Path):
    file = tmp_path / "classes.txt"
    file.write_text("cat\ndog\n")
    for classes in (file, str(file)):
        assert read(tmp_path, BOX, classes=classes)[0].label == "cat"


@pytest.mark.parametrize(
    "text",
    [
        "train: ../images\nnc: 2\nnames: [cat, dog]\n",
        "path: /data\nnames:\n  0: cat\n  1: dog\n",
        "# a comment\nnames:\n- cat\n- dog\n",
        "0: cat\n1: dog\nnames: {0: cat, 1: dog}",
        '["cat", "dog"]',
        '{"0": "cat", "1": "dog"}',
    ],
)
def test_classes_of_a_data_yaml_are_read_kind_6(tmp_path: Path, text: str):
    file = tmp_path / "data.yaml"
    file.write_text(text)
    assert read_classes(file) == CLASSES


def test_classes_of_a_data_yaml_may_have_gaps_kind_6(tmp_path: Path):
    file = tmp_path / "data.yaml"
    file.write_text("names: {0: cat, 2: dog}")
    assert read_classes(file) == {0: "cat", 2: "dog"}


@pytest.mark.parametrize(
    "text, told",
    [
        ("train: ../images\nval: ../images\n", "has no names of classes, but train, val"),
        ("names: cat\n", "names is 'cat', neither a list nor a mapping"),
        ("names:\n- cat\n-\n", "class 1 is None, which is not a name"),
        ("names:\n  zero: cat\n", "class 'zero' is 'cat', which is not a name"),
        ("names: [cat\nnc: 2\n", "line 2: is not YAML"),
        ("0 cat\n1 dog\n", "lines are numbered: give the names alone"),
        ("1: cat\n2: dog\n", "lines are numbered: give the names alone"),
        ("item {\n  name: 'cat'\n}\n", "line 1: belongs to a label map; it is not the name of a class"),
        ("cat\n\ndog\n", "line 2 is empty"),
        ("", "line 1 is empty"),
    ],
)
def test_what_is_no_list_of_classes_is_refused_kind_6(tmp_path: Path, text: str, told: str):
    file = tmp_path / "classes.txt"
    file.write_text(text)
    with pytest.raises(InvalidValueError) as caught:
        read_classes(file)
    assert caught.value.what == str(file)
    assert told in str(caught.value)


# 7: files as they are on disk


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_texts_and_classes_are_read_in_any_unicode_kind_7(tmp_path: Path, encoding: str, ending: str):
    file = tmp_path / "classes.txt"
    file.write_bytes(f"cat{ending}dog{ending}".encode(encoding))
    found = read(tmp_path, f"1{BOX[1:]}{ending}{BOX}{ending}".encode(encoding), classes=file)
    assert [each.label for each in found] == ["dog", "cat"]


def test_classes_in_a_national_encoding_are_refused_by_line_or_read_as_said_kind_7(tmp_path: Path):
    file = tmp_path / "classes.txt"
    file.write_bytes("cat\nBär\n".encode("cp1252"))
    with pytest.raises(InvalidValueError, match="line 2: the byte 0xe4 is not utf-8"):
        read_classes(file)
    assert read_classes(file, encoding="cp1252") == ["cat", "Bär"]


@pytest.mark.parametrize("data", [b"\x80\x04\x95", b"<html>\n", b"0 .5 .5 .2 .2\0"])
def test_bytes_that_are_no_text_are_refused_kind_7(tmp_path: Path, data: bytes):
    (problem,) = refused(tmp_path, data)
    assert problem.startswith("line 1: ")


def test_notes_of_the_system_are_no_texts_kind_7(tmp_path: Path):
    put(tmp_path, "._a.txt", b"\0\5\x16\7")
    assert len(read(tmp_path, BOX)) == 1


REPEATED = {
    "names:\n  0: cat\n  0: dog\n": "line 3: '0' is given twice",
    "names: [cat]\nnames: [dog]\n": "line 2: 'names' is given twice",
    "names: {0: cat, '0': dog}\n": "line 1: '0' is given twice",
    "names: {1: cat, '01': dog}\n": "names gives 2 names to 1 number: one is there twice",
    '{"0": "cat", "0": "dog"}': "line 1: '0' is given twice",
}


@pytest.mark.parametrize("text", REPEATED)
def test_a_number_with_two_names_is_refused(tmp_path: Path, text: str):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(InvalidValueError) as caught:
        read_classes(tmp_path / "data.yaml")
    assert caught.value.problems == [REPEATED[text]]


def test_what_a_merged_mapping_has_may_be_overridden(tmp_path: Path):
    (tmp_path / "data.yaml").write_text("base: &b {0: cat, 1: dog}\nnames: {<<: *b, 1: wolf}\n")
    assert read_classes(tmp_path / "data.yaml") == ["cat", "wolf"]


def test_labels_behind_a_link_to_a_folder_are_read(tmp_path: Path):
    put(tmp_path, "../real/a.txt", BOX)
    (tmp_path / "labels" / "train").symlink_to(tmp_path / "real")
    picture(tmp_path, "train/a.png")
    (image,) = images(tmp_path, classes=CLASSES)
    assert len(image.predictions) == 1


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_accent_may_be_written_in_two_ways(tmp_path: Path, forms: tuple[str, str]):
    put(tmp_path, f"{normalize(forms[0], 'été/café')}.txt", BOX)
    picture(tmp_path, f"{normalize(forms[1], 'été/café')}.png")
    (image,) = images(tmp_path)
    assert len(image.predictions) == 1
    assert image.name.endswith(f"{normalize(forms[1], 'café')}.png")


def test_a_comment_among_names_would_shift_the_classes(tmp_path: Path):
    (tmp_path / "classes.txt").write_text("# ours\ncat\n#1\n")
    with pytest.raises(
        InvalidValueError, match="line 1 is a comment, and would be counted as a class: remove"
    ):
        read_classes(tmp_path / "classes.txt")


@pytest.mark.parametrize(
    "text, name",
    [("IMG.txt", "img.png"), ("train/a.txt", "a.png"), ("a.png.txt", "a.png"), ("a.txt", "val/a.png")],
)
def test_a_text_without_a_picture_is_told_which_one_it_may_be_for(tmp_path: Path, text: str, name: str):
    put(tmp_path, text, BOX)
    picture(tmp_path, name)
    picture(tmp_path, "other.png")
    with pytest.raises(InvalidValueError, match=rf"images: {text}\. Is the first one for {name}\?$"):
        images(tmp_path)
