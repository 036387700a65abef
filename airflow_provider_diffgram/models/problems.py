"""All problems of a value at once, each with its field and its value."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from .received import without_signatures

_SHOWN = 60


class InvalidValueError(ValueError):
    """One or more values are wrong.

    :ivar problems: one text per problem.
    :ivar unshown: how many more there are.
    :ivar sent: what was sent nevertheless, or ``nothing was sent``; empty if nothing was meant to be.
    """

    def __init__(self, what: str, problems: Iterable[str], unshown: int = 0, sent: str = "") -> None:
        self.what = what
        self.problems = list(problems)
        self.unshown = unshown
        self.sent = sent
        count = len(self.problems) + unshown
        more = [f"and {unshown} more"] if unshown else []
        head = ", ".join([f"{what}: {count} problem(s)", *([sent] if sent else [])])
        text = "\n".join([head, *self.problems, *more])
        # Half of a surrogate pair, as JSON may hold, cannot be written to a log.
        super().__init__(text.encode("utf-8", "backslashreplace").decode())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.problems, self.unshown, self.sent)


NOTHING = "nothing was sent"


@contextmanager
def telling(sent: str) -> Generator[None, None, None]:
    """Add what was sent to an InvalidValueError that does not say it.

    :param sent: such as :data:`NOTHING`.
    """
    try:
        yield
    except InvalidValueError as error:
        if error.sent:
            raise
        raise InvalidValueError(error.what, error.problems, error.unshown, sent) from error.__cause__


def all_problems(checks: Iterable[Callable[[], object]]) -> list[str]:
    """Run each check, and return what all of them found wrong."""
    found = []
    for check in checks:
        try:
            check()
        except InvalidValueError as error:
            found += error.problems
    return found


def describe(error: ValidationError, where: str = "") -> list[str]:
    """Return one line per problem: field, cause, and a short value.

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
