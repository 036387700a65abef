"""Draws one picture with its predictions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..models import Instance
from ..models.problems import count_of
from .page import listed
from .pictures import Picture
from .shapes import drawn, extent_of, fields_of
from .words import Extent, Words

_MOST_DRAWN = 200
_MOST_PROBLEMS = 5
_SCREEN = 360
"""Approximate width of a picture on the screen, in pixels."""

_WHICH = re.compile(r"\binstance_list\.(\d+)\b")
"""The part of a problem that says which instance it is about."""


@dataclass(frozen=True)
class Sample:
    """What is shown of one packet.

    :param instances: instances as models, or as the fields of invalid ones.
    :param problems: what is wrong with it.
    :param notes: further notes.
    :param wrong: indices of invalid instances, besides those that ``problems`` name.
    """

    name: str
    picture: Picture
    instances: Sequence[Instance | Mapping[str, Any]]
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()
    wrong: Collection[int] = ()


def figure(sample: Sample, label_of: Callable[[Any], str], colours: Mapping[str, str]) -> str:
    """Return a picture with its predictions drawn in; invalid ones have a dashed line.

    :param label_of: returns the name of an instance's label.
    :param colours: label -> CSS colour.
    """
    picture, shown = sample.picture, sample.instances[:_MOST_DRAWN]
    extents = [extent for each in sample.instances if (extent := extent_of(each)) is not None]
    width, height = size_of(picture, extents)
    named = (place for problem in sample.problems for place in _WHICH.findall(problem))
    wrong = {*map(int, named), *sample.wrong}
    words = Words(unit_of((width, height)), (width, height))
    shapes, chips = [], []
    for place, instance in enumerate(shown):
        label = label_of(instance)
        paint = colours.get(label, colour(len(colours)))
        shape = drawn(instance, label=label, colour=paint, words=words, wrong=place in wrong)
        if shape:
            shapes.append(shape)
        else:
            chips.append(f'<i style="background:{paint}"></i>{escape(f"{label} ({_kind(instance)})")}')
    drawing = canvas(picture, (width, height), shapes)
    notes = "; ".join([*_notes(sample, extents), *folded_note(words)])
    caption = f"<b>{escape(sample.name)}</b><br>{escape(notes)}"
    if chips:
        caption += f'<br><span class="chips">{" ".join(chips)}</span>'
    return f"<figure>{drawing}<figcaption>{caption}{_problems(sample.problems)}</figcaption></figure>"


def canvas(picture: Picture, size: tuple[float, float], shapes: Sequence[str]) -> str:
    """Return a picture as SVG with shapes over it, which can be enlarged; empty if there is neither.

    :param size: width and height, from :func:`size_of`.
    :param shapes: shapes from :func:`~.shapes.drawn`.
    """
    width, height = size
    image = ""
    if picture.data is not None:
        image = f'<image href="{picture.data}" width="{width:g}" height="{height:g}"/>'
    if not (shapes or image):
        return ""
    svg = f'<svg viewBox="0 0 {width:g} {height:g}">{image}{"".join(shapes)}</svg>'
    return f'<label class="opens"><input type="checkbox" aria-label="open the picture large">{svg}</label>'


def folded_note(words: Words) -> list[str]:
    """Return a note about words that found no place; empty if all did."""
    if not words.folded:
        return []
    return [
        "1 label is folded: point at its shape"
        if words.folded == 1
        else f"{count_of(words.folded, 'label')} are folded: point at their shapes"
    ]


def unit_of(size: tuple[float, float]) -> float:
    """Return how many pixels of a picture of that size are one pixel on the screen."""
    return size[0] / _SCREEN


def instances_in(packet: Any) -> list[Mapping[str, Any]]:
    """Return the instances that can be drawn from the fields of an invalid packet."""
    listed = packet.get("instance_list") if isinstance(packet, Mapping) else None
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def colour(rank: int) -> str:
    """Return the CSS colour of a rank; neighbours differ as much as possible, by the golden angle."""
    return f"hsl({(200 + rank * 137.508) % 360:.0f} 75% 50%)"


def _kind(instance: Any) -> str:
    return str(fields_of(instance).get("type", "no type"))[:20]


def _problems(problems: Sequence[str]) -> str:
    more = len(problems) - _MOST_PROBLEMS
    return listed([*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])


def _notes(sample: Sample, extents: Sequence[Extent]) -> list[str]:
    picture = sample.picture
    notes = [count_of(len(sample.instances), "instance"), *sample.notes]
    if len(sample.instances) > _MOST_DRAWN:
        notes.append(f"the first {_MOST_DRAWN} are shown")
    if picture.width and picture.height:
        right, below = picture.width, picture.height
        beyond = sum(each[0] < 0 or each[1] < 0 or each[2] > right or each[3] > below for each in extents)
        if beyond:
            notes.append(f"{beyond} beyond the edge of the picture ({right} x {below})")
    return [*notes, *([picture.reason] if picture.reason else [])]


def size_of(picture: Picture, extents: Sequence[Extent]) -> tuple[float, float]:
    """Return the size of the picture; if unknown, one that contains all instances."""
    if picture.width and picture.height:
        return picture.width, picture.height
    width = max((extent[2] for extent in extents), default=0)
    height = max((extent[3] for extent in extents), default=0)
    return max(1.0, width * 1.05), max(1.0, height * 1.05)
