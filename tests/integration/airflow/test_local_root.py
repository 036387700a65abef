"""What a connection's ``local_root`` keeps in: whatever path a task is given, before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset

TEXT = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}


@pytest.fixture
def outside(tmp_path: Path, connection: Any) -> Path:
    """A folder with everything in it, beside the root of the connection."""
    (tmp_path / "root").mkdir()
    connection(extra={"retry_timeout": 2, "local_root": str(tmp_path / "root")})
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"secret")
    (folder / "packets.jsonl").write_text(json.dumps(TEXT) + "\n")
    return folder


@pytest.mark.parametrize(
    "dag_id,task_id,given",
    [
        ("send_from_file_with_retries", "send", {"path": "{outside}/packets.jsonl"}),
        ("announce_failure", "send", {"send": [{"media": {"path": "{outside}/a.png"}}]}),
        ("push_some_may_fail", "send", {"packets": [TEXT], "max_failed": 0, "folder": "{outside}"}),
        ("compound_from_folder", "upload", {"folder": "{outside}"}),
        ("check_and_send", "check", {"packets": [TEXT], "folder": "{outside}"}),
        ("send_that_waits_here", "send", {"packets": [TEXT], "report": "{outside}/wait.jsonl"}),
    ],
)
def test_a_path_outside_fails_the_task_for_good_and_nothing_is_sent(
    run_dag, client, outside, dag_id, task_id, given, caplog, capfd
):
    conf = json.loads(json.dumps(given).replace("{outside}", str(outside)))
    ran = run_dag(dag_id, **conf)
    assert (ran.states[task_id], ran.tries[task_id]) == ({"failed"}, 1)
    assert "local_root of the connection" in caplog.text + "".join(capfd.readouterr())
    dataset = find_dataset(client, "Default").id
    sent = client.send(routes.list_files(client.project, dataset)).file_list
    assert [file.original_filename for file in sent if file.type != "compound"] == []
    assert {path.name for path in outside.iterdir()} == {"a.png", "packets.jsonl"}


def test_a_report_of_the_sensor_outside_fails_the_wait(run_dag, client, outside, caplog, capfd):
    ran = run_dag("wait_by_rules", packets=[TEXT], max_failed=0, report=str(outside / "wait.jsonl"))
    assert (ran.states["send"], ran.states["wait"]) == ({"success"}, {"failed"})
    assert "local_root of the connection" in caplog.text + "".join(capfd.readouterr())
    assert not (outside / "wait.jsonl").exists()
