"""Files and what is told of them (server.md 2.5, 2.6, 4, 5.6)."""

from __future__ import annotations

from typing import Any

from pydantic import AliasPath, Field, field_validator

from ..base import Received, shallowly_printed
from .inputs import Input


class File(Received):
    """A stored file (server.md 4.1). Its parent and its dataset are not told.

    ``count_instances_changed`` is null as long as the file never held an instance; for a file created with
    its instances in one request it is their exact number (server.md 2.6).
    """

    id: int
    type: str | None = None
    original_filename: str | None = None
    state: str | None = None
    hash: str | None = None
    ordinal: int | None = None
    count_instances_changed: int | None = None
    ann_is_complete: bool | None = None
    connection_id: int | None = None
    bucket_name: str | None = None
    video_id: int | None = None
    video_parent_file_id: int | None = None
    created_time: str | None = None
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
    """Return stored instances; null is none, and constants printed as Python are read."""
    if not isinstance(value, list):
        return value or []
    return [shallowly_printed(each) if isinstance(each, dict) else each for each in value]


class PageMetadata(Received):
    """Where in a listing a page stands."""

    page: int | None = None
    next_page: int | None = None
    total_pages: int | None = None
    file_count: int | None = None


class FilePage(Received):
    """One page of a dataset's files."""

    file_list: list[File]
    metadata: PageMetadata = PageMetadata()

    @property
    def next_page(self) -> int | None:
        """Number of the next page, or None."""
        return self.metadata.next_page


class FileIdPage(Received):
    """One page of the ids of a dataset's files."""

    file_list: list[int]
    metadata: PageMetadata = PageMetadata()

    @property
    def next_page(self) -> int | None:
        """Number of the next page, or None."""
        return self.metadata.next_page


class Existence(Received):
    """What of the asked is missing. It proves absence only: removed files count as there (server.md 2.6)."""

    exists: bool
    missing_files: list[int | str] = []

    @field_validator("missing_files", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return value or []


class FileStat(Received):
    """How many instances of a label a file holds, or one value of an attribute (server.md 2.6)."""

    file_id: int | None = None
    label_file_id: int | None = None
    count_instances: int | None = None
    attribute_template_group_id: int | None = None
    attribute_template_id: int | None = None
    attribute_value_text: str | None = None


class InstanceBuffer(Received):
    """Instances of a video by frame, with frames that have none or lie past the end (server.md 5.6)."""

    frames: dict[int, list[dict[str, Any]]] = Field(validation_alias="instance_buffer_dict")

    @field_validator("frames", mode="before")
    @classmethod
    def _read_instances(cls, value: Any) -> Any:
        return {key: _instances(each) for key, each in value.items()} if isinstance(value, dict) else value


class Track(Received):
    """A track of a video. Label and frames are not to be relied on (server.md 5.6)."""

    id: int
    number: int | None = None
    label_file_id: int | None = None
    frames: list[int] = Field(default=[], validation_alias=AliasPath("keyframe_list", "frame_number_list"))


class FrameUrl(Received):
    """Where the picture of a frame is for some hours; beyond the end of the video nothing is there."""

    frame_number: int
    url: str | None = Field(default=None, repr=False)
