"""How much is asked at once, and how long is waited for what: one value, so that a test can make it small."""

from __future__ import annotations

from dataclasses import dataclass

from ..client.routes import PAGE


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts and times that are the project's own choice; what a user may choose is a parameter.

    Of a wait:

    :param page: rows that the server lists at most.
    :param sample: rows of a routine look: fewer are all there are; so many mean that the end is not near.
    :param light_instances: a list of at most ``sample`` rows with so many instances is asked for as a whole
        each time.
    :param failures_every: of so many routine looks one is for failures.
    :param batches_at_once: batches in which something is pending that one look asks for, unless they hold
        ``page`` inputs each.
    :param rest: seconds for which a batch far from its end may be left alone while another one is, too.
    :param missing_after: seconds for which an input may be unlisted.
    :param files_held: files whose instances are held in memory at once.
    :param files_compared: files that lack some of their predictions and are asked which, in one look.
    :param doubtful_after: share of the time without movement after which the rest of the queue is looked at
        as well.
    """

    page: int = PAGE
    sample: int = 100
    light_instances: int = 2000
    failures_every: int = 4
    batches_at_once: int = 20
    rest: float = 5.0
    missing_after: float = 30.0
    files_held: int = 64
    files_compared: int = 200
    doubtful_after: float = 0.25


LIMITS = Limits()
