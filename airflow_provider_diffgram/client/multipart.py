"""A multipart form as a readable of known length, so that a file is never whole in memory."""

from __future__ import annotations

import io
import json
import uuid
from typing import BinaryIO

from .errors import DiffgramError, source_error
from .request import Upload


def opened(upload: Upload) -> MultipartBody:
    """Return the form of an upload.

    :raises StorageError: if its bytes cannot be opened for a moment.
    :raises StorageRefusedError: if they cannot be opened.
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
        # requests asks for it to announce a Content-Length; without one it would send chunks.
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes.

        :raises StorageError: if the storage fails for a moment: no error of the connection to Diffgram.
        :raises StorageRefusedError: if it fails for good.
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
