"""Tasks that push, in DAG runs of a real Airflow: generators, reports, failures allowed, retries, ends."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset
from airflow_provider_diffgram.ingest.send.push import PushError
from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator

REFUSAL = {"log": {"error": {"media": "no such thing"}, "info": {}, "success": False}}


def text_packet(name: str) -> dict[str, Any]:
    return {"media": {"text_data": "hello"}, "original_filename": name}


def stored(client: DiffgramClient, dataset: str = "Default") -> dict[str | None, int | None]:
    page = client.send(routes.list_files(client.project, find_dataset(client, dataset).id))
    return {file.original_filename: file.count_instances_changed for file in page.file_list}


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the only report in a folder."""
    (report,) = folder.glob("*.jsonl")
    return [json.loads(line) for line in report.read_text().splitlines()]


def test_what_a_generator_yields_is_pushed_and_the_task_returns_the_handle(
    run_dag, client, picture, tmp_path
):
    client.send(routes.create_dataset(client.project, "night"))
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    conf = {"day": "monday", "picture": picture, "dataset": "night"}
    first = run_dag("push_generated", **conf, folder=str(tmp_path / "first"))
    assert first.state == "success", first.states
    assert stored(client, "night") == {"monday-0.png": 1, "monday-1.png": 1}
    assert (first.results["predictions"]["expected"], first.results["wait"]["succeeded"]) == (2, 2)
    outcomes = {(line["name"], line["outcome"]) for line in lines(tmp_path / "first")}
    assert outcomes == {("monday-0.png", "sent"), ("monday-1.png", "sent")}
    assert next((tmp_path / "first").glob("*.jsonl")).stem.startswith("manual__")

    second = run_dag("push_generated", **conf, folder=str(tmp_path / "second"))
    assert second.results["wait"]["skipped"] == 2
    assert {line["outcome"] for line in lines(tmp_path / "second")} == {"skipped"}


def test_a_function_that_returns_a_list_runs_once_it_is_known_that_the_dataset_is_there(
    run_dag, client, picture, tmp_path
):
    ran = tmp_path / "ran"
    conf = {"picture": picture, "dataset": "night", "ran": str(ran)}
    assert run_dag("push_returned", **conf).state == "failed"
    assert not ran.exists()
    client.send(routes.create_dataset(client.project, "night"))
    assert run_dag("push_returned", **conf).state == "success"
    assert ran.exists()
    assert stored(client, "night") == {"monday-0.png": 1, "monday-1.png": 1}


def test_a_generator_is_expanded_over_days(run_dag, client, picture):
    ran = run_dag("push_generated_by_day", days=["monday", "tuesday", "friday"], picture=picture)
    assert ran.state == "success", ran.states
    assert [each["expected"] for each in ran.results["predictions"]] == [2, 2, 2]
    assert ran.results["wait"]["succeeded"] == 6
    names = {f"{day}-{number}.png": 1 for day in ("monday", "tuesday", "friday") for number in range(2)}
    assert stored(client) == names


def test_a_generator_that_raises_fails_its_task_and_the_retry_completes_it(
    run_dag, client, picture, caplog, capfd
):
    ran = run_dag("push_what_raises", picture=picture)
    assert (ran.state, ran.tries) == ("success", {"predictions": 2})
    assert "the model broke" in caplog.text + "".join(capfd.readouterr())
    assert stored(client) == {"monday-0.png": 1, "monday-1.png": 1}


@pytest.mark.parametrize("raises, state", [("skip", "skipped"), ("fail", "failed")])
def test_what_a_generator_raises_decides_on_its_task_and_what_it_yielded_is_sent(
    run_dag, client, picture, caplog, capfd, raises, state
):
    ran = run_dag("push_what_raises", picture=picture, raises=raises)
    assert ran.states == {"predictions": {state}}
    assert ran.tries == {"predictions": 1}
    told = "2 packets were yielded before: 2 sent, 0 failed, 0 skipped"
    assert told in caplog.text + "".join(capfd.readouterr())
    assert stored(client) == {"monday-0.png": 1, "monday-1.png": 1}


