"""Exports and the document that they make (server.md 2.16)."""

from __future__ import annotations

from typing import Any, Self

from pydantic import AliasPath, Field, field_validator, model_validator

from ..base import Received, shallowly_printed
from .datasets import DirectoryRef


class Export(Received):
    """An export under way or done."""

    id: int
    status: str | None = None
    status_text: str | None = None
    percent_complete: float | None = None
    kind: str | None = None
    source: str | None = None
    file_list_length: int | None = None
    created_time: str | None = None
    directory: DirectoryRef | None = None

    @property
    def complete(self) -> bool:
        """Whether it can be downloaded. Files may be missing in it all the same: compare their ids."""
        return self.status == "complete"

    @property
    def failed(self) -> bool:
        """Whether it ended without a document; ``status_text`` says why."""
        return self.status == "failed"


class ExportedFile(Received):
    """A file in an exported document. Its instances have no score, model or reference (quirk 61).

    :param child_ids: files of a compound file, in no order; they are in the document too.
    """

    id: int = Field(validation_alias=AliasPath("file", "id"))
    type: str | None = Field(default=None, validation_alias=AliasPath("file", "type"))
    original_filename: str | None = Field(
        default=None, validation_alias=AliasPath("file", "original_filename")
    )
    ann_is_complete: bool | None = Field(default=None, validation_alias=AliasPath("file", "ann_is_complete"))
    blob_url: str | None = Field(default=None, validation_alias=AliasPath("file", "blob_url"), repr=False)
    image: dict[str, Any] | None = Field(default=None, repr=False)
    instance_list: list[dict[str, Any]] = []
    child_ids: list[int] = []

    @model_validator(mode="before")
    @classmethod
    def _name_children(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        file = data.get("file")
        named = {"file": shallowly_printed(file)} if isinstance(file, dict) else {}
        return {**data, **named, "child_ids": [int(key) for key in _file_keys(data)]}

    @field_validator("instance_list", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return value or []


class ExportedDocument(Received):
    """An exported document; each file once, by its id, whether a child of a compound file or not.

    Files of a type that the server does not know are null in the document and left out (quirk 61).

    :param label_map: label_file_id -> name.
    :param unknown_ids: ids of the files that are null.
    """

    label_map: dict[int, str] = {}
    export_info: dict[str, Any] | None = None
    attribute_groups_reference: Any = None
    files: dict[int, ExportedFile] = {}
    unknown_ids: list[int] = []

    @model_validator(mode="before")
    @classmethod
    def _index_files(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        files: dict[int, Any] = {}
        _collect(data, files)
        known = {key: value for key, value in files.items() if value is not None}
        return {**data, "files": known, "unknown_ids": sorted(set(files) - set(known))}

    @model_validator(mode="after")
    def _is_a_document(self) -> Self:
        if not self.model_fields_set & {"label_map", "export_info"}:
            raise ValueError("neither label_map nor export_info: not an exported document")
        return self


def _file_keys(entry: dict[Any, Any]) -> list[str]:
    return [key for key in entry if isinstance(key, str) and key.isascii() and key.isdecimal()]


def _collect(entry: dict[Any, Any], files: dict[int, Any]) -> None:
    """Add to ``files`` each entry whose key is a file id, and its children."""
    for key in _file_keys(entry):
        value = None if entry[key] == "None" else entry[key]
        if files.get(int(key)) is None:
            files[int(key)] = value
        if isinstance(value, dict):
            _collect(value, files)
