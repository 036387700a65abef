"""Jobs and tasks of human review (server.md 2.17)."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest

from tests.contract.media_server import picture
from world import World, until


def new_job(world: World, name: str = "review-job", **more: Any) -> int:
    body = {
        "name": name,
        "instance_type": "box",
        "label_schema_id": None,
        "file_handling": "use_existing",
        "member_list_ids": [],
        **more,
    }
    answer = world.post("/api/v1/project/{p}/job/new", body)
    assert answer.json()["job"]["status"] == "draft"
    return int(answer.json()["job"]["id"])


def launched(world: World, name: str = "review-job", selected: str = "sync") -> int:
    job = new_job(world, name)
    entry = {"directory_id": world.dataset, "nickname": "demo-dataset", "selected": selected}
    body = {"job_id": job, "directory_list": [entry]}
    assert world.post("/api/v1/project/{p}/job/dir/attach", body).status_code == 200
    answer = world.post("/api/v1/job/launch", {"job_id": job}).json()
    assert answer["log"]["info"]["launch_flow"] == "soon"
    return job


def jobs(world: World, **metadata: Any) -> dict[str, Any]:
    body = {"project_string_id": world.project, "page_number": 1, "data_mode": "with_tags", **metadata}
    answer = world.post("/api/v1/job/list", {"metadata": body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def tasks(world: World, job: int, **body: Any) -> dict[str, Any]:
    sent = {"mode_data": "job_detail", "job_id": job, **body}
    answer = world.post(f"/api/v1/job/{job}/task/list", sent)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def with_tasks(world: World, job: int, amount: int) -> list[dict[str, Any]]:
    def there() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = tasks(world, job, limit_count=100)["task_list"]
        return found if len(found) >= amount else None

    found: list[dict[str, Any]] = until(there, f"{amount} tasks")
    assert len(found) == amount
    return found


def local(world: World, name: str, **body: Any) -> int:
    return int(world.from_local(name, picture(), **body).json()["file"]["id"])


def test_q43_without_a_page_number_it_fails(world: World) -> None:
    answer = world.post("/api/v1/job/list", {"metadata": {"project_string_id": world.project}})
    assert answer.status_code == 500


def test_q43_ten_tasks_by_default_pages_from_zero(world: World) -> None:
    for number in range(12):
        local(world, f"{number}.png")
    job = launched(world)
    ids = [task["id"] for task in with_tasks(world, job, 12)]
    assert [task["id"] for task in tasks(world, job)["task_list"]] == ids[:10]
    assert [task["id"] for task in tasks(world, job, page_number=1)["task_list"]] == ids[10:]


def test_q43_tasks_of_people_refuse_basic_credentials(world: World) -> None:
    world.emulator.tune(rate_limit=False)
    answer = world.post("/api/v1/task", {"task_id": 1, "builder_or_trainer_mode": "builder"})
    assert answer.status_code == 401
    assert "Please login" in answer.json()["error"]
    without = world.post("/api/v1/task", {}, None)
    assert (without.status_code, len(without.json()["log"]["error"])) == (400, 2)
    world.emulator.reset()


def test_the_counters_follow_what_people_do(world: World) -> None:
    first, second = local(world, "a.png"), local(world, "b.png")
    job = launched(world)
    with_tasks(world, job, 2)
    done = {"project": world.project, "file_id": first, "status": "complete"}
    assert len(world.emulator.control("tasks", done)["tasks"]) == 1
    (shown,) = jobs(world, job_ids=[job])["Job_list"]
    counters = [shown[f"stat_count_{key}"] for key in ("tasks", "complete", "available")]
    assert (counters, shown["status"]) == ([2, 1, 1], "active")
    by_file = {task["file"]["id"]: task for task in tasks(world, job)["task_list"]}
    assert [by_file[one]["status"] for one in (first, second)] == ["complete", "available"]
    assert by_file[second]["time_completed"] == "None"
    assert by_file[first]["time_completed"] != "None"


def counters(world: World, job: int) -> tuple[list[int], str]:
    (shown,) = jobs(world, job_ids=[job])["Job_list"]
    return [shown[f"stat_count_{key}"] for key in ("tasks", "complete", "available")], shown["status"]


def people(world: World, file_id: int, status: str) -> None:
    body = {"project": world.project, "file_id": file_id, "status": status}
    assert len(world.emulator.control("tasks", body)["tasks"]) == 1


def test_a_task_in_review_is_counted_nowhere_and_its_file_alone_is_complete(world: World) -> None:
    first, second, third = (local(world, f"{name}.png") for name in "abc")
    job = launched(world)
    with_tasks(world, job, 3)
    people(world, first, "complete")
    people(world, second, "in_review")
    people(world, third, "deferred")
    assert counters(world, job) == ([1, 1, 0], "active")
    assert [file["id"] for file in world.files(annotation_status="Completed")] == [second]
    people(world, third, "in_progress")
    assert counters(world, job) == ([2, 1, 1], "active")


def test_a_job_stays_complete_when_a_task_is_opened_again_but_not_with_a_new_one(world: World) -> None:
    first = local(world, "a.png")
    job = launched(world)
    with_tasks(world, job, 1)
    people(world, first, "complete")
    assert counters(world, job) == ([1, 1, 0], "complete")
    people(world, first, "in_progress")
    assert counters(world, job) == ([1, 0, 1], "complete")
    local(world, "b.png")
    with_tasks(world, job, 2)
    assert counters(world, job) == ([2, 0, 2], "active")


def test_a_file_that_arrives_later_gets_its_task(world: World) -> None:
    job = launched(world)
    assert tasks(world, job)["task_list"] == []
    file_id = local(world, "later.png")
    (task,) = with_tasks(world, job, 1)
    assert task["file"]["id"] == file_id
    assert task["incoming_directory"]["id"] == world.dataset


def test_the_task_of_a_compound_child_is_its_parents(world: World) -> None:
    job, parent = launched(world), world.new_compound("parent")
    for name in ("a.png", "b.png"):
        local(world, name, parent_file_id=parent)
    (task,) = with_tasks(world, job, 1)
    assert task["file"]["id"] == parent


def test_a_dataset_that_is_not_synchronised_gives_what_it_held(world: World) -> None:
    there = local(world, "a.png")
    job = launched(world, selected="primary")
    local(world, "later.png")
    assert [task["file"]["id"] for task in with_tasks(world, job, 1)] == [there]


def test_a_packet_may_name_a_job(world: World) -> None:
    job = launched(world)
    elsewhere = world.new_dataset("elsewhere")
    row = world.ingested(job_id=job, directory_id=elsewhere)
    (task,) = with_tasks(world, job, 1)
    assert task["file"]["id"] == row["file_id"]
    assert world.packet(job_id=99999).status_code == 503


def test_archiving_an_input_archives_its_task(world: World) -> None:
    row = world.ingested()
    job = launched(world)
    with_tasks(world, job, 1)
    world.update_inputs("ARCHIVE", row["id"])
    assert tasks(world, job)["task_list"] == []
    assert tasks(world, job, status="archived")["task_list"] == []


def test_without_the_job_in_the_body_the_list_is_not_restricted(world: World) -> None:
    local(world, "a.png")
    first, second = launched(world, "one"), launched(world, "two")
    with_tasks(world, first, 1)
    with_tasks(world, second, 1)
    answer = world.post(f"/api/v1/job/{first}/task/list", {"mode_data": "x"}).json()
    assert {task["job"]["id"] for task in answer["task_list"]} == {first, second}
    assert (answer["total_count"], answer["log"]["success"]) == (2, False)
    assert "total_count" not in tasks(world, first)


def test_what_the_lists_of_tasks_refuse(world: World) -> None:
    job = new_job(world)
    answer = world.post(f"/api/v1/job/{job}/task/list", {"job_id": job})
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["mode_data"])
    assert world.post("/api/v1/job/99999/task/list", {"mode_data": "x"}).status_code == 403
    answer = world.post("/api/v1/project/{p}/task/list", {"mode_data": "x"})
    assert (answer.status_code, set(answer.json()["log"]["error"])) == (400, {"file_id", "job_id"})


def test_which_tasks_a_file_has(world: World) -> None:
    file_id, other = local(world, "a.png"), local(world, "b.png")
    job = launched(world)
    with_tasks(world, job, 2)
    body = {"mode_data": "x", "file_id": file_id}
    answer = world.post("/api/v1/project/{p}/task/list", body).json()
    assert ([task["file"]["id"] for task in answer["task_list"]], answer["total_count"]) == ([file_id], 1)
    assert other != file_id


def test_the_list_of_jobs_can_be_narrowed(world: World) -> None:
    draft, active = new_job(world, "first draft"), launched(world, "second")
    assert [job["id"] for job in jobs(world)["Job_list"]] == [active, draft]
    assert [job["id"] for job in jobs(world, status=["draft"])["Job_list"]] == [draft]
    assert [job["id"] for job in jobs(world, status="draft")["Job_list"]] == [active, draft]
    assert [job["id"] for job in jobs(world, search="SECOND")["Job_list"]] == [active]
    assert jobs(world, data_mode="name_and_id_only", job_ids=[draft])["Job_list"] == [
        {
            "allow_reviews": False,
            "id": draft,
            "is_pinned": False,
            "label_schema_id": jobs(world)["Job_list"][0]["label_schema_id"],
            "name": "first draft",
            "time_created": ANY,
            "type": "Normal",
        }
    ]
    archived = {"project": world.project, "job_id": draft, "status": "archived"}
    world.emulator.control("jobs", archived)
    assert [job["id"] for job in jobs(world)["Job_list"]] == [active]


@pytest.mark.parametrize("metadata", [{"status": 5}, {"job_ids": 5}])
def test_filters_of_another_kind_are_500(world: World, metadata: dict[str, Any]) -> None:
    body = {"project_string_id": world.project, "page_number": 1, **metadata}
    assert world.post("/api/v1/job/list", {"metadata": body}).status_code == 500


def test_builder_info_shows_one_job_and_is_limited_by_the_day(world: World) -> None:
    job = new_job(world)
    answer = world.post(f"/api/v1/job/{job}/builder/info", {"refresh_stats": True})
    assert answer.json()["job"]["id"] == job
    assert answer.headers["x-ratelimit-limit"] == "300"


def test_levels(world: World) -> None:
    job = launched(world)
    body = {"metadata": {"project_string_id": world.project, "page_number": 1}}
    assert world.post("/api/v1/job/list", body, "Viewer").status_code == 200
    assert world.post(f"/api/v1/job/{job}/task/list", {"mode_data": "x"}, "Viewer").status_code == 200
    assert world.post("/api/v1/project/{p}/job/new", {"name": "x"}, "Viewer").status_code == 403
    assert world.post("/api/v1/job/launch", {"job_id": job}, "Viewer").status_code == 403
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    assert other.post(f"/api/v1/job/{job}/task/list", {"mode_data": "x"}).status_code == 403
    assert other.post("/api/v1/job/list", body).status_code == 403


def test_a_dataset_tells_its_jobs(world: World) -> None:
    job = launched(world)
    listed = world.post("/api/v1/project/{p}/directory/list", {"nickname": "demo"}).json()["directory_list"]
    assert listed[0]["jobs_to_sync"] == {"job_ids": [job]}


def test_an_export_of_a_job(world: World) -> None:
    file_id = local(world, "a.png")
    job = launched(world)
    (task,) = with_tasks(world, job, 1)
    base = {"kind": "Annotations", "file_comparison_mode": "latest", "masks": False}
    wait = {"wait_for_export_generation": True, "return_type": "data"}
    for source, key in (("job", job), ("task", task["id"])):
        body = {**base, **wait, "source": source, f"{source}_id": key}
        assert str(file_id) in world.post("/api/walrus/project/{p}/export/to_file", body).json()


def test_jobs_survive_a_restart(own_world: World) -> None:
    job = launched(own_world)
    file_id = local(own_world, "a.png")
    own_world.emulator = own_world.emulator.restart(kill=True)
    (task,) = with_tasks(own_world, job, 1)
    assert task["file"]["id"] == file_id


def test_the_tasks_of_a_launch_come_late_and_all_at_once(world: World) -> None:
    """One transaction, 33 ms for each of 900 (server.md 10.2.3)."""
    for number in range(4):
        local(world, f"{number}.png")
    world.emulator.tune(launch_task_seconds=0.3, task_seconds=0.0)
    job = launched(world)
    seen = set()
    until(lambda: seen.add(len(tasks(world, job)["task_list"])) or 4 in seen, "the tasks")  # type: ignore[func-returns-value]
    assert seen == {0, 4}
    assert tasks(world, job)["pending_initial_dir_sync"] is False


def test_events_tell_of_tasks_that_nobody_listed(world: World) -> None:
    local(world, "a.png")
    job = launched(world)

    def told() -> list[str]:
        events = world.post("/api/v1/project/{p}/event/list", {"kind": "task_created"}).json()["event_list"]
        return [event["job_id"] for event in events]

    assert until(told, "an event") == [None, job]
