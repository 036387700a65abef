"""Answers to packets and uploads (server.md 2.7, 2.8)."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from ..base import Received
from .files import File
from .inputs import Input


class ReplyLog(Received):
    """The log of an answer; reliable only for packets (quirk 21)."""

    success: bool | None = None


class PacketReply(Received):
    """The answer to a packet. The open source server never returns an id (quirk 1); others may."""

    input_id: int | None = None
    log: ReplyLog = Field(default=ReplyLog(), validate_default=True)

    @field_validator("log")
    @classmethod
    def _was_accepted(cls, log: ReplyLog, info: ValidationInfo) -> ReplyLog:
        if not log.success and info.data.get("input_id") is None:
            raise ValueError("has neither log.success nor input_id: the packet was not accepted")
        return log


class UploadReply(Received):
    """The answer to an upload, which the server has already processed (server.md 2.8)."""

    file: File | None = None
    input: Input
