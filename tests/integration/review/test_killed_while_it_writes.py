"""A worker killed while it writes leaves each file as it was, or whole; the next attempt ends well."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.pull import Options, pull
from airflow_provider_diffgram.review.quality.finals import LiveFiles
from airflow_provider_diffgram.review.tasks import add_tasks
from tests.integration.review.conftest import Desk
from tests.integration.review.test_struck_at_each_request import bytes_of

_DYING = """
import os, signal, sys
from pathlib import Path

import airflow_provider_diffgram.ingest.read.storage as storage

left = int(sys.argv.pop(1))
write = storage._Written.write


def part(file, content):
    global left
    left -= 1
    if left < 0:
        write(file, bytes(content)[: len(content) // 3])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, content)


storage._Written.write = part
"""
"""The worker kills itself in the middle of a write, with a part of it on the disk."""

_PULL = """
from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.review.pull import Options, pull

host, project, client_id, client_secret, folder, dataset, kind = sys.argv[1:]
client = DiffgramClient(Settings(host, project, client_id, client_secret))
pull(client, folder, dataset=dataset, only="all", options=Options(format=kind))
"""

_COMPARE = """
from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.review.comparison import Outputs, compare_in

host, project, client_id, client_secret, folder, record = sys.argv[1:]
client = DiffgramClient(Settings(host, project, client_id, client_secret))
names = ("metrics", "report", "history")
compare_in(client, [record], run="second", outputs=Outputs(**{each: f"{folder}/{each}" for each in names}))
"""


def killed_at_each_write(desk: Desk, program: str, *arguments: str) -> Iterator[None]:
    """Run a program that dies one write later each time; yield after each death, and at its end."""
    settings = desk.client.settings
    known = [settings.base_url, settings.project, settings.client_id, settings.client_secret]
    for number in range(60):
        command = [sys.executable, "-c", _DYING + program, str(number), *known, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        yield
        if ended.returncode == 0:
            return
        assert ended.returncode == -9, ended.stderr
    raise AssertionError("no end of writes")


def visible(folder: Path) -> dict[str, bytes]:
    """Return the files that are not hidden."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("kind", ["coco", "yolo-segment", "packets"])
def test_a_pull(desk: Desk, kind: str, tmp_path: Path):
    desk.files(3)
    right, folder, dataset = tmp_path / "right", tmp_path / "set", str(desk.diffgram.directory_id)
    options = Options(format=kind)  # type: ignore[arg-type]
    pull(desk.client, str(right), dataset=dataset, only="all", options=options)
    whole = visible(right)
    deaths = -1
    for _ in killed_at_each_write(desk, _PULL, str(folder), dataset, kind):
        deaths += 1
        left = visible(folder)
        assert {name for name, content in left.items() if not _is_alike(content, whole[name])} == set()
        if left.keys() < whole.keys():
            assert "manifest.json" not in left
    assert deaths > 3
    assert bytes_of(folder) == bytes_of(right)
    assert not pull(desk.client, str(folder), dataset=dataset, only="all", options=options).is_new


def _is_alike(one: bytes, other: bytes) -> bool:
    """Whether two files are the same, but for the moment at which a manifest was made."""
    if not one.startswith(b"{") or b"pulled_at" not in one + other:
        return one == other
    return {**json.loads(one), "pulled_at": ""} == {**json.loads(other), "pulled_at": ""}


def test_a_comparison(desk: Desk, tmp_path: Path):
    record, folder = tmp_path / "record.jsonl", tmp_path / "told"
    token = {"type": "text_token", "label": "cat", "start_token": 0, "end_token": 1, "machine_made": True}
    packet = {"media": {"text_data": "a b c"}, "original_filename": "0.txt", "instance_list": [token]}
    desk.diffgram.pushed([packet], record=str(record))
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, [file.id for file in desk.diffgram.files()]))
    for task in desk.tasks(job.id).values():
        desk.person.complete(task)
    history = folder / "history"
    outputs = Outputs(history=str(history))
    compare([str(record)], LiveFiles(desk.client), run="first", project="p", outputs=outputs)
    runs, deaths = ["first"], -1
    for _ in killed_at_each_write(desk, _COMPARE, str(folder), str(record)):
        deaths += 1
        told = [json.loads(line)["run"] for line in history.read_text().splitlines()]
        assert told in (["first"], ["first", "second"])
        for name in visible(folder).keys() - {"history"}:
            assert (folder / name).read_bytes()
        runs = told
    assert deaths >= 3
    assert runs == ["first", "second"]
    assert visible(folder).keys() == {"metrics", "report", "history"}
