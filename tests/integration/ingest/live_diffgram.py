"""One project of the emulated server: what tests do to it and ask of it, besides the code under test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.ingest.limits import LIMITS, Limits
from airflow_provider_diffgram.ingest.send.decisions.decide import DeliverBy
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.wait import wait
from airflow_provider_diffgram.models import File, Handle, Input, Receipt
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import FastTime

DATASET = "predictions"
WHATEVER_FAILS = Rules(max_failed=10**9, stall_timeout=None)


def box(left: int = 1, label: str = "cat", **more: Any) -> dict[str, Any]:
    """Return a prediction."""
    return {"type": "box", "label": label, "x_min": left, "y_min": 2, "x_max": left + 9, "y_max": 11, **more}


def settings(emulator: EmulatorProcess, role: str = "admin", **change: Any) -> Settings:
    """Return settings for a project."""
    one = emulator.credentials[role]
    values = {"client_id": one.client_id, "client_secret": one.client_secret, "project": emulator.project}
    return Settings(**{"host": emulator.url, "retry_timeout": 20.0, **values, **change})


@dataclass
class LiveDiffgram:
    """A project with a dataset and the labels cat and dog."""

    emulator: EmulatorProcess
    client: DiffgramClient
    directory_id: int
    labels: dict[str, int]
    limits: Limits = LIMITS
    delivery: DeliverBy = "auto"

    @classmethod
    def of(cls, emulator: EmulatorProcess, delivery: DeliverBy = "auto") -> LiveDiffgram:
        """Prepare a fresh project."""
        client = DiffgramClient(settings(emulator), FastTime())
        schema = client.send(routes.list_schemas(client.project))[0]
        labels = {
            name: client.send(routes.create_label(client.project, name, schema.id)).id
            for name in ("cat", "dog")
        }
        directory_id = client.send(routes.create_dataset(client.project, DATASET)).id
        return cls(emulator, client, directory_id, labels, delivery=delivery)

    def ask(self, route: Callable[..., Request[Any]], *args: Any, **more: Any) -> Any:
        """Send a request of that route."""
        return self.client.send(route(self.client.project, *args, **more))

    def ask_file(self, file_id: int) -> File:
        """Return a file, with where its medium can be read."""
        return self.client.send(routes.view_file(self.client.project, file_id))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Post to a path below the project that the package has no route for."""
        path = f"/api/v1/project/{self.client.project}/{path}"
        return self.client.send(Request(path, "POST", path, lambda answer: answer, json=body))

    def push(self, packets: Iterable[Any], **more: Any) -> Handle:
        """Push to the dataset."""
        options = {"dataset": DATASET, "limits": self.limits, "delivery": self.delivery, **more}
        return push(self.client, list(packets), **options)

    def done(self, *handles: Handle) -> Receipt:
        """Wait until nothing is pending, however much failed; return how it ended."""
        return wait(self.client, handles, rules=WHATEVER_FAILS, timeout=60.0, poll_interval=1.0)

    def pushed(self, packets: Iterable[Any], **more: Any) -> Receipt:
        """Push and wait."""
        return self.done(self.push(packets, **more))

    def files(self) -> list[File]:
        """Return the root files of the dataset, oldest first."""
        listed = self.ask(routes.list_files, self.directory_id).file_list
        return sorted(listed, key=lambda file: file.id)

    def names(self) -> list[str | None]:
        """Return the names of the root files, oldest first."""
        return [file.original_filename for file in self.files()]

    def file(self, name: str) -> File:
        """Return the only root file of that name."""
        (found,) = [file for file in self.files() if file.original_filename == name]
        return found

    def compound(self, name: str = "pages") -> int:
        """Make a compound file in the dataset, and return its id."""
        return int(self.ask(routes.create_compound, self.directory_id, name, "compound", []).id)

    def children(self, parent: int) -> list[File]:
        """Return the children by ordinal."""
        return sorted(self.ask(routes.list_children, parent), key=lambda child: child.ordinal or 0)

    def instances(self, file_id: int) -> list[dict[str, Any]]:
        """Return the living instances of a file, leftmost first."""
        held = self.ask(routes.list_annotations, file_id).instance_list
        return sorted(held, key=lambda each: each["x_min"] or 0)

    def lefts(self, file_id: int) -> list[int]:
        """Return the left edges of a file's boxes."""
        return [each["x_min"] for each in self.instances(file_id)]

    def inputs(self, parent: int | None = None, **more: Any) -> list[Input]:
        """Return all inputs of the project, archived ones too."""
        return list(self.ask(routes.list_inputs, parent_file_id=parent, show_archived=True, **more))

    def content(self) -> Any:
        """Return what shows whether anything was sent: files, inputs, counters."""
        parents = [file.id for file in self.files() if (file.type or "").startswith("compound")]
        return (
            [(file.id, file.state, file.count_instances_changed) for file in self.files()],
            sorted(row.id or 0 for parent in (None, *parents) for row in self.inputs(parent)),
            [
                (child.id, child.count_instances_changed)
                for parent in parents
                for child in self.children(parent)
            ],
        )

    def archive(self, *rows: Input) -> None:
        """Archive inputs, as a person may."""
        self.ask(routes.update_inputs, [row.id for row in rows if row.id], "ARCHIVE")

    def state(self) -> dict[str, Any]:
        """Return the emulator's own words about itself."""
        state: dict[str, Any] = self.emulator.control("state")
        return state


class Kept:
    """A memory that outlives a push, as a task's does."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.files: dict[int, str] = {}

    def batch_ids(self) -> list[int]:
        return self.batches

    def remember(self, batch_ids: list[int]) -> None:
        self.batches = batch_ids

    def in_flight(self) -> dict[int, str]:
        return self.files

    def remember_in_flight(self, files: Mapping[int, str]) -> None:
        self.files = dict(files)
