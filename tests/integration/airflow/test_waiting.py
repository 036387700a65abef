"""Waits in DAG runs of a real Airflow: who waits, for what, by which rules, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset
from airflow_provider_diffgram.ingest.send.push import push
from tests.integration.ingest.served_media import serving

BOX = {"type": "box", "label": "cat", "x_min": 2, "y_min": 3, "x_max": 10, "y_max": 11}
TAG = {"type": "tag", "label": "cat"}


def text(name: str, *instances: dict[str, Any]) -> dict[str, Any]:
    packet = {"media": {"text_data": "hello"}, "original_filename": name}
    return packet | ({"instance_list": list(instances)} if instances else {})


@pytest.fixture
def by_url() -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes packets by URL: of a medium that is there, or not."""
    with serving() as media:

        def packet(name: str, *instances: dict[str, Any], gone: bool = False) -> dict[str, Any]:
            url = {"url": media.url(f"gone/{name}" if gone else name), "type": "image"}
            return {"media": url, "original_filename": name, "instance_list": list(instances)}

        yield packet


def told(caplog: Any, capfd: Any) -> str:
    return caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize("dag_id", ["send_that_waits_deferred", "send_that_waits_here"])
def test_an_operator_waits_itself_and_returns_the_receipt(run_dag, client, dag_id):
    ran = run_dag(dag_id, packets=[text("a.txt"), text("b.txt")])
    assert ran.state == "success", ran.states
    assert (ran.results["send"]["expected"], ran.results["send"]["succeeded"]) == (2, 2)


def test_a_decorated_task_waits_itself(run_dag, client):
    ran = run_dag("push_that_waits", packets=[text("a.txt"), text("b.txt")])
    assert ran.state == "success", ran.states
    assert ran.results["predictions"]["succeeded"] == 2


def test_an_operator_that_waits_tells_what_failed_and_puts_up_with_so_many(
    run_dag, client, by_url, tmp_path, caplog, capfd
):
    packets = [text("a.txt"), by_url("gone.jpg", gone=True)]
    report = tmp_path / "report.jsonl"
    ran = run_dag("send_that_waits_here", packets=packets, report=str(report))
    assert ran.states == {"send": {"failed"}}
    assert "gone.jpg" in told(caplog, capfd)
    outcomes = [json.loads(line) for line in report.read_text().splitlines()]
    assert {each["name"]: each["outcome"] for each in outcomes}["gone.jpg"] == "failed"
    again = run_dag("send_that_waits_here", packets=packets, report=str(report), max_failed=1)
    assert again.state == "success", again.states


def test_wrong_rules_are_refused_before_anything_is_sent_all_at_once(run_dag, client, caplog, capfd):
    ran = run_dag("send_that_waits_by_wrong_rules", packets=[text("a.txt")])
    assert (ran.states, ran.tries) == ({"send": {"failed"}}, {"send": 1})
    words = told(caplog, capfd)
    assert "parameters: 10 problems; nothing was sent" in words
    for problem in (
        "if_exists must be one of",
        "delivery must be one of 'auto', 'upload', 'queue', not 'by post'",
        "concurrency must be 1 to 32",
        "unknown_labels must be one of",
        "verify must be one of",
        "on_stuck must be one of",
        "if_killed must be one of",
        "stall_timeout must be above 0",
        "max_failed must be a number",
        "cannot write /nowhere/report.jsonl",
    ):
        assert problem in words
    listed = client.send(routes.list_files(client.project, find_dataset(client, "Default").id))
    assert listed.file_list == []


def test_batches_inputs_and_children_are_waited_for_without_a_handle(run_dag, client):
    handle = push(client, [text("a.txt"), text("b.txt")], dataset="Default")
    directory = find_dataset(client, "Default").id
    parent = client.send(routes.create_compound(client.project, directory, "pages", "compound", [])).id
    children = [{**text(f"{n}.txt"), "parent_file_id": parent, "ordinal": n} for n in range(3)]
    push(client, children, dataset="Default")
    batch_ids = [batch.id for batch in handle.batches]
    rows = client.send(routes.list_inputs(client.project, batch_id=batch_ids[0]))
    ran = run_dag(
        "wait_for_targets",
        batch_ids=batch_ids,
        input_ids=[row.id for row in rows],
        parent_file_id=parent,
        expected_count=3,
    )
    assert ran.state == "success", ran.states
    counts = {task: (each["expected"], each["succeeded"]) for task, each in ran.results.items()}
    assert counts == {"batches": (2, 2), "inputs": (2, 2), "children": (3, 3)}


