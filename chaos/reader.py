"""What a Diffgram holds, read over plain HTTP. Shares no code with the package under test."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Prediction = tuple[str, str | None, tuple[Any, ...]]
"""Type, label and geometry of an instance."""

_PAGE = 1000
_RESTING = ("success", "failed", "base_object_created")


@dataclass(frozen=True)
class Diffgram:
    """A project of a server.

    :param url: base URL.
    :param project: ``project_string_id``.
    """

    url: str
    project: str
    client_id: str
    client_secret: str = field(repr=False)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and return the JSON of its answer."""
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/api/{path.format(p=self.project)}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {pair}", "User-Agent": "chaos"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def dataset(self, name: str) -> int:
        """Return the id of a dataset."""
        listed = self.call("POST", "v1/project/{p}/directory/list", {})["directory_list"]
        return next(int(each["id"]) for each in listed if each["nickname"] == name)

    def labels(self) -> dict[int, str]:
        """Return the names of labels by the ids that instances hold."""
        found = self.call("GET", "v1/project/{p}/labels/view/name_to_file_id")["name_to_file_id"]
        return {int(label_id): str(name) for name, label_id in found.items()}

    def files(self, dataset_id: int) -> Iterator[dict[str, Any]]:
        """Yield the root files of a dataset that are alive."""
        page: int | None = 1
        while page:
            wanted = {
                "directory_id": dataset_id,
                "file_view_mode": "base",
                "limit": _PAGE,
                "page": page,
                "with_children_files": False,
            }
            answer = self.call("POST", "project/{p}/user/me/file/list", {"metadata": wanted})
            yield from (each for each in answer["file_list"] if each["state"] != "removed")
            page = answer["metadata"]["next_page"]

    def jobs(self, name: str) -> list[dict[str, Any]]:
        """Return the jobs of a name that are not archived."""
        metadata = {"project_string_id": self.project, "page_number": 1, "search": name}
        listed = self.call("POST", "v1/job/list", {"metadata": metadata})["Job_list"]
        return [each for each in listed if each["name"] == name]

    def tasks(self, job_id: int) -> list[dict[str, Any]]:
        """Return the tasks of a job, each with its file."""
        body = {"mode_data": "list", "job_id": job_id, "limit_count": _PAGE}
        return list(self.call("POST", f"v1/job/{job_id}/task/list", body)["task_list"])

    def children(self, file_id: int) -> list[dict[str, Any]]:
        """Return the children of a compound file that are alive."""
        listed = self.call("GET", f"v1/project/{{p}}/file/{file_id}/child-files")["child_files"]
        return [each for each in listed if each["state"] != "removed"]

    def instances(self, file_id: int) -> list[dict[str, Any]]:
        """Return the instances of a file that are alive."""
        answer = self.call("POST", f"project/{{p}}/file/{file_id}/annotation/list", {})
        return list(answer["file_serialized"]["instance_list"])

    def history(self, instance_id: int) -> list[dict[str, Any]]:
        """Return all versions of an instance, newest first."""
        answer = self.call("POST", f"v1/project/{{p}}/instance/{instance_id}/history", {})
        return list(answer["instance_history"])

    def frames(self, file_id: int, dataset_id: int) -> dict[int, list[dict[str, Any]]]:
        """Return the instances of a video that are alive, by frame."""
        path = f"project/{{p}}/video/{file_id}/instance/buffer/start/0/end/0/list"
        held = self.call("POST", path, {"directory_id": dataset_id})["instance_buffer_dict"]
        return {int(frame): list(instances) for frame, instances in held.items()}

    def inputs(self, **filters: Any) -> list[dict[str, Any]]:
        """Return inputs, newest first; the newest thousand of those that match."""
        body = {"limit": _PAGE, **filters}
        return list(self.call("POST", "walrus/v1/project/{p}/input/view/list", body)["input_list"])


@dataclass(frozen=True)
class Found:
    """A file that is there.

    :param place: its name; of a child ``PARENT/NAME#ORDINAL``.
    """

    id: int
    place: str
    predictions: Counter[Prediction]


@dataclass(frozen=True)
class There:
    """What a dataset holds.

    :param files: those alive, oldest first, without compound files.
    :param unfinished: names of inputs that neither succeeded nor failed.
    :param compounds: names of compound files that are alive.
    """

    files: list[Found]
    unfinished: list[str]
    compounds: list[str] = field(default_factory=list)


def read(diffgram: Diffgram, dataset: str) -> There:
    """Read all files with their predictions, and the inputs that have not ended."""
    labels, dataset_id = diffgram.labels(), diffgram.dataset(dataset)
    files, parents = [], []
    for file in diffgram.files(dataset_id):
        if str(file["type"]).startswith("compound"):
            parents.append(file)
        else:
            files.append(_found(diffgram, file, str(file["original_filename"]), labels, dataset_id))
    for parent in parents:
        for child in diffgram.children(parent["id"]):
            place = child_place(parent["original_filename"], child["original_filename"], child["ordinal"])
            files.append(_found(diffgram, child, place, labels, dataset_id))
    rows = diffgram.inputs(status_filter="Processing")
    for parent in parents:
        rows += diffgram.inputs(status_filter="Processing", parent_file_id=parent["id"])
    unfinished = [str(row["original_filename"]) for row in rows if row["status"] not in _RESTING]
    compounds = [str(parent["original_filename"]) for parent in parents]
    return There(sorted(files, key=lambda file: file.id), unfinished, compounds)


def child_place(parent: str, name: str, ordinal: int) -> str:
    """Return what tells a child from others."""
    return f"{parent}/{name}#{ordinal}"


def _found(
    diffgram: Diffgram, file: Mapping[str, Any], place: str, labels: Mapping[int, str], dataset_id: int
) -> Found:
    if file["type"] == "video":
        of_frames = diffgram.frames(file["id"], dataset_id)
        held: list[tuple[Any, int | None]] = [
            (each, frame) for frame, instances in of_frames.items() for each in instances
        ]
    else:
        held = [(each, None) for each in diffgram.instances(file["id"])]
    return Found(
        file["id"],
        place,
        Counter(prediction(each, labels.get(each["label_file_id"]), frame) for each, frame in held),
    )


def prediction(instance: Mapping[str, Any], label: str | None, frame: int | None = None) -> Prediction:
    """Return what makes an instance the one that was predicted.

    :param frame: of a video, that holds it.
    """
    if instance["type"] == "box":
        geometry: tuple[Any, ...] = tuple(instance[side] for side in ("x_min", "y_min", "x_max", "y_max"))
    else:
        geometry = tuple((float(point["x"]), float(point["y"])) for point in instance.get("points") or [])
    if frame is not None:
        geometry = ("frame", frame, *geometry)
    return str(instance["type"]), label, geometry
