"""How a row tells why it failed, and which names collide (server.md 3.3 to 3.6)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .deployment import UNKNOWN_ID
from .media_server import picture
from .stranger import Stranger
from .world import World

CLEAN = {"error": {}, "info": {}, "success": False}
TEXT: dict[str, Any] = {"type": "from_text_data", "text_data": "x", "media": {"type": "text"}}


@pytest.fixture(scope="module")
def existing(module_world: World) -> int:
    """A root file named ``taken.png``."""
    return int(module_world.uploaded("taken.png", picture())["file"]["id"])


@pytest.fixture(scope="module")
def sent(module_world: World, existing: int) -> dict[str, int]:
    """Inputs that fail, sent together, by name."""
    world = module_world
    content = picture(200, 200)
    world.media.files["/half.png"] = content[: len(content) // 2]

    def medium(path: str, kind: str = "image") -> dict[str, Any]:
        return {"media": {"url": path if "://" in path else world.media.url + path, "type": kind}}

    parent = world.new_compound("parent")
    bodies: dict[str, dict[str, Any]] = {
        "no http": medium("ftp://x/a.png"),
        "no dot": {"original_filename": None, **medium("/plain")},
        "empty": medium("/empty.png"),
        "half": medium("/half.png"),
        "rubbish": medium("/text.png"),
        "text by url": {"original_filename": None, **medium("/note.txt", "text")},
        "no extension": {"original_filename": "noext"},
        "two dots": {"original_filename": None, **medium("/cat.v2.jpg")},
        "missing": medium("/missing.jpg"),
        "refused": medium("http://127.0.0.1:9/x.jpg"),
        "odd type": {"type": "from_nowhere"},
        "null": {"instance_list": [None]},
        "bad label": {"instance_list": [world.box(label_file_id=UNKNOWN_ID)]},
        "taken": {"original_filename": "taken.png"},
        "taken by text": {"original_filename": "taken.png", **TEXT},
        "taken by child": {"original_filename": "taken.png", "parent_file_id": parent},
        "nameless": {"original_filename": None, **TEXT},
        "no mode": {"file_id": existing, "media": {}, "original_filename": None},
    }
    return dict(zip(bodies, world.all_accepted(*bodies.values()), strict=True))


@pytest.mark.parametrize(
    "case, text",
    [
        ("no http", "Invalid url (Did not start with http)"),
        ("no dot", "Invalid extension, check filename"),
        ("text by url", "Invalid media type: .txt"),
    ],
)
def test_q34_urls_that_cannot_be(module_world: World, sent: dict[str, int], case: str, text: str) -> None:
    row = module_world.failed(sent[case])
    assert (row["status_text"], row["file_id"], row["percent_complete"]) == (text, None, 0)
    if case != "text by url":
        assert row["update_log"]["error"]["status_text"] == text


@pytest.mark.parametrize("case", ["empty", "half", "rubbish"])
def test_what_is_no_image(module_world: World, sent: dict[str, int], case: str) -> None:
    row = module_world.failed(sent[case])
    assert (row["status_text"], row["update_log"]) == ("Could not open file", CLEAN)
    assert (row["file_id"], row["percent_complete"]) == (None, 0)


def test_q35_a_name_without_extension_fails(module_world: World, sent: dict[str, int]) -> None:
    row = module_world.failed(sent["no extension"])
    assert row["status_text"].startswith("Extension: ")
    assert "not supported yet" in row["status_text"]
    assert (row["update_log"], row["file_id"]) == (CLEAN, None)


def test_q36_a_name_with_two_dots_is_mangled(module_world: World, sent: dict[str, int]) -> None:
    assert module_world.failed(sent["two dots"])["original_filename"] == "cat.v2"


def test_q38_the_page_of_a_404_is_in_the_status_text(module_world: World, sent: dict[str, int]) -> None:
    row = module_world.failed(sent["missing"])
    assert row["status_text"].startswith("Exceeded retry limit, no valid response (404) from ")
    assert "Nothing matches the given URI." in row["status_text"]
    assert row["update_log"]["error"]["status_text"] == row["status_text"]
    assert (row["file_id"], row["percent_complete"]) == (None, 0)


def test_a_refused_connection(module_world: World, sent: dict[str, int]) -> None:
    row = module_world.failed(sent["refused"])
    assert row["status_text"] == "Error downloading media."
    assert {"download_media", "trace"} <= set(row["update_log"])
    assert {"process_one_image", "trace"} <= set(row["update_log"]["error"])
    assert row["file_id"] is None


def test_an_unknown_type_of_packet(module_world: World, sent: dict[str, int]) -> None:
    """The status_text is that of a good row; the reason is in the log alone."""
    row = module_world.failed(sent["odd type"])
    assert row["status_text"].startswith("Version")
    assert row["update_log"]["error"]["process_one_image"]
    assert (row["source"], row["file_id"]) == ("from_nowhere", None)


def test_file_id_without_mode(module_world: World, sent: dict[str, int], existing: int) -> None:
    row = module_world.failed(sent["no mode"])
    assert (row["status_text"], row["file_id"]) == ("Invalid url (None provided)", existing)


def test_q30_null_in_the_list_hides_its_reason(module_world: World, sent: dict[str, int]) -> None:
    row = module_world.failed(sent["null"])
    assert row["status_text"].startswith("Version")
    assert row["update_log"]["error"]["process_one_image"] == "Instance cannot be None"
    assert (row["instance_list"], row["percent_complete"]) == ({}, 0)
    assert module_world.instances(row["file_id"]) == []


def test_q02_q05_a_bad_label_fails_a_row_that_owns_a_file(module_world: World, sent: dict[str, int]) -> None:
    row = module_world.failed(sent["bad label"])
    assert (row["percent_complete"], row["update_log"]) == (100, CLEAN)
    assert row["status_text"].startswith("Instance List Error:{'valid_label_file': ")
    file = module_world.view(row["file_id"])
    assert (file["state"] != "removed", file["count_instances_changed"]) == (True, None)
    assert module_world.instances(row["file_id"]) == []


@pytest.mark.parametrize("case", ["taken", "taken by text", "taken by child"])
def test_q17_q18_a_name_that_is_taken(
    module_world: World, sent: dict[str, int], existing: int, case: str
) -> None:
    """The log depends on the source; children collide with root files too."""
    row = module_world.failed(sent[case])
    text = f"Filename taken.png Already Exists in Dir. Existing ID is:{existing}"
    log = {"existing_file_id": existing} if case == "taken by text" else {"status_text": text}
    assert (row["status_text"], row["update_log"]["error"]) == (text, log)
    assert (row["file_id"], row["percent_complete"]) == (None, 0)


def test_q37_nameless_text_collides_with_any_root_file(module_world: World, sent: dict[str, int]) -> None:
    text = module_world.failed(sent["nameless"])["status_text"]
    assert re.fullmatch(r"Filename None Already Exists in Dir\. Existing ID is:\d+", text)


def test_q17_names_are_compared_without_a_lock(world: World) -> None:
    """Sent at once, one of them wins or both do; a loser names the file that is there."""
    slow = {"url": f"{world.media.url}/slow.png", "type": "image"}
    body = {"original_filename": "twice.png", "media": slow}
    rows = world.all_ingested(body, body)
    made = {row["file_id"] for row in rows if row["status"] == "success"}
    assert made == {file["id"] for file in world.files()}
    assert made
    for row in rows:
        if row["status"] == "failed":
            assert row["status_text"].endswith(f"Already Exists in Dir. Existing ID is:{max(made)}")


def test_q18_children_of_one_name(world: World) -> None:
    """They do not collide with each other, nor does a root file with them; they do with a root file."""
    one, two = world.new_compound("one"), world.new_compound("two")
    for parent in (one, one, two):
        world.uploaded("c.png", picture(), parent_file_id=parent)
    assert [len(world.children(parent)) for parent in (one, two)] == [2, 1]
    root = world.uploaded("c.png", picture())["file"]["id"]
    late = world.from_local("c.png", picture(), parent_file_id=two)
    assert late.status_code == 400
    assert late.json()["input"]["status_text"].endswith(f"Already Exists in Dir. Existing ID is:{root}")


def test_names_are_compared_within_a_dataset(world: World) -> None:
    world.uploaded("a.png", picture())
    other = world.deployment.new_dataset(f"{world.name} other")
    world.uploaded("a.png", picture(), directory_id=other)


def test_names_are_compared_exactly(world: World) -> None:
    for name in ("a.png", "A.png", "a.b.png"):
        world.uploaded(name, picture())
    assert len(world.files()) == 3


def test_a_dataset_of_another_project_is_refused_by_the_row(world: World, stranger: Stranger) -> None:
    row = world.failed(world.accepted(directory_id=stranger.dataset))
    assert (row["status_text"], row["update_log"]) == ("Invalid directory permission.", CLEAN)
    assert (row["directory"], row["file_id"]) == (None, None)
