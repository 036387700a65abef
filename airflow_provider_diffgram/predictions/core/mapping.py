"""Which predictions are wanted, and under which label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.base import is_score
from airflow_provider_diffgram.models.problems import did_you_mean

Labels = Mapping[str, str | None] | Callable[[str], str | None]
"""Class of the model -> label in Diffgram, or None for a class that is not wanted."""


@dataclass(frozen=True)
class Options:
    """Which predictions are wanted, and under which label.

    :param labels: the label of each class. None means that labels have the names of the classes.
    :param unknown: what happens to a class that is missing from the mapping ``labels``.
    :param min_score: predictions with a lower score are left out: one score for all classes, or one by class
        of the model (0 for missing ones). A prediction without a score stays.
    :param max_per_image: the most instances of one image; those with the best scores stay.
    :param max_wrong: the share of the wanted predictions, 0 to 1, that may be left out as wrong (outside the
        image, less than a pixel ...). If there are more, the conversion fails.
    """

    labels: Labels | None = None
    unknown: Literal["fail", "drop"] = "fail"
    min_score: float | Mapping[str, float] = 0.0
    max_per_image: int | None = None
    max_wrong: float = 0.1

    def __post_init__(self) -> None:
        if self.unknown not in ("fail", "drop"):
            raise ValueError(f"unknown is {self.unknown!r}; it can be 'fail' or 'drop'")
        if self.max_per_image is not None and self.max_per_image < 1:
            raise ValueError(f"max_per_image is {self.max_per_image}; None sets no limit, and 1 is the least")
        scores = self.min_score.values() if isinstance(self.min_score, Mapping) else [self.min_score]
        wrong = [score for score in scores if not is_score(score)]
        if wrong:
            raise ValueError(f"min_score is {', '.join(map(repr, wrong))}; scores are between 0 and 1")
        for what, given in (("labels", self.labels), ("min_score", self.min_score)):
            numbers = (
                [name for name in given if not isinstance(name, str)] if isinstance(given, Mapping) else []
            )
            if numbers:
                raise ValueError(
                    f"{what} has the class {numbers[0]!r}; write it as text, {str(numbers[0])!r}"
                )
        if isinstance(self.labels, Mapping) and isinstance(self.min_score, Mapping):
            for name in self.min_score.keys() - self.labels.keys():
                near = did_you_mean(name, self.labels)
                raise ValueError(f"min_score has the class {name!r}, which labels lacks{near}")
        if not 0 <= self.max_wrong <= 1:
            raise ValueError(f"max_wrong is {self.max_wrong}; it is a share, 0.1 is a tenth")

    def label_of(self, name: str) -> str | None:
        """Return the label of a class, None if it is not wanted.

        :raises KeyError: if it is unknown and ``unknown`` is ``fail``.
        """
        if self.labels is None:
            return name
        if callable(self.labels):
            return self.labels(name)
        if name not in self.labels and self.unknown == "fail":
            raise KeyError(name)
        return self.labels.get(name)

    def labels_of(self, names: Iterable[str]) -> list[str | None]:
        """Return the labels of classes.

        :raises InvalidValueError: with all unknown ones.
        """
        labels, unknown = [], []
        for name in names:
            try:
                labels.append(self.label_of(name))
            except KeyError:
                unknown.append(name)
        if unknown:
            raise InvalidValueError("predictions", self.unknown_problems(unknown))
        return labels

    def unknown_problems(self, names: Iterable[str]) -> list[str]:
        """Return the problems of classes that :meth:`label_of` does not know."""
        listed = ", ".join(map(repr, names))
        remedy = "name it in labels, with None if it is not wanted, or say unknown='drop'"
        return [f"no label for class {listed}: {remedy}"] if listed else []

    def least_score(self, name: str) -> float:
        """Return the score below which predictions of a class are left out."""
        return self.min_score.get(name, 0.0) if isinstance(self.min_score, Mapping) else self.min_score


@dataclass(frozen=True)
class Provenance:
    """The model and the run that predictions come from.

    :param model_ref: your name for the model.
    :param model_run_ref: your name for the run of the model; needs ``model_ref``.
    """

    model_ref: str | None = None
    model_run_ref: str | None = None

    def __post_init__(self) -> None:
        if self.model_run_ref is not None and self.model_ref is None:
            raise ValueError(
                f"model_run_ref {self.model_run_ref!r} needs a model_ref: Diffgram ignores it otherwise"
            )
