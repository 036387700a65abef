"""The family ``deliver``: from packets to proven predictions, synchronously, by the queue, and barely."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from diffgram_emulator.people import Page, Person, SaveRefused

from .deliver_server import BOXES, Json, Place, box, serving_place
from .media import serving_media
from .process import Process
from .rows import Bar, Row, row
from .workers import PEER_PYTHON, Client

FILES = 150
"""Of each run that is not the queue's, as on the measured server."""

QUEUED = 45
"""Of each run through the queue, which takes 20 s for them."""

REPEATS = 3
MEDIA = 2000
"""Of 5 MiB each, for the memory."""

AT_ONCE = 2
SAVE_EVERY = 0.2
IDLE_SAVES = 60

OURS = Client("ours", (sys.executable, "-m", "benchmarks.deliver_ours"))
PEER = Client("the official client", (str(PEER_PYTHON), "-m", "benchmarks.deliver_peer"))
BARE = Client("a bare loop", (sys.executable, "-m", "benchmarks.deliver_bare"))

NIGHTS = ("night-1", "night-2")
"""Runs of the model."""

_QUEUE_SECONDS = 300.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """What is to be delivered to one server.

    :param packets: as a push takes them.
    :param jobs: the same as the bare loop takes it.
    :param boxes: that each file then holds.
    :param counted: rows that each file has had then, if those are more.
    """

    packets: list[Json]
    jobs: list[Json]
    boxes: int
    counted: int | None = None

    @property
    def names(self) -> list[str]:
        """Of the files."""
        return [job["name"] for job in self.jobs]


Kind = Callable[[Place, str, int, Path], Work]
"""Prepares a server for so many files; is told where media are, and a folder."""


def new_files(place: Place, media: str, amount: int, folder: Path) -> Work:
    """Return new images by URL."""
    return _new(place, media, amount, {})


def children(place: Place, media: str, amount: int, folder: Path) -> Work:
    """Return children of a compound file, by URL."""
    return _new(place, media, amount, {"parent_file_id": place.add_parent("scan")})


def _new(place: Place, media: str, amount: int, more: Json) -> Work:
    packets, jobs = [], []
    for number, name in enumerate(_names(amount)):
        ordinal = {"ordinal": number} if more else {}
        boxes = [box(number, nth) for nth in range(BOXES)]
        url = f"{media}/{name}"
        packet = {"media": {"url": url, "type": "image"}, "original_filename": name, **more, **ordinal}
        packets.append({**packet, "instance_list": boxes})
        body = {
            "directory_id": place.directory_id,
            **more,
            **ordinal,
            "instance_list": _rows(place, boxes, name),
        }
        jobs.append({"name": name, "url": url, "body": body})
    return Work(packets, jobs, BOXES)


def appends(place: Place, media: str, amount: int, folder: Path) -> Work:
    """Return more predictions for files that are there."""
    ids = place.fill(_names(amount), folder)
    packets, jobs = [], []
    for number, (name, file_id) in enumerate(ids.items()):
        boxes = [box(number, BOXES + nth) for nth in range(BOXES)]
        packets.append({"file_id": file_id, "mode": "update", "instance_list": boxes})
        jobs.append({"name": name, "file_id": file_id, "rows": _rows(place, boxes, name)})
    return Work(packets, jobs, 2 * BOXES)


def nights(place: Place, media: str, amount: int, folder: Path) -> Work:
    """Return what a second night predicts of files that are there: one box is the same, the others are new.

    The run is known, as it is once the first new medium of a night has come in.
    """
    names = _names(amount)
    ids = place.fill(names, folder, NIGHTS[0])
    place.fill(["first-of-the-night.jpg"], folder, NIGHTS[1])
    packets, jobs = [], []
    for number, (name, file_id) in enumerate(ids.items()):
        places = [0, *(BOXES + nth for nth in range(1, BOXES))]
        boxes = [box(number, each, NIGHTS[1]) for each in places]
        packets.append({"file_id": file_id, "mode": "update", "instance_list": boxes})
        jobs.append({"name": name, "file_id": file_id})
    went = BOXES - 1  # each leaves a row that tells who took it back
    return Work(packets, jobs, BOXES, BOXES + 2 * went)


