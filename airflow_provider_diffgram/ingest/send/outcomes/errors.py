"""The error of a push as a whole."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from ....client import DiffgramError
from ....models.problems import NOTHING, telling


class PushError(DiffgramError):
    """Not everything was sent. The message says what arrived, what did not, and what is unknown.

    :ivar counts: how many packets were sent, skipped, failed or are unknown; how they went; and the bytes.
    """

    counts: Mapping[str, int] = MappingProxyType({})


@contextmanager
def before_anything_is_sent() -> Generator[None, None, None]:
    """Add to bad input, and to faults of the server or a storage, that nothing was sent."""
    try:
        with telling(NOTHING):
            yield
    except DiffgramError as error:
        error.args = (f"{error}. {NOTHING.capitalize()}",)
        raise
