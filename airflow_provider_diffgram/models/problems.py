"""Reports all problems of a value at once, each with its field and its value."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError

from .received import without_signatures

_PACKAGE = __package__.partition(".")[0]
_SHOWN = 60
_MOST_LINES = 10
"""Most lines of a message; similar problems are counted in one line."""
_MOST_PLACES = 5
_MOST_NAMED = 20
_NEAR = 0.65
"""How similar a suggestion must be: two swapped letters in a word of three still count as near."""

_PLACE = re.compile(r"^(packet|child) (\d+( \(.*?\))?|in line \d+ of .*?)(?=: |, )")
_VARYING = re.compile(r"(?<=\.)\d+(?=[.:])|(?<=\()-?[\d.]+(?=\))|(?<=\(value: ).*(?=\)$)")
"""The parts in which similar problems differ: places of instances, and values."""


class InvalidValueError(ValueError):
    """One or more values are wrong.

    The message begins with the first problem, so that one line is enough for one problem. If there are more
    than ten, similar ones are grouped and counted.

    :ivar problems: one text per problem.
    :ivar unshown: how many more there are.
    :ivar sent: what was sent anyway, or ``nothing was sent``; empty if the operation sends nothing.
    """

    def __init__(self, what: str, problems: Iterable[str], unshown: int = 0, sent: str = "") -> None:
        self.what = what
        self.problems = list(problems)
        self.unshown = unshown
        self.sent = sent
        text = "\n".join([self.head(sent), *self.lines()])
        # Half of a surrogate pair, which JSON may contain, cannot be written to a log.
        super().__init__(text.encode("utf-8", "backslashreplace").decode())

    def head(self, sent: str) -> str:
        """Return the first line: the first problem, how many there are, and what was sent.

        :param sent: as in the error, or a longer text.
        """
        count = len(self.problems) + self.unshown
        first = self.problems[0] if self.problems else "wrong"
        if count < 2:
            return f"{self.what}: {first}" + (f"; {sent}" if sent else "")
        return (
            f"{self.what}: {count_of(count, 'problem')}"
            + (f"; {sent}" if sent else "")
            + f". The first: {first}"
        )

    def lines(self) -> list[str]:
        """Return the lines after the first: the other problems, or all of them grouped if there are many."""
        others = self.problems[1:]
        if len(others) + bool(self.unshown) < _MOST_LINES:
            return [*others, *([f"and {self.unshown:,} more"] if self.unshown else [])]
        groups: dict[str, list[str]] = {}
        for problem in self.problems:
            groups.setdefault(kind_of(problem), []).append(problem)
        most_first = sorted(groups.values(), key=len, reverse=True)
        shown = [_grouped(alike) for alike in most_first[: _MOST_LINES - 1]]
        left = sum(map(len, most_first[_MOST_LINES - 1 :])) + self.unshown
        return [*shown, *([f"and {left:,} more"] if left else [])]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.problems, self.unshown, self.sent)


NOTHING = "nothing was sent"


@contextmanager
def telling(sent: str) -> Generator[None, None, None]:
    """Add what was sent to an InvalidValueError that does not say so.

    :param sent: text such as :data:`NOTHING`.
    """
    try:
        yield
    except InvalidValueError as error:
        if error.sent:
            raise
        raise InvalidValueError(error.what, error.problems, error.unshown, sent) from error.__cause__


def all_problems(checks: Iterable[Callable[[], object]]) -> list[str]:
    """Run all checks, and return all problems that they found."""
    found = []
    for check in checks:
        try:
            check()
        except InvalidValueError as error:
            found += error.problems
    return found


def kind_of(problem: str) -> str:
    """Return a problem without its packet and places of instances, so that similar ones count as one."""
    return _VARYING.sub("*", _PLACE.sub("", problem))


def _grouped(alike: list[str]) -> str:
    """Return one line for similar problems: how many, the first one, and where the others are."""
    if len(alike) == 1:
        return alike[0]
    places = dict.fromkeys(found.group() for each in alike[1:] if (found := _PLACE.match(each)))
    named = list(places)[:_MOST_PLACES]
    also = f"; also in {', '.join(named)}" if named else ""
    more = len(places) - len(named)
    return f"{len(alike):,} alike: {alike[0]}{also}{f' and {more:,} more' if more else ''}"


def first_of(things: Sequence[object], most: int) -> str:
    """Return the first things, separated by commas, and how many more there are."""
    shown = ", ".join(map(str, things[:most]))
    return f"{shown} and {len(things) - most:,} more" if len(things) > most else shown


def count_of(number: int, noun: str) -> str:
    """Return ``1 label`` or ``4,894 labels``.

    :param noun: a noun whose plural ends in s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(noun: str, things: Sequence[object], most: int = _MOST_NAMED) -> str:
    """Return ``input 3`` or ``inputs 3, 4 and 20 more``.

    :param noun: a noun whose plural ends in s.
    """
    return f"{noun}{'' if len(things) == 1 else 's'} {first_of(things, most)}"


