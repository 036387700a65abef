"""Single parts, without a process."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from diffgram_emulator.__main__ import parser
from diffgram_emulator.clock import Clock, Stopped
from diffgram_emulator.errors import DatabaseRefused
from diffgram_emulator.inputs import new_input
from diffgram_emulator.limits import PACKET, Limiter
from diffgram_emulator.media import blob
from diffgram_emulator.naming import extension, kind_of, name_from_url, sanitized
from diffgram_emulator.options import Options
from diffgram_emulator.signing import BUCKET, is_valid, signature
from diffgram_emulator.store import Store, insert
from diffgram_emulator.validation import Field, check, database_id
from diffgram_emulator.workers import WorkerProcess


def test_a_fixed_window() -> None:
    now = [100.0]
    limiter = Limiter(clock=lambda: now[0])
    verdicts = [limiter.hit("packet", "a", PACKET)[1] for _ in range(21)]
    assert verdicts == [True] * 20 + [False]
    assert limiter.hit("packet", "b", PACKET)[1]
    assert limiter.hit("other", "a", PACKET)[1]
    window, _ = limiter.hit("packet", "a", PACKET)
    headers = limiter.headers(window)
    assert (headers["X-RateLimit-Remaining"], headers["X-RateLimit-Reset"]) == ("0", "102.0")
    now[0] = 100.99
    assert not limiter.hit("packet", "a", PACKET)[1]
    now[0] = 101.0
    assert limiter.hit("packet", "a", PACKET)[1]


def test_an_answer_after_the_end_of_its_window_shows_a_fresh_one() -> None:
    now = [100.0]
    limiter = Limiter(clock=lambda: now[0])
    window, _ = limiter.hit("packet", "a", PACKET)
    now[0] = 101.5
    assert limiter.headers(window)["X-RateLimit-Remaining"] == "20"
    assert limiter.headers(window)["Retry-After"] == "0"


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("my dir/ä b.PNG", "my_dir_a_b.PNG"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\\b.png", "a_b.png"),
        ("日本.png", "png"),
    ],
)
def test_sanitized_names(sent: str, kept: str) -> None:
    assert sanitized(sent) == kept


@pytest.mark.parametrize(
    "url, name",
    [
        ("http://h/cat.jpg", "cat.jpg"),
        ("http://h/cat.v2.jpg", "cat.v2"),
        ("http://h/a/b%20c.jpg?x=1.png", "b20c.jpg"),
        ("http://h/plain", None),
        ("http://h.example.com/", None),
    ],
)
def test_names_from_urls(url: str, name: str | None) -> None:
    assert name_from_url(url) == name


def test_kinds() -> None:
    assert [kind_of(name) for name in ("a.JPG", "a.mp4", "a.txt", "a.xyz", "noext", None)] == [
        "image", "video", "text", None, None, None
    ]  # fmt: skip
    assert extension("a.b.PNG") == ".png"


@pytest.mark.parametrize("value, expected", [("2", 2), (True, 1), (3, 3), (4.0, 4)])
def test_ids_the_database_reads(value: object, expected: int) -> None:
    assert database_id(value) == expected


@pytest.mark.parametrize("value", ["abc", "None", "", 1.5, [1], {}, 2**31, str(2**40)])
def test_ids_the_database_refuses(value: object) -> None:
    with pytest.raises(DatabaseRefused):
        database_id(value)


def test_two_closed_lists_collapse_into_one_error() -> None:
    fields = (Field("a", "str", choices=("x",)), Field("b", "str", choices=("y",)))
    _, errors = check(fields, {"a": "1", "b": "2"})
    assert list(errors) == ["valid_values_list"]


@pytest.mark.parametrize(
    "day, good", [("2026-11-21", True), ("2026-13-01", False), ("20261121", False), (5, False)]
)
def test_dates(day: object, good: bool) -> None:
    _, errors = check((Field("d", "date"),), {"d": day})
    assert (not errors) == good


def test_unchecked_kinds_are_not_checked() -> None:
    values, errors = check((Field("m"), Field("flag")), {"m": "text", "flag": 7, "unknown": 1})
    assert (values, errors) == ({"m": "text", "flag": 7}, {})


def test_work_shares_one_processor() -> None:
    clock = Clock()
    began = time.monotonic()
    threads = [threading.Thread(target=clock.work, args=(0.1,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began > 0.27


def test_waiting_ends_with_the_emulator() -> None:
    clock = Clock()
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(Stopped):
            clock.pause(60)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    clock.stop()
    assert ended.wait(5)


def test_signatures_hold_for_one_blob_and_a_time() -> None:
    later = int(time.time()) + 60
    good = signature("key", "bucket", "a/b", later)
    assert is_valid("key", "bucket", "a/b", str(later), good)
    assert not is_valid("key", "bucket", "a/c", str(later), good)
    assert not is_valid("key", "bucket", "a/b", str(later + 1), good)
    past = int(time.time()) - 1
    assert not is_valid("key", "bucket", "a/b", str(past), signature("key", "bucket", "a/b", past))
    assert not is_valid("key", "bucket", "a/b", "soon", good)


@pytest.mark.parametrize("bucket, path", [(BUCKET, "../emulator.sqlite"), ("..", "emulator.sqlite")])
def test_blobs_stay_in_their_folder(tmp_path: Path, bucket: str, path: str) -> None:
    store = Store(tmp_path)
    assert (tmp_path / "emulator.sqlite").exists()
    assert blob(store, bucket, path) is None


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail() -> None:
        with store.write() as connection:
            insert(connection, "model", project_id=1, reference_id="m", created_time="now")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.all("SELECT * FROM model") == []


def test_many_threads_write_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def write(number: int) -> None:
        for one in range(20):
            with store.write() as connection:
                insert(connection, "model", project_id=number, reference_id=str(one), created_time="now")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.all("SELECT * FROM model")) == 160


def test_rows_are_taken_in_no_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    process = WorkerProcess(0, store, Options(tmp_path, rows_per_cycle=30), Clock())
    with store.write() as connection:
        ids = [new_input(connection, project_id=1, processing_deferred=1) for _ in range(40)]
    process.pause(True)
    process.take()
    assert store.all("SELECT id FROM input WHERE processing_deferred = 0") == []
    process.pause(False)
    process.take()
    rows = store.all("SELECT * FROM input WHERE processing_deferred = 0 ORDER BY touched")
    taken = [row["id"] for row in rows]
    assert len(taken) == 30
    assert taken != sorted(taken)
    assert {(row["status"], row["status_text"]) for row in rows} == {
        ("local_processing_queue", "Version: 2.0.0")
    }
    process.take()
    process.take()
    assert len(store.all("SELECT id FROM input WHERE processing_deferred = 0")) == len(ids)


def test_a_worker_holding_too_many_rows_takes_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    process = WorkerProcess(0, store, Options(tmp_path, rows_per_cycle=31), Clock())
    with store.write() as connection:
        for _ in range(40):
            new_input(connection, project_id=1, processing_deferred=1)
    process.take()
    process.take()
    assert len(store.all("SELECT id FROM input WHERE processing_deferred = 1")) == 9


def test_the_command_line_has_the_defaults_of_the_options(tmp_path: Path) -> None:
    given = vars(parser().parse_args(["--data", str(tmp_path)]))
    defaults = Options(tmp_path)
    for name in ("cycle", "rows_per_cycle", "workers", "image_seconds", "settle_seconds", "project", "host"):
        assert given[name] == getattr(defaults, name)
    assert (defaults.cycle, defaults.rows_per_cycle, defaults.workers, defaults.image_seconds) == (
        2,
        2,
        2,
        0.1,
    )
    settle = defaults.settle_seconds + 200 * defaults.settle_per_instance
    assert settle == pytest.approx(1.3, abs=0.05)
