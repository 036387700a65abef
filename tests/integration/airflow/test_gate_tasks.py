"""Tasks that check predictions before they are sent, and tasks whose predictions get their DAG's run."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset


def packet(picture: str, name: str, **fields: Any) -> dict[str, Any]:
    box = {"type": "box", "label": "cat", "x_min": 1, "y_min": 3, "x_max": 20, "y_max": 30, "score": 0.5}
    return {"media": {"path": picture}, "original_filename": name, "instance_list": [box | fields]}


def instances(client: DiffgramClient, dataset: str = "Default") -> list[dict[str, Any]]:
    page = client.send(routes.list_files(client.project, find_dataset(client, dataset).id))
    return [
        instance
        for file in page.file_list
        for instance in client.send(routes.list_annotations(client.project, file.id)).instance_list
    ]


def test_a_good_set_is_sent_and_the_task_returns_its_counts(run_dag, client, picture, tmp_path):
    packets = [packet(picture, "a.png"), packet(picture, "b.png", label="dog")]
    ran = run_dag("check_and_send", packets=packets, folder=str(tmp_path))
    assert ran.state == "success", ran.states
    assert ran.results["check"] == {
        "packets": 2,
        "invalid": 0,
        "instances": 2,
        "mean_score": 0.5,
        "labels": {"cat": 1, "dog": 1},
    }
    assert ran.results["wait"]["succeeded"] == 2
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/jpeg") == 2


def test_a_set_that_fails_stops_the_dag_without_a_retry_and_sends_nothing(
    run_dag, client, picture, tmp_path, caplog, capfd
):
    packets = [packet(picture, "a.png"), packet(picture, "b.png", label="bird")]
    ran = run_dag("check_and_send", packets=packets, folder=str(tmp_path))
    assert ran.states["check"] == {"failed"}
    assert ran.states["send"] == {"upstream_failed"}
    said = caplog.text + "".join(capfd.readouterr())
    assert "1 of 2 packets are invalid, more than max_invalid (0)" in said
    assert "label 'bird' is not in the schema" in said
    assert instances(client) == []
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line["valid"] for line in lines] == [True, False]
    page = (tmp_path / "page.html").read_text()
    assert "the prediction set fails" in page
    header = page[page.index("<header") : page.index("</header>")]
    for words in ("dataset ", "run check_and_send ", "checked 20"):
        assert words in header
    assert "Labels or attributes are missing from the schema" in page
    assert page.count('class="wrong"') == 1


def test_limits_may_be_templates_and_the_valid_ones_are_sent(run_dag, client, picture, tmp_path):
    packets = [packet(picture, "a.png"), packet(picture, "b.png", label="bird")]
    ran = run_dag(
        "check_and_send", packets=packets, folder=str(tmp_path), max_invalid="0.5", min_instances="1"
    )
    assert ran.state == "success", ran.states
    assert ran.results["check"]["invalid"] == 1
    assert ran.results["wait"]["succeeded"] == 1


def test_a_limit_that_is_no_number_is_told(run_dag, client, picture, tmp_path, caplog, capfd):
    ran = run_dag("check_and_send", packets=[], folder=str(tmp_path), max_invalid="some", min_instances="few")
    assert ran.states["check"] == {"failed"}
    said = caplog.text + "".join(capfd.readouterr())
    assert "max_invalid must be a number, not 'some'" in said
    assert "min_instances must be a number, not 'few'" in said


def test_predictions_get_the_dag_and_its_run_unless_told_otherwise(run_dag, client, picture):
    for dataset in ("named", "without", "generated"):
        client.send(routes.create_dataset(client.project, dataset))
    packets = [packet(picture, "a.png")]
    assert run_dag("send_with_origins", packets=packets).state == "success"
    runs = {run.id: run.reference_id for run in client.send(routes.list_model_runs(client.project))}
    held = {dataset: instances(client, dataset) for dataset in ("Default", "named", "without", "generated")}
    (by_default,), (named,), (without,), (generated,) = held.values()
    assert str(runs[by_default["model_run_id"]]).startswith("manual__")
    assert runs[named["model_run_id"]] == runs[by_default["model_run_id"]]
    assert named["model_id"] != by_default["model_id"]
    assert generated["model_id"] == by_default["model_id"]
    assert (without["model_id"], without["model_run_id"]) == (None, None)
    assert [each["machine_made"] for each in (by_default, named, without, generated)] == [
        True,
        True,
        False,
        True,
    ]

    assert run_dag("send_with_origins", packets=packets).state == "success"
    assert len(instances(client)) == 1, "the next run recognises what this one appended"


def test_mapped_tasks_share_one_run(run_dag, client, picture):
    sets = [[packet(picture, f"{number}.png")] for number in range(3)]
    ran = run_dag("send_mapped_predictions", sets=sets)
    assert ran.state == "success", ran.states
    held = instances(client)
    assert len(held) == 3
    assert len({each["model_run_id"] for each in held}) == 1
