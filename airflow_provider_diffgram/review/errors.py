"""Errors of reviews."""

from __future__ import annotations

from ..client import DiffgramError
from .progress import ReviewReceipt


class ReviewError(DiffgramError):
    """A review cannot begin, or has failed."""

    permanent = True


class JobStateError(ReviewError):
    """Nobody can review in this job: it is a draft, archived or missing, or has no tasks."""


class TasksMissingError(ReviewError):
    """Tasks were requested but did not appear."""

    permanent = False


class ReviewEndedError(ReviewError):
    """A review failed, and its state is known.

    :param receipt: where every file stands.
    """

    def __init__(self, verdict: str, receipt: ReviewReceipt) -> None:
        super().__init__(verdict)
        self.receipt = receipt


class ReviewTimeoutError(ReviewEndedError):
    """Too few files were reviewed in time."""


class ReviewImpossibleError(ReviewEndedError):
    """Enough files can never be reviewed: too many are archived or removed, or have no task."""


class ReviewLostError(ReviewError):
    """Several polls in a row failed, so the progress of the review is unknown."""

    permanent = False
