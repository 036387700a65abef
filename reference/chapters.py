"""Long guides -> pages by chapter, for the site; in the repository each of them is one file.

Comments and tests cite ``docs/server.md`` by the numbers of its sections, and messages are searched for in
``docs/troubleshooting.md``: both are best in one file. A reader of the site gets a page per chapter, and
links from each number to its section.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LONG = ("server.md", "troubleshooting.md")
"""What is split, below ``docs``."""
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)")
_SECTION = re.compile(r"\N{SECTION SIGN}(\d+(?:\.\d+)*)")
_CITATION = re.compile(r"\bserver\.md (\d+(?:\.\d+)*)")
_QUIRK = re.compile(r"\bquirks? \d+(?:, \d+)*(?: (?:and|to) \d+)?")


@dataclass(frozen=True)
class Chapter:
    """A chapter of a long guide.

    :param title: its heading.
    :param file: its page, below ``docs``.
    :param text: what stands below the heading.
    :param anchors: of the headings below it, as the site makes them.
    """

    title: str
    file: str
    text: str
    anchors: frozenset[str]


@dataclass(frozen=True)
class Guide:
    """A long guide.

    :param file: its page, below ``docs``.
    :param begin: what stands before the first chapter.
    :param chapters: in order.
    """

    file: str
    begin: str
    chapters: tuple[Chapter, ...]

    @classmethod
    def read(cls, file: str, text: str) -> Guide:
        """Return the chapters of a guide: a page for each heading of the second level."""
        begin, *parts = re.split(r"^## (?=\S)", text, flags=re.MULTILINE)
        return cls(file, begin, tuple(_chapter(file, part) for part in parts))

    def index(self) -> str:
        """Return the page that leads to the chapters."""
        lines = [f"- [{each.title}]({each.file})" for each in self.chapters]
        return f"{_outside_of_code(self.begin, self._cited_from_the_index)}\n" + "\n".join(lines) + "\n"

    def page(self, chapter: Chapter) -> str:
        """Return the page of a chapter, whose links lead out of the guide's folder."""
        text = re.sub(r"^##(#+ )", r"#\1", chapter.text, flags=re.MULTILINE)
        return f"# {chapter.title}\n\n{_outside_of_code(text, self._with_links)}"

    def target(self, anchor: str) -> str:
        """Return the page of an anchor, with the anchor where it is not the page itself.

        :param anchor: without the sign before it.
        """
        for each in self.chapters:
            if anchor == slug(each.title):
                return each.file
            if anchor in each.anchors:
                return f"{each.file}#{anchor}"
        return f"{self.file}#{anchor}" if anchor else self.file

    def _with_links(self, text: str) -> str:
        def linked(found: re.Match[str]) -> str:
            page, anchor = found[1], (found[2] or "")[1:]
            if page in ("", self.file):
                return f"](../{self.target(anchor)})"
            return f"](../{page}{found[2] or ''})"

        return self._cited(_LINK.sub(linked, text), "../")

    def _cited_from_the_index(self, text: str) -> str:
        return self._cited(text, "")

    def with_citations(self, text: str, up: str) -> str:
        """Return a page of the reference in which ``server.md 2.14`` and ``quirk 33`` lead to what they cite.

        :param up: from the page to the folder of all guides.
        """
        quirks = f"{up}{self.target(slug('7 Quirks'))}"

        def changed(part: str) -> str:
            part = _QUIRK.sub(lambda found: f"[{found[0]}]({quirks})", part)
            return self._cited(part, up, _CITATION)

        return _outside_of_code(text, changed)

    def _cited(self, text: str, up: str, form: re.Pattern[str] = _SECTION) -> str:
        """Return a text in which each number of a section leads to it."""
        numbers = {}
        for each in self.chapters:
            for heading in [each.title, *re.findall(r"^#{3,} (.*)$", each.text, re.MULTILINE)]:
                numbers[heading.partition(" ")[0]] = f"{up}{self.target(slug(heading))}"

        def linked(found: re.Match[str]) -> str:
            return f"[{found[0]}]({numbers[found[1]]})" if found[1] in numbers else found[0]

        return form.sub(linked, text)


def slug(heading: str) -> str:
    """Return the anchor of a heading, as Python-Markdown makes it."""
    ascii_only = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip().lower())


def _chapter(file: str, part: str) -> Chapter:
    title, _, text = part.partition("\n")
    folder = file.removesuffix(".md")
    headings = re.findall(r"^#{3,} (.*)$", text, re.MULTILINE)
    anchors = frozenset(slug(heading) for heading in headings)
    return Chapter(title.strip(), f"{folder}/{slug(title)}.md", f"{text.strip()}\n", anchors)


def _outside_of_code(text: str, change: Callable[[str], str]) -> str:
    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def leading_to_chapters(text: str, guides: list[Guide], up: str = "") -> str:
    """Return a page whose links to long guides lead to their chapters.

    :param up: from the page to the folder of all guides.
    """
    by_file = {f"{up}{guide.file}": guide for guide in guides}

    def linked(found: re.Match[str]) -> str:
        guide = by_file.get(found[1])
        if guide is None or not found[2]:
            return found[0]
        return f"]({up}{guide.target(found[2][1:])})"

    return _outside_of_code(text, lambda part: _LINK.sub(linked, part))
