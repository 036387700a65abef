"""Texts of the server without what is secret in them."""

from __future__ import annotations

import re

_USER = re.compile(r"://[^\s/@'\"<>]+@")
_QUERY = re.compile(r"\?[^\s?'\"<>()]+=[^\s'\"<>()]*")


def without_signatures(text: str) -> str:
    """Return ``text`` without what is secret in URLs and paths: queries, which sign, and passwords."""
    return _USER.sub("://...@", _QUERY.sub("?...", text))
