"""Removes secrets from the server's texts."""

from __future__ import annotations

import re

_USER = re.compile(r"://[^\s/@'\"<>]+@")
_QUERY = re.compile(r"\?[^\s?'\"<>()]+=[^\s'\"<>()]*")


def without_signatures(text: str) -> str:
    """Return ``text`` without the secrets of its URLs: signed queries and passwords."""
    return _USER.sub("://...@", _QUERY.sub("?...", text))
