"""What should remain of a file's predictions after a night, told by nothing but what happened.

It knows spots rather than shapes: two shapes of one spot overlap if they are at most ``NEAR`` pixels apart,
and else not at all. It knows who did what, where the code under test has to guess from rows and histories.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

Fields = dict[str, Any]
Owner = tuple[str, str]
"""A model and its run."""

SIDE, APART, NEAR = 40, 100, 4
UNMEASURED = ("line", "point", "curve", "cuboid")
"""What has no extent is the same only where it is at the same place."""

_numbers = itertools.count(1)


class Shape(NamedTuple):
    """What the server knows a row again by.

    :param spot: a tag has none.
    :param shift: pixels to the right of the spot.
    """

    kind: str
    label: str
    spot: int
    shift: int
    is_by_hand: bool = False

    def __repr__(self) -> str:
        return f"{self.label} {self.kind} {self.spot}+{self.shift}{' by hand' * self.is_by_hand}"

    def overlaps(self, other: Shape) -> bool:
        """Whether they are the same thing to somebody who looks at them."""
        if (self.kind, self.label, self.spot) != (other.kind, other.label, other.spot):
            return False
        return abs(self.shift - other.shift) <= (0 if self.kind in UNMEASURED else NEAR)


def _at(x: float, y: float) -> Fields:
    return {"x": x, "y": y}


def _face(x: int) -> Fields:
    corners = {"top_left": (0, 0), "top_right": (20, 0), "bot_left": (0, 20), "bot_right": (20, 20)}
    return {name: _at(x + right, 10 + below) for name, (right, below) in corners.items()}


PLACES: dict[str, Callable[[int], Fields]] = {
    "box": lambda x: {"x_min": x, "y_min": 10, "x_max": x + SIDE, "y_max": 10 + SIDE},
    "polygon": lambda x: {"points": [_at(x, 10), _at(x + SIDE, 12.5), _at(x + SIDE, 50), _at(x, 48.5)]},
    "ellipse": lambda x: {"center_x": x + 20, "center_y": 30, "width": 20, "height": 15, "angle": 0.5},
    "keypoints": lambda x: {
        "nodes": [{"id": n, **_at(x + 20 * n, 10 + 20 * n)} for n in range(3)],
        "edges": [{"from": 0, "to": 1}],
    },
    "line": lambda x: {"points": [_at(x, 10), _at(x + SIDE, 50)]},
    "point": lambda x: {"points": [_at(x, 10)]},
    "curve": lambda x: {"p1": _at(x, 10), "p2": _at(x + SIDE, 10), "cp": _at(x + 20, 50)},
    "cuboid": lambda x: {"front_face": _face(x), "rear_face": _face(x + 9)},
    "tag": lambda x: {},
}


def fields_of(shape: Shape) -> Fields:
    """Return a shape as it travels, but for its label."""
    return {"type": shape.kind, **PLACES[shape.kind](10 + APART * shape.spot + shape.shift)}


def _left(row: Fields) -> float:
    kind = row["type"]
    if kind == "tag":
        return 10
    first = {
        "box": lambda: row["x_min"],
        "ellipse": lambda: row["center_x"] - 20,
        "keypoints": lambda: row["nodes"][0]["x"],
        "curve": lambda: row["p1"]["x"],
        "cuboid": lambda: row["front_face"]["top_left"]["x"],
    }
    return float(first.get(kind, lambda: row["points"][0]["x"])())


def shape_of(row: Fields, labels: Mapping[int, str]) -> Shape:
    """Return the shape of a row as the server tells it; fail for one that is torn."""
    spot, shift = divmod(int(_left(row)) - 10, APART)
    shape = Shape(row["type"], labels[row["label_file_id"]], spot, shift, not row["machine_made"])
    wanted = fields_of(shape)
    there = {key: row[key] for key in wanted}
    if shape.kind == "polygon":  # the server adds a key to each point
        there["points"] = [_at(point["x"], point["y"]) for point in row["points"]]
    assert there == wanted, f"a shape is torn: {there}, not {wanted}"
    return shape


@dataclass(frozen=True)
class Row:
    """A version of a row that lives, or lived.

    :param shape: where it is.
    :param chain: the same for all versions.
    :param first: what was predicted, whatever became of it since; None if a person drew it.
    :param owner: the model and run that predicted it.
    :param is_touched: whether a person made this version.
    """

    shape: Shape
    chain: int
    first: Any
    owner: Owner | None
    score: float | None
    is_touched: bool
    version: int = field(default_factory=lambda: next(_numbers))


@dataclass(frozen=True)
class Drawn:
    """A row of a page that a person has open.

    :param row: that it was when the page was opened; None if it is drawn on the page.
    """

    shape: Shape
    row: Row | None
    is_deleted: bool = False

    def __str__(self) -> str:
        before = "" if self.row is None or self.row.shape == self.shape else f"{self.row.shape} -> "
        return f"{before}{self.shape}{' deleted' * self.is_deleted}"


@dataclass(frozen=True)
class Prediction:
    """What a run predicts.

    :param key: tells it again on another night; the run is part of it where each instance names its own.
    """

    shape: Shape
    owner: Owner
    score: float
    key: Any


@dataclass(frozen=True)
class Night:
    """How runs are pushed: of one model, or of two at once."""

    owners: tuple[Owner, ...]
    respect_people: bool = True
    empty: str = "clear"
    rescore: bool = False
    reviewed: str = "leave"
    delivery: str = "upload"


@dataclass(frozen=True)
class Outcome:
    """What a night leaves.

    :param rows: what must be there.
    :param doubtful: predictions that may be there or not: nobody can tell whether a person deleted them.
    """

    rows: list[Row]
    doubtful: list[Row] = field(default_factory=list)


class Held:
    """What one file holds, and what people said of it.

    :ivar rows: that live.
    :ivar deleted: what people deleted last, by chain: where it was, and what it was first.
    :ivar words: the shape of every deletion, ever: the server makes no second one of it, and shows none.
    :ivar state: of its task.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.deleted: dict[int, tuple[Shape, Any]] = {}
        self.words: set[Shape] = set()
        self.state = "available"

    def save(self, page: Iterable[Drawn]) -> None:
        """Make a page the file's, whatever happened since it was opened."""
        there = {row.shape: row for row in self.rows}
        kept = []
        for drawn in page:
            before = drawn.row or Row(drawn.shape, next(_numbers), None, None, None, True)
            if drawn.is_deleted:
                self.words.add(drawn.shape)
                if before.owner is not None:  # what a person drew says nothing of predictions once it is gone
                    self.deleted[before.chain] = (drawn.shape, before.first)
            elif drawn.shape in there:
                kept.append(there[drawn.shape])
            else:
                kept.append(replace(before, shape=drawn.shape, is_touched=True, version=next(_numbers)))
                self.deleted.pop(before.chain, None)
        self.rows = kept

    def is_left(self, night: Night) -> bool:
        """Whether a night is to leave the file as it is."""
        if self.state not in ("available", "complete"):
            return True
        if night.delivery == "auto" and any(row.is_touched for row in self.rows):
            return True
        return self.state == "complete" and night.reviewed == "leave"

    def after(self, night: Night, wanted: Iterable[Prediction], order: list[Owner]) -> Outcome:
        """Return what a night is to leave.

        :param order: all runs that the server knows, the oldest first.
        """
        if self.is_left(night):
            return Outcome(self.rows)
        wanted = list(wanted)
        runs = {each.owner for each in wanted} or set(night.owners)
        others = {(each, run) for run in runs for each in order if each[0] == run[0] and each != run}
        later = {each for each, run in others if run in order and order.index(each) > order.index(run)}
        too_late = {row.owner[0] for row in self.rows if row.owner in later}
        clears = {model for model, _ in runs} if wanted or night.empty == "clear" else too_late
        earlier = {each for each, _ in others} - later
        untouched = [row for row in self.rows if row.owner is not None and not row.is_touched]
        old = [row for row in untouched if row.owner in earlier]
        going = [row for row in old if row.owner[0] in clears]
        going += [row for row in untouched if row.owner in runs and row.owner[0] in too_late]
        there = {row.shape: row for row in self.rows}
        new, doubtful, staying = [], [], set()
        for each in wanted:
            if each.owner[0] in too_late:
                continue
            same = there.get(each.shape)
            row = Row(each.shape, next(_numbers), each.key, each.owner, each.score, False)
            if same is not None and not (night.rescore and same in old):
                staying.add(same.version)
            elif night.respect_people and self._is_settled(each):
                continue
            elif night.respect_people and each.shape in self.words:
                doubtful.append(row)
            else:
                new.append(row)
        left = [row for row in self.rows if row not in going or row.version in staying]
        return Outcome([*left, *new], doubtful)

    def _is_settled(self, each: Prediction) -> bool:
        """Whether a person left, or deleted, the same thing, or what was this very prediction once."""
        said = [(row.shape, row.first) for row in self.rows if row.is_touched]
        said += self.deleted.values()
        return any(each.shape.overlaps(shape) or first == each.key for shape, first in said)
