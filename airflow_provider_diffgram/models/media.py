"""Media: where they come from, and what Diffgram ingests (wire contract 2.7 and 3.6)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Discriminator, Tag, field_validator

from .base import Id, Sent, Text

MediaType = Literal["image", "video", "text", "audio"]

EXTENSIONS: dict[str, MediaType] = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"), "image"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".m4v", ".quicktime"), "video"),
    ".txt": "text",
    **dict.fromkeys((".mp3", ".m4a", ".wav", ".flac"), "audio"),
}
"""File extensions that Diffgram ingests as media, in lower case (wire contract 3.6)."""


def media_type_of(name: str) -> MediaType | None:
    """Return the media type that Diffgram derives from the extension of ``name``, or None."""
    return EXTENSIONS.get(PurePosixPath(name).suffix.lower())


class UrlMedia(Sent):
    """Media that the Diffgram server fetches itself over http(s). Images and videos only (quirk 34)."""

    url: Text
    type: Literal["image", "video"] = "image"

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        return url


class PathMedia(Sent):
    """A local file, or an object in storage such as ``s3://bucket/key``, uploaded by the worker.

    :param path: where the worker reads it; the extension decides the media type.
    """

    path: Text

    @field_validator("path", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if hasattr(value, "__fspath__") or hasattr(value, "as_uri") else value

    @field_validator("path")
    @classmethod
    def _has_a_known_extension(cls, path: str) -> str:
        if media_type_of(path) is None:
            raise ValueError(f"has no extension that Diffgram ingests: {', '.join(EXTENSIONS)}")
        return path

    @property
    def type(self) -> MediaType:
        """Media type, by the extension."""
        kind = media_type_of(self.path)
        assert kind is not None
        return kind


class BlobMedia(Sent):
    """An image in cloud storage that Diffgram reads through one of its own connections (quirk 57).

    :param connection_id: id of the Diffgram connection, of kind amazon_aws or microsoft_azure.
    :param bucket_name: bucket or container.
    :param raw_data_blob_path: key of the object, without a leading slash.
    """

    connection_id: Id
    bucket_name: Text
    raw_data_blob_path: Text
    type: Literal["image"] = "image"

    @field_validator("raw_data_blob_path")
    @classmethod
    def _is_a_key(cls, key: str) -> str:
        if key.startswith("/"):
            raise ValueError("must not begin with a slash: the server keeps it and then finds no object")
        return key


class TextMedia(Sent):
    """Text sent inside the packet."""

    text_data: Text
    type: Literal["text"] = "text"


def _kind_of_media(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    for key, tag in (("url", "url"), ("path", "path"), ("text_data", "text"), ("raw_data_blob_path", "blob")):
        if key in keys:
            return tag
    return None


Media = Annotated[
    Annotated[UrlMedia, Tag("url")]
    | Annotated[PathMedia, Tag("path")]
    | Annotated[BlobMedia, Tag("blob")]
    | Annotated[TextMedia, Tag("text")],
    Discriminator(
        _kind_of_media,
        custom_error_type="media_kind",
        custom_error_message="needs one of: url, path, text_data, raw_data_blob_path",
    ),
]
"""Where the medium comes from, told apart by its keys."""
