"""Scenes: pictures of several cameras at one moment, in one order."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.read.scenes import children_calls, pictures_in, scenes
from airflow_provider_diffgram.models import Child, InvalidValueError
from tests.integration.ingest.served_media import png

PICTURES = {
    "t10": {"left": "/d/10-l.png", "front": "/d/10-f.jpg"},
    "t9": {"front": "/d/9-f.png", "rear": "/d/9-r.png", "left": "/d/9-l.png"},
}


def places(children: list[dict[str, Any]]) -> dict[str, int]:
    return {child["original_filename"]: Child.model_validate(child).ordinal for child in children}


def test_each_moment_is_a_scene_and_a_camera_keeps_its_place():
    first, second = scenes(PICTURES, cameras=["front", "left", "right", "rear"], prefix="scene-")
    assert (first["name"], second["name"]) == ("scene-t9", "scene-t10")
    assert places(first["children"]) == {
        "scene-t9-front.png": 0,
        "scene-t9-left.png": 1,
        "scene-t9-rear.png": 3,
    }
    assert places(second["children"]) == {"scene-t10-front.jpg": 0, "scene-t10-left.png": 1}


def test_without_an_order_cameras_are_in_that_of_their_names_in_every_scene():
    pictures = {"a": {"cam10": "10.png", "cam9": "9.png"}, "b": {"cam10": "10.png"}}
    first, second = scenes(pictures)
    assert places(first["children"]) == {"a-cam9.png": 0, "a-cam10.png": 1}
    assert places(second["children"]) == {"b-cam10.png": 1}


def test_media_may_come_from_anywhere_and_carry_predictions():
    tag = {"type": "tag", "label": "cat"}
    pictures = {
        datetime(2026, 1, 2, tzinfo=UTC): {
            "front": {"url": "https://media.test/f.jpg?X-Amz-Signature=a.b"},
            "rear": {"media": {"path": Path("/d/r.png")}, "instance_list": [tag]},
        }
    }
    (scene,) = scenes(pictures)
    front, rear = [Child.model_validate(child) for child in scene["children"]]
    assert front.original_filename == "2026-01-02 00:00:00+00:00-front.jpg"
    assert front.media.url.startswith("https://media.test/f.jpg?")
    assert [each.type for each in rear.instance_list] == ["tag"]


def test_all_problems_are_told_at_once():
    with pytest.raises(InvalidValueError) as caught:
        scenes({**PICTURES, "t11": {}}, cameras=["front", "front"])
    assert caught.value.problems == [
        "camera 'front' is named twice",
        "camera 'left' is not among front, front",
        "camera 'rear' is not among front, front",
        "t11: no picture",
    ]


def test_a_folder_per_moment_is_read(tmp_path: Path):
    for name in ("9/left.png", "9/right.jpg", "10/left.png", "10/notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png())
    assert pictures_in(str(tmp_path)) == {
        "9": {"left": f"{tmp_path}/9/left.png", "right": f"{tmp_path}/9/right.jpg"},
        "10": {"left": f"{tmp_path}/10/left.png"},
    }
    (tmp_path / "9/left.jpg").write_bytes(png())
    with pytest.raises(InvalidValueError, match="the same camera at the same moment"):
        pictures_in(str(tmp_path))
    with pytest.raises(InvalidValueError, match="no media at /nowhere"):
        pictures_in("/nowhere")


def test_scenes_find_their_compound_files_by_name():
    found = scenes(PICTURES)
    parents = [{"name": "t10", "file_id": 4}, {"name": "t9", "file_id": 3}]
    assert [call["parent_file_id"] for call in children_calls(found, parents)] == [3, 4]
    assert [call["children"] for call in children_calls(found, parents)] == [
        each["children"] for each in found
    ]
    with pytest.raises(InvalidValueError, match="t9: no compound file"):
        children_calls(found, parents[:1])


def test_notes_of_a_system_are_no_cameras(tmp_path: Path):
    for name in ("t1/front.png", "t1/._front.png", ".trash/front.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png())
    assert pictures_in(str(tmp_path)) == {"t1": {"front": str(tmp_path / "t1" / "front.png")}}
