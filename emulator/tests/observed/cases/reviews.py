"""Exports, jobs and their tasks."""

from __future__ import annotations

from typing import Any

from tests.contract.media_server import picture
from world import World, until

from .common import Pair, Ready, case


@case("probe_export_start", "probe_export_status")
def export(world: World, pair: Pair) -> Ready:
    default = world.get("/api/project/{p}/user/x/working_dir/view").json()["working_dir"]
    world.dataset = default["id"]
    assert world.from_local("one.png", picture()).status_code == 200
    if pair["name"] == "probe_export_start":
        return Ready()
    body: dict[str, Any] = {
        "kind": "Annotations",
        "source": "directory",
        "file_comparison_mode": "latest",
        "masks": False,
        "directory_id": world.dataset,
    }
    made = world.post("/api/walrus/project/{p}/export/to_file", body).json()["export"]["id"]
    path = f"/api/walrus/project/{{p}}/export/{made}/status"
    until(lambda: world.get(path).json()["export"]["status"] == "complete", "the export")
    return Ready(path)


@case("probe_job_list_after", "probe_job_tasks")
def review(world: World, pair: Pair) -> Ready:
    name = "job-ds-1795294895"
    world.dataset = world.new_dataset(name)
    assert world.from_local("jobfile.png", picture()).status_code == 200
    body: dict[str, Any] = {
        "name": "review-job",
        "instance_type": "box",
        "label_schema_id": None,
        "file_handling": "use_existing",
        "member_list_ids": [],
    }
    job = world.post("/api/v1/project/{p}/job/new", body).json()["job"]["id"]
    dataset = {"directory_id": world.dataset, "nickname": name, "selected": "sync"}
    attached = {"job_id": job, "directory_list": [dataset]}
    assert world.post("/api/v1/project/{p}/job/dir/attach", attached).status_code == 200
    assert world.post("/api/v1/job/launch", {"job_id": job}).status_code == 200
    path = f"/api/v1/job/{job}/task/list"
    listed = {"mode_data": "job_detail", "job_id": job}
    until(lambda: world.post(path, listed).json()["task_list"], "the task of the file")
    return Ready(path, {"job_id": job})
