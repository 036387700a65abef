"""Jobs whose tasks people work on: adding files, completing, reviewing (server.md 10.2 to 10.5).

Two jobs a run: one that reviews everything, one that reviews nothing. Nothing removes them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from .deployment import UNKNOWN_ID, Deployment, body_of, until
from .media_server import picture
from .person import Person
from .world import World

EVENTS = "/api/v1/project/{p}/event/list"
PATIENCE = 20.0
"""Seconds in which the service eventhandlers makes the tasks of added files; 0.3 s were seen."""


@dataclass
class Job:
    """A job without datasets, at work."""

    world: World
    id: int
    name: str
    launched: dict[str, Any]
    tags: list[str]

    def add(self, *file_ids: Any, level: str = "admin") -> Any:
        return self.world.post(f"/api/v1/job/{self.id}/add-files", {"file_id_list": list(file_ids)}, level)

    def tasks(self, mode: str = "list", limit: int = 0, **body: Any) -> list[dict[str, Any]]:
        sent = {"mode_data": mode, "job_id": self.id, "limit_count": limit, **body}
        found: list[dict[str, Any]] = body_of(self.world.post(f"/api/v1/job/{self.id}/task/list", sent))[
            "task_list"
        ]
        return found

    def task_of(self, file_id: int) -> dict[str, Any]:
        return next(task for task in self.tasks() if task["file"]["id"] == file_id)

    def file_with_task(self) -> int:
        """Upload an image, and return its id once it has its task."""
        number = time.time_ns()
        file_id = int(self.world.uploaded(f"{number}.png", picture())["file"]["id"])
        assert body_of(self.add(file_id)) == [file_id]
        deadline = time.monotonic() + PATIENCE
        while file_id not in {task["file"]["id"] for task in self.tasks()}:
            if time.monotonic() > deadline:
                pytest.skip("added files get no task: the service eventhandlers does not run there")
            time.sleep(0.05)
        return file_id

    def shown(self, mode: str = "with_tags") -> dict[str, Any]:
        """Return the job as the list shows it."""
        named = {"project_string_id": self.world.deployment.project}
        metadata = {**named, "page_number": 1, "job_ids": [self.id], "data_mode": mode}
        (found,) = body_of(self.world.post("/api/v1/job/list", {"metadata": metadata}))["Job_list"]
        return dict(found)

    def counters(self) -> tuple[int, int, int]:
        """Return how many tasks count, are complete and are available, once the job tells what the tasks do.

        The server keeps these numbers, and renews them when a task changes.
        """
        statuses = [task["status"] for task in self.tasks("exam_results")]
        complete = statuses.count("complete")
        available = statuses.count("available") + statuses.count("in_progress")
        expected = (complete + available, complete, available)
        until(lambda: self._told() == expected, f"counters {expected}", seen=self._told)
        return expected

    def _told(self) -> tuple[Any, ...]:
        shown = self.shown()
        return tuple(shown[f"stat_count_{key}"] for key in ("tasks", "complete", "available"))


def made(world: World, name: str, **more: Any) -> Job:
    named, tags = f"{world.deployment.prefix} {name}", [world.deployment.prefix, name]
    body = {
        "name": named,
        "instance_type": "box",
        "label_schema_id": world.deployment.schema,
        "file_handling": "use_existing",
        "member_list_ids": ["all"],
        "tag_list": tags,
        **more,
    }
    world.labels  # noqa: B018  so that the schema has some
    job = body_of(world.post("/api/v1/project/{p}/job/new", body))["job"]
    assert (job["name"], job["status"]) == (named, "draft")
    launched = body_of(world.post("/api/v1/job/launch", {"job_id": job["id"]}))
    return Job(world, int(job["id"]), named, launched, tags)


@pytest.fixture(scope="module")
def plain(module_world: World) -> Job:
    """A job that reviews nothing."""
    return made(module_world, "plain")


@pytest.fixture(scope="module")
def reviewed(module_world: World) -> Job:
    """A job that reviews everything."""
    more = {"allow_reviews": True, "review_chance": 100, "reviewer_list_ids": ["all"]}
    return made(module_world, "reviewed", **more)


def open_and(person: Person, job: Job, file_id: int, action: str, body: Any = None) -> dict[str, Any]:
    """Open a file's task as a person does, do something with it, and return it."""
    task = job.task_of(file_id)["id"]
    until(lambda: _opened(person, task), "a task to be opened, once a second")
    answer = person.post(f"/api/v1/task/{task}/{action}", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["task"])


def _opened(person: Person, task: int) -> bool:
    answer = person.post("/api/v1/task", {"task_id": task, "builder_or_trainer_mode": "builder"})
    _skip_if_used_up(answer)
    return bool(answer.status_code == 200)


