"""What a person's saves change, and whether what they did stays, on an emulator."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import requests

from chaos.annotator import Annotator, boxes
from chaos.packets import instances, predictions
from chaos.reader import Diffgram, prediction
from diffgram_emulator.people import Person
from tests.contract.media_server import picture


class Filled:
    """A file with three predictions."""

    def __init__(self, emulator: Any, project: str) -> None:
        self.emulator = emulator.with_project(project, ("cat", "dog", "fish"), ("night",))
        login, password = self.emulator.client_id, self.emulator.client_secret
        self.diffgram = Diffgram(emulator.url, project, login, password)
        self.labels = self.diffgram.labels()
        self.file_id = self._uploaded()
        self.held = predictions({"instance_list": instances(1)})

    def _uploaded(self) -> int:
        ids = {name: label_id for label_id, name in self.labels.items()}
        sent = [
            {**each, "label_file_id": ids[each["label"]], "creation_ref_id": f"p{number}"}
            for number, each in enumerate(instances(1))
        ]
        fields = {"directory_id": self.diffgram.dataset("night"), "instance_list": sent}
        files = {"file": ("a.png", picture(640, 480)), "json": (None, json.dumps(fields))}
        url = f"{self.diffgram.url}/api/walrus/v1/project/{self.diffgram.project}/input/from_local"
        auth = (self.diffgram.client_id, self.diffgram.client_secret)
        answer = requests.post(url, files=files, auth=auth, timeout=20)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["file"]["id"])

    def there(self) -> Counter[Any]:
        rows = self.diffgram.instances(self.file_id)
        return Counter(prediction(row, self.labels[row["label_file_id"]]) for row in rows)

    def write(self, rows: list[dict[str, Any]]) -> None:
        path = f"project/{{p}}/file/{self.file_id}/annotation/update"
        self.diffgram.call("POST", path, {"instance_list": rows})


@pytest.fixture
def filled(diffgram_emulator: Any, request: pytest.FixtureRequest) -> Filled:
    return Filled(diffgram_emulator, request.node.name)


def test_what_is_right_follows_what_a_person_saves(filled: Filled) -> None:
    someone = Annotator(Person.of(filled.emulator), filled.diffgram)
    page = someone.open(filled.file_id)
    first, second = boxes(page)
    page.move(first, 9)
    page.delete(second)
    someone.draw(page)
    saved = someone.save(page)
    assert saved.applied(filled.held) == filled.there() != filled.held
    assert (saved.taken.total(), someone.edits, someone.undone()) == (0, 3, 0)


def test_what_an_old_page_takes_is_told(filled: Filled) -> None:
    someone = Annotator(Person.of(filled.emulator), filled.diffgram)
    page, rows = someone.open(filled.file_id), filled.diffgram.instances(filled.file_id)
    late = {**rows[0], "id": None, "x_max": rows[0]["x_max"] + 33, "creation_ref_id": "late"}
    filled.write([*rows, late])
    page.move(boxes(page)[0], 9)
    held = filled.there()
    saved = someone.save(page)
    assert saved.applied(held) == filled.there()
    (taken,) = saved.taken
    assert taken == prediction(late, filled.labels[late["label_file_id"]])


def test_a_box_that_is_moved_while_another_write_has_deleted_it_is_in_one_place(filled: Filled) -> None:
    someone, rows = Annotator(Person.of(filled.emulator), filled.diffgram), filled.diffgram.instances
    before = rows(filled.file_id)
    page = someone.open(filled.file_id)
    someone.draw(page)
    right = someone.save(page).applied(filled.held)
    page = someone.open(filled.file_id)
    drawn = next(number for number, row in enumerate(page.rows) if row["y_min"] == 180)
    filled.write(before)
    assert filled.there() == filled.held
    someone.move(page, drawn)
    assert someone.save(page).applied(right) == filled.there() != right


def test_what_is_undone_is_counted(filled: Filled) -> None:
    someone, before = Annotator(Person.of(filled.emulator), filled.diffgram), filled.diffgram.instances
    rows = before(filled.file_id)
    page = someone.open(filled.file_id)
    page.move(boxes(page)[0], 9)
    someone.relabel(page, boxes(page)[1], "fish")
    someone.draw(page)
    someone.save(page)
    filled.write(rows)
    assert someone.undone() == 3
