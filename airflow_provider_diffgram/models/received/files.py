"""Files, and what the server returns about them (server.md 2.5, 2.6, 4, 5.6, 10.3.6, 10.8)."""

from __future__ import annotations

from typing import Any

from pydantic import AliasPath, Field, field_validator

from ..base import Received, shallowly_printed
from .inputs import Input


class File(Received):
    """A stored file (server.md 4.1). The server does not return its parent or dataset.

    ``count_instances_changed`` is null until the file first holds an instance; for a file created with its
    instances in one request it is their exact number (server.md 2.6).
    """

    id: int
    type: str | None = None
    original_filename: str | None = None
    state: str | None = None
    ordinal: int | None = None
    count_instances_changed: int | None = None
    connection_id: int | None = None
    bucket_name: str | None = None
    time_last_updated: str | None = None
    image: dict[str, Any] | None = Field(default=None, repr=False)
    video: dict[str, Any] | None = Field(default=None, repr=False)
    text: dict[str, Any] | None = Field(default=None, repr=False)
    instance_list: list[dict[str, Any]] = []
    input: Input | None = None

    @field_validator("instance_list", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return _instances(value)

    @property
    def removed(self) -> bool:
        """Whether the file was archived."""
        return self.state == "removed"


def _instances(value: Any) -> Any:
    """Return stored instances; null means none, and constants printed as Python are converted."""
    if not isinstance(value, list):
        return value or []
    return [shallowly_printed(each) if isinstance(each, dict) else each for each in value]


class PageMetadata(Received):
    """The position of a page in a listing."""

    next_page: int | None = None
    file_count: int | None = None


class FilePage(Received):
    """One page of a dataset's files."""

    file_list: list[File]
    metadata: PageMetadata = PageMetadata()

    @field_validator("file_list", mode="before")
    @classmethod
    def _false_is_empty(cls, value: Any) -> Any:
        return [] if value is False else value  # an explorer that found nothing (server.md 10.6)

    @property
    def next_page(self) -> int | None:
        """Number of the next page, or None."""
        return self.metadata.next_page


class AnnotationUpdate(Received):
    """What a write of annotations did (server.md 10.8).

    :param added: complete rows that were created: new ones, and new versions of changed ones.
    :param deleted_ids: ids of deleted rows: those to remove, old versions of changed ones, and what others
        saved since the list was read.
    :param missing_ids: ids of deleted rows that the list did not name.
    """

    added: list[dict[str, Any]] = Field(validation_alias="added_instances")
    deleted_ids: list[int] = Field(validation_alias="deleted_instances")
    missing_ids: list[int] = Field(default=[], validation_alias=AliasPath("log", "warning", "missing_ids"))
    file: File = Field(validation_alias="new_file")

    @field_validator("added", mode="before")
    @classmethod
    def _read_instances(cls, value: Any) -> Any:
        return _instances(value)


class InstanceHistory(Received):
    """All rows of one instance, newest first, without the names of people (server.md 10.3.6).

    The newest row shows what became of it: ``action_type`` is ``deleted`` if it was deleted by name. A single
    row with ``soft_delete`` was lost because a list did not name it. ``is_by_person`` distinguishes rows of
    people from those of the API.
    """

    rows: list[dict[str, Any]] = Field(validation_alias="instance_history")

    @field_validator("rows", mode="before")
    @classmethod
    def _without_names(cls, value: Any) -> Any:
        rows = _instances(value)
        if not isinstance(rows, list):
            return rows
        return [_without_name(row) if isinstance(row, dict) else row for row in rows]


def _without_name(row: dict[str, Any]) -> dict[str, Any]:
    kept = {key: item for key, item in row.items() if key != "member_created"}
    return {**kept, "is_by_person": isinstance(row.get("member_created"), dict)}


class InstanceBuffer(Received):
    """Instances of a video by frame. Includes empty frames, even past the end (server.md 5.6)."""

    frames: dict[int, list[dict[str, Any]]] = Field(validation_alias="instance_buffer_dict")

    @field_validator("frames", mode="before")
    @classmethod
    def _read_instances(cls, value: Any) -> Any:
        return {key: _instances(each) for key, each in value.items()} if isinstance(value, dict) else value
