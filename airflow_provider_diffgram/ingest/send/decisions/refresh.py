"""Computes what a later run of a model changes in a file, from the file's rows. No request is sent here.

Predictions of the model's earlier runs that nobody touched are removed, and those of this run are added. What
people drew, moved, relabelled or deleted also holds for the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any, Literal, get_args

from ....drawing.likeness import likeness, place_of, same_place
from ....models.problems import not_one_of
from ...server.rewrite import Rewrite, Row, is_same, rewritten

Empty = Literal["clear", "keep"]
"""What to do with a file's earlier predictions if a run predicts nothing for it."""

Reviewed = Literal["leave", "refresh"]
"""What to do with files whose task is complete."""

MIN_IOU = 0.5


class Standing(Enum):
    """How a living row relates to a run of a model."""

    UNTOUCHED = "an earlier run predicted it, and it is as it was pushed"
    TOUCHED = "a run predicted it, and somebody changed it since, or may have"
    OF_THIS_RUN = "this run predicted it, and it is as it was pushed"
    OF_LATER_RUN = "a later run predicted it"
    OF_PERSON = "a person drew it"
    OF_OTHERS = "another model, or nobody that can be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a refresh decides.

    :param respect_people: whether predictions that contradict people's decisions are left out.
    :param min_iou: how much a prediction must overlap what a person left or deleted to count as the same
        object.
    :param empty: what to do with the earlier predictions on a file for which the run predicts nothing:
        ``clear`` or ``keep`` them.
    :param reviewed: what to do with files whose task is complete: ``leave`` or ``refresh`` them.
    :param rescore: whether an equal prediction replaces the earlier one, to update its score and run.
    """

    respect_people: bool = True
    min_iou: float = MIN_IOU
    empty: Empty = "clear"
    reviewed: Reviewed = "leave"
    rescore: bool = False


def rules_of(given: Rules | Mapping[str, Any] | None) -> Rules:
    """Return the rules with these fields.

    :raises ValueError: with one line for each problem.
    """
    if given is None or isinstance(given, Rules):
        return given or Rules()
    known = {each.name for each in fields(Rules)}
    problems = [
        f"there is no {name!r}: there are {', '.join(sorted(known))}" for name in given.keys() - known
    ]
    for name, allowed in (("empty", get_args(Empty)), ("reviewed", get_args(Reviewed))):
        if name in given:
            problems += not_one_of(name, given[name], allowed)
    for name in ("respect_people", "rescore"):
        if name in given and not isinstance(given[name], bool):
            problems.append(f"{name} must be true or false, not {given[name]!r}")
    share = given.get("min_iou", MIN_IOU)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        problems.append(f"min_iou must be above 0 and at most 1, not {share!r}")
    if problems:
        raise ValueError("\n".join(problems))
    return Rules(**given)


@dataclass(slots=True)
class Counts:
    """What refreshes did, counted in predictions; the last three are counted in files.

    :param added: predictions of this run that are new in the file.
    :param taken_back: untouched predictions of earlier runs that were removed.
    :param unchanged: predictions that equal an existing one, which stays.
    :param touched: predictions of this model that people changed; they stay.
    :param settled: predictions of this run that were left out, because people had settled the matter.
    :param reviewed: files left unchanged, because their review is complete.
    :param waiting: files that somebody is working on, left for the next run.
    :param outdated: files with predictions of a later run, which stay.
    """

    added: int = 0
    taken_back: int = 0
    unchanged: int = 0
    touched: int = 0
    settled: int = 0
    reviewed: int = 0
    waiting: int = 0
    outdated: int = 0

    def add(self, other: Counts) -> None:
        """Add the counts of ``other``."""
        for name, count in asdict(other).items():
            setattr(self, name, getattr(self, name) + count)

    def to_json(self) -> dict[str, int]:
        """Return the counts that are not zero."""
        return {name: count for name, count in asdict(self).items() if count}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a model, by its ids.

    :param id: None if the server does not know it yet; then all others are earlier.
    """

    model_id: int
    id: int | None


@dataclass(frozen=True, slots=True)
class Refreshing:
    """What a refresh does with one file.

    :param new: rows to add, as they are sent.
    :param going: living rows to remove.
    :param counts: counts of everything, including what stays.
    """

    new: list[Row] = field(default_factory=list)
    going: list[Row] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    def rewrite(self, living: Sequence[Row]) -> Rewrite:
        """Return the write that carries this out."""
        return rewritten(living, self.new, self.going)


