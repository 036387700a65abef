"""Operators, sensor and trigger in DAG runs of a real Airflow, against the emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset

BOX = {"type": "box", "label": "cat", "x_min": 2, "y_min": 3, "x_max": 20, "y_max": 30, "score": 0.5}


def text_packet(name: str) -> dict[str, Any]:
    return {"media": {"text_data": "hello"}, "original_filename": name}


def path_packet(path: str, name: str, *instances: dict[str, Any]) -> dict[str, Any]:
    return {"media": {"path": path}, "original_filename": name, "instance_list": list(instances)}


def stored(client: DiffgramClient) -> dict[str | None, int | None]:
    page = client.send(routes.list_files(client.project, find_dataset(client, "Default").id))
    return {file.original_filename: file.count_instances_changed for file in page.file_list}


@pytest.mark.parametrize("dag_id", ["send_and_wait_deferred", "send_and_wait_poking"])
def test_what_is_sent_is_waited_for_and_a_second_run_sends_nothing(run_dag, client, picture, dag_id):
    packets = [text_packet("a.txt"), path_packet(picture, "one.png", BOX)]
    first = run_dag(dag_id, packets=packets, dataset="Default")
    assert first.state == "success", first.states
    assert first.results["send"]["done_at_send"] == 1
    assert first.results["wait"]["succeeded"] == 2
    assert stored(client) == {"a.txt": None, "one.png": 1}

    second = run_dag(dag_id, packets=packets, dataset="Default")
    assert second.results["wait"]["skipped"] == 2
    assert second.results["send"]["batches"] == []
    assert stored(client) == {"a.txt": None, "one.png": 1}


@pytest.mark.parametrize("dag_id", ["send_and_wait_deferred", "send_and_wait_poking"])
def test_a_failed_input_fails_the_wait_at_once(run_dag, client, caplog, capfd, diffgram_emulator, dag_id):
    url = f"{diffgram_emulator.url}/api/walrus/nothing-here.jpg"
    packet = {"media": {"url": url}, "original_filename": "gone.jpg"}
    ran = run_dag(dag_id, packets=[packet], dataset="Default")
    assert ran.states == {"send": {"success"}, "wait": {"failed"}}
    output = caplog.text + "".join(capfd.readouterr())
    assert "gone.jpg" in output
    assert "no valid response (404)" in output


@pytest.mark.parametrize("dag_id", ["send_and_wait_softly", "send_and_wait_softly_poking"])
def test_soft_fail_skips_however_the_sensor_waits(run_dag, client, diffgram_emulator, dag_id):
    url = f"{diffgram_emulator.url}/api/walrus/nothing-here.jpg"
    packet = {"media": {"url": url}, "original_filename": "gone.jpg"}
    ran = run_dag(dag_id, packets=[packet], dataset="Default")
    assert ran.states == {"send": {"success"}, "wait": {"skipped"}}


def test_bad_input_fails_without_a_retry_and_names_all_problems(run_dag, client, caplog, capfd, tmp_path):
    lines = [
        {"media": {"url": "https://media.test/a.jpg"}, "instance_list": [{**BOX, "label": "unicorn"}]},
        {"media": {"url": "https://media.test/b.jpg"}, "instance_list": [{**BOX, "x_max": 1}]},
        {"media": {"path": str(tmp_path / "missing.png")}},
        {},
    ]
    path = tmp_path / "packets.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    ran = run_dag("send_from_file_with_retries", path=str(path))
    assert ran.states == {"send": {"failed"}}
    assert ran.tries == {"send": 1}
    output = caplog.text + "".join(capfd.readouterr())
    for words in ("'unicorn'", "x_max", "missing.png", "neither media nor file_id"):
        assert words in output, words
    assert stored(client) == {}


def test_a_json_lines_file_is_sent(run_dag, client, tmp_path, picture):
    path = tmp_path / "packets.jsonl"
    path.write_text("\n".join(json.dumps(path_packet(picture, f"{n}.png", BOX)) for n in range(3)))
    ran = run_dag("send_from_file_with_retries", path=str(path))
    assert ran.state == "success"
    assert stored(client) == {"0.png": 1, "1.png": 1, "2.png": 1}


def test_mapped_tasks_send_and_one_sensor_waits_for_all(run_dag, client, picture):
    chunks = [[text_packet(f"{n}.txt"), path_packet(picture, f"{n}.png", BOX)] for n in range(3)]
    ran = run_dag("send_mapped", chunks=chunks)
    assert ran.state == "success", ran.states
    assert len(ran.results["send"]) == 3
    assert ran.results["wait"]["succeeded"] == ran.results["wait"]["expected"] == 6


def test_children_come_from_a_folder_and_failed_ones_are_repaired(
    run_dag, client, tmp_path, picture, diffgram_emulator
):
    for n in range(3):
        (tmp_path / "pages").mkdir(exist_ok=True)
        (tmp_path / "pages" / f"{n}.png").write_bytes(Path(picture).read_bytes())
    broken = (tmp_path / "pages" / "1.png").read_bytes()
    (tmp_path / "pages" / "1.png").write_bytes(b"no picture")
    first = run_dag("compound_from_folder", folder=str(tmp_path / "pages"))
    assert first.states == {"create": {"success"}, "upload": {"failed"}}
    (tmp_path / "pages" / "1.png").write_bytes(broken)
    second = run_dag("compound_from_folder", folder=str(tmp_path / "pages"))
    assert second.state == "success", second.states
    parent = second.results["create"]["file_id"]
    children = client.send(routes.list_children(client.project, parent))
    assert sorted((child.ordinal, child.original_filename[0]) for child in children) == [
        (0, "0"),
        (1, "1"),
        (2, "2"),
    ]
    rows = client.send(routes.list_inputs(client.project, parent_file_id=parent))
    assert [row.status for row in rows] == ["success"] * 3, "what failed is archived"


def test_compound_files_are_mapped_and_carried_on(run_dag, client, picture):
    children = [
        {
            "media": {"path": picture},
            "ordinal": n,
            "original_filename": f"page-{n}.png",
            "instance_list": [BOX],
        }
        for n in range(2)
    ]
    first = run_dag("compound_mapped", names=["scan-a", "scan-b"], children=children[:1])
    assert first.state == "success", first.states
    assert [each["created"] for each in first.results["create"]] == [True, True]

    second = run_dag("compound_mapped", names=["scan-a", "scan-b"], children=children)
    assert second.state == "success", second.states
    assert [each["created"] for each in second.results["create"]] == [False, False]
    assert [(each["skipped"], each["succeeded"]) for each in second.results["wait"]] == [(1, 1), (1, 1)]
    for parent in second.results["create"]:
        pages = client.send(routes.list_children(client.project, parent["file_id"]))
        assert sorted((page.ordinal, page.original_filename) for page in pages) == [
            (0, "page-0.png"),
            (1, "page-1.png"),
        ]


def test_xcoms_are_small_json(run_dag, client, picture):
    packets = [path_packet(picture, f"{n}.png", BOX) for n in range(20)]
    ran = run_dag("send_and_wait_deferred", packets=packets, dataset="Default")
    for result in ran.results.values():
        assert len(json.dumps(result)) < 1000
