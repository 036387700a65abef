"""What the server sends back: files, inputs, labels, datasets, batches."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from pydantic import AliasPath, Field, ValidationInfo, field_validator

from .base import Received

ALREADY_EXISTS = re.compile(r"Already Exists in Dir\. Existing ID is:\s*(\d+)\s*$")
"""How every source reports a duplicate name (wire contract 3.4)."""

_REASON_LENGTH = 500
_USER = re.compile(r"://[^\s/@'\"<>]+@")
_QUERY = re.compile(r"\?[^\s?'\"<>()]+=[^\s'\"<>()]*")


def without_signatures(text: str) -> str:
    """Return ``text`` without what is secret in URLs and paths: queries, which sign, and passwords."""
    return _USER.sub("://...@", _QUERY.sub("?...", text))


class InputStatus(StrEnum):
    """Status of an input (wire contract 3.2). Others may come; see :attr:`Input.status`."""

    INIT = "init"
    LOCAL_PROCESSING_QUEUE = "local_processing_queue"
    PROCESSING = "processing"
    DOWNLOADED = "downloaded"
    LOADED_VIDEO = "loaded_video"
    FINISHED_WRITING_VIDEO_FILE = "finished_writing_video_file"
    PUSHING_FRAMES = "pushing_frames_into_processing_queue"
    PROCESSING_FRAMES = "processing_frames_in_queue"
    RETRYING = "retrying"
    RETRY_FAILED_TO_FETCH = "retry/failed_to_fetch_input"
    BASE_OBJECT_CREATED = "base_object_created"
    SUCCESS = "success"
    FAILED = "failed"


class DirectoryRef(Received):
    """A dataset as an input names it."""

    id: int
    nickname: str | None = None


class Input(Received):
    """One row per thing sent (wire contract 3.1). Every field can be null."""

    id: int | None = None
    status: InputStatus | str | None = Field(default=None, union_mode="left_to_right")
    status_text: str | None = None
    description: str | None = None
    update_log: dict[str, Any] | None = None
    percent_complete: float | None = None
    processing_deferred: bool | None = None
    file_id: int | None = None
    parent_file_id: int | None = None
    parent_input_id: int | None = None
    batch_id: int | None = None
    original_filename: str | None = None
    media_type: str | None = None
    source: str | None = None
    mode: str | None = None
    directory: DirectoryRef | None = None
    instance_list: list[Any] = []
    frame_packet_map: dict[str, Any] | None = Field(default=None, repr=False)
    archived: bool | None = None
    retry_count: int | None = None
    created_time: str | None = None
    time_updated: str | None = None

    @field_validator("instance_list", mode="before")
    @classmethod
    def _unwrap_list(cls, value: Any) -> Any:
        while isinstance(value, dict):
            value = value.get("list", [])
        return [] if value == "None" else value or []

    @property
    def failed(self) -> bool:
        """Whether the row says ``failed``."""
        return self.status == InputStatus.FAILED

    @property
    def succeeded(self) -> bool:
        """Whether the row says ``success``, which may still flip to ``failed`` (wire contract 3.2)."""
        return self.status == InputStatus.SUCCESS

    @property
    def existing_file_id(self) -> int | None:
        """Id of the file that has the name already, if that is why the input failed (wire contract 3.4)."""
        if not self.failed:
            return None
        match = ALREADY_EXISTS.search(self.status_text or "")
        return int(match.group(1)) if match else None

    @property
    def reason(self) -> str:
        """Why the input failed, cut to 500 characters and without signed URLs (wire contract 3.3)."""
        log = self.update_log or {}
        error = log.get("error")
        errors: dict[str, Any] = error if isinstance(error, dict) else {"error": error} if error else {}
        status_text = self.status_text or ""
        rest = [f"{key}: {value}" for key, value in errors.items() if value]
        candidates = [
            errors.get("status_text"),
            None if status_text.startswith("Version") else status_text,
            "; ".join(rest),
            log.get("download_media"),
            self.description,
        ]
        text = next((str(each) for each in candidates if each), "the server gave no reason")
        return without_signatures(text)[:_REASON_LENGTH]


class File(Received):
    """A stored file (wire contract 4.1). Its parent and its dataset are not told.

    ``count_instances_changed`` is null as long as the file never held an instance; for a file created with
    its instances in one request it is their exact number (2.6).
    """

    id: int
    type: str | None = None
    original_filename: str | None = None
    state: str | None = None
    hash: str | None = None
    ordinal: int | None = None
    count_instances_changed: int | None = None
    created_time: str | None = None
    image: dict[str, Any] | None = Field(default=None, repr=False)
    instance_list: list[dict[str, Any]] = []
    input: Input | None = None

    @field_validator("instance_list", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return value or []

    @property
    def removed(self) -> bool:
        """Whether the file was archived."""
        return self.state == "removed"


class Label(Received):
    """A label; ``id`` is the ``label_file_id`` that instances need (wire contract 2.1)."""

    id: int
    name: str = Field(validation_alias=AliasPath("label", "name"))
    state: str | None = None


class LabelList(Received):
    """Labels of one schema; the colour map names every label of the project, by id as text."""

    labels_out: list[Label]
    label_file_colour_map: dict[int, Any] = {}

    @property
    def labels(self) -> list[Label]:
        """Labels of the schema that were not removed."""
        return [label for label in self.labels_out if label.state != "removed"]

    @property
    def project_ids(self) -> set[int]:
        """``label_file_id`` of every label of the project."""
        return set(self.label_file_colour_map)


class LabelSchema(Received):
    """A set of labels and attributes."""

    id: int
    name: str
    is_default: bool | None = None
    archived: bool | None = None


class Dataset(Received):
    """A dataset, which the server calls directory."""

    id: int
    nickname: str | None = None


class InputBatch(Received):
    """A group of inputs. Its status proves nothing (quirk 16)."""

    id: int
    status: str | None = None


class ModelRun(Received):
    """A run of a model; ``reference_id`` is the ``model_run_ref`` it was sent with."""

    id: int
    reference_id: str | None = None
    model_id: int | None = None


class AttributeOption(Received):
    """One option of an attribute of a kind that has options."""

    id: int
    name: str | None = None
    archived: bool | None = None


class AttributeGroup(Received):
    """An attribute and its options (wire contract 2.2)."""

    id: int
    name: str | None = None
    prompt: str | None = None
    kind: str | None = None
    options: list[AttributeOption] = Field(default=[], validation_alias="attribute_template_list")

    @field_validator("options", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return value or []


class PageMetadata(Received):
    """Where in a listing a page stands."""

    next_page: int | None = None


class StorageConnection(Received):
    """A connection of Diffgram to cloud storage. The key id that comes with it is not kept (2.15)."""

    id: int
    name: str | None = None
    integration_name: str | None = None


class FilePage(Received):
    """One page of a dataset's files."""

    file_list: list[File]
    metadata: PageMetadata = PageMetadata()

    @property
    def next_page(self) -> int | None:
        """Number of the next page, or None."""
        return self.metadata.next_page


class ReplyLog(Received):
    """The log of an answer. Only a packet's can be believed (quirk 21)."""

    success: bool | None = None


class PacketReply(Received):
    """The answer to a packet. The open source server never tells an id (quirk 1); a documented one may."""

    input_id: int | None = None
    log: ReplyLog = Field(default=ReplyLog(), validate_default=True)

    @field_validator("log")
    @classmethod
    def _was_accepted(cls, log: ReplyLog, info: ValidationInfo) -> ReplyLog:
        if not log.success and info.data.get("input_id") is None:
            raise ValueError("neither log.success nor input_id: not the answer to an accepted packet")
        return log


class UploadReply(Received):
    """The answer to an upload, processed before it was given (wire contract 2.8)."""

    file: File | None = None
    input: Input
