"""Worker processes: how fast they drain the queue, and what they leave behind when they die."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from diffgram_emulator.process import EmulatorProcess
from helpers import call, default_dataset, label, own_image, rows, send, upload
from world import until

UPDATE = "/api/walrus/v1/project/{p}/input/update"


@pytest.fixture
def emulator(diffgram_emulator: EmulatorProcess) -> Iterator[EmulatorProcess]:
    yield diffgram_emulator
    diffgram_emulator.reset()


def send_text(emulator: EmulatorProcess, name: str) -> None:
    send(emulator, name, "", type="from_text_data", text_data="x", media={"type": "text"})


def send_boxed(emulator: EmulatorProcess, name: str) -> None:
    boxes = [{"type": "box", "label_file_id": label(emulator, "cat"), "x_min": 1, "y_min": 1}]
    boxes = [{**box, "x_max": 9, "y_max": 9} for box in boxes]
    send(emulator, name, own_image(emulator, f"source of {name}"), instance_list=boxes)


def row(emulator: EmulatorProcess, name: str) -> dict[str, Any]:
    return next(one for one in rows(emulator) if one["original_filename"] == name)


def counted(emulator: EmulatorProcess, name: str) -> int | None:
    """Return count_instances_changed of a file."""
    body = {"metadata": {"directory_id": default_dataset(emulator), "file_view_mode": "base"}}
    listed = call(emulator, "POST", "/api/project/{p}/user/x/file/list", json=body).json()["file_list"]
    return next(one["count_instances_changed"] for one in listed if one["original_filename"] == name)


def threads(emulator: EmulatorProcess) -> list[int]:
    found: list[int] = emulator.control("state")["threads"]
    return found


def retry(emulator: EmulatorProcess, name: str) -> None:
    body = {"id_list": [row(emulator, name)["id"]], "mode": "RETRY"}
    call(emulator, "POST", UPDATE, json=body)


def test_the_drain_rate_is_changed_while_it_runs(emulator: EmulatorProcess) -> None:
    emulator.tune(cycle=30.0)
    time.sleep(0.1)
    send_text(emulator, "slow.txt")
    time.sleep(0.2)
    assert row(emulator, "slow.txt")["status"] == "init"
    assert emulator.control("state")["options"]["cycle"] == 30.0
    emulator.reset()
    assert emulator.control("state")["options"]["cycle"] == 0.02


def test_more_and_fewer_worker_processes(emulator: EmulatorProcess) -> None:
    emulator.tune(workers=3)
    assert threads(emulator) == [4, 4, 4]
    emulator.tune(workers=1)
    assert threads(emulator) == [4]
    for number in range(6):
        send_text(emulator, f"{number}.txt")
    until(lambda: all(one["status"] == "success" for one in rows(emulator)), "all rows")


def test_a_worker_process_dies_with_its_rows(emulator: EmulatorProcess) -> None:
    """server.md 3.2, 2.14: a restart revives the process but not its stuck rows; a retry does."""
    emulator.tune(image_seconds=30.0, workers=1)
    names = [f"{number}.txt" for number in range(6)]
    for name in names:
        send_text(emulator, name)
    until(lambda: emulator.control("state")["waiting"] == 0, "all rows to be taken")
    until(lambda: sum(one["status"] == "processing" for one in rows(emulator)) == 4, "four under way")
    emulator.kill_worker(0)
    assert threads(emulator) == [0]
    emulator.reset()
    assert threads(emulator) == [4, 4]
    send_text(emulator, "later.txt")
    until(lambda: row(emulator, "later.txt")["status"] == "success", "a row of the new process")
    left = sorted(
        (row(emulator, name)["status"], row(emulator, name)["processing_deferred"]) for name in names
    )
    assert left == [("local_processing_queue", False)] * 2 + [("processing", False)] * 4
    retry(emulator, names[0])
    until(lambda: row(emulator, names[0])["status"] == "success", "the retry")


def test_a_dead_worker_process_writes_nothing(emulator: EmulatorProcess) -> None:
    """The medium turns out to be missing after the process is dead: its row does not become failed."""
    emulator.tune(workers=1)
    emulator.fault("missing", "latency", seconds=0.5)
    send(emulator, "a.png", emulator.url + "/api/walrus/missing.png")
    until(lambda: row(emulator, "a.png")["status"] == "processing", "the row to be under way")
    emulator.kill_worker(0)
    assert emulator.requests()["counts"][0]["status"] == 404
    assert row(emulator, "a.png")["status"] == "processing"
    retry(emulator, "a.png")
    emulator.reset()
    until(lambda: row(emulator, "a.png")["status"] == "failed", "the retry by a process that lives")


def test_an_ingest_thread_dies_on_request(emulator: EmulatorProcess) -> None:
    """Quirk 48: it is not replaced until a restart."""
    emulator.kill_thread(1)
    assert threads(emulator) == [4, 3]
    emulator.kill_thread(1)
    assert threads(emulator) == [4, 2]
    emulator.reset()
    assert threads(emulator) == [4, 4]


def test_there_is_no_such_worker(emulator: EmulatorProcess) -> None:
    for body in ({"kill_process": 7}, {"kill_thread": -1}, {}, {"kill": 1}):
        assert requests.post(emulator.url + "/emulator/workers", json=body, timeout=5).status_code == 400


def test_a_row_dies_with_its_thread(emulator: EmulatorProcess) -> None:
    """Quirks 48 and 49, without the value that causes it."""
    emulator.row_fault("^bad", "die")
    send_text(emulator, "good.txt")
    send_text(emulator, "bad.txt")
    until(lambda: sum(threads(emulator)) == 7, "a thread to die")
    until(lambda: row(emulator, "good.txt")["status"] == "success", "the other row")
    stuck = row(emulator, "bad.txt")
    assert (stuck["status"], stuck["processing_deferred"], stuck["file_id"]) == ("processing", False, None)
    retry(emulator, "bad.txt")
    until(lambda: row(emulator, "bad.txt")["status"] == "success", "the retry")
    assert sum(threads(emulator)) == 7


def test_a_stuck_row_costs_no_thread(emulator: EmulatorProcess) -> None:
    emulator.row_fault("bad", "stuck", times=2)
    send_text(emulator, "bad.txt")
    until(lambda: row(emulator, "bad.txt")["status"] == "processing", "the row to be stuck")
    retry(emulator, "bad.txt")
    until(lambda: row(emulator, "bad.txt")["retry_count"] == 1, "the retry")
    until(lambda: row(emulator, "bad.txt")["status"] == "processing", "the row to be stuck again")
    retry(emulator, "bad.txt")
    until(lambda: row(emulator, "bad.txt")["status"] == "success", "the second retry")
    assert sum(threads(emulator)) == 8


def test_a_success_flips_to_failed(emulator: EmulatorProcess) -> None:
    """Quirk 3: until then a good row and a bad one look the same."""
    emulator.row_fault("flips", "flip", seconds=0.5, text="refused")
    send_boxed(emulator, "flips.png")
    until(lambda: row(emulator, "flips.png")["status"] == "success", "the success")
    assert counted(emulator, "flips.png") is None
    until(lambda: row(emulator, "flips.png")["status"] == "failed", "the flip")
    flipped = row(emulator, "flips.png")
    assert (flipped["status_text"], flipped["percent_complete"]) == ("refused", 100)
    assert flipped["file_id"] is not None
    assert counted(emulator, "flips.png") is None


def test_a_success_with_nothing_stored(emulator: EmulatorProcess) -> None:
    """Quirk 4, without the value that causes it."""
    emulator.row_fault("lost", "lose")
    send_boxed(emulator, "lost.png")
    send_boxed(emulator, "kept.png")
    until(lambda: all(one["status"] == "success" for one in rows(emulator)), "both rows")
    until(lambda: counted(emulator, "kept.png") == 1, "the instances of the other")
    assert counted(emulator, "lost.png") is None
    assert emulator.control("state")["row_faults"] == 0


def test_instances_come_late(emulator: EmulatorProcess) -> None:
    """server.md 3.2: under load they come seconds after the success."""
    emulator.row_fault("late", "late", seconds=0.5)
    send_boxed(emulator, "late.png")
    until(lambda: row(emulator, "late.png")["status"] == "success", "the success")
    assert counted(emulator, "late.png") is None
    until(lambda: counted(emulator, "late.png") == 1, "the instances")
    assert row(emulator, "late.png")["status"] == "success"


def test_a_reset_forgets_the_faults_of_rows(emulator: EmulatorProcess) -> None:
    emulator.row_fault(".", "stuck", times=None)
    emulator.reset()
    send_text(emulator, "a.txt")
    until(lambda: row(emulator, "a.txt")["status"] == "success", "the row")


@pytest.mark.parametrize(
    "body", [{"kind": "fire"}, {"kind": "flip", "match": "("}, {"kind": "flip", "seconds": -1}]
)
def test_faults_of_rows_that_cannot_be(emulator: EmulatorProcess, body: dict[str, Any]) -> None:
    assert requests.post(emulator.url + "/emulator/rows", json=body, timeout=5).status_code == 400


def test_children_may_overtake(emulator: EmulatorProcess) -> None:
    """Quirk 50: rows are not taken in the order they came."""
    emulator.tune(workers=1, rows_per_cycle=1)
    emulator.pause_queue()
    for number in range(12):
        send_text(emulator, f"{number}.txt")
    emulator.pause_queue(False)
    until(lambda: all(one["status"] == "success" for one in rows(emulator)), "all rows")
    files = [one["file_id"] for one in rows(emulator)]
    assert files != sorted(files, reverse=True)


def test_ingest_waits_while_the_machine_is_busy(emulator: EmulatorProcess) -> None:
    """Uploads keep the processor in use, and rows of the queue wait (server.md 10.1)."""
    emulator.tune(busy_pause=0.2, upload_work=3.0)
    uploading = threading.Thread(target=upload, args=(emulator, "busy.png"))
    uploading.start()
    send_text(emulator, "looks.txt")
    time.sleep(1.0)
    send_text(emulator, "waits.txt")
    time.sleep(0.5)
    assert uploading.is_alive()
    assert row(emulator, "waits.txt")["status"] == "local_processing_queue"
    uploading.join()
    until(lambda: row(emulator, "waits.txt")["status"] == "success", "the row")
