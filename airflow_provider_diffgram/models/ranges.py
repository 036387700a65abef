"""Converts ids to ranges, which turns thousands into a few numbers where values must be small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def ranges_of(ids: Iterable[int]) -> list[list[int]]:
    """Return the first and last id of each run of consecutive ids, sorted and without repetition."""
    ranges: list[list[int]] = []
    for each in sorted(set(ids)):
        if ranges and ranges[-1][1] == each - 1:
            ranges[-1][1] = each
        else:
            ranges.append([each, each])
    return ranges


def ids_in(ranges: Iterable[Sequence[int]]) -> list[int]:
    """Return the ids of ranges."""
    return [each for first, last in ranges for each in range(first, last + 1)]
