"""The groups of tasks in real DAG runs against the emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.operators.introduce import first_of_each_run
from airflow_provider_diffgram.task_groups.diffgram import (
    push_compound_file,
    push_prediction_chunks,
    push_predictions,
)


def packet(name: str, run: str | None = None) -> dict[str, Any]:
    refs = {"model_ref": "m", "model_run_ref": run} if run else {}
    tag = {"type": "tag", "label": "cat", **refs}
    return {"media": {"text_data": "miaow"}, "original_filename": f"{name}.txt", "instance_list": [tag]}


def linked(name: str, run: str | None = None, **more: Any) -> dict[str, Any]:
    refs = {"model_ref": "m", "model_run_ref": run} if run else {}
    tag = {"type": "tag", "label": "cat", **refs, **more}
    media = {"url": f"https://media.example.com/{name}.png", "type": "image"}
    return {"media": media, "original_filename": f"{name}.png", "instance_list": [tag]}


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


def test_chunks_are_sent_after_one_packet_has_introduced_their_model_run_quirk_48(run_dag, client, tmp_path):
    chunks = [
        written(tmp_path / f"{chunk}.jsonl", [picture(f"{chunk}-{n}", "run 1", tmp_path) for n in range(3)])
        for chunk in "abc"
    ]
    ran = run_dag("grouped_chunks", chunks=chunks)
    assert ran.state == "success", ran.states
    assert ran.results["push_predictions.introduce"]["expected"] == 1
    handles = ran.results["push_predictions.send"]
    assert [handle["expected"] for handle in handles] == [3, 3, 3]
    assert sum(handle.get("skipped", 0) for handle in handles) == 1, "what introduced is there already"
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


def test_chunks_may_not_be_sent_under_names_that_have_to_be_new():
    with pytest.raises(ValueError, match=r"if_exists='fail' cannot be used.*use push_predictions"):
        push_prediction_chunks(["a.jsonl"], sending={"if_exists": "fail"})


@pytest.mark.parametrize("if_exists", ["append", "replace"])
def test_what_introduces_a_run_meets_files_that_are_there_as_the_chunks_do(if_exists):
    with DAG("chunks", schedule=None) as made:
        push_prediction_chunks(["a.jsonl"], sending={"if_exists": if_exists})
    assert made.task_dict["push_predictions.introduce"].if_exists == if_exists


def test_one_packet_of_each_run_introduces(tmp_path):
    chunks = [
        written(
            tmp_path / "a.jsonl",
            [packet("t", "run 1"), linked("a"), linked("b", "run 1"), linked("c", "run 1")],
        ),
        [linked("d", "run 1"), linked("e", "run 2")],
        [linked("f", "run 2")],
        [linked("g")],
    ]
    found = first_of_each_run(chunks, universal_path)
    assert [each.original_filename for each in found] == ["b.png", "f.png"]
    assert first_of_each_run(chunks[0], universal_path) == found[:1]
    assert first_of_each_run([[linked("g")]], universal_path) == []


def test_one_packet_introduces_the_run_that_predictions_get_by_default(tmp_path):
    scored = [linked("a"), linked("b", score=0.5), linked("c", score=0.7)]
    found = first_of_each_run([scored, [linked("d", score=0.1)]], universal_path, ("dag", "run"))
    assert [each.original_filename for each in found] == ["b.png"]
    assert first_of_each_run([scored], universal_path) == []


def test_texts_introduce_nothing():
    assert first_of_each_run([[packet("a", "run 1")]], universal_path) == []


def test_a_chunk_that_cannot_be_read_is_told_before_anything_is_sent(tmp_path):
    with pytest.raises(InvalidValueError, match="no such file"):
        first_of_each_run([str(tmp_path / "none.jsonl")], universal_path)


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
    assert tasks["chunks.introduce"].dataset == "day"
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
