"""Many packets: several at once, in batches, from what can be read once only; and an end on demand."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.read.jsonlines import JsonLines
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.ingest.send.queue.batches import Memory
from airflow_provider_diffgram.models import Handle, InvalidValueError
from airflow_provider_diffgram.operators.memory import TaskMemory
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media

_numbers = itertools.count(1)


def named(name: str, *boxes: dict[str, Any]) -> dict[str, Any]:
    """Return a packet that is never ingested here."""
    return {
        "media": {"url": f"http://127.0.0.1:9/{name}"},
        "original_filename": name,
        "instance_list": boxes,
    }


@pytest.fixture(scope="module")
def sleeping_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """A server that takes packets and ingests none of them."""
    folder = tmp_path_factory.mktemp("asleep")
    with EmulatorProcess.start(folder, rate_limit=False, cycle=3600.0, workers=1) as emulator:
        time.sleep(0.2)
        yield emulator


@pytest.fixture
def asleep(sleeping_emulator: EmulatorProcess) -> LiveDiffgram:
    sleeping_emulator.control("faults", method="DELETE")
    return LiveDiffgram.of(sleeping_emulator.with_project(f"asleep-{next(_numbers)}"), delivery="queue")


def arrived(diffgram: LiveDiffgram) -> Counter[str | None]:
    """Return the names of all inputs of the project, each as often as it was stored."""
    rows = diffgram.inputs()
    batches = {row.batch_id for row in rows} if len(rows) >= 1000 else set()
    last = max((batch for batch in batches if batch), default=0)
    listed = [diffgram.inputs(batch_id=number) for number in range(1, last + 1)] or [rows]
    return Counter(row.original_filename for of_batch in listed for row in of_batch)


def once(names: Iterable[str]) -> Counter[str | None]:
    return Counter(names)


def sent_packets(diffgram: LiveDiffgram) -> int:
    counts = diffgram.emulator.requests()["counts"]
    return sum(each["count"] for each in counts if each["path"].endswith("/input/packet"))


def test_a_slow_answer_holds_up_nobody_else(asleep: LiveDiffgram):
    asleep.emulator.fault("input/packet", "latency", seconds=1.5, skip=5)
    names = [f"{number:03}.png" for number in range(200)]
    asleep.push([named(name) for name in names])
    assert asleep.state()["faults"] == 0
    rows = sorted(asleep.inputs(), key=lambda row: row.id or 0)
    assert arrived(asleep) == once(names)
    later = {row.original_filename: place for place, row in enumerate(rows)}
    assert max(later[name] - place for place, name in enumerate(names)) > 20


@pytest.mark.parametrize("concurrency", [1, 16])
def test_as_many_requests_are_under_way_as_asked_for(asleep: LiveDiffgram, concurrency: int):
    """After the first, which asks for the limit, none is answered until no more are sent."""
    asleep.emulator.fault("input/packet", "latency", seconds=5.0, skip=1, times=None)
    stop = threading.Event()

    def stop_while_they_wait() -> None:
        while not asleep.inputs():
            time.sleep(0.1)
        time.sleep(2.0)
        stop.set()

    threading.Thread(target=stop_while_they_wait).start()
    with pytest.raises(PushError, match="asked to stop"):
        asleep.push([named(f"{number}.png") for number in range(40)], concurrency=concurrency, stop=stop)
    at_once = len(asleep.inputs()) - 1
    assert (at_once == 1) if concurrency == 1 else (1 < at_once <= concurrency)


def test_the_client_tells_how_long_the_way_is(asleep: LiveDiffgram):
    with DiffgramClient(settings(asleep.emulator)) as client:
        assert client.least_seconds == 0.0
        asleep.emulator.fault(".", "latency", seconds=0.1, times=None)
        client.send(routes.list_connections(client.project))
        fastest = client.least_seconds
        assert fastest >= 0.1
        asleep.emulator.control("faults", method="DELETE")
        asleep.emulator.fault(".", "latency", seconds=2.0, times=None)
        client.send(routes.list_connections(client.project))
        assert client.least_seconds == fastest


def test_200_packets_arrive_once_whatever_the_network_does(diffgram: LiveDiffgram, media: Media):
    for kind, share in (("latency", 0.2), ("reset_after", 0.1), ("reset_before", 0.1), ("truncate", 0.1)):
        diffgram.emulator.fault(
            "input/packet", kind, seconds=0.05, times=None, probability=share, seed=len(kind)
        )
    packets = [image(media, f"{number}.png", box(number + 1)) for number in range(200)]
    receipt = diffgram.pushed(packets)
    assert receipt.summary() == "200 expected: 200 succeeded"
    assert arrived(diffgram) == once(f"{number}.png" for number in range(200))
    held = {file.original_filename: file.count_instances_changed for file in diffgram.files()}
    assert held == {f"{number}.png": 1 for number in range(200)}


def test_1500_packets_are_in_two_batches_and_each_arrives_once_quirk_13(asleep: LiveDiffgram):
    packets = [named(f"{number}.png") for number in range(1500)]
    handle = asleep.push(packets)
    assert [batch.inputs for batch in handle.batches] == [1000, 500]
    assert arrived(asleep) == once(f"{number}.png" for number in range(1500))
    assert len(json.dumps(handle.to_xcom())) < 300


def test_an_iterator_that_is_fast_is_read_and_checked_a_thousand_at_a_time(
    asleep: LiveDiffgram, tmp_path: Path
):
    limits = replace(LIMITS, linger=3600.0)
    asleep.limits = limits
    sent: dict[int, int] = {}

    def packets() -> Iterator[dict[str, Any]]:
        for number in range(1100):
            if number in (0, 999, 1000, 1099):
                sent[number] = sent_packets(asleep) - before
            yield {} if number == 1050 else named(f"{number}.png")

    before = sent_packets(asleep)
    report = tmp_path / "report.jsonl"
    with pytest.raises(PushError) as caught:
        push(asleep.client, packets(), dataset=DATASET, report=str(report), limits=limits)
    assert (sent[0], sent[999]) == (0, 0)
    assert sent[1099] <= 1000
    assert str(caught.value) == (
        "packets: packet 1050: file_id: has neither media nor file_id: give the medium to add, or the file "
        "to update; nothing was sent of the last 100 packets; of those before 1,000 sent, 0 failed, 0 skipped"
    )
    assert caught.value.permanent
    assert arrived(asleep) == once(f"{number}.png" for number in range(1000))
    assert len(report.read_text().splitlines()) == 1000

    handle = push(
        asleep.client,
        iter([named(f"{number}.png") for number in range(1100)]),
        dataset=DATASET,
        limits=limits,
    )
    assert (handle.expected, sum(batch.inputs for batch in handle.batches)) == (1100, 1100)
    assert arrived(asleep) == once(f"{number}.png" for number in range(1100))


def test_an_iterator_that_begins_with_a_bad_packet_sends_nothing(asleep: LiveDiffgram):
    with pytest.raises(InvalidValueError, match=r"packet 1: .*neither media nor file_id") as caught:
        push(asleep.client, iter([named("a.png"), {}]), dataset=DATASET)
    assert "nothing was sent" in str(caught.value)
    assert asleep.inputs() == []


def test_an_iterator_that_raises_leaves_nothing_half_known(asleep: LiveDiffgram, tmp_path: Path):
    def packets() -> Iterator[dict[str, Any]]:
        yield from (named(f"{number}.png") for number in range(1000))
        raise OSError("the model broke")

    report = tmp_path / "report.jsonl"
    with pytest.raises(OSError, match="the model broke"):
        push(asleep.client, packets(), dataset=DATASET, report=str(report))
    told = Counter(json.loads(line)["name"] for line in report.read_text().splitlines())
    assert arrived(asleep) == told, "what was sent is what the report says was sent"


def test_names_are_compared_over_the_thousands_of_an_iterator(asleep: LiveDiffgram):
    limits = replace(LIMITS, chunk=2)
    asleep.limits = limits
    packets = [named("a.png"), named("b.png"), named("c.png"), named("a.png")]
    with pytest.raises(PushError, match=r"packet 3 \(a\.png\): a second packet named 'a\.png'") as caught:
        push(asleep.client, iter(packets), dataset=DATASET, limits=limits)
    assert "nothing was sent of the last 2 packets; of those before 2 sent" in str(caught.value)
    assert arrived(asleep) == once(["a.png", "b.png"])


def test_if_exists_fail_holds_for_each_thousand_of_an_iterator(asleep: LiveDiffgram):
    limits = replace(LIMITS, chunk=2)
    asleep.limits = limits
    asleep.push([named("c.png")])
    packets = iter([named(f"{name}.png") for name in "abcd"])
    with pytest.raises(PushError, match=r"'c\.png' is in the dataset already"):
        push(asleep.client, packets, dataset=DATASET, if_exists="fail", limits=limits)
    assert arrived(asleep) == once(["a.png", "b.png", "c.png"])


@pytest.mark.parametrize("name", ["packets.jsonl", "packets.jsonl.gz"])
def test_a_json_lines_file_packed_or_not_is_sent_once(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, name: str
):
    text = "\n".join(json.dumps(image(media, f"{number}.png", box(number + 1))) for number in range(4))
    content = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    lines = JsonLines(str(tmp_path / name), "packet", universal_path)
    handle = push(diffgram.client, lines, dataset=DATASET)
    assert diffgram.done(handle).succeeded == 4
    assert push(diffgram.client, lines, dataset=DATASET).skipped == 4
    assert sorted(map(str, diffgram.names())) == [f"{number}.png" for number in range(4)]


@pytest.mark.parametrize("damage", ["cut off", "bytes changed"])
def test_a_packed_file_that_is_damaged_is_refused_as_a_whole(
    diffgram: LiveDiffgram, tmp_path: Path, damage: str
):
    text = "\n".join(json.dumps(named(f"{number}.png")) for number in range(2000)).encode()
    packed = bytearray(gzip.compress(text))
    if damage == "bytes changed":
        packed[-3000:-2900] = bytes(100)
    path = tmp_path / "packets.jsonl.gz"
    path.write_bytes(packed[:-100] if damage == "cut off" else packed)
    with pytest.raises(InvalidValueError, match=r"packets\.jsonl\.gz: not a complete gzip file|not JSON"):
        push(diffgram.client, JsonLines(str(path), "packet", universal_path), dataset=DATASET)
    assert diffgram.inputs() == []


class StoppingAt:
    """Packets that set an event at the second reading, the one for sending."""

    def __init__(self, packets: list[dict[str, Any]], number: int, stop: threading.Event) -> None:
        self.packets, self.number, self.stop, self.turn = packets, number, stop, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.turn += 1
        for number, packet in enumerate(self.packets):
            if (self.turn, number) == (2, self.number):
                self.stop.set()
            yield packet


@pytest.mark.parametrize("read_once", [False, True])
def test_a_push_that_is_asked_to_stop_ends_with_what_arrived_and_a_retry_sends_the_rest(
    asleep: LiveDiffgram, tmp_path: Path, read_once: bool
):
    limits = replace(LIMITS, chunk=10)
    asleep.limits = limits
    asleep.emulator.fault("input/packet", "latency", seconds=0.2, times=None)
    packets = [named(f"{number}.png") for number in range(60)]
    stop, report = threading.Event(), tmp_path / "report.jsonl"
    stopping = StoppingAt(packets, 30, stop)
    stopping.turn = 1 if read_once else 0
    source = iter(stopping) if read_once else stopping
    options = {"dataset": DATASET, "limits": limits, "delivery": "queue"}
    with pytest.raises(PushError, match="stopped: asked to stop") as caught:
        push(asleep.client, source, stop=stop, report=str(report), **options)
    names = arrived(asleep)
    assert 0 < len(names) <= 30
    expected = int(re.findall(r"(\d+) packets: ", str(caught.value))[0])
    assert expected in ((20, 30, 40) if read_once else (60,)), "no more than what was at hand"
    counts = f"{expected} packets: {len(names)} sent, 0 failed, 0 skipped, {expected - len(names)} not sent"
    assert counts in str(caught.value)
    assert not caught.value.permanent
    assert Counter(json.loads(line)["name"] for line in report.read_text().splitlines()) == names
    assert arrived(asleep) == names, "nothing was under way any more"
    asleep.emulator.control("faults", method="DELETE")
    handle = asleep.push(packets)
    assert sum(batch.inputs for batch in handle.batches) == 60
    assert arrived(asleep) == once(f"{number}.png" for number in range(60))


def test_a_push_that_is_stopped_before_it_began_sends_nothing(asleep: LiveDiffgram):
    stop = threading.Event()
    stop.set()
    with pytest.raises(PushError, match="3 packets: 0 sent, 0 failed, 0 skipped, 3 not sent"):
        asleep.push([named(f"{number}.png") for number in range(3)], stop=stop)
    assert asleep.inputs() == []


def test_the_ceiling_of_the_connection_is_kept(sleeping_emulator: EmulatorProcess):
    diffgram = LiveDiffgram.of(sleeping_emulator.with_project(f"asleep-{next(_numbers)}"))
    client = DiffgramClient(settings(diffgram.emulator, requests_per_second=10.0))
    before = diffgram.emulator.requests()["total"]
    push(client, [named(f"{number}.png") for number in range(20)], dataset=DATASET, delivery="queue")
    latest = diffgram.emulator.requests(before)["latest"]
    times = [each["time"] for each in latest if each["path"].endswith("/input/packet")]
    assert len(times) == 20
    assert times[-1] - times[0] > 1.6, "without a ceiling it takes a fraction of a second"


class Store:
    """A task's state store, as far as it is used."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "memory_of, stored", [(TaskMemory, 5), (lambda store: None, 10)], ids=["remembered", "forgotten"]
)
def test_inputs_waiting_in_remembered_batches_are_found_however_many_others_wait(
    asleep: LiveDiffgram, memory_of: Callable[[Store], Memory | None], stored: int
):
    """Without memory the way back through older batches ends after 20 that hold nothing of the project."""
    store = Store()
    packets = [named(f"{number}.png") for number in range(5)]
    asleep.push(packets, memory=memory_of(store))
    for _ in range(21):
        asleep.ask(routes.create_batch)
    asleep.push([named(f"other-{number}.png") for number in range(1000)])
    again = asleep.push(packets, memory=memory_of(store))
    assert sum(batch.inputs for batch in again.batches) == 5
    found = arrived(asleep)
    assert sum(found[f"{number}.png"] for number in range(5)) == stored


