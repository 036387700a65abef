"""The processes that send, ours and one that does as the official client does, against the emulator."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import workers
from benchmarks.__main__ import FAMILIES, main
from benchmarks.server import serving
from benchmarks.workers import OURS, Client, run

STAND_IN = """
import requests

class Project:
    def __init__(self, project_string_id, client_id, client_secret, host):
        self.address = f"{host}/api/walrus/v1/project/{project_string_id}/input/packet"
        self.auth, self.file = (client_id, client_secret), self
        self.labels = requests.get(
            f"{host}/api/v1/project/{project_string_id}/labels/view/name_to_file_id", auth=self.auth
        ).json()["name_to_file_id"]

    def set_directory_by_name(self, name):
        self.directory_id = 2

    def from_packet(self, packet):
        for instance in packet["instance_list"]:
            instance["label_file_id"] = self.labels[instance["name"]]
        print("sending")
        answer = requests.post(self.address, json=packet, auth=self.auth)
        if answer.status_code != 200:
            raise Exception("Rate Limited")
        return True
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The official client's process, with a module that answers to its names instead of it."""
    (tmp_path / "diffgram.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return Client("peer", (sys.executable, str(Path(workers.__file__).with_name("peer.py"))))


def test_what_the_peer_raises_is_its_result_and_what_it_sent_counts(stand_in: Client):
    with serving() as server:
        ended = run(stand_in, server, 200)
    assert ended.errors == ["Exception: Rate Limited"]
    assert len(ended.accepted) == len(ended.reported) >= 20
    assert ended.requests == len(ended.accepted) + 2


def test_our_failure_ends_the_measurement(monkeypatch: pytest.MonkeyPatch):
    with serving(rate_limit=False) as server:
        monkeypatch.setattr("benchmarks.server.DATASET", "elsewhere")
        with pytest.raises(RuntimeError, match="elsewhere"):
            run(OURS, server, 3)


def test_a_family_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["pull"])
    assert f"no such family: pull; there are {', '.join(FAMILIES)}" in capsys.readouterr().err
