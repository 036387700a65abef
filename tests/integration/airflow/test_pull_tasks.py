"""Tasks that bring annotations back into files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset


@pytest.fixture
def packets(tmp_path: Path) -> list[dict[str, Any]]:
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "one.png")
    box = {"type": "box", "label": "cat", "x_min": 1, "y_min": 3, "x_max": 20, "y_max": 30, "score": 0.5}
    media = {"path": str(tmp_path / "one.png")}
    return [
        {"media": media, "original_filename": name, "instance_list": [box]} for name in ("a.png", "b.png")
    ]


def file_ids(client: DiffgramClient) -> list[int]:
    listed = client.send(routes.list_files(client.project, find_dataset(client, "Default").id))
    return [file.id for file in listed.file_list]


def test_what_was_pushed_comes_back_and_a_second_run_skips_what_follows(run_dag, client, packets, tmp_path):
    ran = run_dag("send_and_pull", packets=packets, folder=str(tmp_path))
    assert ran.state == "success", ran.states
    for task, folder in (("of_push", "push"), ("of_dataset", "dataset")):
        result = ran.results[task]
        assert (result["files"], result["instances"], result["is_new"]) == (2, 2, True)
        assert Path(result["path"]).parent == tmp_path / folder
    path = Path(ran.results["of_dataset"]["path"])
    assert ran.results["train"] == str(path)
    assert len(json.loads((path / "annotations.json").read_text())["annotations"]) == 2

    again = run_dag("send_and_pull", packets=packets, folder=str(tmp_path))
    assert again.states["of_dataset"] == {"skipped"}
    assert again.states["train"] == {"skipped"}
    assert again.results["of_push"]["is_new"] is False


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"format": "tfrecord"}, "format must be one of 'packets', 'coco'"),
        ({"only": "some"}, "only must be one of 'complete', 'all', not 'some'"),
        ({"dataset": "nowhere"}, "dataset 'nowhere'"),
    ],
)
def test_what_cannot_be_pulled_fails_at_once(run_dag, client, packets, tmp_path, caplog, capfd, wrong, said):
    ran = run_dag("send_and_pull", packets=packets, folder=str(tmp_path), **wrong)
    assert ran.states["of_dataset"] == {"failed"}
    assert said in caplog.text + "".join(capfd.readouterr())
    assert not (tmp_path / "dataset").exists()


def test_nothing_reviewed_yet_skips_what_follows(run_dag, client, packets, tmp_path):
    ran = run_dag("pull_reviewed", folder=str(tmp_path))
    assert ran.states["pull"] == {"skipped"}


def test_one_task_for_each_format(run_dag, client, packets, tmp_path):
    assert run_dag("send_and_pull", packets=packets, folder=str(tmp_path)).state == "success"
    ran = run_dag("pull_mapped", folder=str(tmp_path / "mapped"))
    assert ran.state == "success", ran.states
    assert len(list(tmp_path.glob("mapped/coco/*/annotations.json"))) == 1
    assert len(list(tmp_path.glob("mapped/voc/*/Annotations/*.xml"))) == 2


def test_values_may_be_rendered_to_native_objects(run_dag, client, packets, tmp_path):
    assert run_dag("send_and_pull", packets=packets, folder=str(tmp_path)).state == "success"
    ran = run_dag(
        "pull_natively", folder=str(tmp_path / "native"), file_ids=file_ids(client), split={"train": 1}
    )
    assert ran.state == "success", ran.states
    assert len(list(tmp_path.glob("native/20261127/*/labels/train/*.txt"))) == 2
