"""The worker processes of the server, as threads: a queue in the database, drained by cycles.

Observed (wire contract, 8): each worker process takes at most so many rows per cycle, in no order, into its
own memory; four ingest threads process them. A thread that dies is not replaced until a restart (quirk 48).
Rows in memory when the emulator ends stay as they are, as when the real worker process dies; rows still in
the database's queue are taken up again.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time

from .clock import Clock, Stopped
from .ingest import Ingest, ThreadDied
from .inputs import set_input
from .options import INGEST_THREADS, LOCAL_QUEUE_LIMIT, VERSION_TEXT, Options
from .store import Store

logger = logging.getLogger(__name__)


class WorkerProcess:
    """One worker process: a thread that takes rows, and four that ingest them."""

    def __init__(self, number: int, store: Store, options: Options, clock: Clock) -> None:
        self._number = number
        self._store = store
        self._options = options
        self._clock = clock
        self._ingest = Ingest(store, options, clock)
        self._gate = threading.Lock()
        self._paused = False
        self._rows: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._taker = threading.Thread(target=self._take_for_ever, daemon=True)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start all threads."""
        self.revive()
        self._taker.start()

    def revive(self) -> None:
        """Replace dead ingest threads, as a restart of the process would."""
        self._threads = [one for one in self._threads if one.is_alive()]
        while len(self._threads) < INGEST_THREADS:
            thread = threading.Thread(target=self._ingest_for_ever, daemon=True)
            self._threads.append(thread)
            thread.start()

    def pause(self, paused: bool) -> None:
        """Stop or resume taking rows; once it returns, no row is being taken."""
        with self._gate:
            self._paused = paused

    def wake(self) -> None:
        """Let idle ingest threads notice that the emulator ends."""
        for _ in self._threads:
            self._rows.put(None)

    def join(self, deadline: float) -> None:
        """Wait for all threads, up to a moment."""
        for thread in (self._taker, *self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def alive(self) -> int:
        """How many ingest threads are left."""
        return sum(thread.is_alive() for thread in self._threads)

    def _take_for_ever(self) -> None:
        try:
            self._clock.pause(self._options.cycle * self._number / max(1, self._options.workers))
            while True:
                self.take()
                self._clock.pause(self._options.cycle)
        except Stopped:
            return

    def take(self) -> None:
        """Take some waiting rows, in no order (quirk 50), unless paused or holding too many already."""
        waiting = "SELECT id FROM input WHERE processing_deferred = 1 AND archived = 0"
        with self._gate:
            if self._paused or self._rows.qsize() > LOCAL_QUEUE_LIMIT:
                return
            if self._store.one(waiting + " LIMIT 1") is None:
                return
            with self._store.write() as connection:
                rows = connection.execute(
                    waiting + " ORDER BY random() LIMIT ?", (self._options.rows_per_cycle,)
                ).fetchall()
                for row in rows:
                    self._pick_up(connection, row["id"])
            for row in rows:
                self._rows.put(row["id"])

    @staticmethod
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

    def _ingest_for_ever(self) -> None:
        while True:
            input_id = self._rows.get()
            if input_id is None or self._clock.is_stopped:
                return
            try:
                self._ingest.run(input_id)
            except Stopped:
                return
            except ThreadDied as died:
                logger.warning("ingest thread of worker %s died: %s", self._number, died)
                return
            except Exception:
                logger.exception("ingest thread of worker %s died at input %s", self._number, input_id)
                return


class Workers:
    """All worker processes of one emulator."""

    def __init__(self, store: Store, options: Options) -> None:
        self.clock = Clock()
        self.ingest = Ingest(store, options, self.clock)
        self._processes = [
            WorkerProcess(number, store, options, self.clock) for number in range(options.workers)
        ]

    def start(self) -> None:
        """Start ingesting."""
        for process in self._processes:
            process.start()

    def stop(self, seconds: float = 1.0) -> None:
        """End ingesting and wait a little; rows under way are left as they are."""
        self.clock.stop()
        for process in self._processes:
            process.wake()
        deadline = time.monotonic() + seconds
        for process in self._processes:
            process.join(deadline)

    def revive(self) -> None:
        """Replace dead ingest threads."""
        for process in self._processes:
            process.revive()

    def pause(self, paused: bool) -> None:
        """Stop or resume taking rows, as a server under load does (wire contract, 3.2, "stuck")."""
        for process in self._processes:
            process.pause(paused)

    @property
    def alive(self) -> int:
        """How many ingest threads are left."""
        return sum(process.alive for process in self._processes)
