"""How much to ask for at once, and how long to wait: one value, so that a test can make it small."""

from __future__ import annotations

from dataclasses import dataclass

from ..client.routes import PAGE


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts and times that the project chose itself; what a user may choose is a parameter.

    For waiting:

    :param page: most rows in one listing.
    :param sample: rows of a routine look. Fewer rows are all there are; as many mean that the end is far.
    :param light_instances: a list of at most ``sample`` rows with at most this many instances is read whole
        at each look.
    :param failures_every: one routine look in this many is for failures.
    :param batches_at_once: unsettled batches that one look asks for; more if they are full.
    :param rest: seconds to leave a batch alone while both it and another one are far from their end.
    :param missing_after: seconds after which an input that the server does not list counts as missing.
    :param files_held: files whose instances are in memory at once.
    :param files_compared: files per look that are read to name the predictions they lack.
    :param doubtful_after: share of the stall timeout after which a wait without movement also looks at the
        rest of the project.
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
