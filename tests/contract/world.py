"""A dataset of one's own in a Diffgram, spoken to with plain ``requests``."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest
import requests

from .deployment import PACKET, Deployment, body_of, until

LIST = "/api/walrus/v1/project/{p}/input/view/list"
_numbers = itertools.count(1)


class World:
    """A dataset, a batch and three labels of one test.

    :param deployment: the Diffgram.
    :param name: of the test; the dataset is named after it.
    """

    def __init__(self, deployment: Deployment, name: str) -> None:
        self.deployment = deployment
        self.media = deployment.media
        self.name = f"{name} {next(_numbers)}"
        self.post = deployment.post
        self.send = deployment.send
        self._seen: set[int] = set()

    @cached_property
    def dataset(self) -> int:
        """Id of the dataset."""
        return self.deployment.new_dataset(self.name)

    @property
    def dataset_name(self) -> str:
        """The dataset's name."""
        return f"{self.deployment.prefix} {self.name}"

    @cached_property
    def batch(self) -> int:
        """Id of the batch that every packet belongs to, unless it names another."""
        return self.new_batch()

    @property
    def labels(self) -> list[int]:
        """Label file ids of cat, dog and person."""
        return self.deployment.labels

    def get(self, path: str, level: str | None = "admin", **options: Any) -> requests.Response:
        """GET a path."""
        return self.send("GET", path, level, **options)

    def new_batch(self, **body: Any) -> int:
        """Create a batch and return its id."""
        found = int(body_of(self.post("/api/v1/project/{p}/input-batch/new", body))["input_batch"]["id"])
        self.deployment.batches.add(found)
        return found

    def compound(self, name: str, **body: Any) -> requests.Response:
        """Ask for a compound parent; whatever comes into being is archived at the end."""
        body = {"name": name, "directory_id": self.dataset, **body}
        answer: requests.Response = self.post("/api/v1/project/{p}/file/new-compound", body)
        if answer.status_code == 200:
            file = answer.json()["file"]
            self.deployment.parents.add(int(file["id"]))
            self.deployment.inputs.add(int(file["input"]["id"]))
        return answer

    def new_compound(self, name: str, **body: Any) -> int:
        """Create a compound parent and return its file id."""
        return int(body_of(self.compound(name, **body))["file"]["id"])

    def box(self, **more: Any) -> dict[str, Any]:
        """Return a good box, changed as told."""
        good = {"type": "box", "label_file_id": self.labels[0]}
        return {**good, "x_min": 10, "y_min": 20, "x_max": 110, "y_max": 220, **more}

    def packet(self, **body: Any) -> requests.Response:
        """Send a packet once the rate limit admits it; of a tiny image unless told.

        A key given as None is left out.
        """
        packet = {
            "directory_id": self.dataset,
            "batch_id": self.batch,
            "original_filename": f"image-{next(_numbers)}.png",
            "media": {"url": f"{self.media.url}/tiny.png", "type": "image"},
            **body,
        }
        return self.admitted({key: value for key, value in packet.items() if value is not None})

    def admitted(self, body: Any, **options: Any) -> requests.Response:
        """POST to input/packet until the answer is something else than 429."""
        answers = until(lambda: self._unless_throttled(body, options), "room in the rate limit")
        found: requests.Response = answers[0]
        return found

    def _unless_throttled(self, body: Any, options: dict[str, Any]) -> list[requests.Response]:
        """Return the answer in a list, since a response of an error is false by itself."""
        answer = self.post(PACKET, body, **options)
        return [] if answer.status_code == 429 else [answer]

    def accepted(self, **body: Any) -> int:
        """Send a packet that is accepted, and return the id of its row."""
        patience = self.deployment.patience
        answer = self.packet(**body)
        assert answer.status_code == 200, answer.text
        if body.get("parent_file_id") is not None:
            self.deployment.parents.add(body["parent_file_id"])
        filters = {"parent_file_id": body.get("parent_file_id"), "batch_id": body.get("batch_id", self.batch)}

        def fresh() -> list[int]:
            return [row["id"] for row in self.inputs(**filters) if row["id"] not in self._seen]

        found = until(fresh, "the row of an accepted packet", patience)
        self._seen.update(found)
        self.deployment.inputs.update(found)
        self.deployment.waiting.update(found)
        assert len(found) == 1, f"one packet was sent, and rows {found} came of it"
        return int(found[0])

    def all_accepted(self, *bodies: dict[str, Any]) -> list[int]:
        """Send several packets at once, so that they are ingested together; return the ids of their rows."""
        return [self.accepted(**body) for body in bodies]

    def ingested(self, **body: Any) -> dict[str, Any]:
        """Send a packet and return its row once it is settled."""
        return self.settled(self.accepted(**body))

    def all_ingested(self, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        """Send several packets at once and return their rows once all are settled."""
        return [self.settled(input_id) for input_id in self.all_accepted(*bodies)]

    def row(self, input_id: int) -> dict[str, Any]:
        """Return an Input row."""
        answer = self.post(f"/api/walrus/v1/project/{{p}}/input/view/{input_id}")
        row: dict[str, Any] = body_of(answer)["input"]
        return row

    def ended(self, input_id: int) -> dict[str, Any]:
        """Return a row at its first success or failure."""

        def terminal() -> dict[str, Any] | None:
            row = self.row(input_id)
            return row if row["status"] in ("success", "failed") else None

        return _readable(self._when(terminal, f"input {input_id} to end", input_id))

    def failed(self, input_id: int) -> dict[str, Any]:
        """Return a row once it is failed, which may be after a success (quirk 3)."""

        def refused() -> dict[str, Any] | None:
            row = self.row(input_id)
            return row if row["status"] == "failed" else None

        return _readable(self._when(refused, f"input {input_id} to fail", input_id))

    def _when(self, condition: Callable[[], Any], what: str, input_id: int) -> dict[str, Any]:
        """Return a row in a state that comes once the queue has got to it, in whatever order."""
        patience = self.deployment.queue_patience
        found: dict[str, Any] = until(condition, what, patience, lambda: self.row(input_id))
        self.deployment.waiting.discard(input_id)
        return found

    def settled(self, input_id: int) -> dict[str, Any]:
        """Return a row that ended, with its instances stored or refused for good (server.md 3.2)."""
        row = self.ended(input_id)
        sent = (row["instance_list"] or {}).get("list")
        if row["status"] == "failed" or not sent or row["mode"] or row["media_type"] == "video":
            return row

        def decided() -> dict[str, Any] | None:
            counted = self.view(row["file_id"])["count_instances_changed"]
            now = self.row(input_id)
            return now if now["status"] == "failed" or counted is not None else None

        what, patience = f"the instances of input {input_id}", self.deployment.patience + 0.1 * len(sent)
        found: dict[str, Any] = until(decided, what, patience, lambda: self.row(input_id))
        return found

    def settled_video(self, input_id: int) -> dict[str, Any]:
        """Return a video's row once it is success; its failure may become one (quirk 52)."""

        def ended() -> dict[str, Any] | None:
            row = self.row(input_id)
            return row if row["status"] == "success" or hangs(row) else None

        row = self._when(ended, f"video {input_id} to succeed", input_id)
        if hangs(row):
            pytest.skip(f"video {input_id} hangs, as 1 of 11 sent alone did (quirk 62)")
        return row

    def inputs(self, **filters: Any) -> list[dict[str, Any]]:
        """Return the rows of view/list; a filter given as None is left out."""
        body = {"limit": 1000, **{key: value for key, value in filters.items() if value is not None}}
        rows: list[dict[str, Any]] = body_of(self.post(LIST, body))["input_list"]
        return rows

    def view(self, file_id: int) -> dict[str, Any]:
        """Return a file."""
        body = {"file_id": file_id, "project_string_id": self.deployment.project}
        file: dict[str, Any] = body_of(self.post("/api/v1/file/view", body))["file"]
        return file

    def instances(self, file_id: int) -> list[dict[str, Any]]:
        """Return the live instances of a file."""
        answer = self.post(f"/api/project/{{p}}/file/{file_id}/annotation/list")
        found: list[dict[str, Any]] = body_of(answer)["file_serialized"]["instance_list"]
        return found

    def children(self, parent: int, query: str = "") -> list[dict[str, Any]]:
        """Return the children of a compound file, by ordinal."""
        answer = self.get(f"/api/v1/project/{{p}}/file/{parent}/child-files{query}")
        return sorted(body_of(answer)["child_files"], key=lambda child: int(child["ordinal"]))

    def files(self, mode: str = "base", **metadata: Any) -> list[Any]:
        """Return the files of the dataset."""
        body = {"metadata": {"directory_id": self.dataset, "file_view_mode": mode, "limit": 1000, **metadata}}
        found: list[Any] = body_of(self.post("/api/project/{p}/user/x/file/list", body))["file_list"]
        return found

    def from_local(self, name: str, content: bytes, level: str = "admin", **body: Any) -> requests.Response:
        """Upload a file; the row that comes of it is archived at the end."""
        fields = json.dumps({"directory_id": self.dataset, **body})
        files = {"file": (name, content), "json": (None, fields, "application/json")}
        answer = self.send("POST", "/api/walrus/v1/project/{p}/input/from_local", level, files=files)
        if answer.headers.get("content-type", "").startswith("application/json"):
            made = answer.json().get("input") or {}
            self.deployment.inputs.update({made["id"]} if made.get("id") else set())
        return answer

    def uploaded(self, name: str, content: bytes, **body: Any) -> dict[str, Any]:
        """Upload a file that is taken, and return the answer."""
        answer = self.from_local(name, content, **body)
        _skip_without_nltk(answer.text)
        found: dict[str, Any] = body_of(answer)
        assert found["input"]["status"] == "success", found["input"]
        return found

    def update_inputs(self, mode: str | None, *ids: int) -> requests.Response:
        """Retry or archive rows; the server allows 300 such calls a day."""
        body: dict[str, Any] = {"id_list": list(ids)}
        if mode is not None:
            body["mode"] = mode
        answer: requests.Response = self.post("/api/walrus/v1/project/{p}/input/update", body)
        if mode == "ARCHIVE" and answer.status_code == 200:
            self.deployment.inputs.difference_update(ids)
        return answer


def errors_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return what went wrong with an input."""
    return (row["update_log"] or {}).get("error") or {}


def hangs(row: dict[str, Any]) -> bool:
    """Tell whether a video hangs for ever (quirk 62)."""
    return row["status"] == "processing_frames_in_queue" and "process_video" in errors_of(row)


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row, unless it is a text of a server that can read none."""
    if row["status"] == "failed" and row["media_type"] == "text":
        _skip_without_nltk(json.dumps(row))
    return row


def _skip_without_nltk(said: str) -> None:
    if "punkt" in said:
        pytest.skip("the nltk of this server lacks punkt_tab, so that it refuses every text")
