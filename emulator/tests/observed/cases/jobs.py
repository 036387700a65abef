"""Jobs, their tasks, and what a person makes of one; what the history of an instance tells afterwards."""

from __future__ import annotations

from typing import Any

from diffgram_emulator.people import Person
from tests.contract.media_server import picture
from world import World, body_of, until

from .common import Pair, Ready, case

_JOBS = "/api/v1/job"


def _dataset(world: World, name: str) -> dict[str, Any]:
    world.dataset = world.new_dataset(name)
    return {"directory_id": world.dataset, "nickname": name, "selected": "sync"}


def _schema(world: World) -> int:
    return int(world.get("/api/v1/project/{p}/labels-schema").json()[0]["id"])


def _new_job(world: World, name: str = "job-A", **more: Any) -> int:
    body = {
        "name": name,
        "instance_type": "box",
        "label_schema_id": _schema(world),
        "file_handling": "use_existing",
        "member_list_ids": ["all"],
        **more,
    }
    return int(body_of(world.post("/api/v1/project/{p}/job/new", body))["job"]["id"])


def _tagged(world: World) -> dict[str, Any]:
    attached = {"attached_directories_list": [_dataset(world, "ds1")]}
    return {"tag_list": ["airflow", "run-1"], "attached_directories_dict": attached}


@case("loop_job_new")
def new(world: World, pair: Pair) -> Ready:
    Person.of(world.emulator)
    return Ready(body=pair["request"]["body"] | _tagged(world) | {"label_schema_id": _schema(world)})


@case("loop_job_list_search", "loop_job_list_with_tags")
def two_of_one_name(world: World, pair: Pair) -> Ready:
    more = _tagged(world)
    for _ in range(2):
        _new_job(world, **more)
    return Ready()


@case("loop_job_launch", "loop_job_launch_twice")
def to_be_launched(world: World, pair: Pair) -> Ready:
    job = _new_job(world)
    if pair["name"].endswith("twice"):
        body_of(world.post(f"{_JOBS}/launch", {"job_id": job}))
    return Ready(ids={"job_id": job})


@case(
    "loop_job_add_files", "loop_job_add_files_badquery", "loop_job_add_files_empty",
    "loop_job_add_files_emptylist", "loop_job_add_files_no_consumer", "loop_job_add_files_query",
    "loop_job_add_files_text",
    "loop_job_add_files_unknown",
)  # fmt: skip
def to_be_filled(world: World, pair: Pair) -> Ready:
    job, file_id = _new_job(world), _file(world, "a.jpg")
    body_of(world.post(f"{_JOBS}/launch", {"job_id": job}))
    ids: dict[str, Any] = (
        {"query": f"dataset.id = {world.dataset}"} if pair["name"].endswith("_query") else {}
    )
    if pair["request"]["body"].get("file_id_list") == [328]:
        ids["file_id_list"] = [file_id]
    return Ready(f"{_JOBS}/{job}/add-files", ids)


@case("loop_job_resync")
def to_be_synced(world: World, pair: Pair) -> Ready:
    job = _new_job(world, **_tagged(world))
    body_of(world.post(f"{_JOBS}/launch", {"job_id": job}))
    return Ready(ids={"task_template_id": job})


def _file(world: World, name: str) -> int:
    """Return a file with four boxes of a model, as the recorded ones had."""
    boxes = [
        world.box(
            x_min=x, x_max=x + 50, y_min=20, y_max=90, score=0.5 + at / 10, creation_ref_id=f"r1-p{at}",
            machine_made=True, model_ref="m1", model_run_ref="run-1",
        )
        for at, x in enumerate((10, 70, 130, 190))
    ]  # fmt: skip
    made = body_of(world.from_local(name, picture(640, 480, "JPEG"), instance_list=boxes))
    return int(made["file"]["id"])


