"""The page of a comparison: one file, which loads nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any, BinaryIO

from ...drawing import Picture, Words, canvas, drawn, extent_of, folded_note, head, listed, size_of, unit_of
from ...drawing.likeness import Fields
from ...models.problems import count_of
from ...pulse import duration
from ..quality.compare import ADDED, DELETED, KEPT, REDRAWN, UNJUDGED, UNKNOWN, Outcome, SentFile
from ..quality.shares import Share, percent, share_told
from ..quality.verdict import Comparison
from .charts import calibration_chart, trend_chart

_MOST_LABELS = 100
_MOST_ROWS = 30
_MOST_PAIRS = 12
_MOST_FILTERS = 24
_MOST_DRAWN = 60

CANNOT_SAY = (
    "AP and AP50 cover boxes, by IoU, and polygons, by the IoU of their masks. Other shapes have precision "
    "and recall, or only what became of them.",
    "People corrected what the model drew, and they seldom move a box that is nearly right. So these figures "
    "are better than those against labels drawn from scratch.",
    "Recall is measured against what the reviewers drew. It does not include what neither they nor the model "
    "saw.",
    "Predictions below the threshold of the push were never shown, so nothing is known about them, and no "
    "lower threshold can be advised.",
    "Files that people have not finished do not count. If they review the easy ones first, or selected ones, "
    "the figures hold only for those files.",
    "A prediction that a stale page or another program removed is not judged, and is counted separately.",
    "Intervals are 95 %. Among many labels, a few are outside theirs by chance. Thresholds are chosen on the "
    "same reviews that judge them, so try one on the next run before you trust it.",
)

_CLASSES = {KEPT: "kept", DELETED: "gone", REDRAWN: "drawn", ADDED: "drawn"}


Pictures = Callable[[SentFile], Any]
"""Returns the :class:`~airflow_provider_diffgram.drawing.Picture` of a file."""


@dataclass(frozen=True)
class WorstFile:
    """A file whose predictions people corrected.

    :param sent: without its predictions.
    """

    sent: SentFile
    outcomes: Sequence[Outcome]


def write_page(
    file: BinaryIO,
    *,
    project: str,
    comparison: Comparison,
    worst: Sequence[WorstFile],
    history: Sequence[Mapping[str, Any]],
    pictures: Pictures | None,
) -> None:
    """Write the page of a comparison. Everything that came with predictions or from Diffgram is escaped.

    :param file: open for writing bytes.
    :param project: as it is called in Diffgram.
    :param worst: files to show, the worst first.
    :param history: comparisons so far, this one last.
    :param pictures: finds their pictures.
    """
    for part in _parts(project, comparison, worst, history, pictures):
        file.write(part.encode("utf-8", "replace"))


def _parts(
    project: str,
    comparison: Comparison,
    worst: Sequence[WorstFile],
    history: Sequence[Mapping[str, Any]],
    pictures: Pictures | None,
) -> Iterator[str]:
    figures = comparison.figures
    fails = bool(comparison.missed) or comparison.too_few is not None
    heading = f"{project}: how good {figures['run']} was"
    notes = [comparison.summary(), *comparison.missed]
    notes += [comparison.too_few] if comparison.too_few else []
    notes += [f"Not available: {each}" for each in figures["missing"]]
    filters = _Filters(worst)
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8") + filters.style()
    yield head(heading, heading, "fails" if fails else "passes", notes, style)
    yield _lead(figures)
    yield _outcomes(figures["all"])
    yield '<div class="columns">'
    yield _section("Acceptance by run", trend_chart(history))
    yield _section("Acceptance by score", calibration_chart(figures["all"]["calibration"]) + _advice(figures))
    yield "</div>"
    yield _labels(figures)
    yield from _groups(figures)
    yield from _worst(worst, filters, pictures)
    yield _confusion(figures["confusion"])
    yield _counted(figures)
    says = "".join(f"<li>{escape(each)}</li>" for each in CANNOT_SAY)
    yield f'<section><h2>What these figures cannot say</h2><ul class="says">{says}</ul></section>'
    yield f'<p class="faint">{escape(figures["at"])}</p></body></html>\n'


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _lead(figures: Mapping[str, Any]) -> str:
    every, of_files = figures["all"], figures["files"]
    acceptance = share_told(every["acceptance"])
    shown = [
        (_leading(acceptance), f"acceptance {_reach(acceptance)}"),
        (f"{every['judged']:,}", f"judged of {every['predictions']:,} predictions"),
        (f"{of_files['reviewed']:,}", f"reviewed of {of_files['recorded']:,} files"),
    ]
    per_file = of_files["corrections_per_file"]
    if per_file is not None:
        shown.append((f"{per_file:.2f}", "corrections per file"))
    for kind, each in every["ap"].items():
        if each["ap"] is not None:
            shown.append((f"{each['ap50']:.3f}", f"AP50 of {_PLURALS[kind]} (AP {each['ap']:.3f})"))
    seconds = figures["task_seconds"]["median"]
    if seconds is not None:
        shown.append((duration(seconds), "from task to completion, median"))
    change = figures["against_last"]
    if change is not None:
        rise = change["acceptance"]
        reach = f"{100 * rise['low']:+.1f} to {100 * rise['high']:+.1f}"
        shown.append((f"{100 * rise['value']:+.1f} points", f"since {change['run']} ({reach})"))
    return '<section class="figures">' + "".join(_figure(*each) for each in shown) + "</section>"


_PLURALS = {"box": "boxes", "polygon": "polygons"}


def _figure(value: str, name: str) -> str:
    return f"<div><b>{escape(value)}</b>{escape(name)}</div>"


def _leading(share: Share) -> str:
    if not share.of:
        return "not known"
    return f"{share.number} of {share.of}" if share.share is None else percent(share.share)


def _reach(share: Share) -> str:
    return f"({percent(share.low)} to {percent(share.high)})" if share.of else "(nothing judged)"


def class_of(outcome: str) -> str:
    """Return the class of an outcome, for its colour."""
    if outcome in _CLASSES:
        return _CLASSES[outcome]
    return "unjudged" if outcome in UNJUDGED else "changed"


_ORDER = ("kept", "changed", "drawn", "gone", "unjudged")


def _stack(outcomes: Mapping[str, int]) -> str:
    """Return a bar of outcomes, predictions alone."""
    told = {name: n for name, n in outcomes.items() if not name.startswith(ADDED)}
    whole = sum(told.values())
    if not whole:
        return ""
    parts = "".join(
        f'<span class="{class_of(name)}" style="width:{100 * n / whole:.3f}%" '
        f'title="{escape(_words(name))}: {n:,}"></span>'
        for name, n in sorted(told.items(), key=lambda item: (_ORDER.index(class_of(item[0])), item[0]))
    )
    return f'<div class="stack">{parts}</div>'


def _words(outcome: str) -> str:
    return outcome.replace("_", " ").replace("+", " and ")


def _outcomes(every: Mapping[str, Any]) -> str:
    outcomes = every["outcomes"]
    told = "".join(
        f'<span><i class="{class_of(name)}"></i>{escape(_words(name))} <b>{n:,}</b></span>'
        for name, n in sorted(outcomes.items(), key=lambda item: (_ORDER.index(class_of(item[0])), -item[1]))
    )
    note = ""
    unknown = outcomes.get(UNKNOWN, 0)
    if unknown:
        worst = share_told(every["at_worst"]["acceptance"])
        note = (
            f'<p class="faint">Unknown: {unknown:,} are gone, and no history shows whether people deleted '
            "them or a stale page lost them, so they do not count either way. If people deleted all of them, "
            f"acceptance is {escape(str(worst))}; limits use that figure.</p>"
        )
    return _section(
        "What became of the predictions", f'{_stack(outcomes)}<div class="legend">{told}</div>{note}'
    )


def _advice(figures: Mapping[str, Any]) -> str:
    """Return in words from which score on people agree."""
    told = []
    for name, each in [(None, figures["all"]), *figures["labels"].items()][:_MOST_ROWS]:
        best = [one for one in each["advice"] if one["acceptance"]["share"] is not None]
        if best:
            chosen = best[-1]
            acceptance = chosen["acceptance"]
            of = "all labels" if name is None else f"{name}"
            told.append(
                f"From a score of {chosen['threshold']:.2f} on, people kept "
                f"{percent(acceptance['share'])} of {of} (lower bound "
                f"{percent(acceptance['low'])}, {acceptance['of']:,} judged)."
            )
    return (
        listed(told)
        or '<p class="faint">There is no score above which people are sure to keep 90 % or more.</p>'
    )


def _labels(figures: Mapping[str, Any]) -> str:
    return _table("Labels", "Label", figures["labels"], _MOST_LABELS)


def _groups(figures: Mapping[str, Any]) -> Iterator[str]:
    for title, name, key in (("Model runs", "Run", "runs"), ("Datasets", "Dataset", "datasets")):
        if len(figures[key]) > 1:
            yield _table(title, name, figures[key], _MOST_ROWS)


def _table(title: str, name: str, groups: Mapping[str, Any], most: int) -> str:
    heads = ("Predictions", "Acceptance", "Precision", "Recall", "AP50", "Mean IoU if moved")
    row_heads = "".join(f'<th class="number">{each}' for each in heads)
    rows = []
    for key, each in list(groups.items())[:most]:
        ap = next((one["ap50"] for one in each.get("ap", {}).values() if one["ap50"] is not None), None)
        iou = each["moved"]["mean_iou"]
        cells = (
            f"{each['predictions']:,}",
            _cell(each["acceptance"]),
            _cell(each["precision"]["0.5"]),
            _cell(each["recall"]["0.5"]),
            "" if ap is None else f"{ap:.3f}",
            "" if iou is None else f"{iou:.3f}",
        )
        numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
        rows.append(f"<tr><td>{escape(key)}</td>{numbers}<td>{_stack(each['outcomes'])}</td></tr>")
    more = len(groups) - most
    rest = f'<p class="faint">and {more:,} more</p>' if more > 0 else ""
    table = (
        f'<div class="scroll"><table><thead><tr><th>{name}{row_heads}<th>What became of them</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{rest}"
    )
    return _section(title, table)


def _cell(told: Mapping[str, Any]) -> str:
    share = share_told(told)
    if not share.of:
        return ""
    reach = f'<span class="faint">{100 * (share.low or 0):.0f}-{100 * (share.high or 0):.0f} %</span>'
    if share.share is None:
        return f"{share.number:,} of {share.of:,} {reach}"
    return f"{percent(share.share)} {reach}"


def _confusion(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each['from'])}</td><td>{escape(each['to'])}</td>"
        f'<td class="number">{each["count"]:,}</td></tr>'
        for each in pairs[:_MOST_PAIRS]
    )
    more = len(pairs) - _MOST_PAIRS
    rest = f'<p class="faint">and {more:,} more pairs</p>' if more > 0 else ""
    heads = '<tr><th>Predicted<th>People say<th class="number">Instances</tr>'
    return _section(
        "Labels that people changed", f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>{rest}"
    )


def _counted(figures: Mapping[str, Any]) -> str:
    told = [f"{n:,} of type {kind}: no IoU is defined" for kind, n in figures["not_measured"].items()]
    if figures["without_score"]:
        told.append(f"{figures['without_score']:,} without a score: left out of the average precision")
    if figures["without_area"]:
        told.append(f"{figures['without_area']:,} without an area: left out of the average precision")
    if figures["references_given_twice"]:
        twice = count_of(figures["references_given_twice"], "reference")
        told.append(f"{twice} given to several instances: the last one counts")
    compared = figures["all"]["outcomes"].get("not_compared", 0)
    if compared:
        told.append(f"{compared:,} not compared: they have no reference or no place")
    return _section("What was not measured", listed(told)) if told else ""


class _Filters:
    """Buttons that show the pictures of one label or one outcome; CSS alone does it."""

    def __init__(self, worst: Sequence[WorstFile]) -> None:
        labels: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        for each in worst:
            labels.update({label for one in each.outcomes for label in _labels_of(one)})
            outcomes.update({class_of(one.outcome) for one in each.outcomes if _is_correction(one)})
        self._labels = [name for name, _ in labels.most_common(_MOST_FILTERS)]
        self._outcomes = [name for name in ("gone", "changed", "drawn") if name in outcomes]

    def classes(self, outcomes: Iterable[Outcome]) -> str:
        """Return the classes of a picture."""
        told = list(outcomes)
        labels = {label for one in told for label in _labels_of(one)}
        kinds = {class_of(one.outcome) for one in told if _is_correction(one)}
        names = [f"l{n}" for n, label in enumerate(self._labels) if label in labels]
        return " ".join([*names, *(f"o-{kind}" for kind in sorted(kinds))])

    def style(self) -> str:
        """Return the CSS that hides pictures."""
        names = [*(f"l{n}" for n in range(len(self._labels))), *(f"o-{kind}" for kind in self._outcomes)]
        return "".join(f"body:has(#f-{name}:checked) figure:not(.{name}){{display:none}}" for name in names)

    def buttons(self) -> str:
        """Return the buttons."""
        labels = [(f"l{n}", name) for n, name in enumerate(self._labels)]
        outcomes = [(f"o-{kind}", _KINDS[kind]) for kind in self._outcomes]
        rows = (("Label", "label", labels), ("Correction", "outcome", outcomes))
        return "".join(_buttons(*row) for row in rows if len(row[2]) > 1)


_KINDS = {"gone": "deleted", "changed": "changed", "drawn": "drawn by people"}


def _buttons(title: str, group: str, choices: Sequence[tuple[str, str]]) -> str:
    every = f'<label><input type="radio" name="{group}" id="f-{group}-all" checked>all</label>'
    others = "".join(
        f'<label><input type="radio" name="{group}" id="f-{name}">{escape(words)}</label>'
        for name, words in choices
    )
    return f'<fieldset class="filters"><legend>{title}</legend>{every}{others}</fieldset>'


def _labels_of(each: Outcome) -> set[str]:
    return (
        {label for label in (each.label, each.final_label) if label is not None}
        if _is_correction(each)
        else set()
    )


def _is_correction(each: Outcome) -> bool:
    return each.outcome == ADDED or (each.outcome not in UNJUDGED and each.outcome != KEPT)


def _worst(worst: Sequence[WorstFile], filters: _Filters, pictures: Pictures | None) -> Iterator[str]:
    if not worst:
        return
    yield "<section><h2>Where people corrected most</h2>"
    yield (
        '<p class="key"><svg viewBox="0 0 34 8"><path d="M0 4H34" stroke="currentColor" stroke-width="2" '
        'stroke-dasharray="6 4"/></svg> predicted &nbsp; <svg viewBox="0 0 34 8"><path d="M0 4H34" '
        'stroke="currentColor" stroke-width="2"/></svg> as people left it</p>'
    )
    yield filters.buttons()
    yield '<div class="samples">'
    for each in worst:
        picture = Picture(reason=None) if pictures is None else pictures(each.sent)
        yield _drawing(each, picture, filters.classes(each.outcomes))
    yield "</div></section>"


_COLOURS = {
    "kept": "#2f9e5b",
    "changed": "#d99a17",
    "gone": "#d64545",
    "drawn": "#3b7ddd",
    "unjudged": "#98a2b3",
}


def _drawing(worst: WorstFile, picture: Picture, classes: str) -> str:
    """Return a picture with predictions dashed and what people left solid."""
    shown = sorted(worst.outcomes, key=lambda each: not _is_correction(each))[:_MOST_DRAWN]
    both = [fields for each in shown for fields in (each.predicted, each.final) if fields is not None]
    size = size_of(picture, [extent for fields in both if (extent := extent_of(fields)) is not None])
    words = Words(unit_of(size), size)
    shapes, chips = [], []
    for each in shown:
        if each.outcome in UNJUDGED and each.outcome != ADDED:
            continue
        kind = class_of(each.outcome)
        parts = _shapes(each, _COLOURS[kind], words)
        shapes += parts
        if not parts:
            chips.append(f'<i class="{kind}"></i>{escape(f"{_words(each.outcome)}: {_named(each)}")}')
    counts = Counter(_words(each.outcome) for each in worst.outcomes)
    told = ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common())
    more = len(worst.outcomes) - len(shown)
    notes = [
        told,
        *([f"{more} more are not drawn"] if more > 0 else []),
        *folded_note(words),
        *([picture.reason] if picture.reason else []),
    ]
    caption = f"<b>{escape(worst.sent.name)}</b><br>{escape('; '.join(notes))}"
    if chips:
        caption += f'<br><span class="chips">{" ".join(chips)}</span>'
    drawing = canvas(picture, size, shapes)
    return f'<figure class="{classes}">{drawing}<figcaption>{caption}</figcaption></figure>'


def _named(each: Outcome) -> str:
    if each.label is not None and each.final_label is not None and each.label != each.final_label:
        return f"{each.label} \N{RIGHTWARDS ARROW} {each.final_label}"
    return str(each.label if each.label is not None else each.final_label)


def _shapes(each: Outcome, colour: str, words: Words) -> list[str]:
    if each.outcome == KEPT:
        return _some(drawn(_unscored(each.final), label="", colour=colour, words=words))
    parts = []
    if each.predicted is not None and each.final is None:
        parts += _some(drawn(each.predicted, label=_named(each), colour=colour, words=words, wrong=True))
    elif each.predicted is not None:
        before = _unscored(each.predicted)
        parts += _some(drawn(before, label="", colour=colour, words=words, wrong=True))
    if each.final is not None:
        parts += _some(drawn(each.final, label=_named(each), colour=colour, words=words))
    return parts


def _unscored(fields: Fields | None) -> Fields:
    return {key: value for key, value in (fields or {}).items() if key != "score"}


def _some(shape: str) -> list[str]:
    return [shape] if shape else []
