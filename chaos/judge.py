"""Expected against what is there and what was told. Shares no code with the package under test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .reader import Found, Prediction, There

Expected = Mapping[str, Counter[Prediction]]
"""Place of a file -> its predictions."""


@dataclass
class Row:
    """How a case ended: all figures are to be 0.

    :param lost: media and predictions that are not there.
    :param duplicated: media and compound files alive a second time, predictions that are there too often or
        should not be there at all, and packets sent again although nothing was missing.
    :param unknown: packets whose outcome nobody told after the last attempt; inputs that never ended, unless
        that was planted, or what they were to bring is there nevertheless.
    :param false_success: packets called done that are not.
    :param missed_failure: planted failures that nobody named.
    :param order_wrong: children at a wrong place; 0 where there are none.
    :param people_undone: rows that a person made, moved, relabelled or deleted, and that are not so in the
        end; 0 where nobody is at work.
    :param taken_by_pages: rows that a person's page, older than them, took away when it was saved. No figure
        of ours: it may be anything, and what was taken is not ``lost``.
    """

    case: str
    lost: int = 0
    duplicated: int = 0
    unknown: int = 0
    false_success: int = 0
    missed_failure: int = 0
    order_wrong: int = 0
    people_undone: int = 0
    taken_by_pages: int = 0

    @property
    def figures(self) -> dict[str, int]:
        """The figures by name."""
        others = ("case", "taken_by_pages")
        return {name: value for name, value in asdict(self).items() if name not in others}

    @property
    def is_clean(self) -> bool:
        """Whether every figure is 0."""
        return not any(self.figures.values())


@dataclass(frozen=True)
class Told:
    """What a DAG run told.

    :param places: of the packets it was to send.
    :param state: how it ended.
    :param outcomes: last outcome of each name in its report; None if it was to write none.
    :param receipt: what the wait returned.
    :param errors: text of all errors in the logs.
    """

    places: Collection[str]
    state: str
    outcomes: Mapping[str, str] | None = None
    receipt: Mapping[str, Any] | None = None
    errors: str = ""

    def names(self, place: str) -> bool:
        """Tell whether it said of a packet that it failed."""
        name = name_of(place)
        failures = (self.receipt or {}).get("failures") or []
        return (
            name in self.errors
            or (self.outcomes or {}).get(name) == "failed"
            or any(each["name"] == name for each in failures)
        )


@dataclass(frozen=True)
class Truth:
    """What is right.

    :param expected: predictions of each file that is to be there.
    :param planted: places of packets that cannot arrive; they must be named as failed.
    :param sent_again: packets that were sent although nothing was missing.
    :param taken: rows that a person's page took away, by place: they may be there or not.
    :param people_undone: rows that a person changed, and that are not as they left them.
    :param ends_at_the_first: whether what waits ends with the first that failed: then one must be named.
    """

    expected: Expected
    planted: Collection[str] = field(default_factory=set)
    sent_again: int = 0
    ends_at_the_first: bool = False
    taken: Expected = field(default_factory=dict)
    people_undone: int = 0


def name_of(place: str) -> str:
    """Return a file's name."""
    return place.rpartition("/")[2].rpartition("#")[0] if "#" in place else place


def judge(case: str, truth: Truth, there: There, told: Iterable[Told]) -> Row:
    """Return the figures of a case."""
    told = list(told)
    files: dict[str, list[Found]] = {}
    for file in there.files:
        files.setdefault(file.place, []).append(file)
    row = Row(case, duplicated=truth.sent_again, people_undone=truth.people_undone)
    row.taken_by_pages = sum(held.total() for held in truth.taken.values())
    row.duplicated += sum(count - 1 for count in Counter(there.compounds).values())
    row.order_wrong = _put_right(files, truth.expected)
    incomplete = set()
    for place, wanted in truth.expected.items():
        same = files.pop(place, [])
        held: Counter[Prediction] = same[0].predictions if same else Counter()
        wanted = wanted + ((held - wanted) & truth.taken.get(place, Counter()))
        missing = (wanted - held).total() + (not same)
        if missing:
            incomplete.add(place)
        row.lost += missing
        row.duplicated += (held - wanted).total() + max(0, len(same) - 1)
    whole = {name_of(place) for place in truth.expected} - {name_of(place) for place in incomplete}
    row.unknown = sum(name not in truth.planted and name not in whole for name in there.unfinished)
    row.duplicated += sum(len(same) for place, same in files.items() if place not in truth.planted)
    for run in told:
        row.unknown += _unknown(run, truth)
        row.false_success += _false_success(run, truth, incomplete)
    named = [any(run.names(place) for run in told) for place in truth.planted]
    if not (truth.ends_at_the_first and any(named)):
        row.missed_failure = named.count(False)
    return row


def _put_right(files: dict[str, list[Found]], expected: Expected) -> int:
    """Put children at a wrong place where they belong, so that nothing else counts them; return how many.

    A child is at a wrong place if it has the parent and the name of one that is to be there and is not.
    """
    strangers: dict[str, list[str]] = {}
    for place in sorted(files.keys() - expected.keys()):
        strangers.setdefault(place.rpartition("#")[0], []).append(place)
    moved = [(place, place.rpartition("#")[0]) for place in sorted(expected.keys() - files.keys())]
    wrong = 0
    for place, child in moved:
        if child and strangers.get(child):
            files[place] = files.pop(strangers[child].pop(0))
            wrong += len(files[place])
    return wrong


def _unknown(run: Told, truth: Truth) -> int:
    """Return the number of packets whose outcome the run did not tell."""
    if run.state != "success" and not any(run.names(place) for place in truth.planted):
        return len(run.places)
    outcomes = run.outcomes
    if outcomes is None:
        return 0
    return sum(outcomes.get(name_of(place), "unknown") == "unknown" for place in run.places)


def _false_success(run: Told, truth: Truth, incomplete: Collection[str]) -> int:
    """Return the number of packets that the run calls done and that are not."""
    if run.state != "success":
        return 0
    wrong = sum(place in incomplete for place in run.places)
    if run.receipt is None:
        return len(run.places)
    stored, archived = (
        sum(int(run.receipt.get(each, 0)) for each in names)
        for names in (("succeeded", "skipped"), ("archived",))
    )
    planted = sum(place in truth.planted for place in run.places)
    there = sum(place in truth.expected and place not in incomplete for place in run.places)
    return max(wrong, stored - there, stored + archived - (len(run.places) - planted))
