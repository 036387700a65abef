"""Lists of instances that are written whole, by a credential and by people, and what is read afterwards."""

from __future__ import annotations

import copy
from typing import Any

from diffgram_emulator.people import Person
from tests.contract.media_server import picture
from world import World, until

from .common import Pair, Ready, case

Row = dict[str, Any]

_UPDATE = "/api/project/{{p}}/file/{}/annotation/update"
_LABELS = {308: 0, 311: 0, 309: 1, 310: 2}
"""Labels of the recorded projects."""
_SENT = (
    "type", "x_min", "x_max", "y_min", "y_max", "creation_ref_id", "score", "number", "rating", "points",
    "nodes", "edges", "center_x", "center_y", "width", "height", "angle", "p1", "p2", "cp", "front_face",
    "rear_face", "start_token", "end_token",
)  # fmt: skip
_SIZED = ("ellipse",)


class File:
    """A file that holds the rows that a recorded list names.

    :param lasting: ids of recorded rows that the list does not change.
    """

    def __init__(self, world: World, rows: list[Any], deleted: list[Any], name: str = "a.jpg") -> None:
        self.world = world
        self.label = {old: world.labels[at] for old, at in _LABELS.items()}
        if any(isinstance(row, dict) and row.get("label_file_id") == 311 for row in rows):
            del self.label[308]  # is another project's there
        group, (red,) = world.new_group("select", ("red",))
        self.group, self.option = str(group), red
        named = [row for row in rows if isinstance(row, dict) and _is_echo(row)]
        sent = [self._before(row, row["id"] in deleted) for row in named]
        is_text = any(row["type"] == "text_token" for row in named)
        content = b"one two three four five six" if is_text else picture(640, 480, "JPEG")
        made = world.from_local(name, content, instance_list=sent).json()
        self.id = int(made["file"]["id"])
        self.rows = {row["creation_ref_id"]: row for row in world.instances(self.id)}
        runs = world.post("/api/v1/project/{p}/model-runs/list", {}).json()["model_run_list"]
        self.run, self.model = (runs[0]["id"], runs[0]["model_id"]) if runs else (None, None)

    def _before(self, row: Row, is_changed: bool) -> Row:
        """Return what was sent for a row that the list has as a person or a program made it."""
        kept = {key: copy.deepcopy(row[key]) for key in _SENT if row.get(key) not in (None, [])}
        if row["type"] not in _SIZED:
            kept = {key: value for key, value in kept.items() if key not in ("width", "height")}
        if is_changed and not row["soft_delete"] and "x_min" in kept:
            kept["x_min"] += 3
        kept |= {"machine_made": True, "attribute_groups": self._values(row.get("attribute_groups"))}
        if row.get("label_file_id") is not None:
            kept["label_file_id"] = self.label[row["label_file_id"]]
        if row.get("model_run_id") is not None:
            kept |= {"model_ref": "m1", "model_run_ref": "run-1"}
        return kept

    def _values(self, groups: Any) -> Any:
        """Return attribute values with this world's ids; unknown ones stay unknown."""
        if not groups:
            return groups
        ((_, value),) = groups.items()
        if isinstance(value, dict) and value["id"] == 9:
            value = {**value, "id": self.option, "name": self.option}
        return {self.group: value}

    def list(self, rows: Any) -> Any:
        """Return a recorded list with this world's ids."""
        return [self._translated(row) for row in rows]

    def _translated(self, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        now = dict(row)
        if "label_file_id" in row:
            now["label_file_id"] = self.label.get(row["label_file_id"], row["label_file_id"])
        if "attribute_groups" in row:
            now["attribute_groups"] = self._values(row["attribute_groups"])
        if row.get("model_run_id") == 7:
            now["model_run_id"] = self.run
        if row.get("model_id") == 6:
            now["model_id"] = self.model
        if _is_echo(row):
            there = self.rows[row["creation_ref_id"]]
            now |= {key: there[key] for key in ("id", "root_id", "model_run_id", "model_id") if key in row}
        return now


def _is_echo(row: Row) -> bool:
    return "file_id" in row or (row["type"] == "text_token" and row.get("id") is not None)


def _ready(world: World, pair: Pair) -> tuple[File, Ready]:
    body, answer = pair["request"]["body"], pair["response"]["body"]
    deleted = answer.get("deleted_instances", [])
    name = answer.get("new_file", {}).get("original_filename", "a.jpg")
    file = File(world, body["instance_list"], deleted, name)
    path = pair["request"]["path"]
    # The path of the request is that of the file or of its task.
    assert "/annotation/" in path
    return file, Ready(
        _UPDATE.format(file.id), body={**body, "instance_list": file.list(body["instance_list"])}
    )


@case(
    "fast_annotation_update_basic", "fast_update_delete_one", "fast_update_echo_all_types",
    "fast_update_err_float_coord", "fast_update_err_inverted", "fast_update_err_label_other_proj",
    "fast_update_err_no_coords", "fast_update_err_no_label", "fast_update_err_nul_char",
    "fast_update_err_null_element", "fast_update_err_number_beyond_32bit", "fast_update_err_score_text",
    "fast_update_err_unknown_label", "fast_update_err_unknown_model", "fast_update_err_unknown_option",
    "fast_update_err_unknown_run", "fast_update_err_unknown_type", "fast_update_ok_select_as_text",
    "fast_update_ok_unknown_id", "fast_update_locked",
)  # fmt: skip
def by_a_credential(world: World, pair: Pair) -> Ready:
    file, ready = _ready(world, pair)
    if pair["name"] == "fast_update_locked":
        world.emulator.lock(file.id)
    return ready


def _as(person: Person, ready: Ready) -> Ready:
    return Ready(ready.path, body=ready.body, role=None, headers=dict(person._headers))


@case("loop_person_file_annotation_update", "loop_person_text_save")
def by_a_person(world: World, pair: Pair) -> Ready:
    _, ready = _ready(world, pair)
    return _as(Person.of(world.emulator), ready)


@case("loop_person_task_annotation_update")
def through_a_task(world: World, pair: Pair) -> Ready:
    file, ready = _ready(world, pair)
    job = world.post("/api/v1/project/{p}/job/new", {"name": "a"}).json()["job"]["id"]
    world.post("/api/v1/job/launch", {"job_id": job})
    world.post(f"/api/v1/job/{job}/add-files", {"file_id_list": [file.id]})
    listed = {"mode_data": "list", "job_id": job}
    path = f"/api/v1/job/{job}/task/list"
    (task,) = until(lambda: world.post(path, listed).json()["task_list"], "the task")
    ready.path = f"/api/v1/task/{task['id']}/annotation/update"
    return _as(Person.of(world.emulator), ready)


@case("loop_stale_page_save")
def from_an_old_page(world: World, pair: Pair) -> Ready:
    file, ready = _ready(world, pair)
    _append(world, file)
    return _as(Person.of(world.emulator), ready)


def _append(world: World, file: File) -> None:
    late = world.box(
        x_min=310, x_max=360, y_min=20, y_max=90, creation_ref_id="w1-late", score=0.9, machine_made=True,
        model_ref="m1", model_run_ref="run-2",
    )  # fmt: skip
    world.ingested(file_id=file.id, mode="update", media=None, original_filename=None, instance_list=[late])
    until(lambda: len(world.instances(file.id)) == len(file.rows) + 1, "the appended box")


@case("fast_update_after_person")
def after_a_person(world: World, pair: Pair) -> Ready:
    file, ready = _ready(world, pair)
    ada = Person.of(world.emulator)
    page = ada.open(file.id)
    page.move(next(n for n, row in enumerate(page.rows) if row["creation_ref_id"].endswith("p0")), 5)
    page.draw(world.labels[0], (300, 200, 380, 300))
    ada.save(page)
    return ready
