"""The error of a push as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ....client import DiffgramError


class PushError(DiffgramError):
    """Not everything was sent. It says what arrived, what did not, and what is unknown.

    :ivar counts: how many packets were sent, skipped, failed or are unknown, how they went, and the bytes.
    """

    counts: Mapping[str, int] = MappingProxyType({})
