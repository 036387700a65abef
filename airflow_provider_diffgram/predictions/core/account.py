"""What became of predictions on their way to instances."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

InstanceT = TypeVar("InstanceT", bound=Any)


@dataclass
class Account:
    """What became of predictions. Add them up with ``+=``.

    ``instances + dropped + duplicates + below_score + over_max + unmapped`` is ``predictions + parts``.

    :param images: how many files were converted.
    :param predictions: how many predictions went in.
    :param instances: how many instances came out.
    :param clipped: predictions that reached beyond the image and were cut at its edge, whatever became of
        them then.
    :param dropped: left out because what is inside the image is less than a pixel wide or high.
    :param duplicates: left out because an equal one (label, geometry, attributes) with at least their score
        is in. Of equal instances the server keeps one, and not always the better one.
    :param below_score: left out because of their score.
    :param over_max: left out because there are enough better ones.
    :param unmapped: left out because their class has no label.
    :param parts: additional outlines, of predictions with several.
    :param holes: holes of masks that the outlines do not show.
    :param unknown_size: files whose predictions could not be cut, because their size is not known.
    """

    images: int = 0
    predictions: int = 0
    instances: int = 0
    clipped: int = 0
    dropped: int = 0
    duplicates: int = 0
    below_score: int = 0
    over_max: int = 0
    unmapped: int = 0
    parts: int = 0
    holes: int = 0
    unknown_size: int = 0

    def __iadd__(self, other: Account) -> Account:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def summary(self) -> str:
        """Return one line with all counts that are not zero, for a log."""
        what = {
            "clipped": "cut at the edge",
            "dropped": "dropped as less than a pixel",
            "duplicates": "duplicates",
            "below_score": "below the least score",
            "over_max": "beyond the most of an image",
            "unmapped": "of classes without a label",
            "parts": "further parts of masks",
            "holes": "holes filled",
            "unknown_size": "images of unknown size",
        }
        told = [f"{getattr(self, name)} {words}" for name, words in what.items() if getattr(self, name)]
        on = "" if self.images == 1 else f" on {self.images} images"
        head = f"{self.instances} instances from {self.predictions} predictions{on}"
        return f"{head} ({', '.join(told)})" if told else head


_COUNTS = tuple(each.name for each in fields(Account))


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
