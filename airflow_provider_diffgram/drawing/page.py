"""The beginning of every page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files


def head(
    title: str,
    heading: str,
    verdict: str,
    notes: Iterable[str],
    style: str = "",
    *,
    facts: Iterable[str] = (),
    script: str = "",
) -> str:
    """Return a page up to its heading.

    :param verdict: ``passes`` or ``fails``, for the colour of the heading.
    :param notes: texts to list below it.
    :param style: CSS for this page alone.
    :param facts: what the page is about, in a line below the heading.
    :param script: the only script that may run; insert it with :func:`script_of`.
    """
    allowed = ""
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allowed = f"; script-src 'sha256-{digest}'"
    told = " &middot; ".join(escape(each) for each in facts)
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8") + style
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" '
            f"content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'{allowed}\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{style}</style></head><body>",
            f'<header class="{verdict}"><h1>{escape(heading)}</h1>',
            f'<p class="facts">{told}</p>' if told else "",
            listed(notes),
            "</header>",
        ]
    )


def script_of(script: str) -> str:
    """Return a script as an element of the page; empty without one."""
    return f"<script>{script}</script>" if script else ""


def listed(texts: Iterable[str]) -> str:
    """Return texts as an HTML list; empty if there are none."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""
