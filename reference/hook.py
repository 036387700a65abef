"""Takes pages into the site that are not in ``docs``: the reference, and chapters. MkDocs calls it.

``python -m reference build/reference`` writes the pages of the reference first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parents[1]))

from reference.chapters import LONG, Guide, leading_to_chapters

_MADE = Path(__file__).parents[1] / "build" / "reference"
_DOCS = Path(__file__).parents[1] / "docs"
_GUIDES = [Guide.read(name, (_DOCS / name).read_text(encoding="utf-8")) for name in LONG]


def on_config(config: Any) -> Any:
    """Put the pages below the entry ``Reference`` of the menu, and chapters below their guides."""
    index = json.loads((_MADE / "index.json").read_text(encoding="utf-8"))
    sections = [{name: [{title: page} for title, page in pages]} for name, pages in index.items()]
    for entry in config["nav"]:
        for name, pages in entry.items():
            if name == "Reference":
                entry[name] = [{"All classes and functions": page} for page in pages] + sections
            elif isinstance(pages, list):
                entry[name] = [_with_chapters(each) for each in pages]
    return config


def _with_chapters(entry: dict[str, str]) -> dict[str, Any]:
    ((title, page),) = entry.items()
    chapters = [{each.title: each.file} for guide in _GUIDES if guide.file == page for each in guide.chapters]
    return {title: [{"Overview": page}, *chapters]} if chapters else entry


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    for page in sorted((_MADE / "reference").glob("*.md")):
        content = page.read_text(encoding="utf-8")
        files.append(File.generated(config, f"reference/{page.name}", content=content))
    for guide in _GUIDES:
        for chapter in guide.chapters:
            files.append(File.generated(config, chapter.file, content=guide.page(chapter)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put the list of all pages on the page that leads to them, and let links lead to chapters."""
    for guide in _GUIDES:
        if page.file.src_uri == guide.file:
            return guide.index()
    up = "../" * page.file.src_uri.count("/")
    text = leading_to_chapters(markdown, _GUIDES, up)
    if page.file.src_uri == "reference.md":
        text += f"\n\n{(_MADE / 'overview.md').read_text(encoding='utf-8')}"
    if page.file.src_uri.startswith("reference"):
        (server,) = [guide for guide in _GUIDES if guide.file == "server.md"]
        return server.with_citations(text, up)
    return text
