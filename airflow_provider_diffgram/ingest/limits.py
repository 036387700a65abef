"""How much to request at once, and how long to wait, in one object, so that tests can set small values."""

from __future__ import annotations

from dataclasses import dataclass

from ..client.routes import PAGE
from ..client.routes.uploads import MIB


def allowed(most: float, of: int) -> float:
    """Return how many of ``of`` may fail.

    :param most: a number, or a share if below 1.
    """
    return most * of if most < 1 else most


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts and times that users cannot choose.

    For a push:

    :param chunk: packets that are checked and sent together.
    :param linger: most seconds that a yielded packet waits for others, to be sent together.
    :param dataset_cap: most images of a dataset (server.md 3.3).
    :param batch: most packets of a batch: a listing shows no more (quirk 13).
    :param upload: most bytes of one request (server.md 1.4).
    :param upload_chunk: most bytes of a chunk of a large upload; chunks are streamed, so memory is no limit.
    :param medium: most bytes of a medium by URL or blob that the worker reads if the queue could take it.
    :param medium_seconds: most seconds that the worker reads such a medium.
    :param stuck_after: seconds without change after which an input that the server has started counts as
        lost.

    For waiting:

    :param page: most rows in one listing.
    :param sample: rows of a routine poll. Fewer rows are all there are; as many mean that the end is far.
    :param light_instances: a list of at most ``sample`` rows with at most this many instances is read whole
        at each poll.
    :param failures_every: one routine poll in this many looks for failures.
    :param batches_at_once: unsettled batches in one poll; more if they are full.
    :param rest: seconds between polls of a batch while both it and another one are far from their end.
    :param missing_after: seconds after which an input that the server does not list counts as missing.
    :param files_held: files whose instances are in memory at once.
    :param files_compared: files per poll that are read to name the predictions that they lack.
    :param doubtful_after: share of the stall timeout after which a wait without movement also looks at the
        rest of the project.
    """

    chunk: int = 1000
    linger: float = 5.0
    dataset_cap: int = 90_000
    batch: int = PAGE
    upload: int = 250 * MIB
    upload_chunk: int = 128 * MIB
    medium: int = 64 * MIB
    medium_seconds: float = 60.0
    stuck_after: float = 120.0
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
