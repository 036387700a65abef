"""The rows of ``build/bench.json``: figures beside those of a peer, and the bars that ours must reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bar:
    """What a figure must reach.

    :param least: so much or more.
    :param most: so much or less.
    :param times_peer: so many times the peer's figure, or more.
    :param most_times_peer: so many times the peer's figure, or less.
    """

    least: float | None = None
    most: float | None = None
    times_peer: float | None = None
    most_times_peer: float | None = None

    def holds(self, ours: float, peer: float | None) -> bool:
        """Whether our figure reaches it; a comparison without a peer's figure does not."""
        if self.least is not None and not ours >= self.least:
            return False
        if self.most is not None and not ours <= self.most:
            return False
        if self.times_peer is not None and (peer is None or not ours >= self.times_peer * peer):
            return False
        return self.most_times_peer is None or (peer is not None and ours <= self.most_times_peer * peer)

    def __str__(self) -> str:
        parts = (
            ("least", ">= {:g}"),
            ("most", "<= {:g}"),
            ("times_peer", ">= {:g}x peer"),
            ("most_times_peer", "<= {:g}x peer"),
        )
        return ", ".join(
            text.format(getattr(self, name)) for name, text in parts if getattr(self, name) is not None
        )


@dataclass(frozen=True)
class Row:
    """A figure.

    :param name: family, dot, what is measured.
    :param peer: the same of the peer; None where there is none.
    :param bar: in words; None where there is none.
    :param ok: whether ours reaches the bar; true without one.
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    bar: str | None
    ok: bool


def row(name: str, ours: float, peer: float | None, unit: str, bar: Bar | None = None) -> Row:
    """Return a figure held against its bar, unrounded; shown with four significant digits."""
    ok = bar is None or bar.holds(ours, peer)
    shown = None if peer is None else _rounded(peer)
    return Row(name, _rounded(ours), shown, unit, str(bar) if bar else None, ok)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def merged(
    earlier: Sequence[dict[str, Any]], families: Sequence[str], measured: Sequence[Row]
) -> list[dict[str, Any]]:
    """Return earlier rows with those of ``families`` replaced by what was measured."""
    kept = [one for one in earlier if _family(one["name"]) not in families]
    return kept + [asdict(one) for one in measured]


def _family(name: str) -> str:
    return name.partition(".")[0]


def exit_status(measured: Sequence[Row]) -> int:
    """Return 1 if a row that was measured misses its bar."""
    return 0 if all(one.ok for one in measured) else 1


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file; none if it is not there."""
    if not path.exists():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows at once, so that an interruption leaves the earlier ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(rows, indent=1) + "\n")
    new.replace(path)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    lines = [("name", "ours", "peer", "unit", "bar", "")]
    lines += [
        (
            one.name,
            f"{one.ours:g}",
            "-" if one.peer is None else f"{one.peer:g}",
            one.unit,
            one.bar or "-",
            "ok" if one.ok else "MISSED",
        )
        for one in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
