"""How much to ask for at once, and how long to wait: one value, so that a test can make it small."""

from __future__ import annotations

from dataclasses import dataclass

from ..client.routes import PAGE
from ..client.routes.uploads import MIB


def allowed(most: float, of: int) -> float:
    """Return how many ``of`` so many may fail.

    :param most: a number, or a share if below 1.
    """
    return most * of if most < 1 else most


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts and times that the project chose itself; what a user may choose is a parameter.

    For a push:

    :param chunk: packets that are checked and sent together.
    :param linger: seconds that what a generator yields waits at most for more, to be sent together.
    :param dataset_cap: most images of a dataset (server.md 3.3).
    :param batch: most packets of a batch: a listing shows no more (quirk 13).
    :param upload: bytes of one request at most (server.md 1.4).
    :param upload_chunk: bytes of a chunk of a large upload at most; each is streamed, so memory is no matter.
    :param medium: bytes of a medium by URL or of a blob that the worker reads where the queue could take it.
    :param medium_seconds: seconds that the worker reads such a medium.
    :param stuck_after: seconds without any change after which an input that the server has begun with is
        taken for lost.

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
