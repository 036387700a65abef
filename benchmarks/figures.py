"""What the times and names of accepted packets amount to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WINDOW = 30.0
"""Seconds over which packets are counted."""


@dataclass(frozen=True)
class Accepted:
    """A packet that the server accepted.

    :param name: its ``original_filename``.
    :param time: when, in seconds since the epoch, by the server's clock.
    """

    name: str
    time: float


def within_window(accepted: Sequence[Accepted], window: float = WINDOW) -> list[Accepted]:
    """Return those of the window that begins with the first of them."""
    if not accepted:
        return []
    first = min(one.time for one in accepted)
    return [one for one in accepted if one.time < first + window]


def rate_in_window(accepted: Sequence[Accepted], window: float = WINDOW) -> float:
    """Return packets a second over the window; who stops early is measured over all of it nevertheless."""
    return len(within_window(accepted, window)) / window


def rate_from_first_to_last(accepted: Sequence[Accepted]) -> float:
    """Return packets a second from the first to the last of them."""
    times = [one.time for one in accepted]
    if len(times) < 2 or max(times) == min(times):
        return 0.0
    return (len(times) - 1) / (max(times) - min(times))


def smallest_share(accepted: Sequence[Accepted], senders: Sequence[str], window: float = WINDOW) -> float:
    """Return what the slowest sender got of its fair share within the window.

    :param senders: what the names of their packets begin with, up to the first ``-``.
    """
    counts = Counter(one.name.partition("-")[0] for one in within_window(accepted, window))
    total = sum(counts[sender] for sender in senders)
    return min(counts[sender] for sender in senders) / (total / len(senders)) if total else 0.0


def lost(reported: Iterable[str], accepted: Iterable[Accepted]) -> int:
    """Return how many packets were reported as sent that the server does not have."""
    return len(set(reported) - {one.name for one in accepted})