def test_batches_are_remembered_before_anything_is_sent_in_them(asleep: LiveDiffgram):
    class Refusing(Store):
        def set(self, key: str, value: Any) -> None:
            raise OSError("the store is away")

    with pytest.raises(OSError, match="the store is away"):
        asleep.push([named("a.png")], memory=TaskMemory(Refusing()))
    assert asleep.inputs() == []


def test_memory_keeps_the_batches_of_all_attempts(asleep: LiveDiffgram):
    store, ids = Store(), []
    for attempt in range(3):
        handle: Handle = asleep.push([named(f"{attempt}.png")], memory=TaskMemory(store))
        ids += [batch.id for batch in handle.batches]
    assert len(ids) == 3
    assert TaskMemory(store).batch_ids() == sorted(ids)


def test_too_many_files_for_a_dataset_are_warned_of_before_anything_is_sent_3_3(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    limits = replace(LIMITS, dataset_cap=9)
    diffgram.limits = limits
    first = [image(media, f"{number}.png") for number in range(5)]
    diffgram.pushed(first)
    diffgram.push(first)
    assert "use several datasets" not in caplog.text, "what is there is not counted again"
    inputs_then: list[int] = []

    class Warned:
        def __iter__(self) -> Iterator[dict[str, Any]]:
            if "use several datasets" in caplog.text:
                inputs_then.append(len(diffgram.inputs()))
            yield from (image(media, f"{number}.png") for number in range(10))

    push(diffgram.client, Warned(), dataset=DATASET, limits=limits)
    assert inputs_then == [5]
    assert "5 files in the dataset, and 5 to be sent; Diffgram takes 9 images a dataset" in caplog.text
