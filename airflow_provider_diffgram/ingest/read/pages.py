"""Renders pages of documents: multi-page TIFF with Pillow, PDF with PDFium; one page at a time in memory."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self, cast

from ...client.request import Upload
from ...models import PageMedia
from ...models.problems import count_of
from .paths import Counted, PathOpener, is_local, universal_path
from .storage import PatientPath, patient, raise_if_passing

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 7680
"""Longest side, in pixels, of an image whose size the server stores correctly (quirk 45)."""

_COPY = 2**20
_POINTS = 72.0
_LOSSLESS = ("L", "RGB")


class _Document(Protocol):
    """An open document."""

    def __len__(self) -> int:
        """Return the number of pages."""

    def size(self, page: int, dpi: int) -> tuple[int, int]:
        """Return width and height of a page in pixels."""

    def image(self, page: int, dpi: int) -> Image:
        """Return a page in grey or in colour."""

    def close(self) -> None:
        """Close the file."""


class Documents:
    """Opens one document at a time, and renders one page of it at a time.

    Safe to use from several threads, which wait for each other because neither library is thread-safe.

    :param path_of: opens the paths. A document that is not local is first copied to a temporary file, because
        the data of a page is spread over a document.
    """

    def __init__(self, path_of: PathOpener = universal_path) -> None:
        self._path_of = patient(path_of)
        self._lock = threading.RLock()
        self._open: tuple[str, _Document] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the document that is open."""
        with self._lock:
            if self._open is not None:
                self._open[1].close()
                self._open = None

    def count(self, path: str) -> int:
        """Return the number of pages.

        :raises OSError: if it cannot be read.
        """
        with self._lock:
            return len(self._document(path))

    def image(self, media: PageMedia) -> Image:
        """Render a page, in grey or in colour.

        :raises OSError: if it cannot be read.
        """
        with self._lock:
            document = self._document(media.path)
            if media.page >= len(document):
                raise OSError(_beyond(media, document))
            try:
                return document.image(media.page, media.dpi)
            except (RuntimeError, ValueError, SyntaxError) as error:
                raise OSError(f"page {media.page} of {media.path} cannot be rendered: {error}") from error

    def problems(self, media: PageMedia) -> list[str]:
        """Return why a page cannot be rendered, without rendering it; empty if nothing is wrong."""
        with self._lock:
            try:
                document = self._document(media.path)
                if media.page >= len(document):
                    return [_beyond(media, document)]
                longest = max(document.size(media.page, media.dpi))
            except (OSError, ImportError, RuntimeError, ValueError, SyntaxError) as error:
                raise_if_passing(error, "read", media.path)
                return [f"page {media.page} of {media.path} cannot be rendered: {error}"]
        if longest > MOST_PIXELS:
            return [
                f"page {media.page} of {media.path} would be {longest} pixels long; above {MOST_PIXELS} "
                "Diffgram stores a wrong size for an image. Give a lower dpi, or smaller pages"
            ]
        return []

    def upload(self, media: PageMedia, name: str, read: Callable[[int], None]) -> Upload:
        """Render a page into a temporary file, and return that as an upload named ``name``.

        :param read: called with the number of bytes after each read.
        :raises OSError: if it cannot be rendered.
        """
        rendered = tempfile.NamedTemporaryFile(prefix="diffgram-page-", suffix=".png")  # noqa: SIM115
        with self._lock:
            self.image(media).save(rendered, "PNG")
        rendered.flush()

        def open_bytes() -> BinaryIO:
            return cast(BinaryIO, Counted(Path(rendered.name).open("rb"), read))

        where = f"page {media.page} of {media.path}"
        return Upload(filename=name, size=rendered.tell(), open=open_bytes, source=where)

    def _document(self, path: str) -> _Document:
        if self._open is None or self._open[0] != path:
            self.close()
            self._open = path, _opened(path, self._path_of)
        return self._open[1]


