"""The media of the contract suite, and a film that only looks like one."""

from __future__ import annotations

from tests.contract import media_server
from tests.contract.media_server import picture

__all__ = ["MediaServer", "picture"]

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64


class MediaServer(media_server.MediaServer):
    """Serves ``/v.mp4`` as well: the emulator takes it for a film, whose length is not known."""

    def __init__(self) -> None:
        super().__init__()
        self.files["/v.mp4"] = MP4
