"""What every page begins with."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files


def head(title: str, heading: str, verdict: str, notes: Iterable[str], style: str = "") -> str:
    """Return a page up to its heading.

    :param verdict: ``passes`` or ``fails``, for the colour of the heading.
    :param notes: listed below it.
    :param style: CSS of this page alone.
    """
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8") + style
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{style}</style></head><body>",
            f'<header class="{verdict}"><h1>{escape(heading)}</h1>',
            listed(notes),
            "</header>",
        ]
    )


def listed(texts: Iterable[str]) -> str:
    """Return texts as a list; nothing if there are none."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""
