"""Shares of what was counted, with the bounds that counting leaves. No I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

FEW = 20
"""Below so many observations a share is told by its bounds alone."""

_Z = 1.959963984540054
"""Standard score of 95 % on both sides."""

_RESAMPLES = 2000
_SEED = 0


class Share(NamedTuple):
    """So many of so many.

    :param number: how many of them.
    :param share: None below :data:`FEW` observations.
    :param low: lower bound of its 95 % Wilson interval; None of nothing.
    :param high: upper bound; None of nothing.
    """

    number: int
    of: int
    share: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()

    def __str__(self) -> str:
        if not self.of:
            return "none was judged"
        if self.share is None:
            return f"{self.number:,} of {self.of} ({percent(self.low)} to {percent(self.high)})"
        return f"{percent(self.share)} ({percent(self.low)} to {percent(self.high)})"


def percent(value: float | None) -> str:
    """Return a share in words; nothing of none."""
    return "" if value is None else f"{100 * value:.1f} %"


def share_told(told: Mapping[str, Any]) -> Share:
    """Return the share that :meth:`Share.to_json` told."""
    return Share(**told)


def share_of(count: int, of: int) -> Share:
    """Return a share with its bounds."""
    if not of:
        return Share(0, 0, None, None, None)
    low, high = wilson(count, of)
    return Share(count, of, count / of if of >= FEW else None, low, high)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the bounds of a 95 % Wilson score interval, for ``of`` above 0."""
    share = count / of
    middle = share + _Z * _Z / (2 * of)
    reach = _Z * math.sqrt(share * (1 - share) / of + _Z * _Z / (4 * of * of))
    whole = 1 + _Z * _Z / of
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


Files = Mapping[tuple[int, int], int]
"""(judged, kept) of a file -> how many files have so many: all that a bootstrap by file needs."""


class Interval(NamedTuple):
    """Bounds of a figure.

    :param value: the figure itself.
    :param low: the 2.5th percentile of it over bootstrap samples.
    :param high: the 97.5th.
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


def bootstrap_acceptance(files: Files) -> Interval | None:
    """Return kept by judged, with bounds by resampling files: those of one file are not independent.

    :raises ImportError: if numpy is not installed.
    """
    drawn = _resampled(files, _SEED)
    return None if drawn is None else _interval(_ratio(files), drawn)


def bootstrap_difference(files: Files, earlier: Files) -> Interval | None:
    """Return by how much acceptance rose since an earlier comparison; None if one of them judged nothing.

    :raises ImportError: if numpy is not installed.
    """
    now, then = _resampled(files, _SEED), _resampled(earlier, _SEED + 1)
    if now is None or then is None:
        return None
    return _interval(_ratio(files) - _ratio(earlier), now - then)


def _ratio(files: Files) -> float:
    return sum(kept * n for (_, kept), n in files.items()) / sum(
        judged * n for (judged, _), n in files.items()
    )


def _resampled(files: Files, seed: int) -> Any:
    """Return acceptance in bootstrap samples. Equal files are drawn as one group, so time and memory do not
    grow with their number."""
    import numpy as np

    groups = sorted((judged, kept, n) for (judged, kept), n in files.items() if judged)
    if not groups:
        return None
    table = np.array(groups, dtype=float)
    total = int(table[:, 2].sum())
    drawn = np.random.default_rng(seed).multinomial(total, table[:, 2] / total, size=_RESAMPLES)
    return (drawn @ table[:, 1]) / (drawn @ table[:, 0])


def _interval(value: float, drawn: Any) -> Interval:
    import numpy as np

    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(value), float(low), float(high))
