"""Signed URLs of stored media (server.md 4.1); they work against the emulator itself."""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import quote, urlencode

BUCKET = "diffgram-storage"
VALID_SECONDS = 7 * 3600


def signature(key: str, bucket: str, blob_path: str, expires: int) -> str:
    """Return the signature of a blob until a moment."""
    text = f"{bucket}/{blob_path}?{expires}"
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed_url(key: str, base_url: str, bucket: str, blob_path: str, valid: int = VALID_SECONDS) -> str:
    """Return a URL at which anybody may read a blob for some hours."""
    expires = int(time.time()) + valid
    query = urlencode({"expires": expires, "signature": signature(key, bucket, blob_path, expires)})
    return f"{base_url}/storage/{quote(bucket)}/{quote(blob_path)}?{query}"


def is_valid(key: str, bucket: str, blob_path: str, expires: str, given: str) -> bool:
    """Tell whether a signature is right and not expired."""
    if not expires.isdecimal() or int(expires) < time.time():
        return False
    return hmac.compare_digest(signature(key, bucket, blob_path, int(expires)).encode(), given.encode())
