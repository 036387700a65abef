"""Media: where they are, and which types Diffgram ingests (server.md 2.7 and 3.6)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, field_validator

from .base import Id, Sent, Text

MediaType = Literal["image", "video", "text", "audio"]

MEDIA_TYPES: tuple[MediaType, ...] = get_args(MediaType)

WITHOUT_CHAINS: tuple[MediaType, ...] = ("text", "video")
"""Types of files whose dead rows are found by their references: a save of a text leaves no chain of versions,
and no counter counts the rows of a frame (server.md 10.3.2, 10.8.1)."""

EXTENSIONS: dict[str, MediaType] = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"), "image"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".m4v", ".quicktime"), "video"),
    ".txt": "text",
    **dict.fromkeys((".mp3", ".m4a", ".wav", ".flac"), "audio"),
}
"""File extensions that Diffgram ingests as media, in lower case (server.md 3.6)."""


DOCUMENTS = (".tif", ".tiff", ".pdf")
"""Extensions of documents whose pages can be rendered."""


def as_text(value: Any) -> Any:
    """Return a path as text, and anything else unchanged."""
    return str(value) if hasattr(value, "__fspath__") or hasattr(value, "as_uri") else value


def document(path: str) -> str:
    """Return ``path`` if the pages of that document can be rendered; raise ValueError otherwise."""
    if PurePosixPath(path).suffix.lower() not in DOCUMENTS:
        raise ValueError(f"is not a document whose pages can be rendered: {', '.join(DOCUMENTS)}")
    return path


def media_type_of(name: str) -> MediaType | None:
    """Return the media type that Diffgram derives from the extension of ``name``, or None."""
    return EXTENSIONS.get(PurePosixPath(name).suffix.lower())


class UrlMedia(Sent):
    """Media that the Diffgram server downloads over http(s). Images and videos only (quirk 34).

    :param url: an address that the Diffgram server can reach.
    :param type: media type, because the address may not show it.
    """

    url: Text
    type: Literal["image", "video"] = "image"

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if url != url.strip():
            raise ValueError("has a blank or the end of a line at one of its ends: take it away")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        return url


class PathMedia(Sent):
    """A local file, or an object in storage such as ``s3://bucket/key``, uploaded by the worker.

    :param path: where the worker reads it; its extension determines the media type.
    """

    path: Text

    _as_text = field_validator("path", mode="before")(as_text)

    @field_validator("path")
    @classmethod
    def _has_a_known_extension(cls, path: str) -> str:
        if media_type_of(path) is None:
            raise ValueError(f"has no extension that Diffgram ingests: {', '.join(EXTENSIONS)}")
        return path

    @property
    def type(self) -> MediaType:
        """Media type, from the extension."""
        kind = media_type_of(self.path)
        assert kind is not None
        return kind


class PageMedia(PathMedia):
    """One page of a document, rendered by the worker when it is sent.

    :param path: a multi-page TIFF, or a PDF.
    :param page: number of the page, from 0.
    :param dpi: resolution of a PDF's page, in pixels per inch; a TIFF keeps its own pixels.
    """

    page: int = Field(ge=0, strict=True)
    dpi: int = Field(default=150, ge=20, le=1200, strict=True)

    @field_validator("path")
    @classmethod
    def _has_a_known_extension(cls, path: str) -> str:
        return document(path)

    @property
    def type(self) -> MediaType:
        """Media type of a rendered page."""
        return "image"


class BlobMedia(Sent):
    """An image in cloud storage that Diffgram reads through one of its own connections (quirk 57).

    :param connection_id: id or name of the Diffgram connection, of kind amazon_aws or microsoft_azure.
    :param bucket_name: bucket or container.
    :param raw_data_blob_path: key of the object, without a leading slash.
    :param type: always an image: Diffgram reads nothing else from storage.
    """

    connection_id: Id | Text
    bucket_name: Text
    raw_data_blob_path: Text
    type: Literal["image"] = "image"

    @field_validator("raw_data_blob_path")
    @classmethod
    def _is_a_key(cls, key: str) -> str:
        if key.startswith("/"):
            raise ValueError("must not begin with a slash: the server would look for a key that begins so")
        return key


class TextMedia(Sent):
    """Text in the packet itself.

    :param text_data: the text, not empty.
    :param type: always a text.
    """

    text_data: Text
    type: Literal["text"] = "text"


_KEYS = {"url": "url", "page": "page", "path": "path", "text_data": "text", "raw_data_blob_path": "blob"}
"""Key -> kind; a page has a path as well."""


def _kind_of_media(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    return next((tag for key, tag in _KEYS.items() if key in keys), None)


Media = Annotated[
    Annotated[UrlMedia, Tag("url")]
    | Annotated[PageMedia, Tag("page")]
    | Annotated[PathMedia, Tag("path")]
    | Annotated[BlobMedia, Tag("blob")]
    | Annotated[TextMedia, Tag("text")],
    Discriminator(
        _kind_of_media,
        custom_error_type="media_kind",
        custom_error_message="needs one of: url, path, text_data, raw_data_blob_path",
    ),
]
"""Where the medium is; its keys show which kind."""
