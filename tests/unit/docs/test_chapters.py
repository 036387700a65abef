"""On the site a long guide is a page per chapter; no section, number or link is lost."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reference.chapters import LONG, Guide, leading_to_chapters, slug

DOCS = Path(__file__).parents[3] / "docs"
GUIDES = [Guide.read(name, (DOCS / name).read_text(encoding="utf-8")) for name in LONG]
SERVER = GUIDES[0]
SIGN = "\N{SECTION SIGN}"
"""How docs/server.md cites itself; elsewhere it is no form of citation."""
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def pages(guide: Guide) -> dict[str, str]:
    return {guide.file: guide.index(), **{each.file: guide.page(each) for each in guide.chapters}}


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", without_code(text), re.MULTILINE)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda each: each.file)
def test_the_chapters_have_every_heading_and_line_of_the_guide(guide: Guide):
    whole = (DOCS / guide.file).read_text(encoding="utf-8")
    made = "".join(pages(guide).values())
    assert headings(made) == headings(whole)
    for line in without_code(whole).splitlines():
        bare = LINK.sub("](", line).lstrip("# ")
        assert SIGN in bare or bare in LINK.sub("](", made), line
    assert re.findall(r"^```.*?^```$", made, re.M | re.S) == re.findall(r"^```.*?^```$", whole, re.M | re.S)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda each: each.file)
def test_each_page_has_one_title_and_none_is_endless(guide: Guide):
    for file, text in pages(guide).items():
        assert len(re.findall(r"^# ", without_code(text), re.MULTILINE)) == 1, file
        assert text.count("\n") < 620, file


@pytest.mark.parametrize("guide", GUIDES, ids=lambda each: each.file)
def test_links_between_chapters_lead_somewhere(guide: Guide):
    made = pages(guide)
    for file, text in made.items():
        for page, anchor in LINK.findall(without_code(text)):
            name = os.path.normpath(Path(file).parent / page) if page else file
            assert name in made or (DOCS / name).is_file(), (file, page)
            if anchor:
                there = made.get(name) or (DOCS / name).read_text(encoding="utf-8")
                assert anchor in anchors(there), (file, page, anchor)


def test_each_number_of_a_section_leads_to_it():
    made = pages(SERVER)
    cited = re.findall(rf"{SIGN}(\d+(?:\.\d+)*)", (DOCS / "server.md").read_text(encoding="utf-8"))
    linked = [
        found for text in made.values() for found in re.findall(rf"\[{SIGN}([\d.]+)\]\(([^)]+)\)", text)
    ]
    assert sorted(number for number, _ in linked) == sorted(cited)
    for number, target in linked:
        file, _, anchor = target.removeprefix("../").partition("#")
        title = re.match(r"# (.*)", made[file])
        assert title is not None
        assert (anchor or slug(title[1])).startswith(slug(f"{number} ").strip("-")), (number, target)


def test_links_from_other_guides_lead_to_the_chapter():
    for path in DOCS.glob("*.md"):
        if path.name in LONG:
            continue
        text = leading_to_chapters(path.read_text(encoding="utf-8"), GUIDES)
        for page, anchor in LINK.findall(text):
            assert not (page in LONG and anchor), (path, page, anchor)


def test_a_link_to_a_section_leads_to_the_chapter_that_has_it():
    guide = Guide.read(
        "long.md", f"# Long\n\n## 1 One\n\n### 1.1 Inner\n\nSee {SIGN}2 and {SIGN}1.1.\n\n## 2 Two\n\nEnd.\n"
    )
    assert guide.target("1-one") == "long/1-one.md"
    assert guide.target("11-inner") == "long/1-one.md#11-inner"
    assert guide.page(guide.chapters[0]) == (
        f"# 1 One\n\n## 1.1 Inner\n\nSee [{SIGN}2](../long/2-two.md) and "
        f"[{SIGN}1.1](../long/1-one.md#11-inner).\n"
    )
    assert leading_to_chapters("[a](../long.md#11-inner)", [guide], "../") == "[a](../long/1-one.md#11-inner)"
    assert leading_to_chapters("[a](long.md)", [guide]) == "[a](long.md)"


def test_what_the_reference_cites_is_linked():
    text = SERVER.with_citations("A file (server.md 2.4, quirk 20).\n```\nserver.md 2.4\n```\n", "../")
    assert text == (
        "A file ([server.md 2.4](../server/2-endpoints.md#24-file-new-compound), "
        "[quirk 20](../server/7-quirks.md)).\n```\nserver.md 2.4\n```\n"
    )