def _names(amount: int) -> list[str]:
    return [f"image-{number:05}.jpg" for number in range(amount)]


def _rows(place: Place, boxes: Sequence[Json], name: str) -> list[Json]:
    """Return predictions as they travel."""
    return [
        {key: value for key, value in each.items() if key not in ("label", "model_ref")}
        | {"label_file_id": place.label_ids[each["label"]], "machine_made": True}
        | {"creation_ref_id": f"{name}-{each['x_min']}-{each['y_min']}"}
        for each in boxes
    ]


def measure(tell: Tell) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    with serving_media() as media:
        bench = Bench(media, tell)
        return [
            *bench.beside_queue("new_by_url", new_files, Bar(times_peer=6)),
            *bench.beside_queue("append", appends, Bar(times_peer=8)),
            *bench.beside_queue("children_by_url", children, Bar(times_peer=6)),
            bench.beside_bare_loop("new_to_bare_loop", new_files, "new"),
            bench.beside_bare_loop("append_to_bare_loop", appends, "append"),
            bench.refresh(),
            *bench.person(),
            bench.memory(MEDIA),
        ]


@dataclass(frozen=True)
class Bench:
    """Measures.

    :param media: address of the media.
    :param tell: told what was measured.
    """

    media: str
    tell: Tell

    def beside_queue(self, name: str, kind: Kind, bar: Bar) -> Iterator[Row]:
        """Yield files a second of ours beside those by the queue, and by the official client."""
        ours = median(self.rate(OURS, kind, FILES, {}) for _ in range(REPEATS))
        queue = self.rate(OURS, kind, QUEUED, {"delivery": "queue"})
        peer = self.rate(PEER, kind, QUEUED, {})
        yield row(f"deliver.{name}", ours, queue, "files/s", bar)
        yield row(f"deliver.{name}_official", ours, peer, "files/s", bar)

    def refresh(self) -> Row:
        """Return files a second of a second night, beside appending the same by the queue."""
        ours = median(self.rate(OURS, nights, FILES, {"if_exists": "refresh"}) for _ in range(REPEATS))
        queue = self.rate(OURS, appends, QUEUED, {"delivery": "queue"})
        return row("deliver.refresh", ours, queue, "files/s", Bar(times_peer=6))

    def beside_bare_loop(self, name: str, kind: Kind, task: str) -> Row:
        """Return files a second of ours beside a loop of the same requests, as many at once."""
        ours, bare = [], []
        for _ in range(REPEATS):
            ours.append(self.rate(OURS, kind, FILES, {"concurrency": AT_ONCE}))
            bare.append(self.rate(BARE, kind, FILES, {}, task))
        return row(f"deliver.{name}", median(ours), median(bare), "files/s", Bar(times_peer=0.85))

    def person(self) -> Iterator[Row]:
        """Yield how long a person who saves waits beside a push, and on an idle server."""
        for name, kind in (("", new_files), ("_beside_append", appends)):
            with _folder() as folder, serving_place() as place:
                work = kind(place, self.media, FILES, folder)
                saving = Saving.of(place, folder)
                with saving:
                    saving.until(IDLE_SAVES)
                idle = saving.p95_ms()
                with saving:
                    rate = self._deliver(OURS, place, work, {}, "push", folder)
                busy = saving.p95_ms()
            told = f"{len(saving.seconds)} saves, {saving.refused} refused, {rate:.1f} files/s meanwhile"
            self.tell(f"a person who saves{name}: {busy:.0f} ms, {idle:.0f} ms on an idle server; {told}")
            yield row(f"deliver.person_save{name}_p95_ms", busy, idle, "ms", Bar(most_times_peer=3))

    def memory(self, amount: int) -> Row:
        """Return how far the memory of a push grows that reads so many large media."""
        with _folder() as folder, serving_place(upload_work=0.0, upload_seconds=0.0) as place:
            work = _new(place, f"{self.media}/large", amount, {})
            end = threading.Event()
            cleaner = threading.Thread(target=_remove_media, args=(place.emulator.data_dir, end))
            cleaner.start()
            try:
                result = self._run(OURS, place, work, {}, "push", folder)
            finally:
                end.set()
                cleaner.join()
            place.until_exact(work.names, work.boxes, _QUEUE_SECONDS)
        self.tell(f"{amount} media of 5 MiB: {result['seconds']:.0f} s, {result['growth_mib']:.1f} MiB more")
        return row("deliver.memory_growth_mib", result["growth_mib"], None, "MiB", Bar(most=64))

    def rate(self, client: Client, kind: Kind, amount: int, options: Json, task: str = "push") -> float:
        """Return files a second, from the word to begin until all are in.

        The official client raises at the first 429, so its server has no limit.
        """
        with _folder() as folder, serving_place(rate_limit=client is not PEER) as place:
            place.fill(
                ["before.jpg"], folder
            )  # makes the model known, which packets of the peer would race for
            work = kind(place, self.media, amount, folder)
            rate = self._deliver(client, place, work, options, task, folder)
        how = f" {options}" if options else ""
        self.tell(f"{amount} of {kind.__name__} · {client.name}{how}: {rate:.2f} files/s")
        return rate

    def _deliver(
        self, client: Client, place: Place, work: Work, options: Json, task: str, folder: Path
    ) -> float:
        began = time.monotonic()
        result = self._run(client, place, work, options, task, folder)
        patience = _QUEUE_SECONDS if client is PEER else 0.0
        place.until_exact(work.names, work.boxes, patience, work.counted)
        seconds = result["seconds"]
        if client is PEER:  # it does not wait
            seconds = time.monotonic() - began - result["ready_seconds"]
        return len(work.packets) / float(seconds)

    def _run(
        self, client: Client, place: Place, work: Work, options: Json, task: str, folder: Path
    ) -> dict[str, Any]:
        told = {**place.address(), "task": task, "options": options, "at_once": AT_ONCE}
        with Process(client.name, client.command, folder / "client.log") as process:
            began = time.monotonic()
            process.prepare(
                {
                    **told,
                    "packets": _written(folder / "packets.jsonl", work.packets),
                    "jobs": _written(folder / "jobs.jsonl", work.jobs),
                }
            )
            ready = time.monotonic() - began
            process.begin()
            result = process.result()
        if result["error"]:
            raise RuntimeError(f"{client.name}: {result['error']}")
        return {**result, "ready_seconds": ready}


