"""Which files people should review first: active learning, as one pure function.

A model learns most from the files that it is least sure of, but only files chosen at random show how good it
is. So every selection has a share of both.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..drawing.likeness import box_iou
from ..drawing.shapes import extent_of
from ..ingest.read.paths import PathOpener
from ..models import InvalidValueError
from ..models.base import is_score
from ..models.problems import not_one_of
from .sets.folder import output

By = Literal["score", "margin", "rare", "disagreement", "random"]

_SAME_PLACE = 0.5
"""Smallest intersection over union of two predictions of the same object."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be chosen.

    :param file_id: id of the file.
    :param predictions: its instances, as they are sent: ``type``, ``label``, ``score``, geometry.
    """

    file_id: int
    predictions: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """How to choose.

    :param amount: how many files. A number below 1 is a share of them.
    :param by: which files are taken first. ``score``: those with the lowest score of a prediction.
        ``margin``: with the smallest difference between the scores of two labels for one object. ``rare``:
        with the rarest labels. ``disagreement``: on which two runs disagree most. ``random``: any.
    :param random_share: share of the amount that is chosen at random, whatever ``by`` says, so that figures
        from those files hold for all files.
    :param seed: the same seed chooses the same files.
    :raises InvalidValueError: with everything that is wrong.
    """

    amount: float
    by: By = "score"
    random_share: float = 0.1
    seed: str = ""

    def __post_init__(self) -> None:
        problems = []
        if not _is_number(self.amount) or self.amount <= 0:
            problems.append(f"amount must be a number of files, or a share below 1, not {self.amount!r}")
        elif self.amount >= 1 and self.amount != int(self.amount):
            problems.append(f"amount must be a whole number of files from 1 on, not {self.amount!r}")
        problems += not_one_of("by", self.by, get_args(By))
        if not _is_number(self.random_share) or not 0 <= self.random_share <= 1:
            problems.append(f"random_share must be a share from 0 to 1, not {self.random_share!r}")
        if problems:
            raise InvalidValueError("select", problems)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Selection:
        """Return the selection from a task's parameter, a mapping whose numbers may be texts.

        :raises InvalidValueError: with everything that is wrong.
        """
        known = ("amount", "by", "random_share", "seed")
        unknown = [key for key in given if key not in known]
        if unknown or "amount" not in given:
            problems = [f"unknown key {key!r}; known are {', '.join(known)}" for key in unknown]
            problems += [] if "amount" in given else ["amount is missing: how many files, or which share"]
            raise InvalidValueError("select", problems)
        values = dict(given)
        for name in ("amount", "random_share"):
            if isinstance(values.get(name), str):
                values[name] = _number_of(values[name])
        return cls(**values | ({"seed": str(values["seed"])} if "seed" in values else {}))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that was chosen.

    :param file_id: id of the file.
    :param why: ``random``, or the ``by`` of the selection.
    :param value: the value that it was ranked by: its lowest score, its margin, how often its rarest label
        occurs, or its disagreement. None if it was chosen at random, or could not be ranked.
    """

    file_id: int
    why: By
    value: float | None = None


def select(
    candidates: Iterable[Candidate],
    selection: Selection,
    other: Mapping[int, Sequence[Mapping[str, Any]]] | None = None,
) -> list[Chosen]:
    """Choose files: first the random share of all files, then the best ranked of the rest.

    Files that cannot be ranked, because they have no prediction with a score, come last, but may be in the
    random share like any other. Ties are broken at random, too, so the order of the input does not matter.

    :param candidates: the files to choose from, with their predictions.
    :param selection: how many to choose, and how.
    :param other: predictions of another run by file id, for ``disagreement``.
    :raises InvalidValueError: if no file can be ranked in this way.
    """
    values = _values(candidates, selection.by, other)
    amount = _amount(selection.amount, len(values))
    by_chance = sorted(values, key=lambda file_id: _chance(selection.seed, file_id))
    if selection.by == "random":
        return [Chosen(file_id, "random") for file_id in by_chance[:amount]]
    at_random = min(amount, math.ceil(selection.random_share * amount - 1e-9))
    chosen = [Chosen(file_id, "random") for file_id in by_chance[:at_random]]
    ranked = sorted(by_chance[at_random:], key=lambda file_id: values[file_id])
    return chosen + [
        Chosen(file_id, selection.by, _told(values[file_id], selection.by))
        for file_id in ranked[: amount - at_random]
    ]


