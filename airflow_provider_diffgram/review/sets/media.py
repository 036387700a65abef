"""The media of a set: copied once for all its versions, or listed as addresses."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import PurePosixPath
from typing import Any, Literal

import imagesize
import requests

from ...client import DiffgramClient, StorageError, StorageRefusedError, routes
from ...client.attempts import backoff
from ...client.request import AT_ONCE, ask_together
from ...client.routes.uploads import MAX_LARGE_UPLOAD
from ...ingest.read.remote import Remote, UnreadableError
from ...models import File
from ...models.received import without_signatures
from .folder import Folder
from .formats.core import FileNames
from .stored import StoredFile

_log = logging.getLogger(__name__)

MediaChoice = Literal["none", "link", "copy"]
"""No media; the address of each, which Diffgram signs for some hours; or a copy of each."""

LINKS = "media.jsonl"
COPIES = "media"

_HEAD = 2**16
_FILES_AT_ONCE = 64
_TIMEOUT = (10.0, 60.0)
_MOST_SECONDS = 3600.0
"""Time for one medium."""


_PASSING = frozenset({408, 425, 429})
_OUT_OF_REACH = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)
_BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


@dataclass(frozen=True)
class Shelves:
    """Where copies go.

    :param common: the folder of the set. A medium never changes, so all versions share one copy.
    :param version: the folder of one version.
    """

    common: Folder
    version: Folder


def bring_media(
    client: DiffgramClient,
    files: Iterable[StoredFile],
    shelves: Shelves,
    names: FileNames,
    part_of: Callable[[StoredFile], str],
    copies: bool,
) -> None:
    """Copy the media of a set, or write where each of them can be read.

    On a local disk a version has links to the copies, elsewhere copies of them.

    :param part_of: folder of the version that a picture belongs into.
    :param copies: whether to copy.
    :raises StorageError: if a medium cannot be read now.
    :raises StorageRefusedError: if it cannot be read at all.
    """
    with_media = (file for file in files if not file.type.startswith("compound"))
    if not copies:
        with shelves.version.open(LINKS) as out:
            for file, url in _addresses(client, with_media):
                line = {"id": file.id, "name": names.of(file), "url": url}
                out.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        return
    there = shelves.common.below(COPIES).names()
    made: set[str] = set()

    def missing() -> Iterator[StoredFile]:
        for file in with_media:
            if copy_name(file) in there:
                _place(shelves, file, names, part_of, made)
            else:
                yield file

    def fetch(found: tuple[StoredFile, str | None]) -> StoredFile | None:
        file, url = found
        if url is None:
            return None
        _download(remote, url, shelves.common, file)
        return file

    settings = client.settings
    remote = Remote(
        settings,
        client.clock,
        most=MAX_LARGE_UPLOAD,
        seconds=_MOST_SECONDS,
        patience=settings.retry_timeout,
    )
    with closing(remote), ThreadPoolExecutor(AT_ONCE) as threads:
        rest = _addresses(client, missing())
        while some := list(islice(rest, _FILES_AT_ONCE)):
            for file in filter(None, threads.map(fetch, some)):
                _place(shelves, file, names, part_of, made)


def copy_name(file: StoredFile) -> str:
    """Return the name of a copy: the id of the file, whatever it is called."""
    return f"{file.id}{PurePosixPath(file.name).suffix.lower()}"


def _addresses(
    client: DiffgramClient, files: Iterable[StoredFile]
) -> Iterator[tuple[StoredFile, str | None]]:
    """Yield files with the address of their medium; None, and a warning, where Diffgram has none."""
    rest = iter(files)
    while some := list(islice(rest, _FILES_AT_ONCE)):
        viewed = client.run(ask_together(routes.view_file(client.project, file.id) for file in some))
        for file, view in zip(some, viewed, strict=True):
            url = _url_of(view)
            if url is None:
                _log.warning("Diffgram gives no address for %s (%s)", file.name, file.id)
            yield file, url


def _url_of(file: File) -> str | None:
    block = file.image or file.text or file.video or {}
    url: Any = block.get("url_signed") or block.get("file_signed_url")
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else None


def _download(remote: Remote, url: str, common: Folder, file: StoredFile) -> None:
    """Write a medium below its own name when it is whole."""
    try:
        medium = remote.read(url)
    except UnreadableError as error:
        is_final = error.reason.startswith("HTTP 4") and not error.may_pass
        kind = StorageRefusedError if is_final else StorageError
        raise kind(f"cannot read the medium of {file.name} ({file.id}): {error}. {kind.remedy}") from None
    with closing(medium):
        common.bring(f"{COPIES}/{copy_name(file)}", medium.view())


def _place(
    shelves: Shelves,
    file: StoredFile,
    names: FileNames,
    part_of: Callable[[StoredFile], str],
    made: set[str],
) -> None:
    part = part_of(file) if file.type == "image" else COPIES
    name = f"{part}/{names.of(file)}"
    if name in made:
        return
    made.add(name)
    shelves.version.link(name, shelves.common, f"{COPIES}/{copy_name(file)}")


def measured(client: DiffgramClient, file: StoredFile) -> StoredFile:
    """Return a picture with the size that its own head tells; as it is if that tells nothing.

    For pictures whose size the server does not know, or may have exchanged (server.md 10.1).

    :raises StorageError: if its storage is ill, so that a later attempt may know the size.
    """
    url = _url_of(client.send(routes.view_file(client.project, file.id)))
    if url is None:
        return file
    began = client.clock.monotonic()
    for failures in count(1):
        try:
            width, height = _size_of(_head_of(client, url))
            return replace(file, width=width, height=height) if width > 0 and height > 0 else file
        except requests.RequestException as error:
            told = f"size of {file.name} ({file.id}) is unknown: {without_signatures(str(error))}"
            seconds = backoff(failures)
            if not _may_pass(error):
                _log.warning("%s", told)
                return file
            if client.clock.monotonic() - began + seconds > client.settings.retry_timeout:
                raise StorageError(f"{told}. {StorageError.remedy}") from None
        client.clock.sleep(seconds)
    raise AssertionError


def _head_of(client: DiffgramClient, url: str) -> bytes:
    """Read the beginning of a medium; its address is signed, so that no credential goes with it."""
    settings = client.settings
    proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else None
    with requests.get(url, stream=True, timeout=_TIMEOUT, verify=settings.verify, proxies=proxies) as answer:
        answer.raise_for_status()
        return next(answer.iter_content(_HEAD), b"")


def _may_pass(error: requests.RequestException) -> bool:
    """Whether a storage that can be reached from here is ill; one that cannot be may never be."""
    if error.response is not None:
        status = error.response.status_code
        return status in _PASSING or status >= 500
    if isinstance(error, _OUT_OF_REACH) or "NewConnectionError" in str(error):
        return False
    return isinstance(error, _BROKEN_OFF)


def _size_of(head: bytes) -> tuple[int, int]:
    try:
        width, height = imagesize.get(io.BytesIO(head))
    except (ValueError, OSError, IndexError):
        return -1, -1
    return int(width), int(height)
