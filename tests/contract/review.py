"""A job in which people review, with the files it shall have a task for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from .deployment import body_of, until
from .media_server import picture
from .world import World

TASKS = "/api/v1/project/{p}/task/list"


@dataclass(frozen=True)
class Review:
    """An active job on a dataset with two images.

    :param world: with the dataset.
    :param draft: the job as it was created.
    :param launched: what its launch answered.
    :param files: ids of the images.
    """

    world: World
    id: int
    name: str
    draft: dict[str, Any]
    launched: dict[str, Any]
    files: list[int]


def review_of(world: World) -> Review:
    """Make the job and wait for its tasks."""
    files = [world.uploaded(f"{n}.png", picture())["file"]["id"] for n in range(2)]
    name = f"{world.deployment.prefix} review"
    world.labels  # noqa: B018  so that the schema of the job has some
    body = {
        "name": name,
        "instance_type": "box",
        "label_schema_id": world.deployment.schema,
        "file_handling": "use_existing",
        "member_list_ids": [],
    }
    draft = body_of(world.post("/api/v1/project/{p}/job/new", body))["job"]
    dataset = {"directory_id": world.dataset, "nickname": world.dataset_name, "selected": "sync"}
    attach = {"job_id": draft["id"], "directory_list": [dataset]}
    attached = world.post("/api/v1/project/{p}/job/dir/attach", attach)
    if attached.status_code == 429:
        pytest.skip("the server takes datasets into jobs 20 times a day, and these are used up")
    body_of(attached)
    launched = body_of(world.post("/api/v1/job/launch", {"job_id": draft["id"]}))
    job = Review(world, int(draft["id"]), name, draft, launched, files)
    until(lambda: {task["file"]["id"] for task in tasks_of(job)} == set(files), "the tasks of the job")
    return job


def tasks_of(job: Review) -> list[dict[str, Any]]:
    """Return the tasks of a job."""
    body = {"mode_data": "list", "job_id": job.id, "limit_count": 50}
    found: list[dict[str, Any]] = body_of(job.world.post(TASKS, body))["task_list"]
    return found