def write_chosen(chosen: Iterable[Chosen], path: str, path_of: PathOpener) -> None:
    """Write chosen files to a JSON Lines file: ``file_id``, ``why``, and ``value`` where there is one.

    :raises InvalidValueError: if it cannot be written.
    """
    with output("report", path, path_of) as file:
        for each in chosen:
            value = {} if each.value is None else {"value": each.value}
            line = json.dumps({"file_id": each.file_id, "why": each.why, **value})
            file.write(line.encode() + b"\n")


def _amount(wanted: float, there: int) -> int:
    return min(there, math.ceil(wanted * there - 1e-9) if wanted < 1 else int(wanted))


def _chance(seed: str, file_id: int) -> bytes:
    """Return a number that depends on nothing but seed and file, so the choice is the same in any order."""
    return hashlib.sha256(f"{seed}/{file_id}".encode()).digest()


def _values(
    candidates: Iterable[Candidate], by: By, other: Mapping[int, Sequence[Mapping[str, Any]]] | None
) -> dict[int, float]:
    """Return what each file is ranked by, lowest first; infinity if it cannot be ranked.

    Nothing else is kept of a file, so there may be many candidates.
    """
    found: dict[int, float] = {}
    labels: dict[int, frozenset[str]] = {}
    if by == "disagreement" and other is None:
        raise InvalidValueError("select", ["disagreement needs the predictions of another run"])
    for each in candidates:
        if by == "disagreement" and other is not None:
            value = -disagreement(each.predictions, other.get(each.file_id, ()))
        elif by == "score":
            value = lowest_score(each.predictions)
        elif by == "margin":
            value = margin(each.predictions)
        else:
            value = math.inf
            labels[each.file_id] = _labels(each.predictions)
        found[each.file_id] = value
    if by == "rare":
        counts = Counter(label for each in labels.values() for label in each)
        found = {
            file_id: min((float(counts[label]) for label in each), default=math.inf)
            for file_id, each in labels.items()
        }
    if by != "random" and found and min(found.values()) == math.inf:
        what = "label" if by == "rare" else "score"
        raise InvalidValueError(
            "select",
            [f"none of {len(found):,} files has a prediction with a {what}, so none can be ranked by {by}"],
        )
    return found


def _told(value: float, by: By) -> float | None:
    if value == math.inf:
        return None
    return round(-value if by == "disagreement" else value, 6)


def lowest_score(predictions: Sequence[Mapping[str, Any]]) -> float:
    """Return the lowest score of a prediction; infinity if none has one."""
    return min((score for each in predictions if (score := _score(each)) is not None), default=math.inf)


def margin(predictions: Sequence[Mapping[str, Any]]) -> float:
    """Return the smallest difference between the best two labels for one object; infinity without scores.

    The second label of an object is the best other one that was predicted in its place; otherwise the rest to
    1 counts.
    """
    scored = [(each, score) for each in predictions if (score := _score(each)) is not None]
    found = math.inf
    for one, score in scored:
        rivals = [
            other_score
            for other, other_score in scored
            if other.get("label") != one.get("label") and _is_same_place(one, other)
        ]
        found = min(found, abs(score - max(rivals, default=max(0.0, 1.0 - score))))
    return found


def disagreement(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> float:
    """Return which share of the predictions of two runs has no counterpart of the same label, 0 to 1."""
    left = list(other)
    agreed = 0
    for each in one:
        rival = max(
            (n for n, another in enumerate(left) if _agree(each, another)),
            key=lambda n: _overlap(each, left[n]),
            default=None,
        )
        if rival is not None:
            left.pop(rival)
            agreed += 1
    total = len(one) + len(other)
    return 1.0 - 2 * agreed / total if total else 0.0


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.get("label") == other.get("label") and _is_same_place(one, other)


def _is_same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both are about the same object: the same type, and the same place, if they have one."""
    return one.get("type") == other.get("type") and _overlap(one, other) >= _SAME_PLACE


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the intersection over union of the boxes around two predictions; 1 for what has no place."""
    first, second = extent_of(one), extent_of(other)
    if first is None or second is None:
        return 1.0 if first is second else 0.0
    return 1.0 if first == second else box_iou(first, second)


def _labels(predictions: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(str(each["label"]) for each in predictions if each.get("label") is not None)


def _score(prediction: Mapping[str, Any]) -> float | None:
    score: Any = prediction.get("score")
    return float(score) if is_score(score) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number_of(text: str) -> Any:
    """Return the number that a text holds; any other text as it is, to be refused."""
    try:
        return float(text)
    except ValueError:
        return text
