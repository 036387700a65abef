"""The reason of a failed input, for every row of the catalogue (server.md 3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.models import Input

VERSION = "Version: 2.0.0"
DUPLICATE = "Filename a.jpg Already Exists in Dir. Existing ID is:15"
NOT_FOUND = "Exceeded retry limit, no valid response (404) from http://m.test/a.jpg Response: <html>"
TRACE = "Traceback (most recent call last):\n ...\nValueError: time data '13:45:10' does not match"


def logged(**error: Any) -> dict[str, Any]:
    return {"error": error, "info": {}, "success": False}


CLEAN = logged()

CATALOGUE: dict[str, tuple[dict[str, Any], str]] = {
    "duplicate name, from_url": (
        {"status_text": DUPLICATE, "update_log": logged(status_text=DUPLICATE)},
        DUPLICATE,
    ),
    "duplicate name, other sources": (
        {"status_text": DUPLICATE, "update_log": logged(existing_file_id=15)},
        DUPLICATE,
    ),
    "the URL answers 404": (
        {"status_text": NOT_FOUND, "update_log": logged(status_text=NOT_FOUND)},
        "no valid response (404)",
    ),
    "host unknown": (
        {
            "status_text": "Error downloading media.",
            "update_log": {
                **logged(process_one_image="x", trace="t"),
                "download_media": "HTTPConnectionPool",
                "trace": "t",
            },
        },
        "Error downloading media.",
    ),
    "URL not http": (
        {
            "status_text": "Invalid url (Did not start with http)",
            "update_log": logged(status_text="Invalid url (Did not start with http)"),
        },
        "Did not start with http",
    ),
    "no URL": (
        {"status_text": "Invalid url (None provided)", "update_log": logged(), "file_id": 5},
        "None provided",
    ),
    "URL without a dot": (
        {
            "status_text": "Invalid extension, check filename",
            "update_log": logged(status_text="Invalid extension, check filename"),
        },
        "Invalid extension",
    ),
    "text by URL": (
        {
            "status_text": "Invalid media type: .txt",
            "update_log": logged(status_text="Invalid media type: .txt"),
        },
        "Invalid media type: .txt",
    ),
    "not an image": ({"status_text": "Could not open file", "update_log": CLEAN}, "Could not open file"),
    "no usable extension": (
        {"status_text": "Extension: x not supported yet. Try", "update_log": CLEAN},
        "not supported yet",
    ),
    "dataset of another project": (
        {"status_text": "Invalid directory permission.", "update_log": CLEAN},
        "Invalid directory permission.",
    ),
    "instance refused": (
        {
            "status_text": "Instance List Error:{'x_min': 'Must be an int'} On SDK?: ...",
            "update_log": CLEAN,
            "file_id": 5,
            "percent_complete": 100,
        },
        "{'x_min': 'Must be an int'}",
    ),
    "instance raising": (
        {"status_text": f"Instance List Creation error: {TRACE}", "update_log": CLEAN, "file_id": 5},
        "time data '13:45:10' does not match",
    ),
    "null among the instances": (
        {
            "status_text": VERSION,
            "update_log": logged(process_one_image="Instance cannot be None", trace="t"),
            "instance_list": {},
        },
        "Instance cannot be None",
    ),
    "unknown type": (
        {"status_text": VERSION, "update_log": logged(process_one_image="no such type")},
        "no such type",
    ),
    "replace with a bad instance": (
        {"status_text": "Instance List Error:{'height': 'Height: 0'}", "update_log": CLEAN, "file_id": 5},
        "Height: 0",
    ),
    "video, bad label, empty log": (
        {"status_text": "See Update Log", "update_log": CLEAN, "file_id": 5, "media_type": "video"},
        "the usual cause is an unknown label",
    ),
    "video, bad box": (
        {"status_text": "See Update Log", "update_log": logged(**{"Frame 5": {"width": "Width: 0"}})},
        "See Update Log: Frame 5: {'width': 'Width: 0'}",
    ),
    "video, frame key not a number": (
        {"status_text": VERSION, "update_log": logged(process_video="invalid literal for int()")},
        "invalid literal for int()",
    ),
    "video update without a map": (
        {
            "status_text": "Please provide a frame packet map...",
            "update_log": logged(frame_packet_map="Please"),
        },
        "Please provide a frame packet map",
    ),
    "video unreadable": (
        {"status_text": "Could not load video. Try again", "update_log": CLEAN},
        "Could not load video",
    ),
    "text ingest": (
        {"status_text": VERSION, "description": TRACE, "update_log": logged(text_file_upload=TRACE)},
        "time data '13:45:10' does not match",
    ),
    "full dataset": (
        {"status_text": "Reached a per directory limit...", "update_log": CLEAN},
        "per directory limit",
    ),
    "plan limit": (
        {"description": "Free Tier Limit Reached...", "update_log": logged(free_tier_limit="Free Tier")},
        "Free Tier",
    ),
    "plan limit told in the description alone": (
        {"description": "Free Tier Limit Reached...", "update_log": CLEAN},
        "Free Tier Limit Reached",
    ),
    "interrupted upload": (
        {"status_text": "Appears Upload was interrupted...", "update_log": CLEAN},
        "Upload was interrupted",
    ),
    "unknown extension of an upload, a row of nulls": (
        {"id": None, "status_text": "Invalid file type: .xyz", "update_log": None},
        "Invalid file type: .xyz",
    ),
    "after a retry": ({"status_text": "", "update_log": {}}, "the server gave no reason"),
    "printed Python": (
        {"status_text": "None", "update_log": {"error": {"status_text": "None", "x": "why"}}},
        "x: why",
    ),
    "a log that is a text": ({"status_text": VERSION, "update_log": "why"}, "error: why"),
}


@pytest.mark.parametrize("cause", CATALOGUE)
def test_the_reason_says_why(cause: str):
    row, words = CATALOGUE[cause]
    reason = Input.model_validate({"id": 1, "status": "failed", **row}).reason
    assert words in reason
    assert VERSION not in reason


@pytest.mark.parametrize("cause", CATALOGUE)
def test_only_a_duplicate_names_the_file_that_is_there_3_4(cause: str):
    row = Input.model_validate({"id": 1, "status": "failed", **CATALOGUE[cause][0]})
    assert row.existing_file_id == (15 if cause.startswith("duplicate") else None)


def video(status: str, **error: Any) -> Input:
    return Input.model_validate({"status": status, "percent_complete": 90, "update_log": logged(**error)})


def test_a_video_that_the_server_has_lost_hangs_and_says_so_quirk_62():
    lost = video("processing_frames_in_queue", process_video="'<' not supported between instances")
    assert lost.hangs
    assert "the server lost this video" in lost.reason
    assert (lost.failed, lost.succeeded) == (False, False)


@pytest.mark.parametrize(
    "row",
    [
        video("processing_frames_in_queue"),
        video("processing_frames_in_queue", **{"Frame 5": {"x_max": "must be above x_min"}}),
        video("failed", process_video="invalid literal for int()"),
        video("success", process_video="'<' not supported between instances"),
        video("retrying", process_video="'<' not supported between instances"),
        Input(status="processing_frames_in_queue", update_log={}),
        Input(status="processing_frames_in_queue"),
    ],
)
def test_no_other_video_hangs_quirk_62(row: Input):
    assert not row.hangs
    assert "lost" not in row.reason


@pytest.mark.parametrize("key", ["status_text", "description"])
@pytest.mark.parametrize("where", ["row", "log"])
def test_a_signed_url_in_a_reason_is_cut_quirk_38(key: str, where: str):
    text = "from http://s.test/a.jpg?X-Amz-Signature=0123456789 " + "page " * 500
    row = {key: text} if where == "row" else {"update_log": logged(**{key: text})}
    reason = Input.model_validate({"status": "failed", **row}).reason
    assert "http://s.test/a.jpg?..." in reason
    assert "0123456789" not in reason
    assert len(reason) <= 500
