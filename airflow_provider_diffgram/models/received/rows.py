"""Inputs as a wait reads them: thousands at a time, so only the fields that it needs are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..base import read_printed, shallowly_printed
from .inputs import InputWords


@dataclass(frozen=True, slots=True, eq=False)
class InputRow(InputWords):
    """One row of a listing of inputs (server.md 3.1). Its instances are not parsed."""

    id: int
    status: str | None
    status_text: str | None
    description: str | None
    update_log: dict[str, Any] | None
    percent_complete: float | None
    processing_deferred: bool | None
    video_was_split: bool | None
    file_id: int | None
    parent_file_id: int | None
    parent_input_id: int | None
    batch_id: int | None
    original_filename: str | None
    media_type: str | None
    source: str | None
    mode: str | None
    time_updated: str | None
    directory_id: int | None
    archived: bool
    retry_count: int
    instance_list: list[Any]

    @classmethod
    def of(cls, data: dict[str, Any]) -> InputRow:
        """Read a row.

        :raises ValueError: if an id is not a whole number.
        """
        if "None" in data.values():
            data = shallowly_printed(data)
        told = data.get
        directory = told("directory")
        return cls(
            _id(data["id"], "id"),
            told("status"),
            told("status_text"),
            told("description"),
            _log_of(told("update_log")),
            told("percent_complete"),
            told("processing_deferred"),
            told("video_was_split"),
            _id_or_none(told("file_id"), "file_id"),
            _id_or_none(told("parent_file_id"), "parent_file_id"),
            _id_or_none(told("parent_input_id"), "parent_input_id"),
            _id_or_none(told("batch_id"), "batch_id"),
            told("original_filename"),
            told("media_type"),
            told("source"),
            told("mode"),
            told("time_updated"),
            directory.get("id") if isinstance(directory, dict) else None,
            told("archived") not in (None, False, "False"),
            told("retry_count") or 0,
            _unwrapped(told("instance_list")),
        )


def _id(value: Any, name: str) -> int:
    if type(value) is not int:
        raise ValueError(f"{name} must be an id, not {value!r}")
    return value


def _id_or_none(value: Any, name: str) -> int | None:
    return None if value is None else _id(value, name)


def _log_of(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict) and not value.get("error"):
        return value
    log = read_printed(value)
    if isinstance(log, dict):
        return log
    return {"error": log} if log else None


def _unwrapped(value: Any) -> list[Any]:
    """Return the instances, which are in ``{"list": [...]}``, or for a compound file in two such levels."""
    while isinstance(value, dict):
        value = value.get("list", [])
    return value if isinstance(value, list) else []