def standing_of(row: Row, run: Run, people: Collection[int], given_back: Collection[int] = ()) -> Standing:
    """Return how a living row relates to a run. In doubt it counts as touched.

    :param people: ids of members who are persons.
    :param given_back: ids of rows that a push restored and that no person ever touched.
    """
    is_by_person = row.get("member_created_id") in people
    if row.get("model_id") != run.model_id:
        return Standing.OF_PERSON if is_by_person else Standing.OF_OTHERS
    is_first = (row.get("version") or 1) == 1 and row.get("action_type") in (None, "created")
    is_as_pushed = (is_first and row.get("previous_id") is None) or row.get("id") in given_back
    if is_by_person or not is_as_pushed or not row.get("creation_ref_id"):
        return Standing.TOUCHED
    if run.id is None or row.get("model_run_id") is None or row["model_run_id"] < run.id:
        return Standing.UNTOUCHED
    return Standing.OF_THIS_RUN if row["model_run_id"] == run.id else Standing.OF_LATER_RUN


def is_earlier(row: Row, run: Run) -> bool:
    """Whether an earlier run of the model predicted a row, and it is still as it was pushed."""
    return standing_of({**row, "member_created_id": None}, run, ()) is Standing.UNTOUCHED


def is_later(row: Row, run: Run) -> bool:
    """Whether a row belongs to a run of the same model that the server got to know after this one."""
    is_of_model = row.get("model_id") == run.model_id
    return is_of_model and run.id is not None and (row.get("model_run_id") or 0) > run.id


def _standing_of(
    row: Row, runs: Iterable[Run], people: Collection[int], given_back: Collection[int]
) -> Standing:
    found = [standing_of(row, run, people, given_back) for run in runs]
    return next((each for each in found if each not in (Standing.OF_OTHERS, Standing.OF_PERSON)), found[0])


def refreshed(
    living: Sequence[Row],
    wanted: Sequence[Row],
    runs: Sequence[Run],
    rules: Rules,
    *,
    people: Collection[int] = (),
    given_back: Collection[int] = (),
    deleted: Iterable[Row] = (),
) -> Refreshing:
    """Return what a run changes in a file.

    :param living: living rows of the file, as the server returned them.
    :param wanted: what the run predicts for the file, as it is sent.
    :param runs: the current run of each model.
    :param people: ids of members who are persons.
    :param given_back: ids of rows that a push restored and that no person ever touched.
    :param deleted: rows of the model that people deleted.
    """
    rows = [(row, _standing_of(row, runs, people, given_back)) for row in living]
    touched = [row for row, standing in rows if standing is Standing.TOUCHED]
    untouched = [row for row, standing in rows if standing is Standing.UNTOUCHED]
    # Models with a later run that began during this one: predictions of this run are removed, too.
    late = {run.model_id for run in runs if any(is_later(row, run) for row in living)}
    belated = [
        row for row, standing in rows if standing is Standing.OF_THIS_RUN and row.get("model_id") in late
    ]
    wanted = [each for each in wanted if each.get("model_id") not in late]
    said = [*touched, *(row for row, standing in rows if standing is Standing.OF_PERSON), *deleted]
    counts = Counts(touched=len(touched), outdated=1 if late else 0)
    staying: set[int] = set()
    new = []
    for each in wanted:
        there = next((row for row, _ in rows if is_same(each, row)), None)
        if there is not None and not (rules.rescore and there in untouched):
            counts.unchanged += 1
            staying.add(there["id"])
        elif _is_of(each, rows, Standing.OF_THIS_RUN):
            counts.unchanged += 1
        elif rules.respect_people and any(is_settled(each, row, rules.min_iou) for row in said):
            counts.settled += 1
        else:
            new.append(each)
    clears = {run.model_id for run in runs} if wanted or rules.empty == "clear" else late
    old = [row for row in untouched if row["model_id"] in clears] + belated
    going = [row for row in old if row["id"] not in staying]
    counts.added, counts.taken_back = len(new), len(going)
    return Refreshing(new, going, counts)


def _is_of(sent: Row, rows: Iterable[tuple[Row, Standing]], wanted: Standing) -> bool:
    reference = sent["creation_ref_id"]
    return any(row.get("creation_ref_id") == reference for row, standing in rows if standing is wanted)


def is_settled(sent: Mapping[str, Any], said: Mapping[str, Any], min_iou: float) -> bool:
    """Whether what a person left or deleted is the same object as a prediction.

    It is if the references are equal, or if type and label are equal and the shapes overlap by ``min_iou`` or
    more. Lines, points and other shapes without an area must be at the same place.

    :raises LibraryMissingError: for polygons and ellipses without shapely.
    """
    if sent.get("creation_ref_id") == said.get("creation_ref_id"):
        return True
    if any(sent.get(key) != said.get(key) for key in ("type", "label_file_id")):
        return False
    alike = likeness(sent, said)
    if alike is not None:
        return alike >= min_iou
    one, other = place_of(sent), place_of(said)
    return one is not None and other is not None and same_place(one, other)
