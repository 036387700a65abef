"""Pascal VOC files as people have them: each read right, or refused by file and object."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import RawImage, RawPrediction, from_voc

SIZE = "<size><width>200</width><height>100</height></size>"


def annotation(*objects: str, name: str = "a.jpg", size: str = SIZE) -> str:
    return f"<annotation><filename>{name}</filename>{size}{''.join(objects)}</annotation>"


def box(*edges: Any, name: str = "cat", more: str = "") -> str:
    tags = "".join(
        f"<{tag}>{edge}</{tag}>"
        for tag, edge in zip(("xmin", "ymin", "xmax", "ymax"), edges or (11, 21, 40, 60), strict=True)
    )
    return f"<object><name>{name}</name>{more}<bndbox>{tags}</bndbox></object>"


def read(folder: Path, text: str | bytes, **options: Any) -> RawImage:
    file = folder / "a.xml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    (image,) = from_voc(file, **options)
    return image


def one(folder: Path, *objects: str, **options: Any) -> RawPrediction:
    (prediction,) = read(folder, annotation(*objects), **options).predictions
    return prediction


def refused(folder: Path, text: str | bytes, **options: Any) -> str:
    with pytest.raises(InvalidValueError) as caught:
        read(folder, text, **options)
    assert caught.value.what == str(folder / "a.xml")
    return "\n".join(caught.value.problems)


def test_shares_are_no_pixels_kind_1(tmp_path: Path):
    told = refused(tmp_path, annotation(box(), box(0.1, 0.2, 0.5, 0.6)), one_based=False)
    assert told == "object 1: its <bndbox> is [0.1, 0.2, 0.5, 0.6], shares of the size and not pixels"


def test_pixels_that_count_from_0_are_not_shifted_kind_1(tmp_path: Path):
    told = refused(tmp_path, annotation(box(0, 5, 40, 60)))
    assert told == "object 0: its <bndbox> begins at 0, so pixels count from 0 here: say one_based=False"
    assert one(tmp_path, box(0, 5, 40, 60), one_based=False).box == (0, 5, 40, 60)


@pytest.mark.parametrize("first", [0.25, 0.99])
def test_what_begins_between_0_and_1_counts_from_0_kind_1(tmp_path: Path, first: float):
    told = refused(tmp_path, annotation(box(5, first, 40, 60)))
    assert (
        told == f"object 0: its <bndbox> begins at {first}, so pixels count from 0 here: say one_based=False"
    )


def outline(*corners: float, more: str = "") -> str:
    tags = "".join(
        f"<{axis}{place}>{value}</{axis}{place}>"
        for place, pair in enumerate(zip(corners[::2], corners[1::2], strict=True), start=1)
        for axis, value in zip("xy", pair, strict=True)
    )
    return f"<object><name>cat</name>{more}<polygon>{tags}</polygon></object>"


def test_corners_of_an_outline_that_count_from_0_are_not_shifted_kind_1(tmp_path: Path):
    from_0 = outline(0, 5, 40, 5, 40, 60)
    told = refused(tmp_path, annotation(from_0))
    assert told == "object 0: its <polygon> begins at 0, so pixels count from 0 here: say one_based=False"
    assert one(tmp_path, from_0, one_based=False).polygons == [[(0, 5), (40, 5), (40, 60)]]
    assert one(tmp_path, outline(1, 6, 41, 6, 41, 61)).polygons == [[(0, 5), (40, 5), (40, 60)]]


@pytest.mark.parametrize("one_based", [True, False])
def test_corners_in_shares_are_no_pixels_kind_1(tmp_path: Path, one_based: bool):
    told = refused(tmp_path, annotation(outline(0.1, 0.2, 0.5, 0.2, 0.5, 0.6)), one_based=one_based)
    assert told == "object 0: its <polygon> is [0.1, 0.2, 0.5, 0.6], shares of the size and not pixels"


@pytest.mark.parametrize("tag", ["score", "confidence", "conf", "probability", "prob"])
def test_a_score_is_read_by_each_of_its_names_kind_5(tmp_path: Path, tag: str):
    assert one(tmp_path, box(more=f"<{tag}>0.75</{tag}>")).score == 0.75


@pytest.mark.parametrize(
    "text, told",
    [
        (annotation(box(more="<name>dog</name>")), "object 0: has 2 <name>: keep one"),
        (annotation(box()).replace("<xmin>", "<xmin>1</xmin><xmin>"), "object 0: has 2 <xmin>: keep one"),
        (
            annotation(box()).replace("<filename>", "<filename>b.jpg</filename><filename>"),
            "has 2 <filename>: keep one",
        ),
        (annotation(box(), size=SIZE * 2), "cannot be read: has 2 <size/width>: keep one"),
        (
            annotation(outline(1, 1, 9, 1, 9, 9, more="<polygon><x1>1</x1><y1>1</y1></polygon>")),
            "object 0: has 2 <polygon>: keep one",
        ),
        (
            annotation(box(more="<score>0.9</score><confidence>0.2</confidence>")),
            "object 0: has several scores, <score> 0.9, <confidence> 0.2: keep one",
        ),
    ],
)
def test_what_is_there_twice_is_refused_kind_4(tmp_path: Path, text: str, told: str):
    assert refused(tmp_path, text) == told


def test_a_score_that_is_there_by_two_names_is_that_score_kind_5(tmp_path: Path):
    assert one(tmp_path, box(more="<score>0.9</score><confidence>0.90</confidence>")).score == 0.9


def test_a_picture_at_hand_in_another_size_is_refused_when_packets_are_made_kind_1(tmp_path: Path):
    from PIL import Image

    from airflow_provider_diffgram.predictions import packets_of

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (200, 100)).save(tmp_path / "a.jpg", exif=exif)
    images = [read(tmp_path, annotation(box()))]
    with pytest.raises(
        InvalidValueError, match=r"they are for 200 x 100 pixels; .* has 100 x 200 once it is"
    ):
        list(packets_of(images, media=lambda image: {"path": str(tmp_path / image.name)}))


@pytest.mark.parametrize("edges", [(40, 60, 11, 21), (40, 21, 11, 60), (11, 60, 40, 21), (11, 21, 40, 60)])
def test_a_box_drawn_backwards_is_the_same_box_kind_3(tmp_path: Path, edges: tuple[int, ...]):
    assert one(tmp_path, box(*edges)).box == (10, 20, 40, 60)


def test_an_empty_outline_beside_a_box_leaves_the_box_kind_3(tmp_path: Path):
    assert one(tmp_path, box(more="<polygon/>")).box == (10, 20, 40, 60)
    lonely = "<object><name>cat</name><polygon/></object>"
    assert "corner 1 of its <polygon> has no x1" in refused(tmp_path, annotation(lonely))


def test_corners_that_are_no_pairs_are_refused_kind_3(tmp_path: Path):
    corners = "".join(f"<{axis}{place}>{place}</{axis}{place}>" for place in (1, 2, 3) for axis in "xy")
    odd = box(more=f"<polygon>{corners}<x4>9</x4></polygon>")
    assert "has 7 elements, which are not pairs of x and y" in refused(tmp_path, annotation(odd))


def test_a_part_of_an_object_is_not_lost_kind_3(tmp_path: Path):
    head = box(1, 1, 9, 9, name="head").replace("object", "part")
    image = read(tmp_path, annotation(box(more=head)))
    assert [(each.label, each.box) for each in image.predictions] == [
        ("cat", (10, 20, 40, 60)),
        ("head", (0, 0, 9, 9)),
    ]


def test_folders_of_folders_and_capitals_are_read_kind_4(tmp_path: Path):
    for name in ("train/a.xml", "b.XML"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(annotation(box(), name=f"{path.stem}.jpg"))
    assert [image.name for image in from_voc(tmp_path)] == ["b.jpg", "a.jpg"]


def test_a_folder_without_annotations_is_refused_kind_4(tmp_path: Path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InvalidValueError, match=r"holds no annotations \(.xml\), but 1 .json"):
        from_voc(tmp_path)
    with pytest.raises(InvalidValueError, match="cannot be read: No such file"):
        next(from_voc(tmp_path / "none"))


def test_two_files_about_one_picture_are_refused_kind_4(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.xml").write_text(annotation(box()))
    with pytest.raises(InvalidValueError, match=r"b\.xml: (?s:.*)is about a\.jpg, as .*a\.xml is: keep one"):
        list(from_voc(tmp_path))


@pytest.mark.parametrize(
    "text, told",
    [
        ("<annotations><image/></annotations>", "is <annotations>, not <annotation>: another format?"),
        ("<html><body/></html>", "is <html>, not <annotation>"),
        (annotation("<objects><object/></objects>"), "has 2 objects not directly in <annotation>"),
        (
            annotation("<Object/>"),
            "has 1 object not directly in <annotation>, or of another name",
        ),
        (annotation('<o:object xmlns:o="urn:o"/>'), "has 1 object not directly"),
        (annotation(name=" "), "has no <filename>"),
        (annotation("<object><name>cat</name><robndbox/></object>"), "it has <name>, <robndbox>"),
        (annotation(box(more="<bndbox/>")), "has 2 <bndbox>, needs one"),
    ],
)
def test_what_is_elsewhere_than_expected_is_refused_kind_4(tmp_path: Path, text: str, told: str):
    assert told in refused(tmp_path, text)


@pytest.mark.parametrize("score", ["", " ", "<score/>"])
def test_a_score_that_is_not_known_is_none_kind_5(tmp_path: Path, score: str):
    assert one(tmp_path, box(more=f"<score>{score}</score>" if "<" not in score else score)).score is None


@pytest.mark.parametrize("side", ["nan", "inf", "-5", "wide", "640.5"])
def test_a_size_that_is_none_is_refused_kind_5(tmp_path: Path, side: str):
    size = f"<size><width>{side}</width><height>100</height></size>"
    assert "<size/width> is" in refused(tmp_path, annotation(box(), size=size))


@pytest.mark.parametrize("edge", ["nan", "inf", "1e999", "one", "1_0_"])
def test_an_edge_that_is_no_number_is_refused_kind_5(tmp_path: Path, edge: str):
    assert (
        refused(tmp_path, annotation(box(edge, 21, 40, 60))) == f"object 0: <xmin> is {edge!r}, not a number"
    )


def test_a_label_keeps_its_text_and_cannot_be_missing_kind_6(tmp_path: Path):
    assert one(tmp_path, box(name=" 1 ")).label == "1"
    assert refused(tmp_path, annotation(box(), box(name=" "))) == "object 1: has no <name>, its class"


@pytest.mark.parametrize("declared, real", [("gb2312", "gbk"), ("utf-16", "utf-16"), ("utf-8", "utf-8-sig")])
def test_annotations_are_read_in_the_encoding_that_they_declare_kind_7(
    tmp_path: Path, declared: str, real: str
):
    text = f'<?xml version="1.0" encoding="{declared}"?>\r\n{annotation(box(name="猫"))}'
    assert read(tmp_path, text.encode(real)).predictions[0].label == "猫"
    assert read(tmp_path, gzip.compress(text.encode(real))).predictions[0].label == "猫"


@pytest.mark.parametrize(
    "data, told",
    [
        (b'<?xml version="1.0" encoding="ansi"?><annotation/>', "cannot be decoded as 'ansi'"),
        (b"<annotation>\n<name>\xe9</name></annotation>", "line 2: the byte 0xe9 is not utf-8"),
        (b"<annotation>\n<object>\n</annotation>", "line 3, column 2: is not XML"),
        (b"", "is empty"),
        (b"{}", "line 1, column 0: is not XML"),
    ],
)
def test_what_is_no_xml_is_refused_by_line_kind_7(tmp_path: Path, data: bytes, told: str):
    assert told in refused(tmp_path, data)
