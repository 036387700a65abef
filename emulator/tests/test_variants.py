"""The documented variant, next to the observed one (server.md 6)."""

from __future__ import annotations

from typing import Any

import pytest

from world import World

DOCUMENTED = "/api/v1/walrus/project/{p}/input/packet"


@pytest.fixture
def documented(world: World) -> World:
    """A project on a server of the documented kind."""
    world.emulator.tune(documented_variant=True)
    return world


def packet(world: World) -> dict[str, Any]:
    media = {"url": f"{world.media.url}/tiny.png", "type": "image"}
    return {"directory_id": world.dataset, "original_filename": "a.png", "media": media}


def test_a_packet_on_the_documented_path_tells_its_row(documented: World) -> None:
    answer = documented.post(DOCUMENTED, packet(documented))
    input_id = answer.json()["input_id"]
    assert (answer.status_code, type(input_id)) == (200, int)
    assert documented.settled(input_id)["status"] == "success"


def test_the_observed_path_is_not_there(documented: World) -> None:
    assert documented.packet().status_code == 404
    assert documented.inputs() == []


def test_levels_and_errors_are_the_same(documented: World) -> None:
    assert documented.post(DOCUMENTED, packet(documented), "Viewer").status_code == 403
    refused = documented.post(DOCUMENTED, {})
    assert (refused.status_code, list(refused.json()["log"]["error"])) == (400, ["directory"])


def test_q28_without_the_variant_the_documented_path_is_405(world: World) -> None:
    answer = world.post(DOCUMENTED, packet(world))
    assert (answer.status_code, answer.text) == (405, "Not found.")
    assert world.get(DOCUMENTED).status_code == 500


def test_q1_without_the_variant_the_row_is_not_told(world: World) -> None:
    assert world.packet().json()["input_id"] is None


def test_new_compound_prints_python(documented: World) -> None:
    body = {"name": "parent", "directory_id": documented.dataset}
    answer = documented.post("/api/v1/project/{p}/file/new-compound", body)
    file = answer.json()["file"]
    assert (type(file["id"]), file["ann_is_complete"]) == (int, "None")
    row = file["input"]
    assert (row["processing_deferred"], row["archived"]) == ("False", "False")
    assert (row["status"], row["total_time"], row["batch_id"]) == ("success", "None", "None")
    assert "ordinal" not in file
    assert "parent_input_id" not in row
    assert not {None, True, False} & {one for one in row.values() if not isinstance(one, dict | list | int)}
    assert documented.view(file["id"])["type"] == "compound"


def test_children_are_sent_on_the_documented_path_too(documented: World) -> None:
    parent = documented.new_compound("parent")
    sent = {**packet(documented), "parent_file_id": parent, "ordinal": 2}
    input_id = documented.post(DOCUMENTED, sent).json()["input_id"]
    documented.settled(input_id)
    path = f"/api/v1/project/{{p}}/file/{parent}/child-files"
    (child,) = documented.get(path).json()["child_files"]
    assert child["ordinal"] == 2
