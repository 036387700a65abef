"""Charts of a comparison as SVG. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 520, 200
_LEFT, _TOP, _RIGHT, _BOTTOM = 38, 8, 8, 24
_MOST_RUNS = 60
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)


def _chart(content: str, title: str) -> str:
    grid = "".join(
        f'<path class="axis" d="M{_LEFT} {_y(tick):.1f}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 6}" y="{_y(tick) + 4:.1f}" text-anchor="end">{100 * tick:.0f} %</text>'
        for tick in _TICKS
    )
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{grid}{content}</svg>"
    )


def _reach(x: float, low: float, high: float) -> str:
    return f'<path class="reach" d="M{x:.1f} {_y(low):.1f}V{_y(high):.1f}"/>'


def calibration_chart(bars: Sequence[Mapping[str, Any]]) -> str:
    """Return acceptance by score with its bounds; nothing without scores.

    If the scores of a model are calibrated, its dots are on the dotted line.
    """
    if not bars:
        return ""
    most = max(each["acceptance"]["of"] for each in bars)
    parts = [f'<path class="even" d="M{_x(0):.1f} {_y(0):.1f}L{_x(1):.1f} {_y(1):.1f}"/>']
    for each in bars:
        share = each["acceptance"]
        middle, width = _x((each["from"] + each["to"]) / 2), _x(each["to"]) - _x(each["from"])
        height = (_HEIGHT - _TOP - _BOTTOM) * 0.25 * share["of"] / most
        parts.append(
            f'<rect class="mass" x="{middle - width / 2 + 1:.1f}" y="{_y(0) - height:.1f}" '
            f'width="{width - 2:.1f}" height="{height:.1f}"/>'
        )
        parts.append(_reach(middle, share["low"], share["high"]))
        words = f"{each['from']:.2f} to {each['to']:.2f}: {share['number']:,} of {share['of']:,} kept"
        parts.append(
            f'<circle class="dot" cx="{middle:.1f}" cy="{_y(share["number"] / share["of"]):.1f}" r="4">'
            f"<title>{words}</title></circle>"
        )
    for tick in _TICKS:
        parts.append(f'<text x="{_x(tick):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{tick:g}</text>')
    return _chart("".join(parts), "Acceptance by score")


def trend_chart(history: Sequence[Mapping[str, Any]]) -> str:
    """Return acceptance of the last comparisons with its bounds; nothing for fewer than two."""
    told = [each for each in history if each.get("acceptance_low") is not None][-_MOST_RUNS:]
    if len(told) < 2:
        return ""
    places = [_x((number + 0.5) / len(told)) for number in range(len(told))]
    parts = []
    line = []
    for x, each in zip(places, told, strict=True):
        share = each["acceptance"]
        parts.append(_reach(x, each["acceptance_low"], each["acceptance_high"]))
        if share is not None:
            line.append(f"{x:.1f},{_y(share):.1f}")
            words = f"{each['run']}: {100 * share:.1f} % of {each['judged']:,}"
            parts.append(
                f'<circle class="dot" cx="{x:.1f}" cy="{_y(share):.1f}" r="4">'
                f"<title>{escape(words)}</title></circle>"
            )
    parts.insert(0, f'<polyline class="line" points="{" ".join(line)}"/>')
    for x, each, anchor in ((places[0], told[0], "start"), (places[-1], told[-1], "end")):
        name = str(each["run"])
        shown = name if len(name) <= 34 else f"{name[:33]}\N{HORIZONTAL ELLIPSIS}"
        edge = _LEFT if anchor == "start" else _WIDTH - _RIGHT
        parts.append(
            f'<text x="{edge if len(name) > 8 else x:.1f}" y="{_HEIGHT - 6}" '
            f'text-anchor="{anchor if len(name) > 8 else "middle"}">{escape(shown)}</text>'
        )
    return _chart("".join(parts), "Acceptance by run")
