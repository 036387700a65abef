"""Every recorded pair is sent to the emulator, and its answer must be the recorded one.

Ids, times, signatures and hosts are made equal first (see :mod:`.normal`); all else, key by key and text by
text, must be.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from world import World

from .cases import CASES, Pair, Ready
from .normal import normal

PAIRS = {path.stem: path for path in (Path(__file__).parents[3] / "tests" / "recorded").glob("*.json")}

EXCEPTIONS: dict[str, tuple[str, ...]] = {
    # 200 files were in the recorded dataset; who made the instances is not known.
    "probe_file_list_explorer": ("file_count", "total_pages", "next_page", "member_created_id", "query"),
    # Other rows had been there before those of the list.
    "fast_update_after_person": ("count_instances_changed", "instance_list_existing_ids"),
    # Those of the recorded server's people are masked.
    **dict.fromkeys(
        (f"loop_instance_history_{story}" for story in ("deleted", "lost_stale", "moved")),
        ("first_name", "last_name"),
    ),
    # What is in the server's cache depends on what it was asked before; bulky labels were left out.
    **dict.fromkeys(("loop_job_list_search", "loop_job_list_with_tags"), ("cache_info", "label_dict")),
    # The emulator reads the language of queries with another parser.
    "loop_job_add_files_badquery": ("parser",),
    # The traces are those of another program.
    "packet_media_connection_refused__input_view_final": ("trace", "download_media"),
}

_MASKED = ("url_signed", "url_signed_thumb", "tokens_url_signed")
"""Of later recordings the whole URL is masked."""
PROJECTS = {"probe-fast": "demo-project", "probe-loop": "demo-project"}
WITHOUT_ORDER = ("probe_file_list_explorer",)


def test_every_pair_is_replayed() -> None:
    assert set(CASES) == set(PAIRS)


@pytest.mark.parametrize("name", sorted(CASES))
def test_recorded_pair(world: World, name: str) -> None:
    pair: Pair = json.loads(PAIRS[name].read_text())
    answer = _send(world, pair, CASES[name](world, pair))
    recorded = pair["response"]
    if name == "loop_job_add_files" or name.endswith("no_consumer"):
        assert answer.json() == json.loads(answer.request.body or "")["file_id_list"]
        recorded = {**recorded, "body": answer.json()}
    assert answer.status_code == recorded["status"], answer.text
    told = _without(name, normal(_body(answer), hosts=_hosts(world)))
    wanted = _without(name, normal(recorded["body"], hosts=PROJECTS))
    if name in WITHOUT_ORDER:
        for body in (told, wanted):
            body["file_list"].sort(key=lambda file: file["count_instances_changed"] or 0)
    assert _cut_like(told, wanted) == wanted
    _compare_headers(answer, recorded["headers"])


def _body(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _hosts(world: World) -> dict[str, str]:
    return {
        world.media.url: "http://media.test",
        world.emulator.url + "/storage/": "http://storage.test/",
        world.project: "demo-project",
        "host='127.0.0.1', port=9": "host='media.test', port=9",
    }


def _without(name: str, value: Any) -> Any:
    keys = EXCEPTIONS.get(name, ())
    if name.startswith(("fast_", "loop_")):
        keys += _MASKED
    if isinstance(value, dict):
        if "label_dict" in keys:
            value = {key: one for key, one in value.items() if key != "label_dict"}
        return {key: "<free>" if key in keys else _without(name, one) for key, one in value.items()}
    return [_without(name, one) for one in value] if isinstance(value, list) else value


def _cut_like(told: Any, wanted: Any) -> Any:
    """Return an answer with its lists cut where the recording is, which says how many more there were."""
    if isinstance(told, dict) and isinstance(wanted, dict):
        return {key: _cut_like(one, wanted.get(key)) for key, one in told.items()}
    if not isinstance(told, list) or not isinstance(wanted, list):
        return told
    more = re.fullmatch(r"\.\.\. (\d+) more", str(wanted[-1])) if wanted else None
    if more is not None and len(told) == len(wanted) - 1 + int(more[1]):
        told = [*told[: len(wanted) - 1], wanted[-1]]
    return [_cut_like(one, other) for one, other in itertools.zip_longest(told, wanted)]


def _compare_headers(answer: requests.Response, recorded: dict[str, str]) -> None:
    assert answer.headers["content-type"] == recorded["content-type"]
    limits = {key for key in recorded if key.startswith("x-ratelimit") or key == "retry-after"}
    present = {key.lower() for key in answer.headers}
    assert {key for key in present if key.startswith("x-ratelimit") or key == "retry-after"} == limits
    if limits:
        assert answer.headers["x-ratelimit-limit"] == recorded["x-ratelimit-limit"]
    if recorded.get("retry-after") not in (None, "0"):
        assert answer.headers["retry-after"] == recorded["retry-after"]


def _send(world: World, pair: Pair, ready: Ready) -> requests.Response:
    request = pair["request"]
    path = re.sub(r"/project/(demo-project|probe-\w+)/", "/project/{p}/", request["path"])
    if ready.path is not None and _same_route(path, ready.path):
        path = ready.path
    headers = {**ready.headers, **request.get("headers", {})}
    options: dict[str, Any] = {"headers": headers}
    body = request["body"]
    if isinstance(body, dict) and "multipart" in body:
        options["files"] = [_part(world, part, ready) for part in body["multipart"]]
    elif body is not None:
        options["json"] = _translated(world, body, ready) if ready.body is None else ready.body
    role: str | None = ready.role
    if role == "bad":
        token = base64.b64encode(f"{world.emulator.client_id}:wrong".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
        role = None
    return world.send(request["method"], path, role, **options)


def _same_route(recorded: str, ready: str) -> bool:
    """Tell whether two paths differ in numbers alone: one state serves pairs of several routes."""

    def shape(path: str) -> list[str]:
        return ["#" if part.isdecimal() else part for part in path.partition("?")[0].split("/")]

    return shape(recorded) == shape(ready)


def _part(world: World, part: dict[str, Any], ready: Ready) -> tuple[str, tuple[Any, ...]]:
    name = part["name"]
    if "filename" in part:
        return name, (part["filename"], ready.content, part.get("content_type", "application/octet-stream"))
    value = part["value"]
    if name == "json":
        value = json.dumps(_translated(world, json.loads(value), ready))
    elif name == "directory_id":
        value = str(world.dataset)
    elif name in ready.ids:
        value = str(ready.ids[name])
    elif name == "dzuuid":
        value = f"{world.project}-{value}"
    return name, (None, value, part.get("content_type", "text/plain"))


def _translated(world: World, value: Any, ready: Ready, key: str = "") -> Any:
    """Return a recorded body with this world's ids and hosts."""
    if key in ready.ids:
        return ready.ids[key]
    if isinstance(value, dict):
        return {name: _translated(world, one, ready, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_translated(world, one, ready) for one in value]
    if key == "directory_id":
        return world.dataset
    if key == "label_file_id":
        return world.labels[value - 1]
    if key == "project_string_id":
        return world.project
    if isinstance(value, str):
        return value.replace("http://media.test", world.media.url)
    return value
