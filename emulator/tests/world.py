"""A project in the emulator: the contract suite's world, with what only the emulator has."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import requests

from diffgram_emulator.process import EmulatorProcess
from tests.contract import deployment, world
from tests.contract.deployment import PACKET, Access, Deployment, Place, body_of
from tests.contract.media_server import MediaServer

PATIENCE = 10.0
_numbers = itertools.count(1)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of a condition, asked a hundred times a second."""
    return deployment.until(condition, what, PATIENCE, longest=0.01)


class World(world.World):
    """A project with the dataset ``demo-dataset`` and the labels cat, dog and person.

    Packets belong to no batch unless they name one.
    """

    def __init__(self, emulator: EmulatorProcess, media: MediaServer) -> None:
        names = ("cat", "dog", "person")
        body = {"name": emulator.project, "labels": names, "datasets": ["demo-dataset"]}
        made = emulator.control("projects", body)
        levels = {
            level: Access(emulator.project, one.client_id, one.client_secret)
            for level, one in emulator.credentials.items()
        }
        place = Place(emulator.url, levels, None, 8, PATIENCE)
        seen = Deployment(place, media, emulator.project)
        seen.labels = [int(made["labels"][name]) for name in names]
        seen.patience = PATIENCE  # an emulator's queue needs no finding out
        super().__init__(seen, emulator.project)
        self.emulator = emulator
        self.project = emulator.project
        self.dataset = int(made["datasets"]["demo-dataset"])

    def new_label(self, name: str, **more: Any) -> int:
        """Create a label in the default schema and return its file id."""
        answer = self.post("/api/v1/project/{p}/label/new", {"name": name, **more})
        return int(body_of(answer)["label"]["id"])

    def new_dataset(self, name: str) -> int:
        """Create a dataset of exactly that name and return its id."""
        body = {"nickname": name, "access_type": "project"}
        return int(body_of(self.post("/api/v1/project/{p}/directory/new", body))["new_directory"]["id"])

    def new_group(self, kind: str, options: tuple[str, ...] = (), **more: Any) -> tuple[int, list[int]]:
        """Create an attribute group and return its id and those of its options."""
        base = "/api/v1/project/{p}/attribute"
        group = body_of(self.post(f"{base}/group/new"))["attribute_template_group"]["id"]
        body = {"group_id": group, "mode": "UPDATE", "name": f"g_{kind}", "prompt": f"P {kind}", "kind": kind}
        body_of(self.post(f"{base}/group/update", {**body, **more}))
        ids = []
        for name in options:
            attribute = {"mode": "NEW", "attribute": {"name": name, "group_id": group}}
            ids.append(body_of(self.post(base, attribute))["attribute_template"]["id"])
        return group, ids

    def packet(self, **body: Any) -> requests.Response:
        """Send a packet once, of a tiny image unless told; a key given as None is left out."""
        packet = {
            "directory_id": self.dataset,
            "original_filename": f"image-{next(_numbers)}.png",
            "media": {"url": f"{self.media.url}/tiny.png", "type": "image"},
            **body,
        }
        answer: requests.Response = self.post(
            PACKET, {key: value for key, value in packet.items() if value is not None}
        )
        return answer

    def packet_as(self, auth: tuple[str, str]) -> requests.Response:
        """Send an empty packet with any credential."""
        answer: requests.Response = self.post(PACKET, auth=auth)
        return answer

    def accepted(self, **body: Any) -> int:
        """Send a packet once the limit admits it, and return the id of its row."""
        siblings = {"parent_file_id": body.get("parent_file_id")}
        before = {row["id"] for row in self.inputs(**siblings)}
        (answer,) = until(lambda: self._once(body), "room in the rate limit")
        assert answer.status_code == 200, answer.text
        (created,) = {row["id"] for row in self.inputs(**siblings)} - before
        return int(created)

    def _once(self, body: dict[str, Any]) -> list[requests.Response]:
        answer = self.packet(**body)
        return [] if answer.status_code == 429 else [answer]

    def state(self) -> dict[str, Any]:
        """Return what the emulator says about itself."""
        state: dict[str, Any] = self.emulator.control("state")
        return state
