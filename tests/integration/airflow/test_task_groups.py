"""The groups of tasks in real DAG runs against the emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.task_groups.diffgram import (
    push_compound_file,
    push_prediction_chunks,
    push_predictions,
)


def packet(name: str, run: str | None = None) -> dict[str, Any]:
    refs = {"model_ref": "m", "model_run_ref": run} if run else {}
    tag = {"type": "tag", "label": "cat", **refs}
    return {"media": {"text_data": "miaow"}, "original_filename": f"{name}.txt", "instance_list": [tag]}


def picture(name: str, run: str, folder: Path) -> dict[str, Any]:
    from PIL import Image

    Image.new("RGB", (20, 20)).save(folder / f"{name}.png")
    box = {"type": "box", "label": "cat", "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
    return {
        "media": {"path": str(folder / f"{name}.png")},
        "original_filename": f"{name}.png",
        "instance_list": [{**box, "model_ref": "m", "model_run_ref": run}],
    }


def written(path: Path, packets: list[Any]) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in packets))
    return str(path)


def test_a_group_sends_and_waits(run_dag, client):
    ran = run_dag("grouped_push", packets=[packet("a"), packet("b")])
    assert ran.state == "success", ran.states
    assert ran.results["succeeded"] == 2
    assert set(ran.states) == {"given", "push_predictions.send", "push_predictions.wait", "succeeded"}


def test_chunks_of_one_new_model_run_are_sent_once_each_quirk_48(run_dag, client, tmp_path):
    chunks = [
        written(tmp_path / f"{chunk}.jsonl", [picture(f"{chunk}-{n}", "run 1", tmp_path) for n in range(3)])
        for chunk in "abc"
    ]
    ran = run_dag("grouped_chunks", chunks=chunks)
    assert ran.state == "success", ran.states
    handles = ran.results["push_predictions.send"]
    assert [handle["expected"] for handle in handles] == [3, 3, 3]
    dataset = client.send(routes.find_dataset(client.project, "Default"))
    files = client.send(routes.list_files(client.project, dataset.id)).file_list
    assert len(files) == len({file.original_filename for file in files}) == 9
    assert {file.count_instances_changed for file in files} == {1}


def test_a_compound_file_with_its_children_is_one_group(run_dag, client):
    children = [{**packet(f"page-{number}"), "ordinal": number} for number in range(2)]
    ran = run_dag("grouped_compound", name="scan", children=children)
    assert ran.state == "success", ran.states
    assert ran.results["succeeded"] == 2
    parent = ran.results["scan.create"]["file_id"]
    assert len(client.send(routes.list_children(client.project, parent))) == 2


def test_chunks_may_be_told_to_have_new_names_only(run_dag, client, tmp_path):
    chunks = [written(tmp_path / f"{name}.jsonl", [packet(name)]) for name in "ab"]
    assert run_dag("grouped_chunks", chunks=chunks, if_exists="fail").state == "success"
    again = run_dag("grouped_chunks", chunks=chunks, if_exists="fail")
    assert again.states["push_predictions.send"] == {"failed"}


def test_a_group_takes_what_its_tasks_take():
    with DAG("everything", schedule=None):
        pushed = push_predictions(
            [], dataset="night", waiting={"timeout": 7, "deferrable": False}, sending={"dataset": "day"}
        )
        chunks = push_prediction_chunks(
            ["a.jsonl"],
            group_id="chunks",
            dataset="night",
            sending={"dataset": "day"},
            waiting={"timeout": 7},
        )
        compound = push_compound_file(
            "scan", [], group_id="compound", creating={"dataset": "day"}, waiting={"timeout": 7}
        )
    tasks = {**pushed.group.children, **chunks.group.children, **compound.group.children}
    for group in ("push_predictions", "chunks", "compound"):
        assert tasks[f"{group}.wait"].timeout == 7
    assert tasks["push_predictions.send"].dataset == "day"
    assert tasks["push_predictions.wait"].deferrable is False
    assert tasks["chunks.send"].partial_kwargs["dataset"] == "day"
    assert tasks["compound.create"].dataset == "day"


@pytest.mark.parametrize(
    "group, words",
    [
        (lambda: push_predictions([], sending={"packets": []}), "leave 'packets' out of sending"),
        (
            lambda: push_predictions([], waiting={"handle": 1, "task_id": "w"}),
            "leave 'handle', 'task_id' out",
        ),
        (lambda: push_prediction_chunks([], sending={"packets": []}), "leave 'packets' out of sending"),
        (lambda: push_compound_file("a", [], creating={"name": "b"}), "leave 'name' out of creating"),
    ],
)
def test_what_a_group_gives_its_tasks_is_not_given_twice(group, words):
    with DAG("twice", schedule=None), pytest.raises(ValueError, match=words):
        group()
