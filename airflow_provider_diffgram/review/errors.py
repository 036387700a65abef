"""How the review of predictions fails to begin, or to end."""

from __future__ import annotations

from ..client import DiffgramError
from .progress import ReviewReceipt


class ReviewError(DiffgramError):
    """A job or its tasks are not as they should be.

    :ivar permanent: whether another attempt would fail the same way.
    """

    permanent: bool = True


class JobStateError(ReviewError):
    """Nobody can review in this job as it is: a draft, archived, not there, without tasks."""


class TasksMissingError(ReviewError):
    """Tasks were asked for and did not come."""

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
    """So many files will never be reviewed: they are archived or removed, or have no task."""


class ReviewLostError(ReviewError):
    """Several looks in a row failed; how far the review is cannot be known.

    :param failures: number of failed looks.
    :param last: the last failure.
    """

    permanent = False

    def __init__(self, failures: int, last: DiffgramError) -> None:
        super().__init__(f"{failures} looks in a row failed; the last one: {last}")
