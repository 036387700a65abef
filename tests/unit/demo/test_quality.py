"""The report on the models counts hits, misses and false boxes."""

from __future__ import annotations

from demo.media import PHOTOS, SCANS, photo_name
from demo.quality import describe, judge_faces, judge_lines
from demo.stored import Stored

ASTRONAUT = PHOTOS[0]


def stored(name: str, *boxes: tuple[int, int, int, int]) -> Stored:
    edges = ("x_min", "y_min", "x_max", "y_max")
    return Stored(1, name, "image", 0, tuple(dict(zip(edges, box, strict=True)) for box in boxes))


def judge(*boxes: tuple[int, int, int, int]):
    (faces,) = judge_faces([stored(photo_name(ASTRONAUT), *boxes)])
    return faces.visible, faces.found, faces.missed, faces.false


def test_a_box_on_the_face_is_a_hit():
    assert judge(ASTRONAUT.faces[0]) == (1, 1, 0, 0)


def test_a_box_elsewhere_is_false_and_the_face_missed():
    assert judge((400, 400, 450, 450)) == (1, 0, 1, 1)


def test_a_second_box_on_the_same_face_is_false():
    assert judge(ASTRONAUT.faces[0], ASTRONAUT.faces[0]) == (1, 1, 0, 1)


def test_no_box_at_all():
    assert judge() == (1, 0, 1, 0)


def test_a_box_where_there_is_no_face_is_false():
    (faces,) = judge_faces([stored("photo-coffee.png", (1, 1, 50, 50))])
    assert (faces.visible, faces.found, faces.false) == (0, 0, 1)


def test_the_report_names_what_is_wrong():
    faces = judge_faces([stored("photo-astronaut.png"), stored("photo-coffee.png", (1, 1, 50, 50))])
    lines = judge_lines([stored("page-0.png", (1, 1, 9, 9))])
    text = describe(faces, lines)
    assert text[0].startswith("faces: 1 visible, 0 found, 1 missed, 1 boxes where there is no face (")
    assert any("photo-coffee.png: 0 visible, 0 found, 1 false" in line for line in text)
    assert text[-1].startswith(f"text on page-0.png: 1 regions for {SCANS[0].lines} lines")
