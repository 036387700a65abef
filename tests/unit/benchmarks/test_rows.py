"""Rows of ``build/bench.json``: one family replaces its own, and only what was measured can miss a bar."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rows import Bar, Row, exit_status, merged, read, row, write

KEYS = ["name", "ours", "peer", "unit", "bar", "ok"]


def figure(name: str, ours: float = 1.0, bar: Bar | None = None) -> Row:
    return row(name, ours, None, "packets", bar)


@pytest.mark.parametrize(
    "bar, ours, peer, ok",
    [
        (Bar(least=19.5), 19.5, None, True),
        (Bar(least=19.5), 19.49, 30.0, False),
        (Bar(most=1.02), 1.02, 1.0, True),
        (Bar(most=1.02), 1.021, 1.0, False),
        (Bar(most=0), 0, 0, True),
        (Bar(most=0), 1, 5, False),
        (Bar(times_peer=8), 128.0, 16.0, True),
        (Bar(times_peer=8), 127.9, 16.0, False),
        (Bar(times_peer=8), 1000.0, None, False),
        (Bar(most_times_peer=1.3), 1.3, 1.0, True),
        (Bar(most_times_peer=1.3), 1.31, 1.0, False),
        (Bar(most_times_peer=1.3), 0.1, None, False),
        (Bar(least=1, most=2), 3.0, None, False),
        (Bar(least=19.5), float("nan"), None, False),
        (Bar(most=64), float("nan"), None, False),
        (None, 5.0, None, True),
    ],
)
def test_a_row_is_ok_if_it_reaches_its_bar(bar: Bar | None, ours: float, peer: float | None, ok: bool):
    assert row("push.x", ours, peer, "packets/s", bar).ok is ok


def test_a_figure_is_held_against_the_bar_before_it_is_rounded():
    close = row("push.x", 19.49999, None, "packets/s", Bar(least=19.5))
    assert close.ours == 19.5
    assert not close.ok


@pytest.mark.parametrize(
    "bar, words",
    [
        (Bar(least=19.5), ">= 19.5"),
        (Bar(most=0), "<= 0"),
        (Bar(times_peer=8), ">= 8x peer"),
        (Bar(most_times_peer=1.3), "<= 1.3x peer"),
    ],
)
def test_a_bar_in_words(bar: Bar, words: str):
    assert row("push.x", 1, 1, "x", bar).bar == words


def test_a_measured_family_replaces_its_rows_and_keeps_the_others():
    earlier = [
        {"name": "wait.loop"},
        {"name": "push.old"},
        {"name": "push.limited.10ms"},
        {"name": "pushes.x"},
    ]
    kept = merged(earlier, ["push"], [figure("push.limited.10ms", 20)])
    assert [one["name"] for one in kept] == ["wait.loop", "pushes.x", "push.limited.10ms"]
    assert kept[-1] == dict(zip(KEYS, ["push.limited.10ms", 20, None, "packets", None, True], strict=True))


def test_the_exit_status_concerns_the_rows_measured(tmp_path: Path):
    path = tmp_path / "bench.json"
    write(path, [{**dict.fromkeys(KEYS), "name": "wait.loop", "ok": False}])
    measured = [figure("push.a", 1, Bar(least=1)), figure("push.b")]
    write(path, merged(read(path), ["push"], measured))
    assert exit_status(measured) == 0
    assert exit_status([*measured, figure("push.c", 1, Bar(most=0))]) == 1
    assert [one["ok"] for one in read(path)] == [False, True, True]