def _task(world: World, job_name: str, name: str, **more: Any) -> int:
    job, file_id = _new_job(world, job_name, **more), _file(world, name)
    body_of(world.post(f"{_JOBS}/launch", {"job_id": job}))
    world.post(f"{_JOBS}/{job}/add-files", {"file_id_list": [file_id]})
    listed = {"mode_data": "list", "job_id": job}
    (task,) = until(lambda: world.post(f"{_JOBS}/{job}/task/list", listed).json()["task_list"], "the task")
    return int(task["id"])


_REVIEWED = {"allow_reviews": True, "review_chance": 100, "reviewer_list_ids": ["all"]}


@case(
    "loop_person_open_task", "loop_person_task_complete", "loop_person_task_complete_review",
    "loop_person_task_defer", "loop_person_task_review_approve",
)  # fmt: skip
def at_a_task(world: World, pair: Pair) -> Ready:
    ada = Person.of(world.emulator)
    if "review" in pair["name"]:
        task = _task(world, "job-R", "r4.jpg", **_REVIEWED)
    else:
        task = _task(world, "job-N", "r0.jpg")
    if pair["name"].endswith("approve"):
        ada.complete(task)
    path = pair["request"]["path"].replace("/17/", f"/{task}/").replace("/16/", f"/{task}/")
    return Ready(path, {"task_id": task}, role=None, headers=dict(ada._headers))


@case("loop_person_complete_toggle")
def toggled(world: World, pair: Pair) -> Ready:
    file_id, ada = _file(world, "w0.jpg"), Person.of(world.emulator)
    path = f"/api/project/{{p}}/file/{file_id}/annotation/is_complete_toggle"
    return Ready(path, role=None, headers=dict(ada._headers))


@case("loop_task_list_exam_results", "loop_task_list_normal")
def listed(world: World, pair: Pair) -> Ready:
    attached = {"attached_directories_list": [_dataset(world, "ds5")]}
    for name in ("0001.jpg", "0002.jpg"):
        boxes = [world.box(x_min=x, x_max=x + 9) for x in range(5)]
        body_of(world.from_local(name, picture(640, 480, "JPEG"), instance_list=boxes))
    job = _new_job(world, "job-big", attached_directories_dict=attached, **_REVIEWED)
    body_of(world.post(f"{_JOBS}/launch", {"job_id": job}))
    path, body = f"{_JOBS}/{job}/task/list", {"mode_data": "list", "job_id": job}
    until(lambda: len(world.post(path, body).json()["task_list"]) == 2, "the tasks")
    return Ready(path, {"job_id": job})


@case("loop_event_missing_ids")
def without_an_event(world: World, pair: Pair) -> Ready:
    file_id, ada = _file(world, "a.jpg"), Person.of(world.emulator)
    page = ada.open(file_id)
    del page.rows[0]
    ada.save(page)
    return Ready()


@case("loop_instance_history_deleted", "loop_instance_history_moved", "loop_instance_history_lost_stale")
def past(world: World, pair: Pair) -> Ready:
    file_id, ada = _file(world, "r1.jpg"), Person.of(world.emulator)
    rows = {row["creation_ref_id"]: row for row in world.instances(file_id)}
    page = ada.open(file_id)
    places = {row["creation_ref_id"]: at for at, row in enumerate(page.rows)}
    wanted = "r1-p0"
    if pair["name"].endswith("moved"):
        page.rows[places[wanted]] |= {"x_min": 15, "x_max": 66}
    elif pair["name"].endswith("deleted"):
        wanted = "r1-p2"
        page.delete(places[wanted])
    else:
        wanted = "w1-late"
        late = world.box(
            x_min=310, x_max=360, y_min=20, y_max=90, creation_ref_id=wanted, score=0.9, machine_made=True,
            model_ref="m1", model_run_ref="run-2",
        )  # fmt: skip
        world.ingested(
            file_id=file_id, mode="update", media=None, original_filename=None, instance_list=[late]
        )
        until(lambda: len(world.instances(file_id)) == len(rows) + 1, "the appended box")
        rows = {row["creation_ref_id"]: row for row in world.instances(file_id)}
    ada.save(page)
    return Ready(f"/api/v1/project/{{p}}/instance/{rows[wanted]['id']}/history")
