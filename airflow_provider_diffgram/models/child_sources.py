"""Many children at once: the media of a folder, the pages of a document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from .base import Sent, Text
from .media import as_text, document


class ChildFolder(Sent):
    """Every media file in a folder, or below a prefix in object storage, as a child.

    :param folder: such as ``/data/scan-17`` or ``s3://bucket/scan-17``.
    :param glob: which files; ``**/*.png`` includes subfolders.
    :param sort: the order: ``natural`` compares numbers in names by value, ``name`` character by character,
        ``mtime`` goes by the time of the last change.
    """

    folder: Text
    glob: Text = "*"
    sort: Literal["natural", "name", "mtime"] = "natural"

    _path_as_text = field_validator("folder", mode="before")(as_text)


class ChildPages(Sent):
    """Every page of a document as a child, in order.

    :param pages: a multi-page TIFF or a PDF.
    :param dpi: resolution of a PDF, in pixels per inch; a TIFF keeps its own pixels.
    """

    pages: Text
    dpi: int = Field(default=150, ge=20, le=1200, strict=True)

    _path_as_text = field_validator("pages", mode="before")(as_text)

    @field_validator("pages")
    @classmethod
    def _is_a_document(cls, path: str) -> str:
        return document(path)
