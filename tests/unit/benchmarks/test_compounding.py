"""The family ``compound``: ours, and one that does as the official client does, against the emulator."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import compound
from benchmarks.compound import OURS, PEER, run
from benchmarks.compound_files import make_children
from benchmarks.server import serving
from benchmarks.workers import Client

PROJECT = """
import requests

class Project:
    def __init__(self, project_string_id, client_id, client_secret, host):
        self.host, self.name = host, project_string_id
        self.session, self.file = requests.Session(), self
        self.session.auth = (client_id, client_secret)

    def set_directory_by_name(self, name):
        self.directory_id = 2

    def from_local(self, path, directory_id, **child):
        import json
        body = {"directory_id": directory_id, **child}
        url = f"{self.host}/api/walrus/v1/project/{self.name}/input/from_local"
        with open(path, "rb") as file:
            parts = {"file": (path.rpartition("/")[2], file), "json": (None, json.dumps(body))}
            self.session.post(url, files=parts).raise_for_status()
"""

COMPOUND_FILE = """
class CompoundFile:
    def __init__(self, project, name, directory_id):
        self.project, self.name, self.directory_id, self.paths = project, name, directory_id, []

    def add_child_from_local(self, path, instance_list):
        self.paths.append(path)

    def upload(self):
        print("uploading")
        project, new = self.project, {"name": self.name, "directory_id": self.directory_id}
        url = f"{project.host}/api/v1/project/{project.name}/file/new-compound"
        answer = project.session.post(url, json=new)
        parent = answer.json()["file"]["id"] if answer.ok else 1 + self.directory_id  # the only parent
        for ordinal, path in enumerate(self.paths):
            project.from_local(path, self.directory_id, parent_file_id=parent, ordinal=ordinal)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The official client's process, with modules that answer to its names instead of it."""
    package = tmp_path / "modules" / "diffgram"
    (package / "file").mkdir(parents=True)
    (package / "__init__.py").write_text(PROJECT)
    (package / "file" / "__init__.py").touch()
    (package / "file" / "compound_file.py").write_text(COMPOUND_FILE)
    paths = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    client = Client("peer", (sys.executable, *PEER.command[1:]))
    monkeypatch.setattr(compound, "PEER", client)
    monkeypatch.setattr(compound, "REPEATS", 1)
    monkeypatch.setattr(compound, "LATENCY_MS", 0)
    return client


def test_what_was_there_when_ours_was_killed_is_not_sent_again():
    told: list[str] = []
    resent = compound._resume(40, 5, told.append)
    assert (resent.name, resent.ours, resent.ok) == ("compound.resume.resent", 0, True)
    there = int(told[0].split()[4])
    assert 5 < there < 40, told


def test_one_that_sends_everything_again_is_found_out(stand_in: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compound, "OURS", stand_in)
    resent = compound._resume(8, 5, lambda _: None)
    assert (resent.ours, resent.ok) == (6, False)


def test_children_that_are_missing_or_doubled_end_the_measurement(stand_in: Client, tmp_path: Path):
    paths = make_children(tmp_path, 3)
    with serving() as server:
        run(OURS, server, "children", paths, tmp_path)
        compound._insist(server, paths)
        with pytest.raises(RuntimeError, match="3 children are there, not the 2"):
            compound._insist(server, paths[:2])
        run(stand_in, server, "children", paths[:1], tmp_path)
        with pytest.raises(RuntimeError, match="4 children are there, not the 3"):
            compound._insist(server, paths)


def test_a_failure_ends_the_measurement(tmp_path: Path):
    with serving() as server, pytest.raises(RuntimeError, match=r"ours: [^$]*no-such\.png"):
        run(OURS, server, "children", [tmp_path / "no-such.png"], tmp_path)
