"""Counts what is in a prediction set, in bounded memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ...models import Instance, Packet
from ...models.problems import count_of, kind_of

ItemT = TypeVar("ItemT")

BINS = 20
"""Bars of a histogram of scores from 0 to 1."""

OTHERS = "(others)"
"""The name under which labels and problems are counted when there are too many to remember each."""

_MOST_LABELS = 500
_MOST_PROBLEMS = 500
_MOST_SHOWN = 20


@dataclass
class LabelCounts:
    """Instances of one label.

    :param bins: number of scores in each twentieth of 0 to 1; a score of 1 is in the last.
    """

    instances: int = 0
    scores: int = 0
    score_sum: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * BINS)

    @property
    def mean_score(self) -> float | None:
        """Mean of the scores; None without any."""
        return self.score_sum / self.scores if self.scores else None

    def note(self, instance: Instance) -> None:
        """Count an instance."""
        self.instances += 1
        if instance.score is not None:
            self.scores += 1
            self.score_sum += instance.score
            self.bins[min(BINS - 1, int(instance.score * BINS))] += 1


@dataclass
class ProblemCounts:
    """One kind of problem.

    :param example: the first one.
    """

    packets: int
    example: str


@dataclass(frozen=True)
class WrongPacket:
    """A packet with problems.

    :param packet: None if the models refuse it.
    :param fields: the fields that it was given as.
    """

    name: str
    packet: Packet | None
    fields: Any
    problems: list[str]


class Lot(Generic[ItemT]):
    """A random sample of many items, each with the same chance; only the sample is in memory."""

    def __init__(self, most: int) -> None:
        self.drawn: list[ItemT] = []
        self._most = most
        self._seen = 0
        self._random = random.Random(0)  # the same set gives the same page

    def add(self, item: ItemT) -> None:
        """Keep an item by chance: of n items, each stays with the probability most / n."""
        self._seen += 1
        if len(self.drawn) < self._most:
            self.drawn.append(item)
        elif (place := self._random.randrange(self._seen)) < self._most:
            self.drawn[place] = item


class Counts:
    """The counts of a prediction set.

    :param label_names: ``label_file_id`` -> name.
    :param samples: how many valid images with instances to keep, each with the same chance, and how many
        packets with problems.
    """

    def __init__(self, label_names: Mapping[int, str], samples: int) -> None:
        self.packets = 0
        self.invalid = 0
        self.instances = 0
        self.labels: dict[str, LabelCounts] = {}
        self.kinds: Counter[str] = Counter()
        self.problems: dict[str, ProblemCounts] = {}
        self.samples = Lot[tuple[str, Packet]](samples)
        self.wrong = Lot[WrongPacket](samples)
        self._names = label_names

    @property
    def mean_score(self) -> float | None:
        """Mean of all scores; None without any."""
        scores = sum(each.scores for each in self.labels.values())
        return sum(each.score_sum for each in self.labels.values()) / scores if scores else None

    @property
    def by_frequency(self) -> list[tuple[str, LabelCounts]]:
        """Labels, the most frequent first."""
        return sorted(self.labels.items(), key=lambda item: (-item[1].instances, item[0]))

    def causes(self, most: int) -> list[str]:
        """Return what is wrong with packets, one line per cause, the most frequent first.

        :param most: how many causes to name; the others are counted.
        """
        kinds = sorted(self.problems.values(), key=lambda each: -each.packets)
        told = [
            each.example
            if each.packets == 1
            else f"{count_of(each.packets, 'packet')}, such as {each.example}"
            for each in kinds[:most]
        ]
        left = len(kinds) - most
        return [*told, *([f"and {count_of(left, 'other cause')}"] if left > 0 else [])]

    def note(self, name: str, packet: Packet | None, problems: list[str], fields: Any = None) -> None:
        """Count a packet.

        :param packet: None if the models refuse it.
        :param fields: the fields that it was given as.
        """
        self.packets += 1
        self.invalid += bool(problems)
        for kind, example in {kind_of(problem): problem for problem in reversed(problems)}.items():
            self._note_problem(kind, example)
        if problems:
            self.wrong.add(WrongPacket(name, packet, fields, problems[:_MOST_SHOWN]))
        if packet is None:
            return
        for instance in packet.instances:
            self.instances += 1
            self.kinds[instance.type] += 1
            self._label(instance).note(instance)
        if packet.instance_list and not problems:
            self.samples.add((name, packet))

    def label_of(self, instance: Instance | Mapping[str, Any]) -> str:
        """Return the name of an instance's label.

        :param instance: an instance, or the fields of an invalid one.
        """
        if isinstance(instance, Mapping):
            label, number = instance.get("label"), instance.get("label_file_id")
        else:
            label, number = instance.label, instance.label_file_id
        if label is not None:
            return str(label)
        if not isinstance(number, int):
            return "(no label)"
        return self._names.get(number, f"label_file_id {number}")

    def _label(self, instance: Instance) -> LabelCounts:
        name = self.label_of(instance)
        if name not in self.labels and len(self.labels) >= _MOST_LABELS:
            name = OTHERS
        return self.labels.setdefault(name, LabelCounts())

    def _note_problem(self, kind: str, example: str) -> None:
        if kind not in self.problems and len(self.problems) >= _MOST_PROBLEMS:
            kind = OTHERS
        self.problems.setdefault(kind, ProblemCounts(0, example)).packets += 1
