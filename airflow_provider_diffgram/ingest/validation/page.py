"""Writes the page of a prediction set, for people to check before it is sent: one self-contained file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from ...drawing import Picture, Sample, colour, figure, head, instances_in, listed, script_of
from ...models import Instance, Media
from ...models.problems import count_of
from .counts import BINS, Counts, LabelCounts, WrongPacket

_MOST_LABELS = 200
_MOST_PROBLEMS = 50

_BAR, _HEIGHT = 7, 30


PictureOf = Callable[[Any], Picture]


def write_page(
    file: BinaryIO,
    *,
    project: str,
    counts: Counts,
    failures: list[str],
    picture_of: PictureOf,
    facts: Sequence[str] = (),
    remedies: Sequence[str] = (),
) -> None:
    """Write the page of a prediction set.

    Everything that came with the packets is escaped; addresses of media are left out.

    :param file: open for writing bytes.
    :param failures: why the set fails; empty if it passes.
    :param picture_of: returns the picture of a medium.
    :param facts: which set it is: its dataset, its run, when it was checked.
    :param remedies: what to do about the problems.
    """
    verdict = "fails" if failures else "passes"
    heading = f"{project}: the prediction set {verdict}"
    script = (
        files(__package__).joinpath("threshold.js").read_text(encoding="utf-8") if _scores(counts) else ""
    )
    title = f"Predictions for {project}: {verdict}"
    file.write(head(title, heading, verdict, failures, facts=facts, script=script).encode())
    if remedies:
        file.write(f"<section><h2>What to do</h2>{listed(remedies)}</section>".encode())
    file.write(_figures(counts).encode())
    file.write(_threshold(counts).encode())
    for part in (*_labels(counts), *_problems(counts)):
        file.write(part.encode())
    for part in _samples(counts, picture_of):
        file.write(part.encode())
    file.write(f"{script_of(script)}</body></html>\n".encode())


def _figures(counts: Counts) -> str:
    mean = counts.mean_score
    figures = [
        _tile(counts.packets, "packet"),
        (f"{counts.invalid:,}", "invalid"),
        _tile(counts.instances, "instance"),
        _tile(len(counts.labels), "label"),
        ("none" if mean is None else f"{mean:.3f}", "mean score"),
    ]
    shown = "".join(f"<div><b>{value}</b>{name}</div>" for value, name in figures)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in counts.kinds.most_common())
    return f'<section class="figures">{shown}</section><p class="kinds">{escape(kinds)}</p>'


def _tile(number: int, noun: str) -> tuple[str, str]:
    told, _, name = count_of(number, noun).partition(" ")
    return told, name


def _scores(counts: Counts) -> int:
    return sum(each.scores for each in counts.labels.values())


def _threshold(counts: Counts) -> str:
    """Return the slider that hides instances below a score and says how many of the whole set remain.

    The page's script shows it, so it is hidden where scripts cannot run.
    """
    scores = _scores(counts)
    if not scores:
        return ""
    bins = [sum(column) for column in zip(*(each.bins for each in counts.labels.values()), strict=True)]
    without = counts.instances - scores
    rest = f"; {without:,} have no score and always stay" if without else ""
    return (
        '<section class="threshold" hidden><h2>Threshold</h2><label>Score at least '
        f'<input type="range" min="0" max="1" step="{1 / BINS:g}" value="0" data-bins="{bins}">'
        "<output>0.00</output></label>"
        f"<p><output>{scores:,}</output> of {scores:,} instances with a score in the whole set{rest}. The "
        "pictures show only these.</p></section>"
    )


def _labels(counts: Counts) -> Iterator[str]:
    yield '<section><h2>Labels</h2><div class="scroll"><table><thead><tr><th>Label<th>Instances<th>'
    yield "<th>Mean score<th>Scores from 0 to 1</tr></thead><tbody>"
    labels = counts.by_frequency
    most = labels[0][1].instances if labels else 1
    for rank, (name, each) in enumerate(labels[:_MOST_LABELS]):
        paint = colour(rank)
        mean = "" if each.mean_score is None else f"{each.mean_score:.3f}"
        share = 100 * each.instances / most
        yield (
            f'<tr><td><i style="background:{paint}"></i>{escape(name)}</td><td>{each.instances:,}</td>'
            f'<td class="bar"><span style="width:{share:.1f}%;background:{paint}"></span></td>'
            f"<td>{mean}</td><td>{_histogram(each, paint)}</td></tr>"
        )
    more = len(labels) - _MOST_LABELS
    yield "</tbody></table></div>" + (f"<p>and {more} more</p>" if more > 0 else "") + "</section>"


def _histogram(label: LabelCounts, paint: str) -> str:
    """Return the scores of a label as bars; the highest has the full height."""
    if not label.scores:
        return ""
    most = max(label.bins)
    bars = []
    for place, count in enumerate(label.bins):
        height = max(1.0, _HEIGHT * count / most) if count else 0
        low = place / BINS
        bars.append(
            f'<rect x="{place * _BAR}" y="{_HEIGHT - height:.1f}" width="{_BAR - 1}" height="{height:.1f}" '
            f'fill="{paint}"><title>{low:.2f} to {low + 1 / BINS:.2f}: {count:,}</title></rect>'
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
    yield (
        "</tbody></table></div>"
        + (f"<p>and {count_of(more, 'more kind')}</p>" if more > 0 else "")
        + "</section>"
    )


def _samples(counts: Counts, picture_of: PictureOf) -> Iterator[str]:
    colours = {name: colour(rank) for rank, (name, _) in enumerate(counts.by_frequency)}
    wrong = (_wrong(each, picture_of) for each in counts.wrong.drawn)
    right = (
        Sample(name, picture_of(packet.media), packet.instance_list) for name, packet in counts.samples.drawn
    )
    for title, samples in (("Invalid", wrong), ("Samples", right)):
        opened = False
        for sample in samples:
            if not opened:
                yield f'<section><h2>{title}</h2><div class="samples">'
                opened = True
            yield figure(sample, counts.label_of, colours)
        if opened:
            yield "</div></section>"


def _wrong(wrong: WrongPacket, picture_of: PictureOf) -> Sample:
    """Return what can be shown of an invalid packet, whose medium may be invalid, too."""
    if wrong.packet is not None:
        packet = wrong.packet
        marked = [n for n, each in enumerate(packet.instance_list) if _is_meant(each, wrong.problems)]
        picture = picture_of(packet.media)
        return Sample(wrong.name, picture, packet.instance_list, wrong.problems, wrong=marked)
    fields = wrong.fields if isinstance(wrong.fields, Mapping) else {}
    try:
        picture = picture_of(_MEDIA.validate_python(fields.get("media")))
    except ValidationError:
        picture = Picture(reason="no picture: the medium is wrong")
    return Sample(wrong.name, picture, instances_in(fields), wrong.problems)


def _is_meant(instance: Instance, problems: Sequence[str]) -> bool:
    """Whether a problem with a label or attribute is about an instance, by the name that it contains."""
    names = [f"label {instance.label!r} ", f"label_file_id {instance.label_file_id} "]
    names += [f"attribute {name!r} " for name in instance.attributes or ()]
    return any(name in problem for problem in problems for name in names)


_MEDIA: TypeAdapter[Any] = TypeAdapter(Media)
