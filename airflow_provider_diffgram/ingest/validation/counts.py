"""What is counted of a prediction set, in memory that does not grow with it."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...models import Instance, Packet

BINS = 20
"""Bars of a histogram of scores from 0 to 1."""

OTHERS = "(others)"
"""Where labels and problems are counted once there are too many to remember each."""

_MOST_LABELS = 500
_MOST_PROBLEMS = 500
_PLACE = re.compile(r"^packet (\d+|in line \d+ of .*?)(: |, )")
_VARYING = re.compile(r"(?<=\.)\d+(?=[.:])|(?<=\()-?[\d.]+(?=\))|(?<=\(value: ).*(?=\)$)")
"""Places of instances, and values that the text shows."""


@dataclass
class LabelCounts:
    """Instances of one label.

    :param bins: scores by twentieths of 0 to 1; 1 is in the last.
    """

    instances: int = 0
    scores: int = 0
    score_sum: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * BINS)

    @property
    def mean_score(self) -> float | None:
        """Mean of the scores, None without any."""
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


class Counts:
    """What was seen of a prediction set.

    :param label_names: ``label_file_id`` -> name.
    :param samples: so many valid images with instances are kept, each with the same chance.
    """

    def __init__(self, label_names: Mapping[int, str], samples: int) -> None:
        self.packets = 0
        self.invalid = 0
        self.instances = 0
        self.labels: dict[str, LabelCounts] = {}
        self.kinds: Counter[str] = Counter()
        self.problems: dict[str, ProblemCounts] = {}
        self.samples: list[tuple[str, Packet]] = []
        self._names = label_names
        self._most_samples = samples
        self._images = 0
        self._random = random.Random(0)  # the same set gives the same page

    @property
    def mean_score(self) -> float | None:
        """Mean of all scores, None without any."""
        scores = sum(each.scores for each in self.labels.values())
        return sum(each.score_sum for each in self.labels.values()) / scores if scores else None

    @property
    def by_frequency(self) -> list[tuple[str, LabelCounts]]:
        """Labels, the most frequent first."""
        return sorted(self.labels.items(), key=lambda item: (-item[1].instances, item[0]))

    def note(self, name: str, packet: Packet | None, problems: list[str]) -> None:
        """Count a packet.

        :param packet: None if the models refuse it.
        """
        self.packets += 1
        self.invalid += bool(problems)
        for kind, example in {_kind_of(problem): problem for problem in reversed(problems)}.items():
            self._note_problem(kind, example)
        if packet is None:
            return
        for instance in packet.instances:
            self.instances += 1
            self.kinds[instance.type] += 1
            self._label(instance).note(instance)
        if packet.instance_list and not problems:
            self._sample(name, packet)

    def label_of(self, instance: Instance) -> str:
        """Return what the label of an instance is called."""
        if instance.label is not None:
            return instance.label
        if instance.label_file_id is None:
            return "(no label)"
        return self._names.get(instance.label_file_id, f"label_file_id {instance.label_file_id}")

    def _label(self, instance: Instance) -> LabelCounts:
        name = self.label_of(instance)
        if name not in self.labels and len(self.labels) >= _MOST_LABELS:
            name = OTHERS
        return self.labels.setdefault(name, LabelCounts())

    def _note_problem(self, kind: str, example: str) -> None:
        if kind not in self.problems and len(self.problems) >= _MOST_PROBLEMS:
            kind = OTHERS
        self.problems.setdefault(kind, ProblemCounts(0, example)).packets += 1

    def _sample(self, name: str, packet: Packet) -> None:
        """Keep it if a draw says so: of n images each stays with the chance samples / n."""
        self._images += 1
        if len(self.samples) < self._most_samples:
            self.samples.append((name, packet))
        elif (place := self._random.randrange(self._images)) < self._most_samples:
            self.samples[place] = (name, packet)


def _kind_of(problem: str) -> str:
    """Return a problem without its packet and the places of instances, so that alike ones count as one."""
    return _VARYING.sub("*", _PLACE.sub("", problem))
