"""The options of a wait."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from ...models import InvalidValueError, Receipt
from ...models.problems import not_one_of
from ..defaults import MAX_RETRIES, STALL_TIMEOUT
from ..limits import allowed

_ALLOWED = {
    "verify": ("counts", "instances", "status"),
    "on_stuck": ("fail", "retry"),
    "if_killed": ("leave", "archive"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """When and how a wait ends.

    :param verify: what proves that predictions are stored. ``counts`` compares the number that the server
        keeps for each new file, ``instances`` compares each instance, ``status`` only checks that a success
        lasts.
    :param max_failed: how many inputs may fail. A number below 1 is a share of the expected ones.
    :param on_stuck: what to do with inputs that the server has abandoned: ``fail``, or ``retry`` them.
    :param stall_timeout: seconds without progress after which inputs count as abandoned. None means never.
    :param max_retries: how often an input may be retried.
    :param if_killed: what to do with pending inputs when the task is killed: ``leave``, or ``archive``.
    :raises InvalidValueError: with everything that is wrong.
    """

    verify: str = "counts"
    max_failed: float = 0
    on_stuck: str = "fail"
    stall_timeout: float | None = STALL_TIMEOUT
    max_retries: int = MAX_RETRIES
    if_killed: str = "leave"

    def __post_init__(self) -> None:
        problems = [
            problem
            for name, known in _ALLOWED.items()
            for problem in not_one_of(name, getattr(self, name), known)
        ]
        problems += _number_problems("max_failed", self.max_failed, "a number of inputs, or a share below 1,")
        if self.stall_timeout is not None:
            problems += _number_problems("stall_timeout", self.stall_timeout, "a number of seconds,")
            if self.stall_timeout == 0:
                problems.append("stall_timeout must be above 0, or None to wait on")
        problems += _number_problems("max_retries", self.max_retries, "a number of retries,")
        if problems:
            raise InvalidValueError("wait", problems)

    @classmethod
    def of(cls, *, max_failed: Any, stall_timeout: Any, **others: Any) -> Rules:
        """Return the rules from a task's parameters.

        :param max_failed: a number, or a text with one, as from a rendered template.
        :param stall_timeout: seconds, or a timedelta. None means never.
        :param others: the other rules.
        :raises InvalidValueError: with everything that is wrong.
        """
        if isinstance(stall_timeout, timedelta):
            stall_timeout = stall_timeout.total_seconds()
        return cls(max_failed=_number(max_failed), stall_timeout=_number(stall_timeout), **others)

    def too_many(self, problems: int, expected: int) -> bool:
        """Whether more of ``expected`` inputs failed than allowed."""
        return problems > allowed(self.max_failed, expected)

    def next_step(self, receipt: Receipt, to_retry: Sequence[int]) -> Literal["wait", "retry", "end"]:
        """Return what to do next.

        :param to_retry: stuck inputs that may be retried.
        """
        hopeless = receipt.problems - (len(to_retry) if self.on_stuck == "retry" else 0)
        if self.too_many(hopeless, receipt.expected):
            return "end"
        if to_retry and self.on_stuck == "retry":
            return "retry"
        return "end" if receipt.complete else "wait"


def _number(value: Any) -> Any:
    """Return the number in a text; any other value unchanged, to be checked later."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _number_problems(name: str, value: Any, what: str) -> list[str]:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return []
    return [f"{name} must be {what} 0 or more, not {value!r}"]
