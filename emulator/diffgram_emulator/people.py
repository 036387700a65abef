"""People who edit annotations while a program runs, through the endpoints of the web page (server.md 10.3).

ada = Person.of(emulator)
page = ada.open(file_id)          # what the browser shows from now on, however old it gets
page.move(0, 5)
page.draw(label_file_id, (10, 20, 60, 90))
ada.save(page)
...
assert ada.undone() == []

``with Busy(ada, file_ids): ...`` lets one work at random until the end of the block.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import requests

from .process import EmulatorProcess

Row = dict[str, Any]

_TIMEOUT = 30.0
_SIDES = ("x_min", "y_min", "x_max", "y_max")


class SaveRefused(Exception):
    """A page was not saved: the file was locked by another write, or the server is away."""


@dataclass
class Page:
    """The page that a person has open: the rows of a file as they were when it was opened.

    :param rows: as the server returned them; edits change them.
    :ivar edits: what was done, by the reference of the row, in words.
    """

    file_id: int
    rows: list[Row]
    edits: dict[str, str] = field(default_factory=dict)

    def move(self, index: int, pixels: int) -> None:
        """Move a box to the right."""
        row = self.rows[index]
        row |= {"x_min": row["x_min"] + pixels, "x_max": row["x_max"] + pixels}
        self.edits[row["creation_ref_id"]] = "moved"

    def relabel(self, index: int, label_file_id: int) -> None:
        """Give a row another label."""
        self.rows[index] |= {"label_file_id": label_file_id}
        self.edits[self.rows[index]["creation_ref_id"]] = "relabelled"

    def delete(self, index: int) -> None:
        """Delete a row."""
        self.rows[index] |= {"soft_delete": True}
        self.edits[self.rows[index]["creation_ref_id"]] = "deleted"

    def draw(self, label_file_id: int, sides: Sequence[int], reference: str | None = None) -> str:
        """Draw a box.

        :param sides: ``x_min``, ``y_min``, ``x_max``, ``y_max`` in pixels.
        :returns: its reference.
        """
        reference = reference or f"drawn-{random.getrandbits(64):016x}"
        box = {"type": "box", "label_file_id": label_file_id, "creation_ref_id": reference}
        placed = dict(zip(_SIDES, sides, strict=True))
        self.rows.append({**box, **placed, "change_source": "ui_diffgram_frontend"})
        self.edits[reference] = "drawn"
        return reference


@dataclass(frozen=True)
class Edit:
    """What a person did to one row, and what they left."""

    file_id: int
    reference: str
    kind: str
    content: str
    saved: float


class Person:
    """Somebody who is logged in.

    :ivar edits: what they saved last, by file and reference.
    :ivar refused: how often a page was not saved.
    """

    def __init__(self, url: str, project: str, cookie: str) -> None:
        self.edits: dict[tuple[int, str], Edit] = {}
        self.refused = 0
        self._url = url
        self._project = project
        # The cookie is for https alone, and a User-Agent of requests is refused (server.md 1.2).
        self._headers = {"Cookie": cookie, "User-Agent": "Mozilla/5.0"}

    @classmethod
    def of(cls, emulator: EmulatorProcess, email: str = "person@example.com") -> Person:
        """Create or find a person in the emulator's project, and log them in."""
        told = emulator.control("people", {"project": emulator.project, "email": email})
        body = {"mode": "password", "email": told["email"], "password": told["password"]}
        answer = requests.post(f"{emulator.url}/api/user/login", json=body, timeout=_TIMEOUT)
        answer.raise_for_status()
        return cls(emulator.url, emulator.project, answer.headers["Set-Cookie"].partition(";")[0])

    def post(self, path: str, body: Any = None) -> requests.Response:
        """POST as the browser does; ``{p}`` in the path is the project."""
        return requests.post(
            self._url + path.replace("{p}", self._project),
            json={} if body is None else body,
            headers=self._headers,
            timeout=_TIMEOUT,
        )

    def open(self, file_id: int) -> Page:
        """Open a file."""
        answer = self.post(f"/api/project/{{p}}/file/{file_id}/annotation/list")
        answer.raise_for_status()
        return Page(file_id, answer.json()["file_serialized"]["instance_list"])

    def save(self, page: Page, task_id: int | None = None) -> dict[str, Any]:
        """Save a page, whatever happened since it was opened, and return the answer.

        :param task_id: save through a task.
        :raises SaveRefused: if the server refuses it; then nothing is saved.
        """
        body = {"instance_list": page.rows, "and_complete": False, "video_data": None}
        path = f"/api/project/{{p}}/file/{page.file_id}/annotation/update"
        if task_id is not None:
            path = f"/api/v1/task/{task_id}/annotation/update"
        try:
            answer = self.post(path, body)
        except requests.RequestException as error:
            self.refused += 1
            raise SaveRefused(str(error)) from error
        if answer.status_code != 200:
            self.refused += 1
            raise SaveRefused(f"{answer.status_code}: {answer.text[:200]}")
        for row in page.rows:
            self._note(page, row)
        told: dict[str, Any] = answer.json()
        return told

    def _note(self, page: Page, row: Row) -> None:
        reference = row.get("creation_ref_id")
        kind = page.edits.get(str(reference))
        if reference is not None and kind is not None:
            key = (page.file_id, reference)
            self.edits[key] = Edit(*key, kind, _content(row), time.time())

    def complete(self, task_id: int) -> None:
        """Finish a task; it goes to review if the job says so."""
        self._work_on(f"/api/v1/task/{task_id}/complete")

    def approve(self, task_id: int) -> None:
        """Approve a task in review."""
        self._work_on(f"/api/v1/task/{task_id}/review", {"action": "approve"})

    def request_change(self, task_id: int, comment: str = "") -> None:
        """Send a task in review back."""
        self._work_on(f"/api/v1/task/{task_id}/review", {"action": "request_change", "comment": comment})

    def defer(self, task_id: int) -> None:
        """Defer a task, or resume it."""
        self._work_on("/api/v1/task/update", {"task_id": task_id, "mode": "toggle_deferred"})

    def reopen(self, task_id: int) -> None:
        """Open a complete task again."""
        self._work_on("/api/v1/task/update", {"task_id": task_id, "mode": "incomplete"})

    def archive(self, task_id: int) -> None:
        """Archive a task."""
        self._work_on("/api/v1/task/update", {"task_id": task_id, "status": "archived"})

    def _work_on(self, path: str, body: Any = None) -> None:
        answer = self.post(path, body)
        while answer.status_code == 429:
            time.sleep(1.0)
            answer = self.post(path, body)
        answer.raise_for_status()

    def undone(self) -> list[Edit]:
        """Return the last edit of the person on each row that is no longer as they left it.

        Call it when nobody is working: a later edit by another person looks like a loss.
        """
        live: dict[int, dict[str, str]] = {}
        lost = []
        for edit in list(self.edits.values()):
            if edit.file_id not in live:
                rows = self.open(edit.file_id).rows
                live[edit.file_id] = {str(row["creation_ref_id"]): _content(row) for row in rows}
            there = live[edit.file_id].get(edit.reference)
            if there != (None if edit.kind == "deleted" else edit.content):
                lost.append(edit)
        return lost


