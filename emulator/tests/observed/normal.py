"""Making a recorded answer and one of the emulator comparable: ids, times, signatures and hosts go."""

from __future__ import annotations

import json
import re
from typing import Any

_ID_KEYS = {
    "id", "file_id", "directory_id", "label_file_id", "batch_id", "parent_file_id", "project_id", "root_id",
    "model_id", "model_run_id", "previous_id", "sequence_id", "existing_file_id", "group_id", "parent_id",
    "connection_id", "job_id", "task_id", "assignee_user_id", "user_id", "member_created_id",
    "member_updated_id", "schema_id", "label_schema_id",
}  # fmt: skip
_ID_LISTS = ("deleted_instances", "missing_ids", "instance_list_existing_ids")
_UNORDERED = {"instance_list", "child_files"}
_FRAMES = {"instance_buffer_dict", "frame_packet_map"}
_PATTERNS = (
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "<rfc time>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", "<iso time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "<blank time with fraction>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<blank time>"),
    (r"^\d+:\d\d:\d\d(\.\d+)?$", "<duration>"),
    (r"^\d{10}\.\d+$", "<epoch>"),
    (r"missing the following instances IDs \[[\d, ]+\]", "missing the following instances IDs <ids>"),
    (r"Label File ID\d+does", "Label File ID<id>does"),
    (r"Existing ID is:\d+", "Existing ID is:<id>"),
    (r"<id=\d+>", "<id=<id>>"),
    (r"provider for URL regeneration \d+:", "provider for URL regeneration <id>:"),
    (r"projects/(images|text)/\d+/\d+", r"projects/\1/<id>/<id>"),
    (r"batches/\d+_batch", "batches/<id>_batch"),
    (r"http://storage\.test/", "<storage>/"),
    (r"http://[\w.:]+/storage/", "<storage>/"),
    (r"\?(signature=masked|expires=\d+&signature=[0-9a-f]+)", "?<signature>"),
    (r"(?s)Traceback \(most recent call last\):\n.*\n(\S+: [^\n]*\n)", r"<traceback> \1"),
    (r"0x[0-9a-f]+", "<address>"),
    (r"<urllib3\.connection\.HTTPConnection object at <address>>|HTTPConnection\([^)]*\)", "<connection>"),
    (r"HTTPConnectionPool\(host='[\w.]+', port=\d+\)", "HTTPConnectionPool(<media>)"),
)


def normal(value: Any, key: str = "", hosts: dict[str, str] | None = None) -> Any:
    """Return a value without what differs between two servers."""
    if isinstance(value, dict):
        if key == "retry_log" or (value and key not in _FRAMES and all(one.isdecimal() for one in value)):
            return sorted((normal(one, "", hosts) for one in value.values()), key=_text)
        if value and all(re.fullmatch(r"\d{10}\.\d+", one) for one in value):
            return sorted((normal(one, "", hosts) for one in value.values()), key=_text)
        if key == "name_to_file_id":
            return dict.fromkeys(value, "<id>")
        return {name: normal(one, name, hosts) for name, one in value.items()}
    if isinstance(value, list):
        if key in _ID_LISTS:
            return ["<id>" if isinstance(one, int) else one for one in value]
        if key == "label_file_list":
            return ["<id>"] * len(value)
        items = [normal(one, "", hosts) for one in value]
        return sorted(items, key=_text) if key in _UNORDERED else items
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and (key in _ID_KEYS or key == "name"):
        return "<id>"
    if isinstance(value, int) and key == "time_last_attempted":
        return "<epoch>"
    if isinstance(value, str):
        return _normal_text(value, key, hosts or {})
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _normal_text(text: str, key: str, hosts: dict[str, str]) -> str:
    if key == "hash":
        assert re.fullmatch(r"[0-9a-f]{64}", text)
        return "<hash>"
    if key == "private_id":
        return "<key id>"
    for host, name in hosts.items():
        text = text.replace(host, name)
    for pattern, mark in _PATTERNS:
        text = re.sub(pattern, mark, text)
    return text
