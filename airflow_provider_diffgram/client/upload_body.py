"""The body of an upload: a file, or a part of one, in a multipart form. It is never in memory as a whole."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from typing import BinaryIO, cast

from .errors import DiffgramError, source_error
from .request import Upload


def open_body(upload: Upload) -> MultipartBody:
    """Return the form of an upload.

    :raises StorageError: if its bytes cannot be opened now, which may pass.
    :raises StorageRefusedError: if they cannot be opened at all.
    """
    try:
        source = upload.open()
    except DiffgramError:
        raise
    except Exception as error:  # noqa: BLE001  # each storage has errors of its own
        raise source_error("read", upload.source or upload.filename, error) from None
    return MultipartBody(upload, source)


class MultipartBody(io.RawIOBase):
    """The bytes of a form with one file, read piece by piece.

    :param upload: what to send.
    :param source: the opened file; closed with this body.
    """

    def __init__(self, upload: Upload, source: BinaryIO) -> None:
        self._source = source
        self._where = upload.source or upload.filename
        boundary = uuid.uuid4().hex
        fields = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in upload.form.items()
        )
        head = (
            f"{fields}--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename={json.dumps(upload.filename)}\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._parts: list[BinaryIO] = [
            io.BytesIO(head.encode()),
            source,
            io.BytesIO(f"\r\n--{boundary}--\r\n".encode()),
        ]
        tail = len(boundary) + 8
        self._length = len(head.encode()) + upload.size + tail
        self._position = 0
        self.content_type = f"multipart/form-data; boundary={boundary}"

    def __len__(self) -> int:
        return self._length

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        # requests calls this to announce a Content-Length; otherwise it would send chunks.
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes.

        :raises StorageError: if the storage (not the connection to Diffgram) fails, which may pass.
        :raises StorageRefusedError: if it fails permanently.
        """
        while self._parts:
            try:
                chunk = self._parts[0].read(size)
            except DiffgramError:
                raise
            except Exception as error:  # noqa: BLE001  # each storage has errors of its own
                raise source_error("read", self._where, error) from None
            if chunk:
                self._position += len(chunk)
                return chunk
            self._parts.pop(0)
        return b""

    def close(self) -> None:
        self._source.close()
        super().close()


class Slice(io.RawIOBase):
    """``length`` bytes of ``source`` from ``offset`` on; closing it closes ``source``."""

    def __init__(self, source: BinaryIO, offset: int, length: int) -> None:
        self._source = source
        self._left = length
        source.seek(offset)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        chunk = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._source.close()
        super().close()


def slice_opener(open_whole: Callable[[], BinaryIO], offset: int, length: int) -> Callable[[], BinaryIO]:
    """Return a function that opens ``length`` bytes, from ``offset`` on, of what ``open_whole`` opens."""
    return lambda: cast(BinaryIO, Slice(open_whole(), offset, length))