class Saving:
    """A person who opens a file of their own, changes it and saves it, as long as the block lasts.

    :param person: who saves.
    :param page: what they work on.
    :ivar seconds: that reading and saving took together, of this block or the last.
    :ivar refused: how often they were not allowed to.
    """

    def __init__(self, person: Person, page: Page) -> None:
        self._person = person
        self._page = page
        self.seconds: list[float] = []
        self.refused = 0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, place: Place, folder: Path) -> Saving:
        """Return a person at work on a file with three boxes."""
        ids = place.fill(["of-a-person.jpg"], folder)
        person = Person.of(place.emulator)
        return cls(person, person.open(ids["of-a-person.jpg"]))

    def __enter__(self) -> Saving:
        self.seconds, self._end = [], threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._end.set()
        assert self._thread is not None
        self._thread.join()

    def until(self, saves: int) -> None:
        """Wait until so many were saved."""
        while len(self.seconds) < saves and self._thread is not None and self._thread.is_alive():
            time.sleep(SAVE_EVERY)

    def p95_ms(self) -> float:
        """Return the time that 95 of 100 saves take at most, in milliseconds."""
        return 1000 * quantiles(self.seconds, n=20)[-1]

    def _work(self) -> None:
        while not self._end.wait(SAVE_EVERY):
            began = time.monotonic()
            page = self._person.open(self._page.file_id)
            page.move(0, 1)
            try:
                self._person.save(page)
            except SaveRefused:
                self.refused += 1
            self.seconds.append(time.monotonic() - began)


def _written(path: Path, lines: Sequence[Mapping[str, Any]]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def _remove_media(folder: Path, end: threading.Event) -> None:
    """Remove what the server stored, again and again: 10 GiB would fill a disk."""
    while not end.wait(1.0):
        for path in (folder / "media").rglob("*"):
            with suppress(FileNotFoundError):
                if path.is_file():
                    path.unlink()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-deliver-") as folder:
        yield Path(folder)
