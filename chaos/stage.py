"""What a case plays on: an emulator of its own with a dataset, packets, and DAG runs that push them."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffgram_emulator.people import Page, Person
from diffgram_emulator.process import EmulatorProcess

from . import packets as making
from .airflow import Airflow, ChaosError, DagRun, until
from .annotator import Annotator
from .judge import Row, Told, Truth, judge
from .packets import Packet
from .reader import Diffgram, Prediction, prediction, read
from .store import Store

DATASET = "night"
OPERATOR_WAITS = "wait_itself"
"""The DAG without a sensor."""
LABELS = ("cat", "dog", "fish")

AMEND = "/annotation/update$"
BATCH = "/input-batch/new$"
COMPOUND = "/file/new-compound$"
FILES = "/file/list$"
LARGE = "/upload/large$"
PACKET = "/input/packet$"
ROWS = "/input/view/list$"
READ = "/annotation/list$"
RUNS = "/model-runs/list$"
UPLOAD = "/input/from_local$"

_DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Case:
    """One way to be struck.

    :param name: mode and fault.
    :param mode: one of :data:`~.packets.MODES`.
    :param act: what happens.
    :param amount: number of packets.
    :param emulator: options of the emulator.
    :param connection: fields of the connection's extra.
    :param instances: keys of every prediction.
    :param in_storage: whether packets and media are in a storage, rather than on the worker's disk.
    """

    name: str
    mode: str
    act: Callable[[Stage], None]
    amount: int = 12
    emulator: Mapping[str, Any] = field(default_factory=dict)
    connection: Mapping[str, Any] = field(default_factory=dict)
    instances: Mapping[str, Any] = field(default_factory=dict)
    in_storage: bool = False


@dataclass(frozen=True)
class Push:
    """A DAG run and what it is to bring.

    :param report: None if it writes none.
    :param waits: the task that waits.
    """

    run: DagRun
    places: Sequence[str]
    report: Path | None
    waits: str


class Stage:
    """A case's surroundings, as long as the ``with`` block.

    :param folder: for what the case keeps.
    :param pictures: base URL of media.
    :param store: the storage.
    :ivar airflow: that runs the DAGs.
    :ivar expected: what is to be there in the end.
    :ivar mode: how its packets are made; :attr:`is_fast` tells whether they are to be in at once.
    :ivar planted: places of packets that cannot arrive.
    :ivar seeded: how many media were there before.
    :ivar ends_at_the_first: whether it is enough to name one of those planted, since a wait ends with it.
    """

    def __init__(self, case: Case, airflow: Airflow, folder: Path, pictures: str, store: Store) -> None:
        folder.mkdir(parents=True)
        self.case, self.folder, self.pictures = case, folder, pictures
        self.mode, self.is_fast = case.mode.removeprefix(making.FAST), case.mode.startswith(making.FAST)
        self.packets = making.make(self.mode, case.amount, pictures, folder, **case.instances)
        self.expected: dict[str, Counter[Prediction]] = {}
        self.planted: set[str] = set()
        self.ends_at_the_first = False
        self.store = store
        for packet in self.packets if case.in_storage else []:
            packet["media"]["path"] = store.url(packet["media"]["path"])
        self.airflow = airflow
        self._taken: dict[str, Counter[Prediction]] = {}
        self._people: list[Annotator] = []
        self.seeded = 0
        self._saves = 0
        self._sent_again = 0
        self._silent = 0
        self._pushes: list[Push] = []
        options = {"rate_limit": False, **case.emulator}
        self.emulator = EmulatorProcess.start(folder / "diffgram", **options)
        try:
            self._set_up()
        except BaseException:
            self.emulator.stop(kill=True)
            raise

    def _set_up(self) -> None:
        emulator = self.emulator.with_project(self.emulator.project, LABELS, (DATASET,))
        login, password = emulator.client_id, emulator.client_secret
        self.diffgram = Diffgram(emulator.url, emulator.project, login, password)
        self.dataset_id = self.diffgram.dataset(DATASET)
        self.airflow.connect(
            self.case.name,
            host=emulator.url,
            schema=emulator.project,
            login=login,
            password=password,
            extra={"retry_timeout": 30, "read_timeout": 10, **self.case.connection},
        )
        if self.mode in making.UPDATES:
            self._seed()
        self._accepted_before = self.accepted()

    def _seed(self) -> None:
        """Let somebody else have brought some of the media, with instances of their own."""
        label_ids = {name: label_id for label_id, name in self.diffgram.labels().items()}
        self.seeded = len(self.packets) - making.NEW
        seeded = [
            {**packet, "instance_list": making.seeds(number)}
            for number, packet in enumerate(self.packets[: -making.NEW])
        ]
        for packet in seeded:
            on_wire = [
                {**each, "label_file_id": label_ids[each["label"]]} for each in packet["instance_list"]
            ]
            body = {**packet, "directory_id": self.dataset_id, "instance_list": on_wire}
            self.diffgram.call("POST", "walrus/v1/project/{p}/input/packet", body)

        def is_in() -> bool:
            files = list(self.diffgram.files(self.dataset_id))
            return len(files) == len(seeded) and all(each["count_instances_changed"] == 2 for each in files)

        until(is_in, "the media are there", 30, 0.1)
        self.expected = making.after("url", seeded, {})

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.emulator.stop(kill=True)

    @property
    def send(self) -> str:
        """The path that packets go to."""
        if self.mode == "audio":
            return LARGE
        if self.is_fast and self.mode in making.UPDATES:
            return AMEND
        return UPLOAD if self.is_fast or self.mode in ("local", "compound") else PACKET

    @property
    def looks(self) -> str:
        """The path that tells whether a packet arrived."""
        if self.send == AMEND:
            return READ
        return FILES if self.send == UPLOAD else ROWS

    def push(
        self,
        dag: str = "push",
        packets: Sequence[Packet] | None = None,
        below: str | None = None,
        **conf: Any,
    ) -> DagRun:
        """Start a run that pushes packets.

        :param dag: without the ``chaos_`` that all begin with.
        :param packets: others than the case's own.
        :param below: name of the compound file that they are children of.
        :param conf: other values than usual.
        """
        packets = self.packets if packets is None else packets
        number = len(self._pushes)
        report = self.folder / f"report-{number}.jsonl"
        usual = {
            "connection": self.case.name,
            "dataset": DATASET,
            "delivery": "auto" if self.is_fast else "queue",
            "if_exists": self.mode if self.mode in making.UPDATES else "skip",
            "max_failed": 0,
            "packets": self._written(packets, number),
            "report": str(report),
        }
        run = self.airflow.trigger(f"chaos_{dag}", usual | conf)
        places = [making.place_of(packet, below) for packet in packets]
        self._pushes.append(Push(run, places, report, "send" if dag == OPERATOR_WAITS else "wait"))
        self.expected = making.after(self.mode, packets, self.expected, below)
        return run

    def _written(self, packets: Sequence[Packet], number: int) -> str:
        path = making.write(packets, self.folder / f"packets-{number}.jsonl")
        return self.store.url(path) if self.case.in_storage else path

    def push_mapped(self, of_parents: Mapping[str, Sequence[Packet]]) -> DagRun:
        """Start a run with an upload for each of some compound files, all at once.

        :param of_parents: children by the name of a compound file, which is made here.
        """
        uploads, places = [], []
        for parent, packets in of_parents.items():
            children = making.write(packets, self.folder / f"children-{parent}.jsonl")
            uploads.append({"parent_file_id": self.new_compound(parent), "children": children})
            places += [making.place_of(packet, parent) for packet in packets]
            self.expected = making.after(self.mode, packets, self.expected, parent)
        conf = {"connection": self.case.name, "dataset": DATASET, "uploads": uploads}
        run = self.airflow.trigger("chaos_mapped", conf)
        self._pushes.append(Push(run, places, None, "wait"))
        return run

    def push_again(self) -> DagRun:
        """Start a run with the same packets, which are to change nothing."""
        right = dict(self.expected)
        run = self.push()
        self.expected = right
        return run

    def expect_what_is_there(self, name: str) -> None:
        """Take what a person made of a file for right."""
        labels, held = self.diffgram.labels(), self.diffgram.instances(self.file_of(name))
        self.expected[name] = Counter(prediction(each, labels[each["label_file_id"]]) for each in held)

    def person(self) -> Annotator:
        """Let a person log in; whether what they did stays is looked at in the end."""
        someone = Annotator(Person.of(self.emulator), self.diffgram)
        self._people.append(someone)
        return someone

    def saves(self, someone: Annotator, name: str, page: Page) -> None:
        """Let a person save a page of a file, and take what it leaves for right.

        What a page took that was older than it is theirs to lose: it may come back, and need not.
        """
        saved = someone.save(page)
        self._saves += 1
        self.expected[name] = saved.applied(self.expected[name])
        if saved.taken:
            self._taken[name] = self._taken.get(name, Counter()) + saved.taken

    def new_compound(self, name: str) -> int:
        """Make a compound file and return its id."""
        body = {"name": name, "directory_id": self.dataset_id}
        return int(self.diffgram.call("POST", "v1/project/{p}/file/new-compound", body)["file"]["id"])

    def archived_inputs(self, parent: str | None) -> int:
        """Return the number of inputs that were archived."""
        filters = {"parent_file_id": self.file_of(parent)} if parent else {}
        rows = self.diffgram.inputs(show_archived=True, **filters)
        return sum(bool(row["archived"]) for row in rows)

    def hold(self, path: str, kind: str = "timeout_before", **values: Any) -> None:
        """Let requests to a path be held without an answer; :meth:`held` tells when the first one is.

        :param kind: ``timeout_before``, or ``timeout_after`` to have them processed.
        """
        self._silent = self._unanswered()
        self.emulator.fault(path, kind, **{"times": None, "by": "program", **values})

    def kill(self, run: DagRun, task_id: str = "send", *, is_alone: bool = True) -> None:
        """Kill a task once a request is held, and hold no more.

        :param is_alone: whether nobody else sends requests.
        """
        self.held()
        run.kill(task_id)
        if is_alone:
            self.quiet(0.5)  # what it sent last still comes in
        else:
            time.sleep(0.5)
        self.forget_faults()

    def forget_faults(self) -> None:
        """Let nothing go wrong any more."""
        self.emulator.control("faults", method="DELETE")

    def held(self, seconds: float = 90.0) -> None:
        """Wait until a request is held."""
        until(lambda: self._unanswered() > self._silent, "a request is held", seconds)

    def struck(self, seconds: float = 90.0) -> None:
        """Wait until all faults were met."""
        until(lambda: not self.emulator.control("state")["faults"], "the fault was met", seconds)

    def quiet(self, seconds: float = 2.0) -> None:
        """Wait until no request came for some time, given that nobody sends any."""
        last = -1

        def is_quiet() -> bool:
            nonlocal last
            before, last = last, self.emulator.requests()["total"]
            return bool(before == last)

        until(is_quiet, "no requests come", 30, seconds)

    def _unanswered(self) -> int:
        counts = self.emulator.requests()["counts"]
        return sum(each["count"] for each in counts if each["status"] is None)

    def accepted(self) -> int:
        """Return the number of packets, uploads and lists of a file's instances that were accepted."""
        counts = self.emulator.requests()["counts"]
        ours = ("/input/packet", "/input/from_local", "/annotation/update")
        accepted = (each for each in counts if each["status"] == 200 and each["path"].endswith(ours))
        return sum(int(each["count"]) for each in accepted) - self._saves

    def accepted_by(self, path: str) -> int:
        """Return the number of requests to a path that were accepted, those of people too."""
        counts = self.emulator.requests()["counts"]
        accepted = (each for each in counts if each["status"] == 200)
        return sum(int(each["count"]) for each in accepted if re.search(path, each["path"]))

    def threads(self) -> list[int]:
        """Return how many ingest threads each process of the server has left."""
        return list(self.emulator.control("state")["threads"])

    def count(self, status: int) -> int:
        """Return the number of answers of a status."""
        counts = self.emulator.requests()["counts"]
        return sum(each["count"] for each in counts if each["status"] == status)

    def begun(self, amount: int = 3) -> None:
        """Wait until so many packets were accepted since the case began."""
        wanted = self._accepted_before + amount
        until(lambda: self.accepted() >= wanted, f"{amount} packets were accepted", 90)

    @contextmanager
    def sending_only(self, amount: int) -> Iterator[None]:
        """Note what is sent beyond so many packets."""
        before = self.accepted()
        yield
        self._sent_again += max(0, self.accepted() - before - amount)

    def count_sent_again(self) -> None:
        """Note of which media there is more than one input, archived ones included."""
        rows = self.diffgram.inputs(show_archived=True)
        names = Counter(row["original_filename"] for row in rows if row["mode"] is None)
        self._sent_again += sum(times - 1 for times in names.values())

    def note_made_twice(self, amount: int) -> None:
        """Note what was made beside packets, and more than once: jobs, tasks of a file."""
        self._sent_again += amount

    def file_of(self, name: str) -> int:
        """Return the id of the file of that name."""
        files = self.diffgram.files(self.dataset_id)
        return next(int(each["id"]) for each in files if each["original_filename"] == name)

    def until_retried(self, run: DagRun) -> None:
        """Wait until an attempt to send has failed."""
        until(lambda: run.task("send")["try_number"] > 1, "send is tried again", 180, 0.5)

    def ended(self, state: str = "success") -> None:
        """Wait until all runs have ended, and insist on their state."""
        states = [push.run.ended() for push in self._pushes]
        self.insist(all(each == state for each in states), f"runs ended as {states}, not {state}")

    def task_ended(self, run: DagRun, task_id: str = "send", seconds: float = 180.0) -> None:
        """Wait until a task has succeeded, in whatever attempt."""
        until(lambda: run.task(task_id)["state"] == "success", f"{task_id} has succeeded", seconds, 0.2)

    def asked_again(self, path: str, times: int = 5) -> None:
        """Wait until a path is asked for some times more."""

        def asked() -> int:
            counts = self.emulator.requests()["counts"]
            return sum(each["count"] for each in counts if re.search(path, each["path"]))

        before = asked()
        until(lambda: asked() >= before + times, f"{path} is asked for again", 90, 0.1)

    def insist(self, holds: bool, what: str) -> None:
        """Refuse a case that does not prove what it is to prove."""
        if not holds:
            raise ChaosError(what)

    def order_wrong(self) -> int:
        """Return the number of children at a wrong place."""
        return judge(self.case.name, Truth(self.expected), read(self.diffgram, DATASET), []).order_wrong

    def judged(self) -> Row:
        """Wait until the queue is drained, and judge."""
        self.forget_faults()

        def drained() -> bool:
            return not read(self.diffgram, DATASET).unfinished

        with contextlib.suppress(ChaosError):
            until(drained, "the queue is drained", _DRAIN_SECONDS, 0.5)
        right = {place: held for place, held in self.expected.items() if place not in self.planted}
        truth = Truth(
            right,
            self.planted,
            self._sent_again,
            ends_at_the_first=self.ends_at_the_first,
            taken=self._taken,
            people_undone=sum(someone.undone() for someone in self._people),
        )
        return judge(self.case.name, truth, read(self.diffgram, DATASET), map(_told, self._pushes))


def _told(push: Push) -> Told:
    """Return what a run told."""
    return Told(
        places=push.places,
        state=str(push.run.info()["state"]),
        outcomes=None if push.report is None else outcomes_of(push.report),
        receipt=push.run.result(push.waits),
        errors=errors_of(push.run.log()),
    )


def outcomes_of(report: Path) -> dict[str, str]:
    """Return the last outcome of each name; a line that was cut off tells nothing."""
    found = {}
    for text in report.read_text().splitlines() if report.exists() else []:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        found[str(line["name"])] = str(line["outcome"])
    return found


def errors_of(log: str) -> str:
    """Return the lines of a log that tell errors."""
    lines = (json.loads(line) for line in log.splitlines() if line.startswith("{"))
    return "\n".join(json.dumps(line) for line in lines if line.get("level") in ("error", "critical"))
