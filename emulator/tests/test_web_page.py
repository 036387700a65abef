"""The pages: what was stored is to be seen, and nothing untrusted runs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
import requests

from diffgram_emulator.overlay import PALETTE, colour_of, shape
from diffgram_emulator.process import EmulatorProcess
from helpers import call, default_dataset, label, send, upload
from world import until


def page(emulator: EmulatorProcess, path: str) -> requests.Response:
    return requests.get(emulator.url + path.replace("{p}", emulator.project), timeout=10)


def box(label_file_id: int, **more: Any) -> dict[str, Any]:
    corners = {"x_min": 5, "y_min": 6, "x_max": 25, "y_max": 36}
    return {"type": "box", "label_file_id": label_file_id, **corners, **more}


def in_default(emulator: EmulatorProcess, name: str, **fields: Any) -> int:
    return int(upload(emulator, name, directory_id=default_dataset(emulator), **fields)["file"]["id"])


def test_an_image_with_its_instances_drawn_over_it(diffgram_emulator: EmulatorProcess) -> None:
    cat = label(diffgram_emulator, "cat")
    points = [{"x": 1, "y": 2}, {"x": 30.5, "y": 2}, {"x": 9, "y": 20}]
    polygon = {"type": "polygon", "label_file_id": cat, "points": points}
    run = {"model_ref": "yolo", "model_run_ref": "nightly"}
    file_id = in_default(diffgram_emulator, "a.png", instance_list=[box(cat, score=0.875, **run), polygon])
    html = page(diffgram_emulator, f"/studio/annotate/{{p}}?file={file_id}").text
    assert 'viewBox="0 0 64 48"' in html
    assert '<rect x="5.0" y="6.0" width="20.0" height="30.0"/>' in html
    assert 'points="1.0,2.0 30.5,2.0 9.0,20.0"' in html
    assert "cat 0.88" in html
    assert "yolo / nightly" in html
    (source,) = re.findall(r'<img src="([^"]+)"', html)
    assert page(diffgram_emulator, source.replace("&amp;", "&")).content.startswith(b"\x89PNG")


def test_the_pages_of_a_compound_file_are_in_order(diffgram_emulator: EmulatorProcess) -> None:
    body = {"name": "invoice", "directory_id": default_dataset(diffgram_emulator)}
    answer = call(diffgram_emulator, "POST", "/api/v1/project/{p}/file/new-compound", json=body)
    parent = answer.json()["file"]["id"]
    for ordinal in (2, 0, 1):
        in_default(diffgram_emulator, f"page-{ordinal}.png", parent_file_id=parent, ordinal=ordinal)
    html = page(diffgram_emulator, f"/studio/annotate/{{p}}?file={parent}").text
    assert re.findall(r">(page-\d\.png)<", html) == ["page-0.png", "page-1.png", "page-2.png"]
    listed = page(diffgram_emulator, "/studio/annotate/{p}/explorer").text
    assert "3 pages" in listed
    assert "page-0.png" not in listed


def test_what_cannot_be_corrected_here_says_so(diffgram_emulator: EmulatorProcess) -> None:
    body = {"name": "invoice", "directory_id": default_dataset(diffgram_emulator)}
    answer = call(diffgram_emulator, "POST", "/api/v1/project/{p}/file/new-compound", json=body)
    parent = answer.json()["file"]["id"]
    in_default(diffgram_emulator, "page-0.png", parent_file_id=parent, ordinal=0)
    text = in_default(diffgram_emulator, "a.txt", content=b"a cat")
    image = in_default(diffgram_emulator, "b.png")

    def note(file_id: int) -> str:
        html = page(diffgram_emulator, f"/studio/annotate/{{p}}?file={file_id}").text
        return "".join(re.findall(r'id="not-here">(.*?)</p>', html))

    assert note(text).startswith("Only images can be corrected here. A test or a script")
    assert note(parent) == "Open a page to correct it."
    assert note(image) == ""


def test_the_dataset_lists_its_files(diffgram_emulator: EmulatorProcess) -> None:
    cat = label(diffgram_emulator, "cat")
    in_default(diffgram_emulator, "a.png", instance_list=[box(cat), box(cat, x_max=40)])
    dataset = default_dataset(diffgram_emulator)
    html = page(diffgram_emulator, f"/studio/annotate/{{p}}/explorer?dataset_id={dataset}").text
    assert "a.png" in html
    assert "2 instances" in html
    assert f"dataset_id={dataset}" in page(diffgram_emulator, "/").text


def test_inputs_with_status_and_reason(diffgram_emulator: EmulatorProcess) -> None:
    in_default(diffgram_emulator, "good.png")
    send(diffgram_emulator, "gone.png", diffgram_emulator.url + "/nothing-here")
    path = "/studio/upload/{p}"
    until(lambda: "Exceeded retry limit" in page(diffgram_emulator, path).text, "the failure")
    html = page(diffgram_emulator, path).text
    assert html.index("gone.png") < html.index("good.png")
    assert 'class="pill failed">failed<' in html
    assert 'class="pill success">success<' in html
    assert "good.png" not in page(diffgram_emulator, path + "?status=failed").text


HOSTILE = "<script>alert(1)</script>"


def without_own_scripts(html: str) -> str:
    """Return a page without the scripts that are its own."""
    return re.sub(r'<script type="module" src="/static/[a-z]+\.js"></script>', "", html)


def test_names_and_texts_are_escaped(diffgram_emulator: EmulatorProcess) -> None:
    bad = label(diffgram_emulator, HOSTILE)
    boxes = [box(bad, creation_ref_id='"><img src=x onerror=alert(2)>')]
    file_id = in_default(diffgram_emulator, "a.png", instance_list=boxes)
    text = in_default(diffgram_emulator, "a.txt", content=HOSTILE.encode())
    body = {"name": HOSTILE, "directory_id": default_dataset(diffgram_emulator)}
    call(diffgram_emulator, "POST", "/api/v1/project/{p}/file/new-compound", json=body)
    paths = (
        f"/studio/annotate/{{p}}?file={file_id}",
        f"/studio/annotate/{{p}}?file={text}",
        "/studio/annotate/{p}/explorer",
        "/studio/upload/{p}",
    )
    for path in paths:
        answer = page(diffgram_emulator, path)
        assert "&lt;script&gt;" in answer.text
        assert "<script" not in without_own_scripts(answer.text)
        assert "<img src=x" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_names_of_projects_and_datasets_are_escaped(diffgram_emulator: EmulatorProcess) -> None:
    name = f"{diffgram_emulator.project}<script>alert(1)"
    other = diffgram_emulator.with_project(name, datasets=[HOSTILE])
    for path in ("/", f"/studio/upload/{quote(name, '')}", f"/studio/annotate/{quote(name, '')}/explorer"):
        html = page(other, path).text
        assert "&lt;script&gt;" in html
        assert "<script" not in without_own_scripts(html)


def test_hostile_geometry_is_left_out(diffgram_emulator: EmulatorProcess) -> None:
    bad = label(diffgram_emulator, "x")
    nodes = [{"id": 1, "x": 1, "y": 1, "name": HOSTILE}, {"id": 2, "x": None, "y": None}]
    keypoints = {"type": "keypoints", "label_file_id": bad, "nodes": nodes, "edges": [{"from": 1, "to": 2}]}
    file_id = in_default(diffgram_emulator, "a.png", instance_list=[keypoints])
    answer = page(diffgram_emulator, f"/studio/annotate/{{p}}?file={file_id}")
    assert answer.status_code == 200
    assert "<script" not in without_own_scripts(answer.text)


def test_an_uploaded_page_is_not_served_as_one(diffgram_emulator: EmulatorProcess) -> None:
    file_id = in_default(diffgram_emulator, "a.txt", content=b"<html><script>alert(1)</script></html>")
    body = {"file_id": file_id, "project_string_id": diffgram_emulator.project}
    url = call(diffgram_emulator, "POST", "/api/v1/file/view", json=body).json()["file"]["text"]["url_signed"]
    answer = requests.get(url, timeout=5)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/studio/annotate/nowhere/explorer",
        "/studio/upload/nowhere",
        "/studio/annotate/{p}?file=99999",
        "/studio/annotate/{p}/explorer?dataset_id=99999",
        "/nothing",
        "/storage/diffgram-storage/../emulator.sqlite",
    ],
)
def test_what_is_not_there_is_404_or_403(diffgram_emulator: EmulatorProcess, path: str) -> None:
    assert page(diffgram_emulator, path).status_code in (403, 404)


def test_files_of_another_project_are_not_shown(diffgram_emulator: EmulatorProcess) -> None:
    other = diffgram_emulator.with_project(diffgram_emulator.project + "-b")
    file_id = in_default(other, "a.png")
    assert page(diffgram_emulator, f"/studio/annotate/{{p}}?file={file_id}").status_code == 404


def corner(x: int, y: int) -> dict[str, int]:
    return {"x": x, "y": y}


FACE = {
    "top_left": corner(1, 1), "top_right": corner(5, 1), "bot_left": corner(1, 5), "bot_right": corner(5, 5)
}  # fmt: skip


@pytest.mark.parametrize(
    "geometry, tags",
    [
        ({"type": "box"}, ["rect"]),
        ({"type": "polygon", "points": [corner(1, 1), corner(5, 5)]}, ["polygon"]),
        ({"type": "point", "points": [corner(1, 1)]}, ["circle"]),
        ({"type": "line", "points": [corner(1, 1), corner(5, 5)]}, ["line"]),
        ({"type": "ellipse", "center_x": 3, "center_y": 3, "width": 2, "height": 2}, ["ellipse"]),
        ({"type": "curve", "p1": corner(1, 1), "p2": corner(5, 5), "cp": corner(3, 9)}, ["path"]),
        (
            {"type": "keypoints", "nodes": [{"id": 1, **corner(1, 1)}, {"id": 2, **corner(5, 5)}],
             "edges": [{"from": 1, "to": 2}]},
            ["line", "circle", "circle"],
        ),
        ({"type": "cuboid", "front_face": FACE, "rear_face": FACE}, ["polygon", "polygon", *["line"] * 4]),
    ],
)  # fmt: skip
def test_every_type_with_a_place_has_a_shape(geometry: dict[str, Any], tags: list[str]) -> None:
    instance = {"id": 1, "label_file_id": 3, "x_min": 1, "y_min": 1, "x_max": 5, "y_max": 5, **geometry}
    drawn = shape(instance)
    assert drawn is not None
    assert [element.tag for element in drawn.elements] == tags
    assert drawn.colour == PALETTE[3]


@pytest.mark.parametrize("kind", ["tag", "global", "text_token"])
def test_types_without_a_place_have_none(kind: str) -> None:
    assert shape({"id": 1, "type": kind, "x_min": 0, "y_min": 0}) is None


@pytest.mark.parametrize(
    "chosen, expected",
    [("#123456", "#123456"), ('"/><script>', PALETTE[3]), ("#00FF80", PALETTE[3]), (None, PALETTE[3])],
)
def test_colours(chosen: str | None, expected: str) -> None:
    instance = {"type": "box", "label_file_id": 3, "label_file": {"colour": {"hex": chosen}}}
    assert colour_of(instance) == expected
