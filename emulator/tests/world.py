"""A project in the emulator, spoken to with plain ``requests``."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import requests

from diffgram_emulator.process import EmulatorProcess
from tests.contract.media_server import MediaServer

DEADLINE = 10.0
_numbers = itertools.count(1)
_session = requests.Session()
_session.trust_env = False


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {DEADLINE} s in vain for: {what}")


class World:
    """A project with the dataset ``demo-dataset`` and the labels cat, dog and person."""

    def __init__(self, emulator: EmulatorProcess, media: MediaServer) -> None:
        names = ("cat", "dog", "person")
        body = {"name": emulator.project, "labels": names, "datasets": ["demo-dataset"]}
        made = emulator.control("projects", body)
        self.emulator = emulator
        self.media = media
        self.project = emulator.project
        self.dataset = int(made["datasets"]["demo-dataset"])
        self.labels = [int(made["labels"][name]) for name in names]

    def send(self, method: str, path: str, role: str | None = "admin", **options: Any) -> requests.Response:
        """Send a request; ``{p}`` in the path is the project."""
        if role is not None and "auth" not in options:
            one = self.emulator.credentials[role]
            options["auth"] = (one.client_id, one.client_secret)
        url = self.emulator.url + path.replace("{p}", self.project)
        return _session.request(method, url, timeout=20, allow_redirects=False, **options)

    def post(
        self, path: str, body: Any = None, role: str | None = "admin", **options: Any
    ) -> requests.Response:
        """POST a JSON body, an empty object unless told."""
        return self.send("POST", path, role, json={} if body is None else body, **options)

    def get(self, path: str, role: str | None = "admin", **options: Any) -> requests.Response:
        """GET a path."""
        return self.send("GET", path, role, **options)

    def new_label(self, name: str, **more: Any) -> int:
        """Create a label and return its file id."""
        return int(self.post("/api/v1/project/{p}/label/new", {"name": name, **more}).json()["label"]["id"])

    def new_dataset(self, name: str) -> int:
        """Create a dataset and return its id."""
        body = {"nickname": name, "access_type": "project"}
        answer = self.post("/api/v1/project/{p}/directory/new", body).json()
        return int(answer["new_directory"]["id"])

    def new_batch(self, **body: Any) -> int:
        """Create a batch and return its id."""
        return int(self.post("/api/v1/project/{p}/input-batch/new", body).json()["input_batch"]["id"])

    def new_compound(self, name: str, **more: Any) -> int:
        """Create a compound parent and return its file id."""
        body = {"name": name, "directory_id": self.dataset, **more}
        return int(self.post("/api/v1/project/{p}/file/new-compound", body).json()["file"]["id"])

    def new_group(self, kind: str, options: tuple[str, ...] = (), **more: Any) -> tuple[int, list[int]]:
        """Create an attribute group and return its id and those of its options."""
        base = "/api/v1/project/{p}/attribute"
        group = self.post(f"{base}/group/new", {}).json()["attribute_template_group"]["id"]
        body = {"group_id": group, "mode": "UPDATE", "name": f"g_{kind}", "prompt": f"P {kind}", "kind": kind}
        assert self.post(f"{base}/group/update", {**body, **more}).status_code == 200
        ids = []
        for name in options:
            attribute = {"mode": "NEW", "attribute": {"name": name, "group_id": group}}
            ids.append(self.post(base, attribute).json()["attribute_template"]["id"])
        return group, ids

    def box(self, **more: Any) -> dict[str, Any]:
        """Return a good box, changed as told."""
        good = {"type": "box", "label_file_id": self.labels[0]}
        return {**good, "x_min": 10, "y_min": 20, "x_max": 110, "y_max": 220, **more}

    def packet(self, **body: Any) -> requests.Response:
        """Send a packet, of a tiny image unless told; a key given as None is left out."""
        packet = {
            "directory_id": self.dataset,
            "original_filename": f"image-{next(_numbers)}.png",
            "media": {"url": f"{self.media.url}/tiny.png", "type": "image"},
            **body,
        }
        kept = {key: value for key, value in packet.items() if value is not None}
        return self.post("/api/walrus/v1/project/{p}/input/packet", kept)

    def packet_as(self, auth: tuple[str, str]) -> requests.Response:
        """Send an empty packet with any credential."""
        return self.post("/api/walrus/v1/project/{p}/input/packet", {}, auth=auth)

    def accepted(self, **body: Any) -> int:
        """Send a packet that is accepted, and return the id of its row."""
        before = {row["id"] for row in self.inputs(parent_file_id=body.get("parent_file_id"))}
        (answer,) = until(lambda: _unless_throttled(self.packet(**body)), "room in the rate limit")
        assert answer.status_code == 200, answer.text
        after = {row["id"] for row in self.inputs(parent_file_id=body.get("parent_file_id"))}
        (created,) = after - before
        return int(created)

    def ingested(self, **body: Any) -> dict[str, Any]:
        """Send a packet and return its row once it is settled."""
        return self.settled(self.accepted(**body))

    def row(self, input_id: int) -> dict[str, Any]:
        """Return an Input row."""
        row: dict[str, Any] = self.post(f"/api/walrus/v1/project/{{p}}/input/view/{input_id}").json()["input"]
        return row

    def ended(self, input_id: int) -> dict[str, Any]:
        """Return a row at its first success or failure."""

        def terminal() -> dict[str, Any] | None:
            row = self.row(input_id)
            return row if row["status"] in ("success", "failed") else None

        found: dict[str, Any] = until(terminal, f"input {input_id} to end")
        return found

    def settled(self, input_id: int) -> dict[str, Any]:
        """Return a row that ended, with its instances stored or refused for good."""
        row = self.ended(input_id)
        if row["status"] == "failed" or not (row["instance_list"] or {}).get("list") or row["mode"]:
            return row

        def decided() -> dict[str, Any] | None:
            counted = self.view(row["file_id"])["count_instances_changed"]
            now = self.row(input_id)
            return now if now["status"] == "failed" or counted is not None else None

        found: dict[str, Any] = until(decided, f"the instances of input {input_id}")
        return found

    def inputs(self, **filters: Any) -> list[dict[str, Any]]:
        """Return the rows of view/list."""
        body = {"limit": 1000, **filters}
        answer = self.post("/api/walrus/v1/project/{p}/input/view/list", body)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["input_list"]
        return rows

    def view(self, file_id: int) -> dict[str, Any]:
        """Return a file."""
        body = {"file_id": file_id, "project_string_id": self.project}
        file: dict[str, Any] = self.post("/api/v1/file/view", body).json()["file"]
        return file

    def instances(self, file_id: int) -> list[dict[str, Any]]:
        """Return the live instances of a file."""
        answer = self.post(f"/api/project/{{p}}/file/{file_id}/annotation/list")
        found: list[dict[str, Any]] = answer.json()["file_serialized"]["instance_list"]
        return found

    def files(self, mode: str = "base", **metadata: Any) -> list[Any]:
        """Return the files of the dataset."""
        body = {"metadata": {"directory_id": self.dataset, "file_view_mode": mode, "limit": 1000, **metadata}}
        answer = self.post("/api/project/{p}/user/x/file/list", body)
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["file_list"]
        return found

    def from_local(self, name: str, content: bytes, **body: Any) -> requests.Response:
        """Upload a file."""
        fields = json.dumps({"directory_id": self.dataset, **body})
        files = {"file": (name, content), "json": (None, fields, "application/json")}
        return self.send("POST", "/api/walrus/v1/project/{p}/input/from_local", files=files)

    def update_inputs(self, mode: str | None, *ids: int) -> requests.Response:
        """Retry or archive rows."""
        body: dict[str, Any] = {"id_list": list(ids)}
        if mode is not None:
            body["mode"] = mode
        return self.post("/api/walrus/v1/project/{p}/input/update", body)

    def state(self) -> dict[str, Any]:
        """Return what the emulator says about itself."""
        state: dict[str, Any] = self.emulator.control("state")
        return state


def _unless_throttled(answer: requests.Response) -> list[requests.Response]:
    """Return the answer in a list, since a response of an error is false by itself."""
    return [] if answer.status_code == 429 else [answer]
