"""The worker processes of the server, as threads: a queue in the database, drained by cycles.

Observed (server.md 8): each worker process takes at most so many rows per cycle, in no order, into its
own memory; four ingest threads process them. A thread that dies is not replaced until a restart (quirk 48).
Rows in memory when the process dies stay as they are; rows still in the database's queue are taken up again.
The server's own retry of rows hours old (server.md 3.2) is left out: it never meets an ordinary packet.
"""

from __future__ import annotations

import logging
import queue
import random
import sqlite3
import threading
import time

from .clock import Clock, Stopped
from .errors import CRASHES, REFUSED_BY_DATABASE, ThreadDied
from .faults import ROW_KINDS_AT_START, RowFaults
from .ingest import Ingest
from .inputs import save_input, set_input
from .options import INGEST_THREADS, LOCAL_QUEUE_LIMIT, VERSION_TEXT, Options
from .queue_ingest import QueueIngest
from .store import Store

logger = logging.getLogger(__name__)

_WAITING = "FROM input WHERE processing_deferred = 1 AND archived = 0"
_LEAST_CHOICE = 50
_NAP = 0.1
_WAKE_UP = 0
_END_OF_THREAD = -1


class _Life:
    """A worker process from its start to its death: a thread that takes rows, and four that ingest them."""

    def __init__(self, process: WorkerProcess, clock: Clock) -> None:
        self.process = process
        self.clock = clock
        self.rows = process.rows = queue.SimpleQueue()
        self.ingest = QueueIngest(process.store, process.options, clock, process.row_faults, self.rows.qsize)
        self.threads: list[threading.Thread] = []
        self.complete()
        self.taker = threading.Thread(target=self._take_for_ever, daemon=True)
        self.taker.start()

    def complete(self) -> None:
        """Replace dead ingest threads."""
        self.threads = [one for one in self.threads if one.is_alive()]
        while len(self.threads) < INGEST_THREADS:
            thread = threading.Thread(target=self._ingest_for_ever, daemon=True)
            self.threads.append(thread)
            thread.start()

    def end(self) -> None:
        """Stop all threads where they are."""
        self.clock.stop()
        for _ in self.threads:
            self.rows.put(_WAKE_UP)

    def join(self, deadline: float) -> None:
        """Wait for all threads, up to a moment."""
        for thread in (self.taker, *self.threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def alive(self) -> int:
        """How many ingest threads are left."""
        return 0 if self.clock.is_stopped else sum(thread.is_alive() for thread in self.threads)

    def _take_for_ever(self) -> None:
        number, options = self.process.number, self.process.options
        try:
            self._rest(number / max(1, options.workers))
            while True:
                self.process.take()
                self._rest(1.0)
        except Stopped:
            return

    def _rest(self, share: float) -> None:
        """Wait for a share of a cycle, in short naps since the cycle may be changed meanwhile."""
        began = time.monotonic()
        while (left := began + share * self.process.options.cycle - time.monotonic()) > 0:
            self.clock.pause(min(left, _NAP))

    def _ingest_for_ever(self) -> None:
        while True:
            input_id = self.rows.get()
            if self.clock.is_stopped or input_id == _END_OF_THREAD:
                return
            try:
                self._ingest_one(input_id)
            except Stopped:
                return
            except (ThreadDied, *CRASHES, *REFUSED_BY_DATABASE) as died:
                logger.warning("ingest thread of worker %s died: %s", self.process.number, died)
                return
            except Exception:
                logger.exception("ingest thread of worker %s died at input %s", self.process.number, input_id)
                return

    def _ingest_one(self, input_id: int) -> None:
        if self.process.row_faults.pending():
            store = self.process.store
            row = store.one("SELECT original_filename FROM input WHERE id = ?", input_id)
            name = None if row is None else row["original_filename"]
            fault = self.process.row_faults.take(name, ROW_KINDS_AT_START)
            if fault is not None:
                save_input(store, input_id, status="processing", time_last_attempted=int(time.time()))
                if fault.kind == "die":
                    raise ThreadDied("as asked for")
                return
        self.clock.while_busy(self.process.options.busy_pause)
        self.ingest.run(input_id)


class WorkerProcess:
    """One worker process, over all its lives.

    :ivar rows: ids it has taken into its memory.
    """

    def __init__(
        self,
        number: int,
        store: Store,
        options: Options,
        clock: Clock,
        row_faults: RowFaults | None = None,
    ) -> None:
        self.number = number
        self.store = store
        self.options = options
        self.row_faults = row_faults or RowFaults()
        self.rows: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._clock = clock
        self._gate = threading.Lock()
        self._paused = False
        self._life: _Life | None = None

    def revive(self) -> None:
        """Start the process if it is dead, and replace its dead threads, as a restart would."""
        if self._life is None or self._life.clock.is_stopped:
            self._life = _Life(self, self._clock.another())
        else:
            self._life.complete()

    def end(self) -> None:
        """End the process where it is."""
        if self._life is not None:
            self._life.end()

    def join(self, deadline: float) -> None:
        """Wait for all threads, up to a moment."""
        if self._life is not None:
            self._life.join(deadline)

    def end_thread(self) -> None:
        """End one ingest thread, the first one without a row."""
        if self._life is not None:
            self.rows.put(_END_OF_THREAD)

    def pause(self, paused: bool) -> None:
        """Stop or resume taking rows; once it returns, no row is being taken."""
        with self._gate:
            self._paused = paused

    @property
    def alive(self) -> int:
        """How many ingest threads are left."""
        return 0 if self._life is None else self._life.alive

    def take(self) -> None:
        """Take some waiting rows, in no order (quirk 50), unless paused or holding too many already."""
        with self._gate:
            if self._paused or self.number >= self.options.workers or self.rows.qsize() > LOCAL_QUEUE_LIMIT:
                return
            if self.store.one(f"SELECT id {_WAITING} LIMIT 1") is None:
                return
            with self.store.write() as connection:
                taken = _some_waiting(connection, self.options.rows_per_cycle)
                for input_id in taken:
                    _pick_up(connection, input_id)
            for input_id in taken:
                self.rows.put(input_id)


def _some_waiting(connection: sqlite3.Connection, amount: int) -> list[int]:
    """Return ids of waiting rows: some of those beside a place chosen at random.

    To shuffle the whole queue would take the longer the longer it is.
    """
    ends = connection.execute(
        f"SELECT (SELECT id {_WAITING} ORDER BY id LIMIT 1), (SELECT id {_WAITING} ORDER BY id DESC LIMIT 1)"
    ).fetchone()
    if ends[0] is None:
        return []
    place, choice = random.randint(ends[0], ends[1]), max(amount, _LEAST_CHOICE)
    query = f"SELECT id {_WAITING} AND id {{}} ? ORDER BY id {{}} LIMIT ?"
    above = connection.execute(query.format(">=", ""), (place, choice)).fetchall()
    below = connection.execute(query.format("<", "DESC"), (place, choice)).fetchall()
    beside = [row["id"] for row in (*above, *below)]
    return random.sample(beside, min(amount, len(beside)))


def _pick_up(connection: sqlite3.Connection, input_id: int) -> None:
    source = connection.execute("SELECT local_path FROM input WHERE id = ?", (input_id,)).fetchone()
    text = None if source["local_path"] else VERSION_TEXT
    set_input(
        connection,
        input_id,
        status="local_processing_queue",
        processing_deferred=0,
        status_text=text,
        time_last_attempted=int(time.time()),
    )


class Workers:
    """All worker processes of one emulator.

    :ivar clock: of requests that are processed before they are answered.
    """

    def __init__(self, store: Store, options: Options, row_faults: RowFaults | None = None) -> None:
        self.clock = Clock()
        self.ingest = Ingest(store, options, self.clock)
        self.row_faults = row_faults or RowFaults()
        self._store = store
        self._options = options
        self._processes: list[WorkerProcess] = []
        self._paused = False

    def start(self) -> None:
        """Start ingesting."""
        self.revive()

    def stop(self, seconds: float = 1.0) -> None:
        """End ingesting and wait a little; rows under way are left as they are."""
        self.clock.stop()
        for process in self._processes:
            process.end()
        deadline = time.monotonic() + seconds
        for process in self._processes:
            process.join(deadline)

    def revive(self) -> None:
        """Start dead worker processes, replace dead ingest threads, and have as many as the options say.

        Processes beyond that number take no further rows.
        """
        for number in range(len(self._processes), self._options.workers):
            process = WorkerProcess(number, self._store, self._options, self.clock, self.row_faults)
            process.pause(self._paused)
            self._processes.append(process)
        for process in self._processes:
            process.revive()

    def pause(self, paused: bool) -> None:
        """Stop or resume taking rows, as a server under load does (server.md 3.2, "stuck")."""
        self._paused = paused
        for process in self._processes:
            process.pause(paused)

    def kill_process(self, number: int, seconds: float = 2.0) -> None:
        """Let a worker process die: the rows it holds stay as they are, for ever unless they are retried.

        :param seconds: how long to wait for its threads.
        """
        process = self._process(number)
        process.end()
        process.join(time.monotonic() + seconds)

    def kill_thread(self, number: int, seconds: float = 2.0) -> None:
        """Let an ingest thread of a worker process die, one without a row (quirk 48).

        :param seconds: how long to wait until one is free.
        """
        process = self._process(number)
        before, deadline = process.alive, time.monotonic() + seconds
        process.end_thread()
        while process.alive >= before > 0 and time.monotonic() < deadline:
            time.sleep(0.005)

    def _process(self, number: int) -> WorkerProcess:
        if not 0 <= number < len(self._processes):
            raise ValueError(f"there is no worker process {number}, only {len(self._processes)} of them")
        return self._processes[number]

    @property
    def threads(self) -> list[int]:
        """How many ingest threads each worker process has left."""
        return [process.alive for process in self._processes[: self._options.workers]]

    @property
    def alive(self) -> int:
        """How many ingest threads are left."""
        return sum(self.threads)
