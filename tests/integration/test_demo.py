"""``python -m demo``, as a user runs it: from nothing, again, after a loss, and interrupted."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import requests
from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, routes
from demo import nights
from demo.airflow_runs import ROOT
from demo.media import PHOTOS, SCANS
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.live_diffgram import settings

FILES = len(PHOTOS) + 1 + len(SCANS)


@dataclass(frozen=True)
class Result:
    """A finished demo."""

    code: int
    output: str
    summary: dict[str, object] | None


def environment(**more: str) -> dict[str, str]:
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "DIFFGRAM"))
    }
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return inherited | more


def command(build: Path) -> list[str]:
    return [sys.executable, "-m", "demo", "--build", str(build)]


def run_demo(build: Path, **more: str) -> Result:
    (build / "summary.json").unlink(missing_ok=True)
    done = subprocess.run(
        command(build),
        cwd=ROOT,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    summary = build / "summary.json"
    return Result(done.returncode, done.stdout, json.loads(summary.read_text()) if summary.exists() else None)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(build: Path) -> Result:
    return run_demo(build)


def test_a_second_night_keeps_what_a_person_did(first: Result):
    assert "a person deleted 1 and moved 1 of the boxes in between" in first.output
    assert "the second night: 1 taken back, 1 unchanged, 1 touched, 1 settled" in first.output
    assert "what the person did is as they left it" in first.output


def shifted(predictions: Path, pixels: int, to: Path) -> Path:
    """Write predictions as a model finds them that has learned a little: all boxes are elsewhere, a bit."""
    packets = [json.loads(line) for line in predictions.read_text().splitlines()]
    for packet in packets:
        for box in packet["instance_list"]:
            box |= {"x_min": box["x_min"] + pixels, "x_max": box["x_max"] + pixels}
    to.write_text("".join(json.dumps(packet) + "\n" for packet in packets))
    return to


def test_ten_nights_of_its_predictions_leave_as_many_boxes_as_one(build: Path, first: Result, tmp_path: Path):
    assert first.code == 0, first.output
    predictions = next((build / "predictions").glob("diffgram_push_predictions*.jsonl"))
    counted: list[dict[str | None, int]] = []
    with EmulatorProcess.start(tmp_path / "emulator", rate_limit=False) as emulator:
        labelled = emulator.with_project("nights", labels=("face",))
        client = DiffgramClient(settings(labelled))
        directory_id = client.send(routes.create_dataset(client.project, nights.DATASET)).id
        for number in range(1, 11):
            found = shifted(predictions, number, tmp_path / f"{number}.jsonl")
            night = nights.push_night(client, found, build / "media" / "photos", f"night {number}", 0.3)
            assert night.not_sent == 0
            listed = client.send(routes.explore_files(client.project, directory_id)).file_list
            counted.append({file.original_filename: len(file.instance_list) for file in listed})
            runs = {row["model_run_id"] for file in listed for row in file.instance_list}
            assert len(runs) == 1, "all are of the last night"
    assert len(counted[0]) == len(PHOTOS)
    assert sum(counted[0].values()) >= 3
    assert counted == [counted[0]] * 10


@pytest.fixture(scope="module")
def second(build: Path, first: Result) -> Result:
    assert first.code == 0, first.output
    return run_demo(build)


def numbers(result: Result) -> dict[str, object]:
    assert result.summary is not None, result.output
    return {key: value for key, value in result.summary.items() if key != "server"}


def test_the_first_run_stores_everything(first: Result):
    assert first.code == 0, first.output
    counts = numbers(first)
    assert list(counts) == ["files", "instances", "succeeded", "failed", "skipped"]
    assert (counts["files"], counts["failed"], counts["skipped"]) == (FILES, 0, 0)
    assert counts["succeeded"] == FILES
    assert isinstance(counts["instances"], int)
    assert counts["instances"] >= 10
    assert f"({FILES} and {counts['instances']} of them new)" in first.output


def test_the_table_and_the_summary_agree(first: Result):
    rows = re.findall(r"^(\S+) +(\d+)  (new|was there already)$", first.output, flags=re.MULTILINE)
    assert len(rows) == FILES
    assert sum(int(count) for _, count, _ in rows) == numbers(first)["instances"]


def test_it_says_what_the_models_get_wrong(build: Path, first: Result):
    quality = json.loads((build / "quality.json").read_text())
    assert sum(each["visible"] for each in quality["faces"]) == 2
    false = sum(each["false"] for each in quality["faces"])
    missed = sum(each["missed"] for each in quality["faces"])
    assert f"{missed} missed, {false} boxes where there is no face" in first.output
    assert [each["counted"] for each in quality["lines"]] == [scan.lines for scan in SCANS]


def test_a_person_mends_what_the_model_got_wrong_and_it_comes_back(
    build: Path, first: Result, second: Result
):
    photos = len(PHOTOS)
    assert f"reviewed by a person: {photos} of {photos} photographs" in first.output
    assert "2 boxes around no face are deleted, 0 missed faces are drawn" in first.output
    assert "predicted: 0 faces missed, 2 boxes where there is no face" in first.output
    assert "came back: 0 faces missed, 0 boxes where there is no face" in first.output
    version = re.findall(r"pulled: version (\w+), 8 files, 2 annotations$", first.output, re.MULTILINE)
    assert f"pulled: version {version[0]}, 8 files, 2 annotations; nothing changed" in second.output
    assert "compared: people kept 2 of 4 predictions (15 to 85 %), deleted 2, drew 0 more" in first.output
    assert "compared: people kept 2 of 4 predictions (15 to 85 %), deleted 2, drew 0 more" in second.output
    page = next((build / "compared").glob("*/page.html"))
    assert page.read_text().count("data:image/jpeg") == 2, "the photographs that were corrected"
    lines = [
        json.loads(line)
        for path in (build / "reviewed").glob(f"*/{version[0]}/packets.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert sum(len(line["instance_list"]) for line in lines) == 2


def test_there_is_a_picture_of_every_file_with_an_image(build: Path, first: Result):
    names = {path.name for path in (build / "pictures").iterdir()}
    assert len(names) == len(PHOTOS) + len(SCANS) + 2, "one of all, one of before and after the review"
    for name in names:
        with Image.open(build / "pictures" / name) as picture:
            picture.verify()
    with Image.open(build / "pictures" / "overview.png") as overview:
        assert overview.width == 1200


def test_a_second_run_adds_nothing_and_says_so(first: Result, second: Result):
    assert second.code == 0, second.output
    expected = numbers(first) | {"succeeded": 0, "skipped": FILES}
    assert numbers(second) == expected
    assert (
        f"nothing new: {FILES} files, {expected['instances']} instances were already there" in second.output
    )
    assert "nothing new" not in first.output


def test_no_secret_is_written_anywhere(build: Path, first: Result, second: Result):
    with EmulatorProcess.start(build / "emulator") as emulator:
        secrets = set(secret_forms(emulator))
        own = {
            path
            for path in files(build / "emulator")
            if any(secret in path.read_bytes() for secret in secrets)
        }
    assert own, "the search must find the secret where it is known to be"
    for result in (first, second):
        assert not any(secret.decode() in result.output for secret in secrets)
    searched = [path for path in files(build) if build / "emulator" not in path.parents]
    assert {"airflow.log", "airflow.db", "overview.png", "summary.json"} <= {path.name for path in searched}
    assert holding(secrets, searched) == []


def holding(secrets: set[bytes], paths: list[Path]) -> list[Path]:
    return [path for path in paths if any(secret in path.read_bytes() for secret in secrets)]


def secret_forms(emulator: EmulatorProcess) -> Iterator[bytes]:
    for one in emulator.credentials.values():
        pair = f"{one.client_id}:{one.client_secret}"
        yield from (text.encode() for text in (one.client_secret, quote(one.client_secret, "")))
        yield base64.b64encode(pair.encode())


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_lost_instance_is_noticed(build: Path, second: Result):
    """One of a page: what is gone of a photograph, the push of a new run finds and brings again."""
    of_pages = (
        "SELECT min(instance.id) FROM instance JOIN file ON file.id = instance.file_id"
        " WHERE file.original_filename LIKE 'scanned-document-page-%'"
    )
    with sqlite3.connect(build / "emulator" / "emulator.sqlite") as database:
        change = f"UPDATE instance SET soft_delete = 1 WHERE id = ({of_pages})"
        assert database.execute(change).rowcount == 1
    third = run_demo(build)
    assert third.code == 1, third.output
    assert "1 predictions are not stored" in third.output
    assert numbers(third)["instances"] == int(str(numbers(second)["instances"])) - 1


def started(arguments: list[str]) -> subprocess.Popen[str]:
    """Start a demo that SIGINT reaches, even where the tests run in the background, which ignores it."""
    return subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_serve_shows_what_is_stored_until_it_is_interrupted(build: Path, first: Result):
    child = started([*command(build), "serve"])
    try:
        assert child.stdout is not None
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", child.stdout.readline())
        answer = requests.get(url, timeout=10)
        assert answer.ok
        assert "airflow-demo" in answer.text
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=15) == 130
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=10)
    finally:
        child.kill()
        child.wait()


def test_a_wrong_secret_is_told_in_a_line_and_kept(tmp_path: Path, diffgram_emulator: EmulatorProcess):
    secret = "not-the-right-one-at-all"
    result = run_demo(
        tmp_path,
        DIFFGRAM_URL=diffgram_emulator.url,
        DIFFGRAM_PROJECT=diffgram_emulator.project,
        DIFFGRAM_CLIENT_ID=diffgram_emulator.client_id,
        DIFFGRAM_CLIENT_SECRET=secret,
    )
    assert result.code == 1
    assert "FAILED: " in result.output
    assert "Traceback" not in result.output
    assert f"Diffgram at {diffgram_emulator.url}" in result.output
    assert secret not in result.output
    assert not any(secret.encode() in path.read_bytes() for path in files(tmp_path))


def test_half_an_address_is_not_taken_for_none(tmp_path: Path):
    result = run_demo(tmp_path, DIFFGRAM_URL="http://127.0.0.1:9")
    assert result.code == 1
    assert "set DIFFGRAM_PROJECT, DIFFGRAM_CLIENT_ID, DIFFGRAM_CLIENT_SECRET too" in result.output


@pytest.mark.parametrize(
    "sent, code, after", [(signal.SIGINT, 130, "starting Airflow"), (signal.SIGTERM, 143, "Airflow is ready")]
)
def test_an_interrupted_demo_leaves_no_process_behind(tmp_path: Path, sent: int, code: int, after: str):
    child = started(command(tmp_path))
    try:
        assert child.stdout is not None
        assert any(after in line for line in child.stdout)
        deadline = time.monotonic() + 20
        while len(descendants := psutil.Process(child.pid).children(recursive=True)) < 2:
            assert time.monotonic() < deadline, descendants
            time.sleep(0.05)
        child.send_signal(sent)
        child.stdout.read()
        assert child.wait(timeout=30) == code
        _, alive = psutil.wait_procs(descendants, timeout=30)
        assert alive == []
    finally:
        child.kill()
        child.wait()
