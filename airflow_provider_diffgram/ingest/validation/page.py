"""The page that a person looks at before predictions are sent: one file, which loads nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import BinaryIO

from ...models import Packet
from ..read.paths import PathOpener
from .counts import BINS, Counts, LabelCounts
from .drawing import drawn, extent_of
from .pictures import Picture, picture_of

_MOST_DRAWN = 200
_MOST_LABELS = 200
_MOST_PROBLEMS = 50
_SCREEN = 360
"""About how wide a picture is on the screen, in pixels."""

_BAR, _HEIGHT = 7, 30


def write_page(
    file: BinaryIO, *, project: str, counts: Counts, failures: list[str], path_of: PathOpener
) -> None:
    """Write the page of a prediction set.

    Everything that came with the packets is escaped; addresses of media are left out.

    :param file: open for writing bytes.
    :param failures: why the set fails; empty if it passes.
    :param path_of: opens the paths of pictures.
    """
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    verdict = "fails" if failures else "passes"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Predictions for {escape(project)}: {verdict}</title><style>{style}</style></head><body>",
        f'<header class="{verdict}"><h1>{escape(project)}: the prediction set {verdict}</h1>',
        _list(failures),
        "</header>",
        _figures(counts),
    ]
    file.write("".join(parts).encode())
    for part in (*_labels(counts), *_problems(counts)):
        file.write(part.encode())
    for part in _samples(counts, path_of):
        file.write(part.encode())
    file.write(b"</body></html>\n")


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _figures(counts: Counts) -> str:
    mean = counts.mean_score
    figures = [
        (f"{counts.packets:,}", "packets"),
        (f"{counts.invalid:,}", "invalid"),
        (f"{counts.instances:,}", "instances"),
        (f"{len(counts.labels):,}", "labels"),
        ("none" if mean is None else f"{mean:.3f}", "mean score"),
    ]
    shown = "".join(f"<div><b>{value}</b>{name}</div>" for value, name in figures)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.kinds.most_common())
    return f'<section class="figures">{shown}</section><p class="kinds">{escape(kinds)}</p>'


def _labels(counts: Counts) -> Iterator[str]:
    yield '<section><h2>Labels</h2><div class="scroll"><table><thead><tr><th>Label<th>Instances<th>'
    yield "<th>Mean score<th>Scores from 0 to 1</tr></thead><tbody>"
    labels = counts.by_frequency
    most = labels[0][1].instances if labels else 1
    for rank, (name, each) in enumerate(labels[:_MOST_LABELS]):
        colour = _colour(rank)
        mean = "" if each.mean_score is None else f"{each.mean_score:.3f}"
        share = 100 * each.instances / most
        yield (
            f'<tr><td><i style="background:{colour}"></i>{escape(name)}</td><td>{each.instances:,}</td>'
            f'<td class="bar"><span style="width:{share:.1f}%;background:{colour}"></span></td>'
            f"<td>{mean}</td><td>{_histogram(each, colour)}</td></tr>"
        )
    more = len(labels) - _MOST_LABELS
    yield "</tbody></table></div>" + (f"<p>and {more} more</p>" if more > 0 else "") + "</section>"


def _histogram(label: LabelCounts, colour: str) -> str:
    """Return the scores of a label as bars, the highest over the whole height."""
    if not label.scores:
        return ""
    most = max(label.bins)
    bars = []
    for place, count in enumerate(label.bins):
        height = max(1.0, _HEIGHT * count / most) if count else 0
        low = place / BINS
        bars.append(
            f'<rect x="{place * _BAR}" y="{_HEIGHT - height:.1f}" width="{_BAR - 1}" height="{height:.1f}" '
            f'fill="{colour}"><title>{low:.2f} to {low + 1 / BINS:.2f}: {count:,}</title></rect>'
        )
    width = BINS * _BAR
    axis = f'<path d="M0 {_HEIGHT + 0.5}H{width}" stroke="currentColor" opacity=".4"/>'
    return (
        f'<svg class="scores" viewBox="0 0 {width} {_HEIGHT + 1}" width="{width}" height="{_HEIGHT + 1}">'
        f"{''.join(bars)}{axis}</svg>"
    )


def _problems(counts: Counts) -> Iterator[str]:
    if not counts.problems:
        return
    yield '<section><h2>Problems</h2><div class="scroll"><table><thead><tr><th>Packets<th>First one</tr>'
    yield "</thead><tbody>"
    problems = sorted(counts.problems.values(), key=lambda each: -each.packets)
    for each in problems[:_MOST_PROBLEMS]:
        yield f'<tr><td>{each.packets:,}</td><td class="words">{escape(each.example)}</td></tr>'
    more = len(problems) - _MOST_PROBLEMS
    yield "</tbody></table></div>" + (f"<p>and {more} more kinds</p>" if more > 0 else "") + "</section>"


def _samples(counts: Counts, path_of: PathOpener) -> Iterator[str]:
    if not counts.samples:
        return
    yield '<section><h2>Samples</h2><div class="samples">'
    colours = {name: _colour(rank) for rank, (name, _) in enumerate(counts.by_frequency)}
    for name, packet in counts.samples:
        yield _sample(name, packet, picture_of(packet, path_of), counts, colours)
    yield "</div></section>"


def _sample(name: str, packet: Packet, picture: Picture, counts: Counts, colours: Mapping[str, str]) -> str:
    shown = packet.instance_list[:_MOST_DRAWN]
    width, height = _size(packet, picture)
    unit = width / _SCREEN
    image = ""
    if picture.data is not None:
        image = f'<image href="{picture.data}" width="{width:g}" height="{height:g}"/>'
    shapes = []
    chips = []
    for instance in shown:
        label = counts.label_of(instance)
        colour = colours.get(label, _colour(len(colours)))
        shape = drawn(instance, label=label, colour=colour, unit=unit, width=width)
        if shape:
            shapes.append(shape)
        else:
            chips.append(f'<i style="background:{colour}"></i>{escape(label)} ({instance.type})')
    notes = [f"{len(packet.instance_list):,} instance(s)"]
    if len(packet.instance_list) > len(shown):
        notes.append(f"the first {len(shown)} are shown")
    beyond = _beyond(packet, picture)
    if beyond:
        notes.append(f"{beyond} beyond the edge of the picture ({picture.width} x {picture.height})")
    if picture.reason:
        notes.append(picture.reason)
    drawing = ""
    if shapes or image:
        drawing = f'<svg viewBox="0 0 {width:g} {height:g}">{image}{"".join(shapes)}</svg>'
    caption = f"<b>{escape(name)}</b><br>{escape('; '.join(notes))}"
    if chips:
        caption += f'<br><span class="chips">{" ".join(chips)}</span>'
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def _size(packet: Packet, picture: Picture) -> tuple[float, float]:
    """Return the size of the picture; where it is unknown, one that all instances are in."""
    if picture.width and picture.height:
        return picture.width, picture.height
    extents = [extent for each in packet.instance_list if (extent := extent_of(each)) is not None]
    width = max((extent[2] for extent in extents), default=0)
    height = max((extent[3] for extent in extents), default=0)
    return max(1.0, width * 1.05), max(1.0, height * 1.05)


def _beyond(packet: Packet, picture: Picture) -> int:
    if not picture.width or not picture.height:
        return 0
    extents = filter(None, map(extent_of, packet.instance_list))
    return sum(
        extent[0] < 0 or extent[1] < 0 or extent[2] > picture.width or extent[3] > picture.height
        for extent in extents
    )


def _colour(rank: int) -> str:
    """Return colours that differ most between neighbours: the golden angle apart."""
    return f"hsl({(200 + rank * 137.508) % 360:.0f} 75% 50%)"
