"""Docstrings in Sphinx's style -> Markdown."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_FIELD = re.compile(r"^:(param|raises?|returns?|rtype|type)\b ?([^:]*):\s*(.*)$")
_ROLE = re.compile(r":(?:py:)?\w+:`(~?)([^`<]+)`")
_TABLE = re.compile(r"=+ +=+\n")
_CODE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)

Find = Callable[[str], str | None]
"""The dotted name of a role -> the page of what it names, if that has one."""


@dataclass(frozen=True)
class Docstring:
    """A docstring, read.

    :param body: what comes before its fields.
    :param params: parameter -> what it means.
    :param raises: an exception and when it is raised, in order.
    """

    body: str = ""
    params: dict[str, str] = field(default_factory=dict)
    raises: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, thing: Any) -> Docstring:
        """Return the docstring of a thing; an inherited one does not count."""
        text = getattr(thing, "__doc__", None)
        return cls.read(text) if isinstance(text, str) else cls()

    @classmethod
    def read(cls, text: str) -> Docstring:
        """Return what a docstring says."""
        lines = inspect.cleandoc(text).splitlines()
        first = next((at for at, line in enumerate(lines) if _FIELD.match(line)), len(lines))
        fields: list[list[str]] = []
        for line in lines[first:]:
            found = _FIELD.match(line)
            if found:
                fields.append([found[1], found[2].strip(), found[3]])
            elif line.strip():
                fields[-1][2] += f" {line.strip()}"
        return cls(
            "\n".join(lines[:first]).strip(),
            {name.split()[-1]: words for kind, name, words in fields if kind == "param"},
            [(name, words) for kind, name, words in fields if kind.startswith("raise")],
        )


def paragraphs(text: str, find: Find) -> str:
    """Return the body of a docstring as Markdown."""
    blocks: list[str] = []
    listing: list[str] | None = None
    for block in re.split(r"\n{2,}", text):
        if block.startswith(".. code-block::"):
            listing = []
            block = block.partition("\n")[2]
        if listing is None and _TABLE.match(block):
            blocks.append(_table(block.splitlines(), find))
            continue
        if listing is not None and (not block or block.startswith("    ")):
            listing += [*([""] if listing else []), *(line[4:] for line in block.splitlines())]
            continue
        if listing is not None:
            blocks.append(_fenced(listing))
            listing = None
        blocks.append(words(block, find))
    if listing is not None:
        blocks.append(_fenced(listing))
    return "\n\n".join(block for block in blocks if block)


def _table(lines: list[str], find: Find) -> str:
    """Return a simple table of reStructuredText as Markdown; its second column may take several lines."""
    second = lines[0].index(" =") + 1
    rows: list[list[str]] = []
    for line in lines[1:]:
        if line.startswith("="):
            continue
        first, rest = line[:second].strip(), line[second:].strip()
        if first:
            rows.append([first, rest])
        else:
            rows[-1][1] += f" {rest}"
    head, *body = [f"| {' | '.join(words(cell, find) for cell in row)} |" for row in rows]
    return "\n".join([head, "|---|---|", *body])


def _fenced(lines: list[str]) -> str:
    return "\n".join(["```python", *lines, "```"])


def words(text: str, find: Find) -> str:
    """Return words of a docstring as Markdown with HTML for code, fit for the cell of a table."""
    parts: list[str] = []
    at = 0
    for found in re.finditer(rf"{_ROLE.pattern}|{_CODE.pattern}", text, re.DOTALL):
        parts.append(_plain(text[at : found.start()]))
        role, code = found[2], found[3] or found[4]
        if role:
            shown = role.rpartition(".")[2] if found[1] else role.lstrip(".")
            page = find(role)
            parts.append(f"[{code_of(shown)}]({page})" if page else code_of(shown))
        else:
            parts.append(code_of(code))
        at = found.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "&#124;").replace("*", "&#42;")


def code_of(text: str) -> str:
    """Return code in a line, fit for the cell of a table."""
    shown = html.escape(" ".join(text.split()), quote=False)
    for each, code in (("|", "&#124;"), ("*", "&#42;"), ("_", "&#95;"), ("[", "&#91;"), ("]", "&#93;")):
        shown = shown.replace(each, code)
    shown = shown.replace("&#91;", "&#91;<wbr>")  # where a browser may break a long type
    return f"<code>{shown}</code>"
