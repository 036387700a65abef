"""The limits that a prediction set must meet."""

from __future__ import annotations

from dataclasses import dataclass

from ...models import InvalidValueError, Packet
from ...models.base import is_score
from ...models.problems import count_of, is_count
from ..limits import allowed
from .counts import Counts


@dataclass(frozen=True)
class Limits:
    """The limits of a prediction set.

    :param max_invalid: how many packets may be invalid. A number below 1 is a share.
    :param min_instances: an image, text or audio file with fewer instances is invalid.
    :param max_instances: one with more instances is invalid.
    :param min_mean_score: smallest mean of all scores. A set without scores misses it.
    """

    max_invalid: float = 0
    min_instances: int | None = None
    max_instances: int | None = None
    min_mean_score: float | None = None

    def check(self) -> None:
        """Refuse limits that no set can meet.

        :raises InvalidValueError: with all such limits.
        """
        problems = [
            f"{name} must be 0 or more, not {value!r}"
            for name, value in vars(self).items()
            if value is not None and not is_count(value)
        ]
        mean = self.min_mean_score
        if is_count(mean) and not is_score(mean):
            problems.append(f"min_mean_score must be between 0 and 1, as scores are, not {mean!r}")
        low, high = self.min_instances, self.max_instances
        if is_count(low) and is_count(high) and low > high:
            problems.append(f"min_instances ({low}) is more than max_instances ({high})")
        if problems:
            raise InvalidValueError("limits", problems)

    def problems_of(self, packet: Packet) -> list[str]:
        """Return why a packet holds too few or too many instances; videos may hold any number."""
        if packet.frame_packet_map is not None or (packet.media and packet.media.type == "video"):
            return []
        count = len(packet.instance_list)
        if self.min_instances is not None and count < self.min_instances:
            return [f"has {count_of(count, 'instance')}, fewer than min_instances ({self.min_instances})"]
        if self.max_instances is not None and count > self.max_instances:
            return [f"has {count_of(count, 'instance')}, more than max_instances ({self.max_instances})"]
        return []

    def remedies(self, counts: Counts) -> list[str]:
        """Return what to do about the problems of a set."""
        told = []
        if any("is not in the schema" in each.example for each in counts.problems.values()):
            told.append(
                "Labels or attributes are missing from the schema: add them to it, or correct their names "
                "where the packets are made. unknown_labels says what a push does about labels."
            )
        if counts.invalid and self._allows(counts):
            told.append(
                f"{counts.invalid:,} invalid packets are allowed, but a push refuses the whole set for one: "
                "let it read the file of valid_packets."
            )
        elif counts.invalid:
            told.append(
                "Correct what the problems name, and clear this task. To send the others meanwhile, let "
                "max_invalid allow these, and have the push read the file of valid_packets."
            )
        if self._mean_problem(counts):
            told.append(
                "Look at the pictures. If the model is right and its scores are low, lower min_mean_score; "
                "or leave out predictions below a threshold where the packets are made."
            )
        return told

    def _allows(self, counts: Counts) -> bool:
        return counts.invalid <= allowed(self.max_invalid, counts.packets)

    def _mean_problem(self, counts: Counts) -> str | None:
        mean = counts.mean_score
        if self.min_mean_score is None or (mean is not None and mean >= self.min_mean_score):
            return None
        told = "there is no score" if mean is None else f"the mean score is {mean:.3f}"
        return f"{told}, less than min_mean_score ({self.min_mean_score:g})"

    def problems_of_all(self, counts: Counts) -> list[str]:
        """Return which limits the whole set misses."""
        problems = []
        if not self._allows(counts):
            problems.append(
                f"{counts.invalid:,} of {counts.packets:,} packets are invalid, more than max_invalid "
                f"({self.max_invalid:g})"
            )
        mean = self._mean_problem(counts)
        return [*problems, mean] if mean else problems
