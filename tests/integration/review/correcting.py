"""A person who corrects predictions at random, and remembers what was done to each."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diffgram_emulator.people import Page, Person

Fields = dict[str, Any]
Key = tuple[int, int | None, str]

CELL = 100
"""Pixels between instances, so that none is alike another."""


def _x(points: list[Fields], shift: float) -> list[Fields]:
    return [{**each, "x": each["x"] + shift} for each in points]


def corner(number: int) -> tuple[int, int]:
    return CELL * (number % 20 + 1), CELL * (number // 20 + 1)


def _box(x: int, y: int) -> Fields:
    return {"x_min": x, "y_min": y, "x_max": x + 40, "y_max": y + 30}


def _polygon(x: int, y: int) -> Fields:
    corners = [(x, y), (x + 40.5, y + 4), (x + 36, y + 40.25), (x + 3, y + 33)]
    return {"points": [{"x": one, "y": other} for one, other in corners]}


def _face(x: int, y: int) -> Fields:
    corners = {"top_left": (0, 0), "top_right": (20, 0), "bot_left": (0, 20), "bot_right": (20, 20)}
    return {name: {"x": x + right, "y": y + below} for name, (right, below) in corners.items()}


MAKERS: dict[str, Callable[[int, int], Fields]] = {
    "box": _box,
    "polygon": _polygon,
    "point": lambda x, y: {"points": [{"x": x, "y": y}]},
    "line": lambda x, y: {"points": [{"x": x, "y": y}, {"x": x + 30, "y": y + 20}]},
    "ellipse": lambda x, y: {"center_x": x, "center_y": y, "width": 30, "height": 20, "angle": 0.5},
    "curve": lambda x, y: {
        "p1": {"x": x, "y": y},
        "cp": {"x": x + 10, "y": y + 30},
        "p2": {"x": x + 40, "y": y},
    },
    "cuboid": lambda x, y: {"front_face": _face(x, y), "rear_face": _face(x + 9, y + 9)},
    "keypoints": lambda x, y: {
        "nodes": [{"id": n, "x": x + 20 * n, "y": y + 15 * n * n} for n in range(3)],
        "edges": [{"from": 0, "to": 1}],
    },
}
"""Type -> its place at a corner."""

MOVES: dict[str, Callable[[Fields, int], Fields]] = {
    "box": lambda row, by: {"x_min": row["x_min"] + by, "x_max": row["x_max"] + by},
    "polygon": lambda row, by: {"points": _x(row["points"], by)},
    "point": lambda row, by: {"points": _x(row["points"], by)},
    "line": lambda row, by: {"points": _x(row["points"], by)},
    "ellipse": lambda row, by: {"center_x": row["center_x"] + by},
    "curve": lambda row, by: {"cp": {**row["cp"], "x": row["cp"]["x"] + by}},
    "cuboid": lambda row, by: {"front_face": {**row["front_face"], "top_left": {"x": 1 + by, "y": 2}}},
    "keypoints": lambda row, by: {"nodes": _x(row["nodes"][:1], by) + row["nodes"][1:]},
    "text_token": lambda row, by: {"end_token": row["end_token"] + by},
}

REDRAWABLE = ("box", "polygon", "ellipse", "keypoints")


@dataclass
class Corrector:
    """Works on open pages.

    :param labels: ids of two labels.
    :param attribute: id of a group, and of two of its options.
    :ivar done: what was done to each prediction, as a comparison is to tell it.
    :ivar added: how many were added to each file.
    """

    person: Person
    labels: tuple[int, int]
    attribute: tuple[int, int, int]
    chance: random.Random
    done: dict[Key, str] = field(default_factory=dict)
    added: dict[int, int] = field(default_factory=dict)

    def correct(self, page: Page, frame: int | None = None, file_id: int | None = None) -> None:
        """Change the rows of a page."""
        of = page.file_id if file_id is None else file_id
        left, drawn = [], []
        for row in page.rows:
            kept, instead, outcome = self._change(row, frame)
            self.done[of, frame, row["creation_ref_id"]] = outcome
            left += kept
            drawn += instead
        for number in range(self.chance.randrange(4)):
            drawn.append(self._drawn(page.rows, 1000 + number))
            self.added[of] = self.added.get(of, 0) + 1
        page.rows[:] = left + drawn

    def _change(self, row: Fields, frame: int | None) -> tuple[list[Fields], list[Fields], str]:
        kind, chance = row["type"], self.chance.random()
        if chance < 0.35:
            return [row], [], "kept"
        if chance < 0.45:
            return [{**row, "soft_delete": True}], [], "deleted"
        if chance < 0.52:
            return [], [], "lost"  # as from a page that is older than the row
        if chance < 0.6 and kind in REDRAWABLE:
            again = {key: value for key, value in row.items() if key in MAKERS[kind](0, 0)}
            again |= MOVES[kind](row, 2) | {"type": kind, "label_file_id": self.chance.choice(self.labels)}
            return [{**row, "soft_delete": True}], [self._by_hand(again)], "redrawn"
        return self._edited(row, frame)

    def _edited(self, row: Fields, frame: int | None) -> tuple[list[Fields], list[Fields], str]:
        changes = []
        after = copy.deepcopy(row)
        kind = row["type"]
        if kind in MOVES and self.chance.random() < 0.6:
            after |= MOVES[kind](row, self.chance.randrange(1, 30))
            changes.append("moved")
        if kind != "global" and self.chance.random() < 0.4:
            after["label_file_id"] = next(each for each in self.labels if each != row["label_file_id"])
            changes.append("relabelled")
        if self.chance.random() < 0.3 or not changes:
            group, one, other = self.attribute
            before = (row.get("attribute_groups") or {}).get(str(group))
            option = other if before and before["id"] == one else one
            after["attribute_groups"] = {str(group): {"id": option, "name": option, "display_name": "x"}}
            changes.append("attributes_changed")
        return [after], [], "+".join(changes)

    def _drawn(self, rows: list[Fields], number: int) -> Fields:
        if rows and rows[0]["type"] == "text_token":
            place: Fields = {"type": "text_token", "start_token": 50 * number, "end_token": 50 * number + 1}
        else:
            place = {"type": "box", **_box(*corner(number))}
        return self._by_hand(place | {"label_file_id": self.labels[0]})

    def _by_hand(self, row: Fields) -> Fields:
        reference = f"drawn-{self.chance.getrandbits(64):016x}"
        return {**row, "creation_ref_id": reference, "change_source": "ui_diffgram_frontend"}


_OF_TEXT = ("id", "type", "label_file_id", "start_token", "end_token", "creation_ref_id", "attribute_groups")


def as_the_page_saves_text(page: Page) -> None:
    """Reduce rows to what the page of a text sends: score, model and root are lost (server.md 10.3.2)."""
    page.rows[:] = [
        {key: row[key] for key in (*_OF_TEXT, "soft_delete") if row.get(key) is not None} for row in page.rows
    ]