def pages_of(
    path: str, dpi: int = 150, path_of: PathOpener = universal_path
) -> Iterator[tuple[PageMedia, Image]]:
    """Yield each page of a document with its image, exactly as Diffgram will get it.

    :param path_of: opens the path.
    :param path: a multi-page TIFF or a PDF, local or in object storage.
    :param dpi: pixels per inch of a PDF.
    :raises OSError: if it cannot be read.
    """
    with Documents(path_of) as documents:
        for page in range(documents.count(path)):
            media = PageMedia(path=path, page=page, dpi=dpi)
            yield media, documents.image(media)


def _opened(path: str, path_of: Callable[[str], PatientPath]) -> _Document:
    """Open a document.

    :raises OSError: if the file does not exist or is not such a document, or the library is missing.
    :raises StorageError: if the storage fails, which may pass.
    """
    kind = _Pdf if PurePosixPath(path).suffix.lower() == ".pdf" else _Tiff
    try:
        there = path_of(path)
        return there.attempt("read", lambda: _read(kind, there))
    except (ImportError, ValueError) as error:
        raise OSError(f"cannot read {path}: {error}") from error


def _beyond(media: PageMedia, document: _Document) -> str:
    return f"page {media.page} of {media.path}: it has {count_of(len(document), 'page')}, from 0"


def _read(kind: type[_Tiff | _Pdf], there: PatientPath) -> _Document:
    try:
        return kind(*_local(there))
    except (RuntimeError, SyntaxError) as error:  # what the libraries raise for a file that is not a document
        raise ValueError(str(error)) from error


def _local(there: PatientPath) -> tuple[str, Any]:
    """Return a local path of a document, and an object that must live as long as it is read."""
    if is_local(there):
        return str(there.path), None
    copy = tempfile.NamedTemporaryFile(prefix="diffgram-document-", suffix=there.suffix)  # noqa: SIM115
    with there.open("rb") as source:
        shutil.copyfileobj(source, copy, _COPY)
    copy.flush()
    return copy.name, copy


class _Tiff:
    def __init__(self, path: str, held: Any) -> None:
        from PIL import Image

        self._held = held
        self._image = cast(Any, Image.open(path, formats=["TIFF"]))

    def __len__(self) -> int:
        return int(self._image.n_frames)

    def close(self) -> None:
        self._image.close()
        _close(self._held)

    def size(self, page: int, dpi: int) -> tuple[int, int]:
        self._image.seek(page)
        if self._image.mode in ("I", "F"):
            raise ValueError(f"its pixels are measurements (mode {self._image.mode}): convert them to grey")
        return self._image.size[0], self._image.size[1]

    def image(self, page: int, dpi: int) -> Image:
        self._image.seek(page)
        return _plain(self._image)


class _Pdf:
    def __init__(self, path: str, held: Any) -> None:
        try:
            import pypdfium2
        except ImportError as error:
            raise ImportError("a PDF needs pip install airflow-provider-diffgram[pages]") from error

        self._held = held
        self._pdf = pypdfium2.PdfDocument(path)

    def __len__(self) -> int:
        return len(self._pdf)

    def close(self) -> None:
        self._pdf.close()
        _close(self._held)

    def size(self, page: int, dpi: int) -> tuple[int, int]:
        width, height = self._pdf[page].get_size()
        return round(width * dpi / _POINTS), round(height * dpi / _POINTS)

    def image(self, page: int, dpi: int) -> Image:
        rendered = self._pdf[page].render(scale=dpi / _POINTS)
        return _plain(rendered.to_pil())


def _close(held: Any) -> None:
    if held is not None:
        held.close()


def _plain(image: Any) -> Image:
    """Return a copy in grey or in colour with 8 bits per channel, which all readers show alike."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode == "1":
        image = image.convert("L")
    kind = image.mode if image.mode in _LOSSLESS else "RGB"
    return cast("Image", image.convert(kind) if image.mode != kind else image.copy())