def is_count(value: object) -> TypeGuard[float]:
    """Whether a value is a number of 0 or more; a bool is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def not_one_of(name: str, value: object, allowed: Iterable[object]) -> list[str]:
    """Return what is wrong with a choice; empty if it is allowed."""
    known = list(allowed)
    return [] if value in known else [f"{name} must be one of {', '.join(map(repr, known))}, not {value!r}"]


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the most similar known name as a question in brackets; empty if none is similar."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(str(given).casefold(), names, n=1, cutoff=_NEAR)
    return f" (did you mean {names[near[0]]!r}?)" if near else ""


def describe(error: ValidationError, where: str = "") -> list[str]:
    """Return one line per problem: field, cause, and a short value.

    :param error: what pydantic raised.
    :param where: what was checked, such as ``packet 3``.
    """
    return [_line(problem, where) for problem in error.errors(include_url=False, include_context=False)]


def _choice(problem: Any) -> str:
    """Return pydantic's problem with an invalid choice in the same words as :func:`not_one_of`."""
    tag, _, tags = problem["msg"].partition(" does not match ")
    named, known = (re.findall(r"'([^']*)'", each) for each in (tag, tags or tag))
    if not known:
        return str(problem["msg"])  # a choice without names, such as True
    name = named[1] if tags else str(problem["loc"][-1]) if problem["loc"] else "value"
    value = named[0] if tags else problem["input"]
    return "".join([*not_one_of(name, value, known), did_you_mean(value, known)])


def _fields() -> set[str]:
    """Return the names of all fields that can be given."""
    kinds, found = [BaseModel], set()
    while kinds:
        kind = kinds.pop()
        if kind.__module__.startswith(_PACKAGE) and kind.model_config.get("extra") == "forbid":
            found |= set(kind.model_fields)
        kinds += kind.__subclasses__()
    return found


def _plainer(problem: Any) -> str | None:
    """Return a clearer text than pydantic's for some problems; None for all others."""
    kind = type(problem.get("input")).__name__
    match problem["type"]:
        case "invalid-json-value":
            return f"is of the type {kind}, which JSON does not have: give a text or a number"
        case "union_tag_not_found":
            return "needs a type, such as box"
        case "model_type" | "model_attributes_type":
            return f"must be an object with its fields by name, not {kind}"
    return None


def _line(problem: Any, where: str) -> str:
    place = without_signatures(".".join(str(part) for part in problem["loc"]))
    message = without_signatures(problem["msg"].removeprefix("Value error, "))
    if problem["type"] == "extra_forbidden":
        name = str(problem["loc"][-1])
        message = f"there is no such field here{did_you_mean(name, _fields() - {name})}"
    elif problem["type"] in ("literal_error", "union_tag_invalid"):
        message = without_signatures(_choice(problem))
    else:
        message = _plainer(problem) or message
    prefix = ": ".join(part for part in (where, place) if part)
    value = problem.get("input")
    shown = ""
    if isinstance(value, str | int | float | bool) and problem["type"] != "literal_error":
        shown = f" (value: {without_signatures(repr(value))[:_SHOWN]})"
    return f"{prefix}: {message}{shown}" if prefix else f"{message}{shown}"