def _content(row: Row) -> str:
    return json.dumps([row.get(key) for key in ("type", "label_file_id", *_SIDES)])


class Busy:
    """A person who works at random, in a separate thread, until the block ends.

    :param file_ids: of files with boxes.
    :param label_file_id: of what they draw, and of what they relabel to.
    :param think: seconds between opening and saving, at most; the longer, the staler the page.
    :param every: seconds between two saves.
    :ivar saves: how many pages were saved.
    :ivar seconds: how long each save took, from opening's end.
    """

    def __init__(
        self,
        person: Person,
        file_ids: Sequence[int],
        label_file_id: int,
        think: float = 0.2,
        every: float = 0.05,
        seed: int = 0,
    ) -> None:
        self.saves = 0
        self.seconds: list[float] = []
        self._person = person
        self._file_ids = list(file_ids)
        self._label = label_file_id
        self._think = think
        self._every = every
        self._chance = random.Random(seed)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Busy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _work(self) -> None:
        try:
            while not self._end.wait(self._every):
                self._edit(self._chance.choice(self._file_ids))
        except Exception as failure:  # noqa: BLE001 - raised at the end of the block
            self._failure = failure

    def _edit(self, file_id: int) -> None:
        page = self._person.open(file_id)
        self._change(page)
        self._end.wait(self._chance.uniform(0.0, self._think))
        began = time.monotonic()
        try:
            self._person.save(page)
        except SaveRefused:
            return
        self.saves += 1
        self.seconds.append(time.monotonic() - began)

    def _change(self, page: Page) -> None:
        """Do one thing."""
        boxes = [n for n, row in enumerate(page.rows) if row["type"] == "box" and row["creation_ref_id"]]
        kind = self._chance.choice(("draw", "move", "relabel", "delete")) if boxes else "draw"
        if kind == "draw":
            x, y = self._chance.randrange(500), self._chance.randrange(400)
            reference = f"drawn-{self._chance.getrandbits(64):016x}"
            page.draw(self._label, (x, y, x + 40, y + 40), reference)
        elif kind == "move":
            page.move(self._chance.choice(boxes), self._chance.randrange(1, 9))
        elif kind == "relabel":
            page.relabel(self._chance.choice(boxes), self._label)
        else:
            page.delete(self._chance.choice(boxes))
