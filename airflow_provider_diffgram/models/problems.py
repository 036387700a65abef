"""All problems of a value at once, in words that name the field and its value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from .received import without_signatures

_SHOWN = 60


class InvalidValueError(ValueError):
    """One or more values that must not be sent; nothing was.

    :ivar problems: one text per problem.
    :ivar unshown: how many more there are.
    """

    def __init__(self, what: str, problems: Iterable[str], unshown: int = 0) -> None:
        self.what = what
        self.problems = list(problems)
        self.unshown = unshown
        count = len(self.problems) + unshown
        more = [f"and {unshown} more"] if unshown else []
        head = f"{what}: {count} problem(s), nothing was sent"
        super().__init__("\n".join([head, *self.problems, *more]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.problems, self.unshown)


def describe(error: ValidationError, where: str = "") -> list[str]:
    """Return one line per problem: place, cause, and the value where it is short.

    :param error: what pydantic raised.
    :param where: what was checked, such as ``packet 3``.
    """
    return [_line(problem, where) for problem in error.errors(include_url=False, include_context=False)]


def _line(problem: Any, where: str) -> str:
    place = without_signatures(".".join(str(part) for part in problem["loc"]))
    message = without_signatures(problem["msg"].removeprefix("Value error, "))
    prefix = ": ".join(part for part in (where, place) if part)
    value = problem.get("input")
    shown = ""
    if isinstance(value, str | int | float | bool):
        shown = f" (value: {without_signatures(repr(value))[:_SHOWN]})"
    return f"{prefix}: {message}{shown}" if prefix else f"{message}{shown}"
