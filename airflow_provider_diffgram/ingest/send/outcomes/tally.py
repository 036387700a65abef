"""Counts and logs what became of each packet, and writes it to a report."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from ....client import DiffgramError
from ....models import InvalidValueError
from ....models.failures import Failures
from ....models.handle import MOST_FILE_IDS
from ....models.problems import count_of
from ....models.received import without_signatures
from ....models.recorded import Delivery
from ....pulse import Progress, Pulse
from ..decisions.refresh import Counts
from .errors import PushError
from .lines import Lines

_log = logging.getLogger(__name__)

Result = Literal["sent", "skipped", "failed", "unknown"]

_SHOWN = 20
_LOGGED_ALIKE = 3
"""The first failures of one cause, up to this many, are logged at once; the others are counted at the end."""
_MIB = 2**20


class Tally:
    """The outcomes of one push. Safe to use from several threads.

    :param expected: number of packets, if known.
    :param report: gets one JSON object per packet: ``name``, ``outcome``, ``delivery``, ``reason``,
        ``input_id``, ``file_id``, ``refreshed``; unknown values are left out.
    :param clock: returns seconds.
    :param progress: called after each outcome.
    :ivar refreshed: what refreshes did.
    """

    def __init__(
        self,
        expected: int | None,
        report: Lines,
        clock: Callable[[], float] = time.monotonic,
        progress: Progress | None = None,
    ) -> None:
        self.expected = expected
        self._failures = Failures()
        self._counts: Counter[Result] = Counter()
        self._delivered: Counter[Delivery] = Counter()
        self._queued: Counter[str] = Counter()
        self.refreshed = Counts()
        self._file_ids: dict[int, None] = {}
        self._bytes = self._passing = 0
        self._lock = threading.Lock()
        self._clock = clock
        self._started = clock()
        self._pulse = Pulse("sent")
        self._pulse.begin(self._started)
        self._report = report
        self._progress = progress

    def __getitem__(self, result: Result) -> int:
        return self._counts[result]

    @property
    def done(self) -> int:
        """Number of packets with an outcome."""
        return sum(self._counts.values())

    def note(
        self,
        name: str,
        result: Result,
        reason: object = None,
        *,
        delivery: Delivery | None = None,
        input_id: int | None = None,
        file_id: int | None = None,
        refreshed: Counts | None = None,
        may_pass: bool = False,
    ) -> None:
        """Record a packet's outcome. If the report cannot be written, :meth:`close` says so.

        :param delivery: how it was delivered, if it was sent.
        :param refreshed: what a refresh of its file did.
        :param may_pass: whether another attempt may succeed where this one failed.
        """
        line: dict[str, Any] = {
            "name": name,
            "outcome": result,
            "delivery": delivery,
            "input_id": input_id,
            "file_id": file_id,
            "refreshed": refreshed.to_json() if refreshed is not None else None,
        }
        if reason is not None:
            line["reason"] = without_signatures(str(reason))
        with self._lock:
            self._counts[result] += 1
            self._passing += may_pass
            if refreshed is not None:
                self.refreshed.add(refreshed)
            if delivery is not None:
                self._delivered[delivery] += 1
            is_in = result == "skipped" or (result == "sent" and delivery in ("upload", "update"))
            if is_in and file_id is not None and len(self._file_ids) <= MOST_FILE_IDS:
                self._file_ids[file_id] = None
            if result in ("failed", "unknown"):
                said = str(line.get("reason", ""))
                if self._failures.add(name, said) <= _LOGGED_ALIKE:
                    _log.error("%s: %s: %s", name, result, said)
            kept = {key: value for key, value in line.items() if value is not None}
            self._report.write(json.dumps(kept))
            self._tell_now_and_then()
            if self._progress is not None:
                self._progress(self.done, self.expected, self._counts["failed"] + self._counts["unknown"])

    @property
    def bytes(self) -> int:
        """Number of bytes of media that were read for upload, including retries."""
        return self._bytes

    def note_bytes(self, count: int) -> None:
        """Count bytes of media that were read for upload."""
        with self._lock:
            self._bytes += count
            self._pulse.moved(self._clock())
            self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        line = self._pulse.beat(self._clock(), self.done, self.expected, **self._told())
        if line is not None:
            _log.info("%s", line)

    def note_queued(self, why: str) -> None:
        """Record why a medium went through the queue although it might have been uploaded.

        :param why: in the singular: ``is video``.
        """
        with self._lock:
            is_new = why not in self._queued and len(self._queued) >= _SHOWN
            self._queued["is there for other reasons" if is_new else why] += 1

    def retract(self, name: str, reason: object, file_id: int) -> None:
        """Record that an upload turned out to have failed; the report gets a second line."""
        with self._lock:
            self._counts["sent"] -= 1
            self._delivered["upload"] -= 1
            self._file_ids.pop(file_id, None)
        self.note(name, "failed", reason, file_id=file_id)

    def move(self, file_id: int, to: int) -> None:
        """Record that another file takes the place of an uploaded one."""
        with self._lock:
            if self._file_ids.pop(file_id, self) is not self:
                self._file_ids[to] = None

    def warn(self, words: str) -> None:
        """Log a warning that is not the outcome of a packet."""
        _log.warning("%s", words)

    def delivered(self) -> dict[Delivery, int]:
        """Return how many packets were delivered in which way."""
        return {way: count for way, count in self._delivered.items() if count}

    def file_ids(self) -> list[int]:
        """Return the ids of files whose predictions are stored; empty if too many for an XCom."""
        return sorted(self._file_ids) if len(self._file_ids) <= MOST_FILE_IDS else []

    def open(self) -> None:
        """Open the report, unless it is open.

        :raises InvalidValueError: if it cannot be written.
        :raises StorageError: if its storage fails, which may pass.
        """
        self._report.open()

    def close(self) -> PushError | None:
        """Log the final numbers, and close the report; return why it is incomplete, if it is."""
        line = self._pulse.words(self._clock(), self.done, self.expected, **self._told(), is_over=True)
        for cause in self._failures.lines(least=_LOGGED_ALIKE + 1):
            _log.error("%s", cause)
        if self.expected == 0:
            line = "nothing to send: no packet was given"
        _log.info("%s", f"{line} · {self._ways()}" if self._delivered.total() else line)
        return self._report.close()

    def counts(self) -> str:
        """Return the counts as text: ``512 sent, 5 failed, 10 skipped``."""
        order: tuple[Result, ...] = ("sent", "failed", "unknown", "skipped")
        return ", ".join(f"{self[each]:,} {each}" for each in order if each != "unknown" or self[each])

    # Errors of a push that did not end well

    def stopped(self, error: DiffgramError, checked: int) -> PushError:
        """Return the error of a push that cannot go on.

        :param error: what stopped it.
        :param checked: number of packets that were checked so far.
        """
        left = checked - self.done
        stopped = PushError(
            f"stopped: {error}\n{count_of(checked, 'packet')}: {self.counts()}, {left:,} not sent. A retry "
            "finds what arrived and sends only the rest.",
            status=error.status,
            permanent=error.permanent,
        )
        stopped.counts = self._numbers()
        return stopped

    def refused(self, error: InvalidValueError, together: int) -> PushError:
        """Return the error of a push that had sent some packets before others turned out to be invalid.

        :param error: what is wrong.
        :param together: number of packets that were checked together with the invalid ones.
        """
        of_these = (
            f"nothing was sent of the last {count_of(together, 'packet')}; of those before {self.counts()}"
        )
        words = "\n".join([error.head(of_these), *error.lines()])
        refused = PushError(words, permanent=True)
        refused.counts = self._numbers()
        return refused

    def incomplete(self, checked: int) -> PushError:
        """Return the error of a push that ran to its end, but some of whose packets failed.

        It is worth another attempt if one of them may arrive then.
        """
        head = f"{count_of(checked, 'packet')}: {self.counts()}.{self._failures.sentence()}"
        error = PushError("\n".join([head, *self._failures.lines()]), permanent=not self._passing)
        error.counts = self._numbers()
        return error

    def note_what_was_sent(self, error: Exception, problem: BaseException | None, checked: int) -> None:
        """Log what became of what a generator yielded before it raised, and add that to its error as a note.

        :param problem: what prevented them from being sent.
        :param checked: number of packets that it yielded.
        """
        what = f"{count_of(checked, 'packet')} {'was' if checked == 1 else 'were'} yielded before"
        words = f"{what}: {self.counts()}" if problem is None else f"{what}; of those {problem}"
        error.add_note(f"{words}. A retry finds what arrived.")
        self.warn(f"the generator raised {type(error).__name__}: {words}")

    def _numbers(self) -> dict[str, int]:
        ways = {f"delivered.{way}": count for way, count in self.delivered().items()}
        return {**{str(name): count for name, count in self._counts.items()}, **ways, "bytes": self._bytes}

    def _ways(self) -> str:
        """Return how the packets were delivered: ``9 uploaded, 2 by the queue: 1 is video``."""
        named: dict[Delivery, str] = {
            "upload": "uploaded",
            "update": "written into their files",
            "queue": "by the queue",
        }
        ways = [f"{self._delivered[way]:,} {words}" for way, words in named.items() if self._delivered[way]]
        whys = [f"{count:,} {_agreeing(why, count)}" for why, count in self._queued.most_common()]
        return ", ".join(ways) + (f": {', '.join(whys)}" if whys else "")

    def _told(self) -> dict[str, Any]:
        there = f"{self['skipped']:,} of them there already" if self["skipped"] else ""
        told = [f"{n:,} {name.replace('_', ' ')}" for name, n in self.refreshed.to_json().items()]
        if self._bytes >= _MIB / 10:
            seconds = max(0.001, self._clock() - self._started)
            speed = self._bytes / _MIB / seconds
            told.insert(
                0, f"{self._bytes / _MIB:,.1f} MiB" + (f", {speed:.1f} MiB/s" if speed >= 0.05 else "")
            )
        return {
            "failed": self["failed"] + self["unknown"],
            "among": there,
            "more": " · ".join(told),
        }


def _agreeing(why: str, count: int) -> str:
    verb, _, rest = why.partition(" ")
    return why if count == 1 else f"{ {'is': 'are', 'was': 'were'}.get(verb, verb) } {rest}"
