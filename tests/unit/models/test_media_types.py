"""The media types stand in one place; whatever needs all of them takes them from there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

import airflow_provider_diffgram
from airflow_provider_diffgram.models.media import EXTENSIONS, MEDIA_TYPES, UrlMedia

PACKAGE = Path(airflow_provider_diffgram.__file__).parent
HOME = PACKAGE / "models" / "media.py"


def written_by_hand(source: str) -> list[str]:
    """Return the lists, tuples and sets of a module that name several media types."""
    displays = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List | ast.Tuple | ast.Set)
    )
    return [
        ast.unparse(node)
        for node in displays
        if sum(isinstance(each, ast.Constant) and each.value in MEDIA_TYPES for each in node.elts) > 1
    ]


def test_every_extension_is_of_a_media_type_and_every_media_type_has_one():
    assert set(EXTENSIONS.values()) == set(MEDIA_TYPES)


def test_a_list_of_media_types_is_seen():
    assert written_by_hand("for each in ('image', 'text', 'video'): pass") == ["('image', 'text', 'video')"]


def test_nobody_else_lists_the_media_types():
    """The emulator does: it knows what the server knows, and nothing of the models."""
    others = [path for path in sorted(PACKAGE.rglob("*.py")) if path != HOME]
    others = [path for path in others if "emulator" not in path.parts]
    found = {path.name: written_by_hand(path.read_text()) for path in others}
    assert {name: lists for name, lists in found.items() if lists} == {}


@pytest.mark.parametrize(
    "url", ["http://h/a.jpg\n", " http://h/a.jpg", "http://h/a.jpg\t", "http://h/a.jpg\u00a0"]
)
def test_a_url_has_no_blanks_at_its_ends(url: str):
    with pytest.raises(ValidationError, match="has a blank or the end of a line at one of its ends"):
        UrlMedia(url=url)


@pytest.mark.parametrize("url", ["http://h/a b.jpg", "HTTP://H/A.JPG"])
def test_a_url_may_have_blanks_and_capitals(url: str):
    assert UrlMedia(url=url).url == url
