"""The result of a comparison, as figures, as a line, and as an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...models.problems import count_of
from ..errors import ReviewError
from .compare import ADDED, DELETED, REDRAWN, UNKNOWN
from .metrics import headline


class QualityError(ReviewError):
    """Predictions missed a limit."""


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    :param figures: all figures, as in ``metrics.json``.
    :param too_few: why too little was reviewed to judge; None if there is enough.
    :param missed: the limits that are missed.
    """

    figures: Mapping[str, Any] = field(repr=False)
    too_few: str | None = None
    missed: tuple[str, ...] = ()

    @property
    def headline(self) -> dict[str, Any]:
        """The main figures."""
        return headline(dict(self.figures))

    def to_xcom(self) -> dict[str, Any]:
        """Return them as small JSON."""
        return {**self.headline, "missed": list(self.missed), "enough": self.too_few is None}

    def verdict(self) -> str:
        """Return the same line with the limits that are missed, or why there are none to speak of."""
        told = self.too_few or "; ".join(self.missed) or "no limit is missed"
        return f"The comparison itself is done: {told}. {self.summary()}"

    def summary(self) -> str:
        """Return one line for a log."""
        told = self.headline
        every = self.figures["all"]
        share = every["acceptance"]
        unknown = f"; {told[UNKNOWN]:,} are gone, and nothing shows why" if told[UNKNOWN] else ""
        if not share["of"]:
            return (
                f"{count_of(told['predictions'], 'prediction')} on {count_of(told['files'], 'file')}; people "
                f"have judged none yet{unknown}"
            )
        low, high = 100 * share["low"], 100 * share["high"]
        return (
            f"people kept {share['number']:,} of {share['of']:,} predictions that they judged ({low:.1f} to "
            f"{high:.1f} %), deleted {told[DELETED]:,}, changed {told['changed']:,}, drew "
            f"{told[REDRAWN]:,} again and added {told[ADDED]:,}; {told['reviewed']:,} of {told['files']:,} "
            f"files are reviewed{unknown}"
        )