def _skip_if_used_up(answer: Any) -> None:
    if answer.status_code == 429 and "day" in answer.text:
        pytest.skip(f"people may open no more tasks today: {answer.text}")


def changed(person: Person, job: Job, file_id: int, **change: Any) -> None:
    task = job.task_of(file_id)["id"]

    def done() -> bool:
        answer = person.post("/api/v1/task/update", {"task_id": task, **change})
        _skip_if_used_up(answer)
        return bool(answer.status_code == 200)

    until(done, "a task to be changed, once a second")


def events_of(job: Job, **filters: Any) -> list[dict[str, Any]]:
    """Return events, oldest first."""
    found: list[dict[str, Any]] = body_of(job.world.post(EVENTS, {"limit": 1000, **filters}))["event_list"]
    return found[::-1]


def until_last(job: Job, task_id: int, wanted: list[str]) -> None:
    """Wait until these are the last events of a task: some may be late (server.md 10.4)."""

    def kinds() -> list[str]:
        return [event["kind"] for event in events_of(job) if event["task_id"] == task_id]

    until(lambda: kinds()[-len(wanted) :] == wanted, f"the last events to be {wanted}", seen=kinds)


def test_a_job_without_datasets_can_be_launched_once(plain: Job) -> None:
    assert plain.launched["log"]["info"]["launch_flow"] == "soon"
    assert plain.shown()["status"] == "active"
    again = plain.world.post("/api/v1/job/launch", {"job_id": plain.id})
    assert (again.status_code, again.json()["log"]["error"]) == (400, {"job_status": "Job already launched."})


def test_tags_are_told_by_name(plain: Job) -> None:
    assert sorted(plain.shown()["tags"]) == sorted(plain.tags)


def test_names_and_ids_tell_no_status(plain: Job) -> None:
    shown = plain.shown("name_and_id_only")
    assert (shown["id"], shown["name"], "status" in shown) == (plain.id, plain.name, False)


def test_pages_of_jobs_begin_at_1(deployment: Deployment) -> None:
    metadata = {"project_string_id": deployment.project, "page_number": 0}
    assert deployment.is_refused_by_database("POST", "/api/v1/job/list", json={"metadata": metadata})
    metadata["page_number"] = 10_000
    assert body_of(deployment.post("/api/v1/job/list", {"metadata": metadata}))["Job_list"] == []


def test_what_is_added_is_not_checked(plain: Job) -> None:
    assert plain.add("x").json() == ["x"]
    assert plain.add(UNKNOWN_ID).json() == [UNKNOWN_ID]


@pytest.mark.parametrize(
    "body, words", [({}, "Provide file_id_list or query"), ({"file_id_list": []}, "empty")]
)
def test_something_has_to_be_added(plain: Job, body: dict[str, Any], words: str) -> None:
    answer = plain.world.post(f"/api/v1/job/{plain.id}/add-files", body)
    assert answer.status_code == 400
    assert words in answer.json()["log"]["error"]["file_id_list"]


def test_a_query_that_is_none(plain: Job) -> None:
    answer = plain.world.post(f"/api/v1/job/{plain.id}/add-files", {"query": "nonsense"})
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["parser"])


def test_a_viewer_adds_nothing(plain: Job) -> None:
    assert plain.add(UNKNOWN_ID, level="Viewer").status_code == 403
    assert plain.add(UNKNOWN_ID, level="Editor").status_code == 200


def test_a_file_gets_one_task_of_a_job(plain: Job) -> None:
    file_id = plain.file_with_task()
    assert plain.add(file_id, UNKNOWN_ID).status_code == 200
    other = plain.file_with_task()
    files = [task["file"]["id"] for task in plain.tasks()]
    assert (files.count(file_id), files.count(other)) == (1, 1)
    assert plain.world.view(file_id)["ann_is_complete"] is False

    def told() -> list[tuple[Any, ...]]:
        return [(event["kind"], event["job_id"]) for event in events_of(plain, file_id=file_id)]

    until(lambda: ("file_None", plain.id) in told(), "a file's link to a job as an event", seen=told)


def test_the_light_list_tells_the_status_alone(plain: Job) -> None:
    file_id = plain.file_with_task()
    task = plain.task_of(file_id)["id"]
    rows = {row["id"]: row for row in plain.tasks("exam_results")}
    assert (rows[task]["status"], rows[task]["time_completed"], "file" in rows[task]) == (
        "available",
        None,
        False,
    )
    assert list(rows) == sorted(rows)


def test_limits_of_the_list_of_tasks(plain: Job) -> None:
    plain.file_with_task()
    plain.file_with_task()
    assert len(plain.tasks(limit=1)) == 1
    assert len(plain.tasks(limit=0)) == len(plain.tasks(limit=1000)) >= 2
    path = f"/api/v1/job/{plain.id}/task/list"
    body = {"mode_data": "list", "job_id": plain.id, "limit_count": -1}
    assert plain.world.deployment.is_refused_by_database("POST", path, json=body)


