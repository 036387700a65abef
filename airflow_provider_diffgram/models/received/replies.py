"""Answers to what is sent (server.md 2.7, 2.8)."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from ..base import Received
from .files import File
from .inputs import Input


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
    """The answer to an upload, processed before it was given (server.md 2.8)."""

    file: File | None = None
    input: Input
