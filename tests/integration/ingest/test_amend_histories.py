"""Random histories of a push into files that people have open: deaths, lost answers, saves at any moment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from diffgram_emulator.people import Edit, Page, Person, SaveRefused
from tests.integration.ingest.live_diffgram import Kept, LiveDiffgram
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media
from tests.integration.ingest.test_amend import WRITE, Killed, robot, update

SEEDS = 40
FILES = 3
SCORE = 0.75


class Someone:
    """A person with at most one page of each file open, which may be old when it is saved."""

    def __init__(self, person: Person, labels: dict[str, int], chance: random.Random) -> None:
        self.person, self.taken = person, set[str]()
        self._labels, self._chance = labels, chance
        self._pages: dict[int, Page] = {}
        self._number = 0

    def undone(self) -> list[Edit]:
        """Return what is not as they left it, but for what an old page of their own took."""
        return [edit for edit in self.person.undone() if edit.reference not in self.taken]

    def removed(self, file_id: int) -> int:
        """Return how many rows they deleted in a file, or took away with an old page."""
        deleted = {edit.reference for edit in self.person.edits.values() if edit.kind == "deleted"}
        of_file = {edit.reference for edit in self.person.edits.values() if edit.file_id == file_id}
        return len((deleted & of_file) | self.taken)

    def acts(self, file_id: int) -> None:
        """Open the file, or save the page that is open."""
        page = self._pages.pop(file_id, None)
        if page is None and self.undone():
            return  # a page opened in the moment in which their work is undone cannot be made good
        if page is None or self._chance.random() < 0.5:
            page = page or self.person.open(file_id)
            self._edit(page)
        if self._chance.random() < 0.4:
            self._pages[file_id] = page
            return
        try:
            told = self.person.save(page)
        except SaveRefused:
            return
        missing = set((told["log"].get("warning") or {}).get("missing_ids", ()))
        for row_id in missing:
            answer = self.person.post(f"/api/v1/project/{{p}}/instance/{row_id}/history")
            self.taken |= {str(row["creation_ref_id"]) for row in answer.json()["instance_history"]}

    def _edit(self, page: Page) -> None:
        self._number += 1
        boxes = [index for index, row in enumerate(page.rows) if not row.get("soft_delete")]
        kind = self._chance.choice(("draw", "move", "delete", "relabel")) if boxes else "draw"
        if kind == "draw":
            x, y = 5 + 3 * (self._number % 60), 30 + self._number // 60
            page.draw(self._labels["dog"], (x, y, x + 11, y + 13))
            return
        index = self._chance.choice(boxes)
        if kind == "delete":
            page.delete(index)
            return
        page.move(index, 100 + self._number)  # where nothing is that it could be taken for
        if kind == "relabel":
            page.relabel(index, self._labels["dog"])


class Storm(HTTPAdapter):
    """The way to the server, on which anything may happen around a write."""

    def __init__(self, someone: Someone, chance: random.Random, replaces: bool) -> None:
        super().__init__()
        self._someone, self._chance, self._replaces = someone, chance, replaces
        self.is_over = self._has_died = False

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        if WRITE not in request.url or self.is_over:
            return super().send(request, *args, **more)
        file_id = int(request.url.split("/file/")[1].split("/")[0])
        # What people save before a replacement is read goes, and another attempt reads again.
        self._maybe(file_id, is_deadly=not self._replaces)
        answer = super().send(request, *args, **more)
        self._maybe(file_id, is_deadly=not self._replaces or not self._has_died)
        return answer

    def _maybe(self, file_id: int, is_deadly: bool) -> None:
        if self._chance.random() < 0.4:
            self._someone.acts(file_id)
        if is_deadly and self._chance.random() < 0.1:
            self._has_died = True
            raise Killed
        if self._chance.random() < 0.15:
            raise requests.ConnectionError("reset")


@pytest.fixture
def session(diffgram: LiveDiffgram) -> Iterator[Any]:
    session = diffgram.client._session
    adapter = session.get_adapter("http://")
    yield session
    session.mount("http://", adapter)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_is_lost_twice_or_undone(diffgram: LiveDiffgram, media: Media, session: Any, seed: int):
    chance = random.Random(seed)
    names = [f"{number}.png" for number in range(FILES)]
    diffgram.pushed([image(media, name, robot(1), robot(21)) for name in names])
    ids = [diffgram.file(name).id for name in names]
    someone = Someone(Person.of(diffgram.emulator), diffgram.labels, chance)
    for file_id in ids:  # somebody was at work on each, so that it is remembered before it is written
        page = someone.person.open(file_id)
        page.draw(diffgram.labels["cat"], (40, 2, 49, 11))
        someone.person.save(page)
    mode = chance.choice(("update", "update_with_existing"))
    if mode == "update_with_existing":
        someone.person.edits.clear()  # what was there before goes: that is what it is for
    packets = [
        update(file_id, *(robot(left, score=SCORE) for left in (3, 5, 7)), mode=mode) for file_id in ids
    ]
    memory, storm = Kept(), Storm(someone, chance, mode == "update_with_existing")
    session.mount("http://", storm)
    for attempt in range(12):
        storm.is_over = attempt == 11
        try:
            diffgram.push(packets, memory=memory, delivery="upload", concurrency=1)
            break
        except (Killed, PushError, requests.ConnectionError):
            continue
    assert someone.undone() == []
    for file_id in ids:
        refs = [row["creation_ref_id"] for row in diffgram.instances(file_id) if row["score"] == SCORE]
        assert len(refs) == len(set(refs)), "a prediction is there twice"
        assert len(refs) + someone.removed(file_id) >= 3, "a prediction is lost"