def test_statuses_of_the_list_of_tasks(plain: Job) -> None:
    plain.file_with_task()
    assert plain.tasks(status="unheard") == []
    assert len(plain.tasks(status="all")) == len(plain.tasks())
    path = f"/api/v1/job/{plain.id}/task/list"
    body = {"mode_data": "list", "job_id": plain.id, "status": ["available"]}
    assert plain.world.deployment.is_refused_by_database("POST", path, json=body)


def test_a_person_completes_a_task(plain: Job, person: Person) -> None:
    file_id = plain.file_with_task()
    tasks, complete, available = plain.counters()
    task = open_and(person, plain, file_id, "complete")
    assert (task["status"], task["file"]["ann_is_complete"]) == ("complete", False)
    assert plain.counters() == (tasks, complete + 1, available - 1)

    def told() -> list[tuple[Any, ...]]:
        found = events_of(plain, kind="task_completed")
        of_task = [event for event in found if event["task_id"] == task["id"]]
        return [(event["job_id"], event["member_id"] is None) for event in of_task]

    until(lambda: told() == [(plain.id, False), (None, False)], "two events of a completion", seen=told)


def test_saving_through_a_task_writes_no_event(plain: Job, person: Person) -> None:
    file_id = plain.file_with_task()
    task = plain.task_of(file_id)["id"]
    body = {"instance_list": [plain.world.box(x_max=40, y_max=40)], "and_complete": False, "video_data": None}
    answer = person.post(f"/api/v1/task/{task}/annotation/update", body)
    assert answer.status_code == 200, answer.text
    assert len(plain.world.instances(file_id)) == 1
    assert plain.task_of(file_id)["status"] == "available"
    assert events_of(plain, file_id=file_id, kind="annotation_update") == []


def test_a_task_that_is_deferred_is_in_no_counter(plain: Job, person: Person) -> None:
    file_id = plain.file_with_task()
    tasks, complete, available = plain.counters()
    changed(person, plain, file_id, mode="toggle_deferred")
    assert plain.task_of(file_id)["status"] == "deferred"
    assert plain.counters() == (tasks - 1, complete, available - 1)


def test_a_task_that_is_opened_again_keeps_its_time(plain: Job, person: Person) -> None:
    file_id = plain.file_with_task()
    done = open_and(person, plain, file_id, "complete")
    changed(person, plain, file_id, mode="incomplete")
    task = plain.task_of(file_id)
    assert (task["status"], task["time_completed"]) == ("in_progress", done["time_completed"])


def test_a_task_that_is_archived_is_listed_no_more(plain: Job, person: Person) -> None:
    file_id = plain.file_with_task()
    changed(person, plain, file_id, status="archived")
    assert file_id not in {task["file"]["id"] for task in plain.tasks()}
    assert file_id not in {task["file"]["id"] for task in plain.tasks(status="archived")}


def test_a_review_and_its_approval(reviewed: Job, person: Person) -> None:
    file_id = reviewed.file_with_task()
    tasks, complete, available = reviewed.counters()
    waiting = open_and(person, reviewed, file_id, "complete")
    assert (waiting["status"], waiting["file"]["ann_is_complete"]) == ("in_review", True)
    assert waiting["assignee_user_id"] is not None
    assert [one["relation"] for one in waiting["task_reviewers"]] == ["reviewer"]
    assert reviewed.counters() == (tasks - 1, complete, available - 1)
    approved = open_and(person, reviewed, file_id, "review", {"action": "approve"})
    assert (approved["status"], approved["file"]["ann_is_complete"]) == ("complete", False)
    assert reviewed.counters() == (tasks, complete + 1, available - 1)
    last = ["task_review_start", "task_review_complete", "task_completed", "task_completed"]
    until_last(reviewed, approved["id"], last)


def test_a_review_that_asks_for_changes(reviewed: Job, person: Person) -> None:
    file_id = reviewed.file_with_task()
    open_and(person, reviewed, file_id, "complete")
    before = reviewed.counters()
    body = {"action": "request_change", "comment": "the left one"}
    assert open_and(person, reviewed, file_id, "review", body)["status"] == "requires_changes"
    assert reviewed.counters() == before
    task = reviewed.task_of(file_id)["id"]
    until_last(reviewed, task, ["task_request_changes", "task_comment_created"])


@pytest.mark.parametrize("path", ["complete", "review", "annotation/update"])
def test_a_credential_does_nothing_of_a_person(plain: Job, path: str) -> None:
    answer = plain.world.post(f"/api/v1/task/{UNKNOWN_ID}/{path}", {"action": "approve", "instance_list": []})
    assert answer.status_code == 401
    assert "login" in answer.json()["error"]
