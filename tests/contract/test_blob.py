"""Packets from storage connections, and the connections (server.md 2.7 and 2.15).

They need a connection ``amazon_aws`` in the project; its bucket is not touched. A ``media.type`` that the
server does not know would hang a row for ever, so that is tried on the emulator alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from .deployment import UNKNOWN_ID, Deployment, body_of
from .media_server import picture
from .world import World

CONNECTIONS = "/api/project/{p}/connections"


def connections(deployment: Deployment, level: str = "admin") -> list[dict[str, Any]]:
    answer = deployment.send("GET", CONNECTIONS, level)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["connection_list"]
    return found


def connection_of(deployment: Deployment, provider: str) -> int:
    """Return the id of a connection of a provider that can sign addresses, or skip the test."""
    for one in connections(deployment):
        if one["integration_name"] == provider and one["exists_private_secret"]:
            return int(one["id"])
    pytest.skip(f"the project has no connection {provider} with a secret, and only a person can make one")


def blob(deployment: Deployment, **body: Any) -> dict[str, Any]:
    """Return what makes a packet one of an object in storage; the object need not exist (quirk 46)."""
    sent = {
        "type": "from_blob_path",
        "bucket_name": f"{deployment.prefix}-no-such-bucket",
        "raw_data_blob_path": "dir/a.jpg",
        "media": {"type": "image"},
    }
    return {"connection_id": connection_of(deployment, "amazon_aws"), **sent, **body}


@pytest.fixture(scope="module")
def rows(module_world: World) -> dict[str, dict[str, Any]]:
    """Packets of objects, sent at once and settled."""
    world, deployment = module_world, module_world.deployment
    body = blob(deployment)
    existing = world.uploaded("taken.png", picture())
    parent = world.new_compound("parent")
    plain = {
        "type": None,
        "raw_data_blob_path": None,
        "media": {"url": f"{world.media.url}/tiny.png", "type": "image"},
    }
    changes: dict[str, dict[str, Any]] = {
        "image": {"instance_list": [world.box(), world.box(x_max=50)]},
        "child": {"parent_file_id": parent, "ordinal": 4},
        "no extension": {"original_filename": f"noext{parent}"},
        "leading slash": {"raw_data_blob_path": "/dir/a.jpg"},
        "duplicate": {"original_filename": "taken.png"},
        "nameless": {"original_filename": None},
        "unknown label": {"instance_list": [world.box(label_file_id=UNKNOWN_ID)]},
        "video": {"original_filename": "a.mp4", "media": {"type": "video"}},
        "text": {"original_filename": "a.txt", "media": {"type": "text"}},
        "url with connection": plain,
    }
    ids = world.all_accepted(*({**body, **change} for change in changes.values()))
    found = {name: world.settled(input_id) for name, input_id in zip(changes, ids, strict=True)}
    found["existing"] = existing
    return found


def test_q21_q57_connections_are_listed_without_their_secrets(deployment: Deployment) -> None:
    answer = deployment.send("GET", CONNECTIONS)
    assert (answer.status_code, answer.json()["log"]["success"]) == (200, False)
    connection = connection_of(deployment, "amazon_aws")
    (one,) = (one for one in answer.json()["connection_list"] if one["id"] == connection)
    assert one["exists_private_secret"] is True
    assert not {"private_secret", "private_key", "secret"} & set(one)
    assert one["archived"] is False


def test_a_viewer_sees_the_same_connections(deployment: Deployment) -> None:
    assert connections(deployment, "Viewer") == connections(deployment)


@pytest.mark.parametrize(
    "change, key",
    [
        ({"connection_id": None}, "connection_id"),
        ({"connection_id": UNKNOWN_ID}, "connection_id"),
        ({"bucket_name": None}, "bucket_name"),
        ({"media": {}}, "media.type"),
        ({"raw_data_blob_path": None}, "raw_data_blob_path"),
    ],
    ids=["no_connection", "unknown_connection", "bucket", "media_type", "path"],
)
def test_what_a_blob_packet_needs(module_world: World, change: dict[str, Any], key: str) -> None:
    answer = module_world.packet(**blob(module_world.deployment, **change))
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, [key])


def test_other_providers_are_unsupported(module_world: World) -> None:
    minio = connection_of(module_world.deployment, "minio")
    answer = module_world.packet(**{**blob(module_world.deployment), "connection_id": minio})
    assert answer.status_code == 400
    assert {"unsupported", "supported_providers"} & set(answer.json()["log"]["error"])


def test_a_connection_of_another_project_is_403(module_world: World) -> None:
    deployment = module_world.deployment
    project = deployment.access("other").project
    listing = deployment.send("GET", f"/api/project/{project}/connections", "other")
    listed = body_of(listing)["connection_list"]
    foreign = [one["id"] for one in listed if one["integration_name"] == "amazon_aws"]
    if not foreign:
        pytest.skip("the other project has no connection amazon_aws, and only a person can make one")
    body = {
        "directory_id": module_world.dataset,
        "original_filename": "a.jpg",
        **blob(deployment, connection_id=foreign[0]),
    }
    assert module_world.admitted(body).status_code == 403


def test_q46_success_does_not_prove_the_object(module_world: World, rows: dict[str, dict[str, Any]]) -> None:
    row = rows["image"]
    assert (row["status"], row["source"], row["raw_data_blob_path"]) == (
        "success",
        "from_blob_path",
        "dir/a.jpg",
    )
    file = module_world.view(row["file_id"])
    assert (file["image"]["width"], file["image"]["height"]) == (None, None)
    assert file["count_instances_changed"] == len(module_world.instances(row["file_id"])) == 2
    assert file["connection_id"] is not None
    assert file["bucket_name"].endswith("-no-such-bucket")
    assert file["image"]["url_signed"]


def test_a_blob_may_be_a_child(module_world: World, rows: dict[str, dict[str, Any]]) -> None:
    row = rows["child"]
    assert row["status"] == "success"
    (child,) = module_world.children(row["parent_file_id"])
    assert (child["id"], child["ordinal"]) == (row["file_id"], 4)


@pytest.mark.parametrize("name", ["no extension", "leading slash"])
def test_q57_success_whatever_the_key_and_the_name(rows: dict[str, dict[str, Any]], name: str) -> None:
    assert rows[name]["status"] == "success"


def test_q57_a_key_is_kept_literally(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["leading slash"]["raw_data_blob_path"] == "/dir/a.jpg"


def test_q17_a_duplicate_names_the_existing_file(rows: dict[str, dict[str, Any]]) -> None:
    row, existing = rows["duplicate"], rows["existing"]["file"]["id"]
    assert (row["status"], row["file_id"]) == ("failed", None)
    assert row["status_text"].endswith(f"Already Exists in Dir. Existing ID is:{existing}")
    assert row["update_log"]["error"]["existing_file_id"] == existing


def test_q37_a_nameless_blob_is_a_duplicate_of_anything(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["nameless"]["status"] == "failed"
    assert rows["nameless"]["status_text"].startswith("Filename None Already Exists in Dir.")


def test_q05_an_unknown_label_leaves_the_file(module_world: World, rows: dict[str, dict[str, Any]]) -> None:
    row = rows["unknown label"]
    assert row["status"] == "failed"
    assert module_world.view(row["file_id"])["count_instances_changed"] is None


def test_q57_a_video_never_works(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["video"]
    assert (row["status"], row["file_id"]) == ("failed", None)
    assert row["status_text"].startswith("Could not load video.")


def test_q57_a_text_never_works(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["text"]
    assert row["status"] == "failed"
    assert row["status_text"].startswith("Version")
    assert row["description"]
    assert row["update_log"]["error"]["text_file_upload"]


def test_q58_a_connection_on_a_url_packet_spoils_the_address(
    module_world: World, rows: dict[str, dict[str, Any]]
) -> None:
    """The address is signed for the connection's bucket, where the image is not."""
    row = rows["url with connection"]
    assert row["status"] == "success"
    file = module_world.view(row["file_id"])
    assert f"{module_world.deployment.prefix}-no-such-bucket" in file["image"]["url_signed"]
