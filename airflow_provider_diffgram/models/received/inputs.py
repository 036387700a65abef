"""Inputs, and the batches that group them (server.md 3)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator

from ..base import Received, read_printed
from .datasets import DirectoryRef
from .texts import without_signatures

ALREADY_EXISTS = re.compile(r"Already Exists in Dir\. Existing ID is:\s*(\d+)\s*$")
"""How every source reports a duplicate name (server.md 3.4)."""

_REASON_LENGTH = 500
_SEE_LOG = "See Update Log"
_EMPTY_LOG = "which is empty; the usual cause is an unknown label in a frame of the video"
_LOST = (
    "the server lost this video, because another input was waiting in the same server process while it read "
    "the frames. The input never ends and no retry helps; another push of the video archives it"
)


class InputStatus(StrEnum):
    """Status of an input (server.md 3.2). The server may add others; see :attr:`Input.status`."""

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


class InputWords:
    """The meaning of an input's status, texts and log."""

    status: InputStatus | str | None
    status_text: str | None
    description: str | None
    update_log: dict[str, Any] | None

    @property
    def failed(self) -> bool:
        """Whether the row says ``failed``."""
        return self.status == InputStatus.FAILED

    @property
    def succeeded(self) -> bool:
        """Whether the row says ``success``, which may still turn into ``failed`` (server.md 3.2)."""
        return self.status == InputStatus.SUCCESS

    @property
    def hangs(self) -> bool:
        """Whether it is a video that the server lost while reading its frames (quirk 62).

        Such a row never ends; neither time nor the server's RETRY helps.
        """
        return self.status == InputStatus.PROCESSING_FRAMES and bool(
            _errors(self.update_log).get("process_video")
        )

    @property
    def existing_file_id(self) -> int | None:
        """Id of the file that already has the name, if that is why the input failed (server.md 3.4)."""
        if not self.failed:
            return None
        match = ALREADY_EXISTS.search(self.status_text or "")
        return int(match.group(1)) if match else None

    @property
    def reason(self) -> str:
        """Why the input failed, shortened to 500 characters and without signed URLs (server.md 3.3)."""
        if self.hangs:
            return _LOST
        log = self.update_log or {}
        errors = _errors(log)
        status_text = self.status_text or ""
        rest = "; ".join(f"{key}: {value}" for key, value in errors.items() if value)
        if status_text.startswith(_SEE_LOG):
            status_text = f"{_SEE_LOG}: {rest}" if rest else f"{_SEE_LOG}, {_EMPTY_LOG}"
        candidates = [
            errors.get("status_text"),
            None if status_text.startswith("Version") else status_text,
            rest,
            log.get("download_media"),
            self.description,
        ]
        text = next((str(each) for each in candidates if each), "the server gave no reason")
        return without_signatures(text)[:_REASON_LENGTH]


def _errors(log: dict[str, Any] | None) -> dict[str, Any]:
    error = (log or {}).get("error")
    if isinstance(error, dict):
        return error
    return {"error": error} if error else {}


class Input(InputWords, Received):
    """The row of one thing that was sent (server.md 3.1). Every field can be null."""

    id: int | None = None
    status: InputStatus | str | None = Field(default=None, union_mode="left_to_right")
    status_text: str | None = None
    description: str | None = None
    update_log: dict[str, Any] | None = None
    percent_complete: float | None = None
    processing_deferred: bool | None = None
    video_was_split: bool | None = None
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

    @field_validator("update_log", mode="before")
    @classmethod
    def _read_log(cls, value: Any) -> Any:
        log = read_printed(value)
        return {"error": log} if isinstance(log, str | list) else log

    @field_validator("instance_list", mode="before")
    @classmethod
    def _unwrap_list(cls, value: Any) -> Any:
        while isinstance(value, dict):
            value = value.get("list", [])
        return [] if value == "None" else value or []


class InputBatch(Received):
    """A group of inputs. Its status does not show the end (quirk 16): list its inputs."""

    id: int
