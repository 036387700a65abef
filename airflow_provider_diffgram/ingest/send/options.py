"""The options of a push."""

from __future__ import annotations

import threading
from typing import Required, TypedDict

from ...client.sync import MOST_AT_ONCE
from ...models import InvalidValueError
from ..check.labels import UNKNOWN_LABELS, Ref, UnknownLabels
from ..read.paths import PathOpener
from .batches import Memory

IF_EXISTS = ("skip", "fail", "append", "replace")


class Sending(TypedDict, total=False):
    """The options of :func:`~.push.push` that a push of children has as well."""

    dataset: Required[str | int | None]
    label_schema: str | int | None
    unknown_labels: UnknownLabels
    origin: Ref | None
    max_failed: float
    report: str | None
    concurrency: int
    memory: Memory | None
    stop: threading.Event | None
    introduce_after: float
    path_of: PathOpener


def check_options(
    if_exists: str, max_failed: float, concurrency: int, unknown_labels: str, origin: Ref | None
) -> None:
    """Raise InvalidValueError with everything that is wrong with the options."""
    problems = [f"origin: {ref!r} contains a NUL character" for ref in origin or () if "\x00" in (ref or "")]
    if unknown_labels not in UNKNOWN_LABELS:
        known = ", ".join(map(repr, UNKNOWN_LABELS))
        problems.append(f"unknown_labels must be one of {known}, not {unknown_labels!r}")
    if if_exists not in IF_EXISTS:
        problems.append(f"if_exists must be one of {', '.join(map(repr, IF_EXISTS))}, not {if_exists!r}")
    if not max_failed >= 0:
        problems.append(f"max_failed must be 0 or more, not {max_failed}")
    if not 1 <= concurrency <= MOST_AT_ONCE:
        problems.append(f"concurrency must be 1 to {MOST_AT_ONCE}, not {concurrency}")
    if problems:
        raise InvalidValueError("push", problems)
