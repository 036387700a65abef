"""What can befall a push as a whole."""

from __future__ import annotations

from ...client import DiffgramError


class PushError(DiffgramError):
    """Not everything was sent. Says what arrived, what did not and what is unknown."""