@pytest.mark.parametrize(
    "max_failed, state", [("0", "failed"), ("1", "success"), ("0.5", "success"), ("0.2", "failed")]
)
def test_failures_allowed_may_be_a_template(run_dag, client, diffgram_emulator, tmp_path, max_failed, state):
    diffgram_emulator.fault("input/packet", "status", status=400, body=REFUSAL, text="b.txt")
    packets = [text_packet(name) for name in ("a.txt", "b.txt")]
    ran = run_dag("push_some_may_fail", packets=packets, max_failed=max_failed, folder=str(tmp_path))
    assert ran.state == state
    by_name = {line["name"]: line for line in lines(tmp_path)}
    assert by_name["a.txt"] == {"name": "a.txt", "outcome": "sent", "delivery": "queue"}
    assert (by_name["b.txt"]["outcome"], "no such thing" in by_name["b.txt"]["reason"]) == ("failed", True)
    if state == "success":
        assert ran.results["send"]["not_sent"] == 1


def test_a_number_that_is_none_is_told_and_not_retried(run_dag, client, tmp_path, caplog, capfd):
    ran = run_dag(
        "push_some_may_fail", packets=[text_packet("a.txt")], max_failed="some", folder=str(tmp_path)
    )
    assert ran.states == {"send": {"failed"}}
    assert "max_failed" in (output := caplog.text + "".join(capfd.readouterr()))
    assert "must be a number, not 'some'" in output
    assert client.send(routes.list_inputs(client.project)) == []


def test_what_to_do_with_files_that_are_there_may_be_a_template(run_dag, client, picture, tmp_path):
    def packet(left: int) -> dict[str, Any]:
        box = {"type": "box", "label": "cat", "x_min": left, "y_min": 3, "x_max": 20, "y_max": 30}
        return {"media": {"path": picture}, "original_filename": "a.png", "instance_list": [box]}

    conf = {"max_failed": "0", "folder": str(tmp_path)}
    assert run_dag("push_some_may_fail", packets=[packet(1)], **conf).state == "success"
    ran = run_dag("push_some_may_fail", packets=[packet(5)], if_exists="append", **conf)
    assert (ran.results["send"]["skipped"], ran.results["send"]["delivered"]) == (0, {"update": 1})
    assert run_dag("push_some_may_fail", packets=[packet(7)], if_exists="overwrite", **conf).state == "failed"


@pytest.fixture
def remembered() -> Any:
    """Reads what the task of ``push_retried`` stored last."""
    models = pytest.importorskip("airflow.models.task_state_store", reason="Airflow has it from 3.3 on")
    from airflow.utils.session import create_session

    def read() -> Any:
        table = models.TaskStateStoreModel
        with create_session() as session:
            rows = session.query(table).filter(table.dag_id == "push_retried").order_by(table.id.desc())
            return json.loads(rows.first().value)

    return read


def test_a_retry_remembers_the_batches_of_the_attempt_before(
    run_dag, client, connection, diffgram_emulator, remembered
):
    connection(extra={"retry_timeout": 0})
    diffgram_emulator.fault("input/packet", "reset_before", skip=1)
    ran = run_dag("push_retried", packets=[text_packet(name) for name in ("a.txt", "b.txt", "c.txt")])
    assert (ran.state, ran.tries) == ("success", {"send": 2})
    rows = client.send(routes.list_inputs(client.project))
    assert sorted(str(row.original_filename) for row in rows) == ["a.txt", "b.txt", "c.txt"]
    batches = sorted({row.batch_id for row in rows})
    assert len(batches) == 2, "each attempt has a batch of its own"
    ranges = remembered()
    assert [number for first, last in ranges for number in range(first, last + 1)] == batches


def test_a_killed_task_sends_nothing_more(connection, client, diffgram_emulator):
    packets = [text_packet(f"{number}.txt") for number in range(60)]
    operator = DiffgramSendPacketOperator(task_id="send", packets=packets, dataset="Default", concurrency=2)
    operator.on_kill()
    diffgram_emulator.fault("input/packet", "latency", seconds=0.5, times=None)

    def kill_once_something_arrived() -> None:
        while not client.send(routes.list_inputs(client.project, limit=1)):
            time.sleep(0.1)
        operator.on_kill()

    killing = threading.Thread(target=kill_once_something_arrived)
    killing.start()
    with pytest.raises(PushError, match="asked to stop"):
        operator.execute({})
    killing.join()
    arrived = client.send(routes.list_inputs(client.project, limit=1000))
    assert 0 < len(arrived) < 60
    diffgram_emulator.control("faults", method="DELETE")
    handle = operator.execute({})
    assert handle["expected"] == 60
    names = [row.original_filename for row in client.send(routes.list_inputs(client.project, limit=1000))]
    assert sorted(map(str, names)) == sorted(f"{number}.txt" for number in range(60))
