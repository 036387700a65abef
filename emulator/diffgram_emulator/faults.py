"""Faults on request, for tests of clients: what may go wrong with a request, and with a row of the queue.

A fault of a request (:class:`Fault`) is asked for with ``POST /emulator/faults``:

==================  =====================================================================================
``latency``         waits ``seconds``, then continues
``held``            waits until it is released, or the faults are cleared, then continues; with
                    ``held=True`` a request waits in this way before any other kind of fault
``status``          answers ``status`` with ``body`` and ``headers``
``malformed``       answers ``line`` as a malformed status line (server.md 1.4); with ``dispatched``
                    what the dispatcher makes of it, 503
``reset_before``    drops the connection without processing the request
``reset_after``     processes it, then drops the connection
``timeout_before``  neither processes nor answers it; drops the connection after ``seconds``, if given
``timeout_after``   processes it, and does not answer
``truncate``        processes it, then sends half of the answer
``refuse``          refuses connections for ``seconds``; from now on without ``match``, otherwise once the
                    request has been answered. Control requests are refused as well
==================  =====================================================================================

``status`` and ``malformed`` do not process the request unless ``processed`` is true. A fault strikes media
only if ``match`` has ``/storage/`` in it, as a ``status``, or without any answer.

A fault of a row (:class:`RowFault`) is asked for with ``POST /emulator/rows``:

==================  =====================================================================================
``flip``            the row is ``success``, its instances are not stored, and after ``seconds`` it is
                    ``failed`` with ``text`` (quirk 3)
``lose``            the row is ``success`` and stays so, and nothing of its instances is stored (quirk 4)
``late``            ``seconds`` pass between ``success`` and the instances
``stuck``           the row stays ``processing`` (server.md 3.2, "stuck")
``die``             the same, and the ingest thread that had it is gone (quirks 48 and 49)
``hang``            a video stays ``processing_frames_in_queue``, 90 %, and its ingest thread is gone, as if
                    another row had waited beside it (quirk 62)
``stay_failed``     a video with a bad frame stays ``failed`` for good, where most end as success (quirk 52)
==================  =====================================================================================

A video hangs without any fault as well, whenever it is read while another row waits in the memory of the
same worker process, unless the option ``video_hangs`` is off. To make sure of it, have ``workers=1``,
``rows_per_cycle=10`` and ``image_seconds=0.6``, send the video, wait until its row is ``processing``, and
send eight other rows. To plant it by chance: ``hang`` with ``times=None`` and a ``probability``; about 1 of
11 videos sent without images beside them hung on the observed server.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

KINDS = (
    "latency",
    "held",
    "status",
    "malformed",
    "reset_before",
    "reset_after",
    "timeout_before",
    "timeout_after",
    "truncate",
    "refuse",
)
ROW_KINDS_AT_START = ("stuck", "die")
ROW_KINDS_AT_END = ("flip", "lose", "late")
ROW_KINDS_OF_VIDEOS = ("hang", "stay_failed")
_NEVER_PROCESSED = ("reset_before", "timeout_before")
_PROCESSED_IF_ASKED = ("status", "malformed")


@dataclass(frozen=True, kw_only=True)
class Chance:
    """Which of the matching requests or rows a fault hits.

    :param times: how many it hits; None means all.
    :param skip: how many matching ones are let through first.
    :param probability: probability with which it hits each one.
    :param seed: makes the choice repeatable.
    """

    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int | None = None

    def check(self) -> None:
        """Refuse values that mean nothing.

        :raises ValueError: naming what is wrong.
        """
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be at least 1, or null for always, not {self.times}")
        if self.skip < 0:
            raise ValueError(f"skip must not be negative, not {self.skip}")
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability must be more than 0 and at most 1, not {self.probability}")


@dataclass(frozen=True)
class Fault(Chance):
    """What goes wrong with a request.

    :param match: regular expression that is searched for in the path; only ``refuse`` does not need one.
    :param kind: see above.
    :param status: 200 to 599.
    :param body: a text is sent as it is, as HTML unless ``headers`` say otherwise; anything else as JSON.
    :param method: only requests of this method.
    :param text: only requests whose body holds it.
    :param held: whether the request first waits until it is released.
    :param by: only requests of a ``person``, who is logged in, or of a ``program``.
    :param line: the malformed status line.
    """

    match: str = ""
    kind: str = ""
    seconds: float = 0.0
    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str | None = None
    text: str | None = None
    by: str | None = None
    held: bool = False
    processed: bool = False
    dispatched: bool = False
    line: str = "HTTP/1.1 0 gkpj"

    def check(self) -> None:
        """Refuse values that mean nothing.

        :raises ValueError: naming what is wrong.
        """
        super().check()
        _known(self.kind, KINDS)
        _expression(self.match)
        if not self.match and self.kind != "refuse":
            raise ValueError("match must not be empty; a dot matches every path")
        if self.by not in (None, "person", "program"):
            raise ValueError(f"by must be person or program, not {self.by!r}")
        if not 200 <= self.status <= 599:
            raise ValueError(f"status must be 200 to 599, not {self.status}; use malformed for others")
        if self.seconds < 0 or (self.kind == "refuse" and not self.seconds):
            raise ValueError(f"seconds must be more than 0, not {self.seconds}")
        for name, value in self.headers.items():
            if name.lower() == "content-length" or not (name + value).isprintable() or not value.isascii():
                raise ValueError(f"headers must be printable ASCII, and not {name!r}: {value!r}")

    def meets(self, method: str, path: str, body: bytes, by: str) -> bool:
        """Tell whether it applies to a request."""
        return (
            (self.method is None or self.method == method)
            and self.by in (None, by)
            and re.search(self.match, path) is not None
            and (self.text is None or self.text.encode() in body)
        )

    @property
    def waits(self) -> bool:
        """Whether a request waits until it is released."""
        return self.held or self.kind == "held"

    @property
    def processes(self) -> bool:
        """Whether the request is processed nevertheless."""
        return self.kind not in _NEVER_PROCESSED and (self.kind not in _PROCESSED_IF_ASKED or self.processed)


@dataclass(frozen=True)
class RowFault(Chance):
    """What goes wrong with a row of the queue.

    :param match: regular expression that is searched for in the ``original_filename``.
    :param kind: see above.
    :param text: ``status_text`` of a row that flips.
    """

    match: str = ""
    kind: str = ""
    seconds: float = 0.0
    text: str = "Instance List Error:{'label_file_id': 'Permission issue'} On SDK?: see the documentation"

    def check(self) -> None:
        """Refuse values that mean nothing.

        :raises ValueError: naming what is wrong.
        """
        super().check()
        _known(self.kind, ROW_KINDS_AT_START + ROW_KINDS_AT_END + ROW_KINDS_OF_VIDEOS)
        _expression(self.match)
        if self.seconds < 0:
            raise ValueError(f"seconds must not be negative, not {self.seconds}")

    def meets(self, name: str | None) -> bool:
        """Tell whether it applies to a row."""
        return re.search(self.match, name or "") is not None


def _known(kind: str, kinds: tuple[str, ...]) -> None:
    if kind not in kinds:
        raise ValueError(f"kind must be one of {', '.join(kinds)}, not {kind!r}")


def _expression(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"match is no regular expression: {text!r}: {error}") from None


OneFault = TypeVar("OneFault", bound=Chance)


@dataclass
class _Waiting(Generic[OneFault]):
    """A fault still to come."""

    fault: OneFault
    left: int | None
    skip: int
    chance: random.Random


class Waiting(Generic[OneFault]):
    """The faults still to come, oldest first.

    :ivar releases: how often what is held was let go.
    """

    def __init__(self) -> None:
        self.releases = 0
        self._waiting: list[_Waiting[OneFault]] = []
        self._lock = threading.Lock()

    def add(self, fault: OneFault) -> None:
        """Ask for a fault.

        :raises ValueError: for one that cannot be.
        """
        fault.check()
        with self._lock:
            self._waiting.append(_Waiting(fault, fault.times, fault.skip, random.Random(fault.seed)))

    def first(self, meets: Callable[[OneFault], bool]) -> OneFault | None:
        """Return the first fault to strike what matches, and count it; later ones do not see it then."""
        if not self._waiting:
            return None
        with self._lock:
            for one in self._waiting:
                if meets(one.fault) and self._strikes(one):
                    return one.fault
        return None

    def _strikes(self, one: _Waiting[OneFault]) -> bool:
        if one.skip > 0:
            one.skip -= 1
            return False
        if one.fault.probability < 1 and one.chance.random() >= one.fault.probability:
            return False
        if one.left is not None:
            one.left -= 1
            if one.left == 0:
                self._waiting = [other for other in self._waiting if other is not one]
        return True

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._waiting = []
            self.releases += 1

    def release(self) -> None:
        """Let go what is held, and forget no fault."""
        with self._lock:
            self.releases += 1

    def pending(self) -> int:
        """Return how many will still strike; one without end counts once."""
        with self._lock:
            return sum(1 if one.left is None else one.left for one in self._waiting)


class Faults(Waiting[Fault]):
    """The faults of requests."""

    def take(self, method: str, path: str, body: bytes = b"", by: str = "program") -> Fault | None:
        """Return the fault a request meets, if any."""
        return self.first(lambda fault: fault.meets(method, path, body, by))


class RowFaults(Waiting[RowFault]):
    """The faults of rows."""

    def take(self, name: str | None, kinds: tuple[str, ...]) -> RowFault | None:
        """Return the fault of one of these kinds that a row of this name meets, if any."""
        return self.first(lambda fault: fault.kind in kinds and fault.meets(name))
