"""Names media in their dataset, always in the same way, so that a second run finds the first one's files."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlencode, urlsplit

from ...models import BlobMedia, InvalidValueError, Packet, PageMedia, PathMedia, UrlMedia
from ...models.media import media_type_of
from ...models.received import without_signatures

_SIGNING = re.compile(
    r"x-(amz|goog)-|awsaccesskeyid$|googleaccessid$|key-pair-id$|policy$|signature$|sig$|expires$|token$"
    r"|s[ekptrv]$|sks?t?$|skoid$|sktid$|ske$|skv$|spr$",
    re.IGNORECASE,
)


def stored_upload_name(name: str) -> str:
    """Return the name under which the server stores an uploaded file (server.md 3.6).

    Blanks and slashes become ``_``, accents are dropped, and only ASCII letters, digits, ``.``, ``_`` and
    ``-`` remain.
    """
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    joined = "_".join(ascii_only.replace("/", " ").replace("\\", " ").split())
    return re.sub(r"[^A-Za-z0-9._-]", "", joined).strip("._")


def name_of(packet: Packet) -> str:
    """Return the ``original_filename`` that the packet's medium has, or will have, in its dataset.

    If the user gives none, it consists of the base name of the source and a hash of the whole path, because
    base names repeat in different folders.

    The server drops letters outside ASCII from the name of an upload. Names that differ only by these would
    be the same file, and the second one would be skipped. So such names get a hash of the whole name.

    :raises InvalidValueError: if no name can be made.
    """
    name = packet.original_filename or _derived(packet)
    if not isinstance(packet.media, PathMedia):
        return name
    stored = stored_upload_name(name)
    if _loses_letters(name):
        return _hashed(name, name)
    if media_type_of(stored) != packet.media.type:
        raise InvalidValueError(
            f"name {name!r}", ["only the extension is left of it once the server has stored it"]
        )
    return stored


def _loses_letters(name: str) -> bool:
    """Whether the server drops letters or digits of a name, not only their accents."""
    return not name.isascii() and any(
        each.isalnum() and not each.isascii() for each in unicodedata.normalize("NFKD", name)
    )


def _derived(packet: Packet) -> str:
    media = packet.media
    if isinstance(media, PageMedia):
        return f"{PurePosixPath(_hashed(media.path, media.path)).stem}-page-{media.page}.png"
    if isinstance(media, PathMedia):
        return _hashed(media.path, media.path)
    if isinstance(media, BlobMedia):
        return _hashed(media.raw_data_blob_path, f"{media.bucket_name}/{media.raw_data_blob_path}")
    if isinstance(media, UrlMedia):
        path = urlsplit(media.url).path
        if media_type_of(path) != media.type:
            raise InvalidValueError(
                f"packet from {without_signatures(media.url)}",
                [
                    f"the URL does not end in an extension for {media.type}: give an "
                    f"original_filename that does"
                ],
            )
        return _hashed(path, _without_signature(media.url))
    raise InvalidValueError("packet", ["needs original_filename"])


def _hashed(path: str, identity: str) -> str:
    base = PurePosixPath(path)
    digest = hashlib.blake2b(identity.encode(), digest_size=4).hexdigest()
    stem = stored_upload_name(base.stem) or "file"
    return f"{stem}-{digest}{base.suffix}"


def _without_signature(url: str) -> str:
    """Remove the parts of a URL that change with each signature."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query) if not _SIGNING.match(key)]
    return parts._replace(query=urlencode(query), fragment="").geturl()
