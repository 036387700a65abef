"""A packet: new media, or an existing file, with predicted instances (server.md 2.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from .base import Id, Int32, PositiveInt, Sent, Text
from .instances import Instance
from .media import EXTENSIONS, Media, PageMedia, PathMedia, TextMedia, UrlMedia, media_type_of
from .problems import named
from .repeats import twice

MAX_FRAMES = 36_000
"""Most frames of one video (server.md 5.6)."""


UpdateMode = Literal["update", "update_with_existing"]


def _frame_number(key: Any) -> Any:
    text = str(key)
    if isinstance(key, bool) or not text.isdecimal():
        raise ValueError(f"frame {key!r} is not a frame number: frames count from 0")
    if int(text) >= MAX_FRAMES:
        raise ValueError(f"frame {text} is past the first {MAX_FRAMES:,}, which are all that Diffgram keeps")
    return int(text)


def _frames_once(frames: Any) -> Any:
    """Refuse a frame that is given twice, as ``5`` and ``"5"``: one of them would be lost."""
    if isinstance(frames, Mapping):
        repeated = twice(int(key) for key in map(str, frames) if key.isdecimal())
        if repeated:
            raise ValueError(f"{named('frame', list(map(str, repeated)))} given twice: give each frame once")
    return frames


def null_is_empty(value: Any) -> Any:
    """Read null as no instances."""
    return [] if value is None else readable_again(value)


def readable_again(value: Any) -> Any:
    """Refuse an iterator: a packet is read when it is checked, and again when it is sent."""
    if isinstance(value, Iterator):
        raise ValueError("is an iterator, which can be read only once: give a list")
    return value


FrameMap = Annotated[
    dict[
        Annotated[int, BeforeValidator(_frame_number)],
        Annotated[list[Instance], BeforeValidator(readable_again)],
    ],
    BeforeValidator(_frames_once),
]
"""0-based frame of the original video -> instances (server.md 5.6)."""


class WithPredictions(Sent):
    """A medium, or none, with predictions that suit it. The medium is validated before them."""

    media: Media | None = None
    original_filename: Text | None = Field(default=None, validate_default=True)
    instance_list: list[Instance] = []
    frame_packet_map: FrameMap | None = None

    _null_is_empty = field_validator("instance_list", mode="before")(null_is_empty)

    @field_validator("original_filename")
    @classmethod
    def _suits_the_media(cls, name: str | None, info: ValidationInfo) -> str | None:
        """Return the name if it suits the medium (quirks 35 to 37)."""
        media = info.data.get("media")
        if name is None:
            if isinstance(media, TextMedia):
                raise ValueError("text needs a name: the server refuses text without one as a duplicate")
            return None
        if isinstance(media, PageMedia) and PurePosixPath(name).suffix.lower() != ".png":
            raise ValueError("must end in .png: pages are rendered as PNG")
        if isinstance(media, PathMedia | UrlMedia) and media_type_of(name) != media.type:
            known = [extension for extension, kind in EXTENSIONS.items() if kind == media.type]
            raise ValueError(f"must end in an extension for {media.type}: {', '.join(known)}")
        return name

    @field_validator("instance_list")
    @classmethod
    def _not_on_video(cls, instances: list[Instance], info: ValidationInfo) -> list[Instance]:
        media = info.data.get("media")
        if instances and media is not None and media.type == "video":
            raise ValueError("is not used for videos: give frame_packet_map")
        return instances

    @field_validator("frame_packet_map")
    @classmethod
    def _on_video_only(cls, frames: FrameMap | None, info: ValidationInfo) -> FrameMap | None:
        media = info.data.get("media")
        if frames and info.data.get("instance_list"):
            raise ValueError("cannot be combined with instance_list: a video has frames, other media do not")
        if frames is not None and media is not None and media.type != "video":
            raise ValueError(f"is for videos, not for {media.type}")
        return frames


class Packet(WithPredictions):
    """One thing to send: new media, or an existing file to update, with its predictions.

    Raw media without predictions is a packet whose ``instance_list`` is empty.

    :param media: the medium; None if ``file_id`` names an existing file.
    :param file_id: the file to update.
    :param mode: how to update it: ``update`` appends, ``update_with_existing`` replaces its instances,
        including corrections by people.
    :param original_filename: name in the dataset, with an extension (quirks 35 to 37); None: derived
        from the source.
    :param instance_list: predictions on an image or a text.
    :param frame_packet_map: predictions on a video: 0-based frame of the original video -> instances.
    :param parent_file_id: file id of the compound file whose child this is.
    :param ordinal: place among the children of the compound file, from 0.
    :param video_split_duration: seconds per clip, 2 to 180, or 0 for one file.
    """

    file_id: Id | None = Field(default=None, validate_default=True)
    mode: UpdateMode | None = Field(default=None, validate_default=True)
    parent_file_id: Id | None = None
    ordinal: Int32 | None = Field(default=None, ge=0)
    video_split_duration: PositiveInt | Literal[0] | None = Field(default=None, le=180)

    @field_validator("file_id")
    @classmethod
    def _media_or_file(cls, file_id: int | None, info: ValidationInfo) -> int | None:
        if "media" in info.data:
            media = info.data["media"]
            if media is None and file_id is None:
                raise ValueError(
                    "has neither media nor file_id: give the medium to add, or the file to update"
                )
            if media is not None and file_id is not None:
                raise ValueError("cannot be combined with media, which the server would ignore: give one")
        return file_id

    @field_validator("mode")
    @classmethod
    def _updates_a_file(cls, mode: str | None, info: ValidationInfo) -> str | None:
        if "file_id" in info.data:
            file_id = info.data["file_id"]
            if mode is None and file_id is not None:
                raise ValueError("file_id needs mode: update (append) or update_with_existing (replace)")
            if mode is not None and file_id is None:
                raise ValueError("needs file_id, the file to update")
        return mode

    @field_validator("parent_file_id")
    @classmethod
    def _is_new(cls, parent: int | None, info: ValidationInfo) -> int | None:
        if parent is not None and info.data.get("file_id") is not None:
            raise ValueError("cannot be set on an update: the file keeps its parent")
        return parent

    @field_validator("ordinal")
    @classmethod
    def _has_a_parent(cls, ordinal: int | None, info: ValidationInfo) -> int | None:
        if ordinal is not None and info.data.get("parent_file_id", ordinal) is None:
            raise ValueError("needs parent_file_id")
        return ordinal

    @field_validator("video_split_duration")
    @classmethod
    def _is_a_duration(cls, seconds: int | None) -> int | None:
        if seconds == 1:
            raise ValueError("must be 0 (one file) or 2 to 180 seconds")
        return seconds

    @property
    def instances(self) -> list[Instance]:
        """All instances, including those of every frame."""
        frames = (self.frame_packet_map or {}).values()
        return [*self.instance_list, *(instance for frame in frames for instance in frame)]


class Child(WithPredictions):
    """A child of a compound file, such as a page or a camera image.

    :param media: as in a packet.
    :param ordinal: place among the children, from 0.
    :param original_filename: name; None: derived from the source.
    :param instance_list: predictions on it.
    :param frame_packet_map: predictions on a video: 0-based frame -> instances.
    """

    media: Media
    ordinal: Int32 = Field(ge=0)

    def to_packet(self, parent_file_id: int) -> Packet:
        """Return the packet that adds this child to the compound file ``parent_file_id``."""
        return Packet(
            media=self.media,
            original_filename=self.original_filename,
            instance_list=self.instance_list,
            frame_packet_map=self.frame_packet_map,
            parent_file_id=parent_file_id,
            ordinal=self.ordinal,
        )


class CompoundFile(Sent):
    """A parent file; its children are sent after it (server.md 2.4).

    :param name: unique in its dataset among all files, children included.
    :param type: ``compound``, or another type that begins with it: only those can hold instances.
    :param instance_list: instances of the compound itself, usually ``global``.
    """

    name: Text
    type: Text = "compound"
    instance_list: list[Instance] = []

    _null_is_empty = field_validator("instance_list", mode="before")(null_is_empty)

    @field_validator("type")
    @classmethod
    def _begins_with_compound(cls, value: str) -> str:
        if not value.startswith("compound"):
            raise ValueError(f"{value!r} must begin with 'compound': the server would not list the file")
        return value
