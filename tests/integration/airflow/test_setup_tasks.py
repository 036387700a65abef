"""Tasks that make datasets, labels and attributes, in DAG runs of a real Airflow."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.setup.schema import export_schema

SCHEMA = "labels: [cat, bird, wolf]\nattributes: [{name: hidden, kind: radio, options: [a, b]}]\n"


def dataset_names(client: DiffgramClient) -> list[str | None]:
    return sorted(each.nickname or "" for each in client.send(routes.list_datasets(client.project)))


def test_what_a_push_needs_is_made_once(run_dag, client, tmp_path: Path):
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    conf = {"dataset": "night", "schema": str(tmp_path / "schema.yaml")}
    first = run_dag("make_and_push", **conf)
    assert first.state == "success", first.states
    assert first.results["make"]["created"] is True
    assert {"label wolf", "attribute hidden (radio: a, b)"} <= set(first.results["schema"]["made"])
    assert dataset_names(client) == ["Default", "night"]
    assert "wolf" in {label.name for label in export_schema(client).labels}
    second = run_dag("make_and_push", **conf)
    assert (second.results["make"]["created"], second.results["schema"]["made"]) == (False, [])
    assert second.results["push"]["skipped"] == 1
    assert second.results["make"]["dataset_id"] == first.results["make"]["dataset_id"]


def test_what_a_day_does_not_take_fails_the_task_and_the_next_day_makes_it(
    run_dag, client, diffgram_emulator, tmp_path: Path
):
    names = [f"a{number}" for number in range(12)]
    described = "attributes:\n" + "".join(f"- {{name: {name}, kind: text}}\n" for name in names)
    (tmp_path / "schema.yaml").write_text(described)
    conf = {"dataset": "night", "schema": str(tmp_path / "schema.yaml")}
    diffgram_emulator.reset()
    first = run_dag("make_and_push", **conf)
    assert first.state == "failed"
    assert first.states["schema"] == {"failed"}
    assert [each.name for each in export_schema(client).attributes] == names[:10]
    diffgram_emulator.reset()
    second = run_dag("make_and_push", **conf)
    assert second.state == "success", second.states
    assert second.results["schema"]["made"] == ["attribute a10 (text)", "attribute a11 (text)"]


def test_a_push_makes_its_dataset_if_it_may(run_dag, client):
    first = run_dag("push_and_make", dataset="morning")
    assert first.state == "success", first.states
    assert dataset_names(client) == ["Default", "morning"]
    assert run_dag("push_and_make", dataset="morning").results["push"]["skipped"] == 1


def test_wrong_parameters_make_no_dataset(run_dag, client):
    ran = run_dag("push_and_make", dataset="morning", max_failed="many")
    assert ran.state == "failed"
    assert dataset_names(client) == ["Default"]


def test_a_plan_makes_nothing(run_dag, client, tmp_path: Path):
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    before = export_schema(client)
    ran = run_dag("plan_schema", schema=str(tmp_path / "schema.yaml"))
    assert ran.state == "success", ran.states
    assert "+ label wolf" in ran.results["schema"]["missing"]
    assert export_schema(client) == before
    wrong = run_dag("plan_schema", schema=str(tmp_path / "no.yaml"))
    assert wrong.state == "failed"