@pytest.mark.parametrize("dag_id, task", [("wait_by_rules", "wait"), ("send_that_waits_deferred", "send")])
def test_what_was_uploaded_is_not_waited_for_in_the_triggerer(
    run_dag, client, by_url, tmp_path, caplog, capfd, dag_id, task
):
    packets = [by_url("a.png", BOX), by_url("b.png", BOX)]
    conf = {"max_failed": 0, "report": str(tmp_path / "report.jsonl"), "delivery": "upload"}
    ran = run_dag(dag_id, packets=packets, **conf)
    assert ran.state == "success", ran.states
    receipt = ran.results[task]
    assert (receipt["succeeded"], receipt["delivered"]) == (2, {"upload": 2})
    listed = client.send(routes.list_files(client.project, find_dataset(client, "Default").id)).file_list
    assert receipt["file_ids"] == sorted(file.id for file in listed)
    assert "waiting in the triggerer" not in told(caplog, capfd)


def test_wrong_targets_fail_without_a_retry(run_dag, client, caplog, capfd):
    ran = run_dag("wait_for_wrong_targets")
    assert ran.states == {"two": {"failed"}, "half": {"failed"}, "unknown": {"failed"}}
    assert set(ran.tries.values()) == {1}
    words = told(caplog, capfd)
    for problem in ("exactly one of", "go together", "no such input"):
        assert problem in words
    assert "wait: 3 problems" in words, "targets, rules and report at once"
    assert "nothing was sent" not in words, "a sensor sends nothing"


def test_a_deferred_wait_obeys_max_failed_and_writes_its_report(run_dag, client, by_url, tmp_path):
    packets = [text("a.txt", TAG), by_url("gone.jpg", BOX, gone=True)]
    report = tmp_path / "report.jsonl"
    ran = run_dag("wait_by_rules", packets=packets, max_failed=0.5, report=str(report))
    assert ran.state == "success", ran.states
    assert (ran.results["wait"]["succeeded"], ran.results["wait"]["failed"]) == (1, 1)
    outcomes = [json.loads(line) for line in report.read_text().splitlines()]
    assert {each["name"]: each["outcome"] for each in outcomes} == {
        "a.txt": "succeeded",
        "gone.jpg": "failed",
    }


@pytest.mark.parametrize("dag_id", ["wait_and_retry_deferred", "wait_and_retry_poking"])
def test_what_is_stuck_is_retried_by_the_worker_and_comes_in(
    run_dag, client, by_url, diffgram_emulator, dag_id
):
    diffgram_emulator.row_fault("late.png", "stuck")
    ran = run_dag(dag_id, packets=[by_url("late.png", BOX), text("a.txt")], delivery="queue")
    assert ran.state == "success", ran.states
    assert ran.results["wait"]["succeeded"] == 2


def test_what_is_stuck_fails_the_wait_by_name(run_dag, client, by_url, diffgram_emulator, caplog, capfd):
    diffgram_emulator.row_fault("late.png", "stuck")
    ran = run_dag("wait_until_stuck", packets=[by_url("late.png", BOX)], delivery="queue")
    assert ran.states == {"send": {"success"}, "wait": {"failed"}}
    words = told(caplog, capfd)
    assert "late.png" in words
    assert "nothing has moved for 1 s" in words


def test_a_rescheduled_wait_ends_as_any_other(run_dag, client):
    ran = run_dag("wait_rescheduled", packets=[text("a.txt", TAG)])
    assert ran.state == "success", ran.states
    assert ran.results["wait"]["succeeded"] == 1


def test_time_that_is_over_names_what_is_pending_and_is_not_retried(
    run_dag, client, diffgram_emulator, caplog, capfd
):
    diffgram_emulator.row_fault("late.txt", "stuck")
    ran = run_dag("wait_for_too_short", packets=[text("late.txt")])
    assert (ran.states["wait"], ran.tries["wait"]) == ({"failed"}, 1)
    words = told(caplog, capfd)
    assert "not settled in time" in words
    assert "late.txt" in words


def test_a_report_that_cannot_be_written_hides_no_verdict(
    run_dag, client, by_url, diffgram_emulator, caplog, capfd
):
    packets = [text("a.txt"), by_url("gone.jpg", gone=True)]
    assert run_dag("send_that_waits_here", packets=packets, report="/dev/full").state == "failed"
    words = told(caplog, capfd)
    assert "gone.jpg" in words
    assert "The report was not written: cannot write /dev/full: No space left on device" in words
    diffgram_emulator.row_fault("late.txt", "stuck")
    assert run_dag("wait_for_too_short", packets=[text("late.txt")], report="/dev/full").state == "failed"
    words = told(caplog, capfd)
    assert "not settled in time" in words
    assert "The report was not written" in words


def test_only_the_report_is_missing_where_only_the_report_cannot_be_written(run_dag, client, caplog, capfd):
    assert run_dag("send_that_waits_here", packets=[text("a.txt")], report="/dev/full").state == "failed"
    told_at_the_end = "The inputs are settled: 1 expected: 1 succeeded. Only the report was not written: "
    assert told_at_the_end in told(caplog, capfd)
