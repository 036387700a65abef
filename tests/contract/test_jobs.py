"""Jobs and tasks (server.md 2.17). Nothing removes a job."""

from __future__ import annotations

import json
from typing import Any

import requests

from .deployment import UNKNOWN_ID, Deployment, until
from .review import TASKS, Review
from .world import World

LIST = "/api/v1/job/list"


def listing(deployment: Deployment, **metadata: Any) -> requests.Response:
    named = {"project_string_id": deployment.project, **metadata}
    answer: requests.Response = deployment.post(LIST, {"metadata": named})
    return answer


def listed(review: Review, **metadata: Any) -> dict[str, Any]:
    answer = listing(review.world.deployment, page_number=1, job_ids=[review.id], **metadata)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["Job_list"]
    return dict(found)


def tasks(review: Review, **body: Any) -> requests.Response:
    answer: requests.Response = review.world.post(f"/api/v1/job/{review.id}/task/list", body)
    return answer


def test_a_job_is_a_draft_until_it_is_launched(review: Review) -> None:
    assert review.draft["status"] == "draft"
    assert review.launched["log"]["info"]["launch_flow"] == "soon"
    until(lambda: listed(review, data_mode="with_tags")["status"] == "active", "the job to be active")


def test_q43_job_list_needs_a_page_number(review: Review) -> None:
    assert listing(review.world.deployment, job_ids=[review.id]).status_code == 500


def test_job_list_tells_the_counters(review: Review) -> None:
    def counted() -> dict[str, Any] | None:
        found = listed(review, data_mode="with_tags")
        return found if found["stat_count_tasks"] == 2 else None

    found = until(counted, "the job to count its two tasks")
    assert (found["name"], found["label_schema_id"]) == (review.name, review.world.deployment.schema)
    assert found["stat_count_complete"] == 0
    attached = found["attached_directories_dict"]["attached_directories_list"]
    assert [one["directory_id"] for one in attached] == [review.world.dataset]


def test_job_list_of_names(review: Review) -> None:
    found = listed(review, data_mode="name_and_id_only")
    assert (found["id"], found["name"]) == (review.id, review.name)


def test_job_list_searches_a_part_of_the_name(review: Review) -> None:
    prefix = review.world.deployment.prefix
    answer = listing(review.world.deployment, page_number=1, search=prefix.upper())
    found = {one["id"]: one["name"] for one in answer.json()["Job_list"]}
    assert found[review.id] == review.name
    assert all(name.startswith(prefix) for name in found.values())
    assert answer.json()["metadata"]["page_size"] == 50


def test_tasks_of_a_job_name_their_files(review: Review) -> None:
    answer = tasks(review, mode_data="job_detail", job_id=review.id, limit_count=50)
    assert (answer.status_code, answer.json()["log"]["success"]) == (200, True)
    found = answer.json()["task_list"]
    assert {task["file"]["id"] for task in found} == set(review.files)
    assert {task["job"]["id"] for task in found} == {review.id}
    assert {task["status"] for task in found} == {"available"}
    assert {task["time_completed"] for task in found} == {"None"}
    assert {task["incoming_directory"]["id"] for task in found} == {review.world.dataset}


def test_a_task_list_needs_its_mode(review: Review) -> None:
    answer = tasks(review, job_id=review.id)
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["mode_data"])


def test_q43_a_task_list_has_a_limit(review: Review) -> None:
    answer = tasks(review, mode_data="list", job_id=review.id, limit_count=1)
    assert len(answer.json()["task_list"]) == 1


def test_without_the_job_in_the_body_log_success_is_false(review: Review) -> None:
    answer = tasks(review, mode_data="list")
    assert (answer.status_code, answer.json()["log"]["success"]) == (200, False)
    assert "total_count" in answer.json()


def test_tasks_of_an_unknown_job_are_403(world: World) -> None:
    path = f"/api/v1/job/{UNKNOWN_ID}/task/list"
    assert world.post(path, {"mode_data": "list", "job_id": UNKNOWN_ID}).status_code == 403


def test_tasks_of_one_file(review: Review) -> None:
    answer = review.world.post(TASKS, {"mode_data": "list", "file_id": review.files[0]})
    assert answer.status_code == 200
    assert [task["file"]["id"] for task in answer.json()["task_list"]] == review.files[:1]
    assert "total_count" in answer.json()


def test_tasks_of_neither_file_nor_job_are_refused(world: World) -> None:
    answer = world.post(TASKS, {"mode_data": "list"})
    said = json.dumps(answer.json()["log"]["error"])
    assert answer.status_code == 400
    assert "file_id" in said
    assert "job_id" in said
