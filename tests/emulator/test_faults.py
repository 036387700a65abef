"""Faults on request, and the other controls."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from airflow_provider_diffgram.emulator.control import answer
from airflow_provider_diffgram.emulator.process import EmulatorProcess

from .helpers import call, rows

LABEL = "/api/v1/project/{p}/label/new"
NAMES = "/api/v1/project/{p}/labels/view/name_to_file_id"


def names(emulator: EmulatorProcess) -> set[str]:
    return set(call(emulator, "GET", NAMES).json()["name_to_file_id"])


def new_label(emulator: EmulatorProcess, name: str) -> requests.Response:
    return call(emulator, "POST", LABEL, json={"name": name})


def test_a_status_is_answered_without_processing(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", status=502, body={"error": "bad gateway"}, times=2)
    answers = [new_label(diffgram_emulator, name) for name in ("one", "two", "three")]
    assert [one.status_code for one in answers] == [502, 502, 200]
    assert answers[0].json() == {"error": "bad gateway"}
    assert names(diffgram_emulator) == {"three"}


def test_a_reset_before_processing(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "reset_before")
    with pytest.raises(requests.ConnectionError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == set()


def test_a_reset_after_the_commit(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "reset_after")
    with pytest.raises(requests.ConnectionError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == {"one"}


def test_half_an_answer(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == {"one"}


def test_latency(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "latency", seconds=0.3)
    began = time.monotonic()
    assert new_label(diffgram_emulator, "one").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_only_matching_requests_meet_a_fault(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("labels/view", "status", method="POST")
    assert call(diffgram_emulator, "GET", NAMES).status_code == 200
    assert diffgram_emulator.control("state")["faults"] == 1
    assert diffgram_emulator.control("faults", method="DELETE") == {"faults": 0}


@pytest.mark.parametrize(
    "body", [{"match": "x", "kind": "fire"}, {"kind": "status"}, {"match": "x", "colour": 1}]
)
def test_unknown_faults_are_refused(diffgram_emulator: EmulatorProcess, body: dict[str, Any]) -> None:
    refused = requests.post(diffgram_emulator.url + "/emulator/faults", json=body, timeout=5)
    assert refused.status_code == 400


def test_controls_are_for_the_loopback_address_alone() -> None:
    assert answer(None, "GET", "/emulator/state", b"", "10.0.0.7").status == 403  # type: ignore[arg-type]
    assert answer(None, "GET", "/emulator/nothing", b"", "127.0.0.1").status == 404  # type: ignore[arg-type]


def test_a_reset_forgets_faults(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", times=5)
    diffgram_emulator.reset()
    assert new_label(diffgram_emulator, "one").status_code == 200


def test_a_paused_queue(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.pause_queue()
    before = diffgram_emulator.control("state")["waiting"]
    body = {"directory_id": 1, "type": "from_text_data", "text_data": "x", "media": {"type": "text"}}
    call(diffgram_emulator, "POST", "/api/walrus/v1/project/{p}/input/packet", json=body)
    assert diffgram_emulator.control("state")["waiting"] == before + 1
    assert [row["status"] for row in rows(diffgram_emulator)] == ["init"]
