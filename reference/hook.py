"""Takes the pages that ``python -m reference build/reference`` wrote into the site. MkDocs calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

_MADE = Path(__file__).parents[1] / "build" / "reference"


def on_config(config: Any) -> Any:
    """Put the pages below the entry ``Reference`` of the menu."""
    index = json.loads((_MADE / "index.json").read_text(encoding="utf-8"))
    sections = [{name: [{title: page} for title, page in pages]} for name, pages in index.items()]
    for entry in config["nav"]:
        if "Reference" in entry:
            entry["Reference"] = [*entry["Reference"], *sections]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    for page in sorted((_MADE / "reference").glob("*.md")):
        content = page.read_text(encoding="utf-8")
        files.append(File.generated(config, f"reference/{page.name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put the list of all pages on the page that leads to them."""
    if page.file.src_uri != "reference.md":
        return markdown
    return f"{markdown}\n\n{(_MADE / 'overview.md').read_text(encoding='utf-8')}"
