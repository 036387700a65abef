"""What became of predictions on their way to instances, and how much of it may have been wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Generic, Literal, TypeVar

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.problems import count_of

InstanceT = TypeVar("InstanceT", bound=Any)

Wrong = Literal["outside", "too_small", "empty", "backwards"]
"""Why a prediction that was wanted is left out: a count of :class:`Account`, which says what it means."""

EXAMPLES = 10
"""How many wrong predictions are described in full."""

_BY_CHOICE = {
    "below_score": "below min_score",
    "over_max": "beyond max_per_image",
    "unmapped": "of classes without a label",
}
_WRONG: dict[str, str] = {
    "outside": "outside the image",
    "too_small": "less than a pixel",
    "empty": "without a shape",
    "backwards": "with a right edge left of the left one, or a lower edge above the upper one",
}
_CHANGED = {
    "clipped": "cut at the edge",
    "by_box": "shown by their box, for want of joints or of an outline",
    "parts": "further parts of masks",
    "lost_parts": "parts left out beside others of the same mask",
    "holes": "holes filled",
    "unknown_size": "images of unknown size",
}


@dataclass
class Account:
    """What became of predictions. Add them up with ``+=``.

    ``instances``, everything that was left out, ``duplicates`` and ``lost_parts`` add up to
    ``predictions + parts``.

    :param images: how many files were converted.
    :param predictions: how many predictions went in.
    :param instances: how many instances came out.
    :param below_score: left out by choice, because of their score.
    :param over_max: left out by choice, because there are enough better ones.
    :param unmapped: left out by choice, because their class has no label.
    :param outside: left out as wrong: no part is inside the image.
    :param too_small: left out as wrong: the part inside the image is less than a pixel wide or high.
    :param empty: left out as wrong: they have no shape, such as a mask without pixels or a skeleton without
        joints.
    :param backwards: left out as wrong: the right edge of a box is left of its left one, or the lower edge
        above the upper one. If boxes can be drawn that way in a format, its reader puts the edges in order.
    :param duplicates: left out because an equal one (label, geometry, attributes) with at least the same
        score stays. Of equal instances the server keeps only one, and not always the better one.
    :param clipped: predictions that reached beyond the image and were clipped at its edge, whatever became of
        them then.
    :param by_box: predictions shown by their box, because no joint or no pixel of a mask was found.
    :param parts: additional outlines of predictions with several.
    :param lost_parts: outlines outside the image or of less than a pixel, of predictions that have another
        outline, or are left out already.
    :param holes: holes of masks that the outlines do not show.
    :param unknown_size: files whose predictions could not be clipped, because their size is unknown.
    :param examples: the first wrong predictions, one line each; not compared.
    """

    images: int = 0
    predictions: int = 0
    instances: int = 0
    below_score: int = 0
    over_max: int = 0
    unmapped: int = 0
    outside: int = 0
    too_small: int = 0
    empty: int = 0
    backwards: int = 0
    duplicates: int = 0
    clipped: int = 0
    by_box: int = 0
    parts: int = 0
    lost_parts: int = 0
    holes: int = 0
    unknown_size: int = 0
    examples: list[str] = field(default_factory=list, compare=False)

    def __iadd__(self, other: Account) -> Account:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.examples += other.examples[: EXAMPLES - len(self.examples)]
        return self

    @property
    def wrong(self) -> int:
        """How many predictions were left out as wrong."""
        return self.outside + self.too_small + self.empty + self.backwards

    @property
    def wanted(self) -> int:
        """How many predictions had a wanted score and label."""
        return self.predictions - self.below_score - self.unmapped

    def count_wrong(self, reason: Wrong, example: str) -> None:
        """Count a prediction that is left out as wrong.

        :param example: which one it is.
        """
        setattr(self, reason, getattr(self, reason) + 1)
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{example}: {_WRONG[reason]}")

    def check(self, max_wrong: float, *, of_all: int | None = None) -> None:
        """Refuse a conversion that left out more predictions as wrong than are tolerated.

        :param max_wrong: a share of the wanted predictions, 0 to 1.
        :param of_all: how many predictions there are in all, if this is not the end; then only what is
            certain already is refused.
        :raises InvalidValueError: with the reasons and some examples.
        """
        among = self.wanted if of_all is None else of_all
        if self.wrong <= max_wrong * among:
            return
        counts = ", ".join(f"{getattr(self, name):,} {words}" for name, words in _told(self, _WRONG))
        cause = (
            f"{self.wrong:,} of {among:,} predictions are wrong ({self.wrong / among:.0%}), max_wrong allows "
            f"{max_wrong:.0%}: {counts}"
        )
        unshown = self.wrong - len(self.examples)
        more = [f"and {unshown:,} more"] if unshown else []
        raise InvalidValueError(
            f"conversion of {count_of(self.images, 'image')}", [cause, *self.examples, *more]
        )

    def summary(self) -> str:
        """Return one line with all counts that are not zero, for a log."""
        words = {**_CHANGED, "duplicates": "duplicates", **_WRONG, **_BY_CHOICE}
        told = [f"{getattr(self, name):,} {what}" for name, what in _told(self, words)]
        on = "" if self.images == 1 else f" on {count_of(self.images, 'image')}"
        predictions = count_of(self.predictions, "prediction")
        head = f"{count_of(self.instances, 'instance')} from {predictions}{on}"
        return f"{head} ({', '.join(told)})" if told else head


def _told(account: Account, words: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, what) for name, what in words.items() if getattr(account, name)]


_COUNTS = tuple(each.name for each in fields(Account) if each.name != "examples")


@dataclass(frozen=True)
class Converted(Generic[InstanceT]):
    """The instances of one file, and what became of the predictions.

    :param instances: ready to send, in the order of the predictions.
    :param account: of this file.
    """

    instances: tuple[InstanceT, ...]
    account: Account

    def summary(self) -> str:
        """Return one line with all counts, for a log."""
        return self.account.summary()
