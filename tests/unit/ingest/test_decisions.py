"""What is done with an item, as a table: no server, no time."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.send.decide import (
    Action,
    Found,
    IfExists,
    Question,
    decide,
    decide_settled,
)
from airflow_provider_diffgram.ingest.send.item import Item
from airflow_provider_diffgram.ingest.server.names import Pending
from airflow_provider_diffgram.models import File, Packet

URL = {"media": {"url": "http://media.test/a.jpg", "type": "image"}, "original_filename": "a.jpg"}
PATH = {"media": {"path": "/data/a.jpg"}, "original_filename": "a.jpg"}
VIDEO = {"media": {"url": "http://media.test/a.mp4", "type": "video"}, "original_filename": "a.mp4"}
BOX = {"type": "box", "label": "cat", "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
TWO = {"instance_list": [BOX, BOX | {"x_min": 2}]}
FRAMES = {"frame_packet_map": {0: [BOX | {"number": 1}], 3: [BOX | {"number": 1}]}}
PENDING = Pending(5, 3, None, "a.jpg")


class Labels:
    """One label of one schema; the real ones are read from a server."""

    def keeps(self, instance: Any) -> bool:
        return True

    def id_of(self, instance: Any) -> int:
        return 1

    def attributes_of(self, instance: Any) -> None:
        return None

    def origin_of(self, instance: Any) -> dict[str, Any]:
        return {}


def item(*fields: dict[str, Any], large: bool = False, **more: Any) -> Item:
    packet = Packet.model_validate({key: value for each in fields for key, value in each.items()} | more)
    return Item(packet, Labels(), large)  # type: ignore[arg-type]


def file(counted: int | None) -> File:
    return File(id=7, original_filename="a.jpg", count_instances_changed=counted)


ANY: tuple[IfExists, ...] = ("skip", "fail", "append", "replace")
KEEP: tuple[IfExists, ...] = ("skip", "fail")
CHANGE: tuple[IfExists, ...] = ("append", "replace")

TABLE: list[tuple[str, Item, Found, tuple[IfExists, ...], Action | Question]] = [
    # nothing is there
    ("by URL, new", item(URL, TWO), Found(), ANY, Action.SEND),
    ("by path, new", item(PATH, TWO), Found(), ANY, Action.UPLOAD),
    ("by path, new and large", item(PATH, TWO, large=True), Found(), ANY, Action.UPLOAD_IN_CHUNKS),
    # an update names its file, whatever is there
    ("update", item(TWO, file_id=7, mode="update"), Found(), ANY, Action.APPEND),
    ("replacement", item(TWO, file_id=7, mode="update_with_existing"), Found(), ANY, Action.REPLACE),
    # an earlier attempt's input is under way
    ("pending", item(URL, TWO), Found(PENDING), KEEP, Action.ADOPT),
    ("pending, to change", item(URL, TWO), Found(PENDING), CHANGE, Question.WHAT_DOES_IT_BRING),
    ("pending, brings all", item(URL, TWO), Found(PENDING, brings_all=True), CHANGE, Action.ADOPT),
    ("pending, others", item(URL, TWO), Found(PENDING, brings_all=False), CHANGE, Question.WHAT_DID_IT_MAKE),
    ("pending, large", item(PATH, large=True), Found(PENDING), ANY, Question.IS_IT_BROKEN_OFF),
    (
        "pending, large, chunks come",
        item(PATH, large=True),
        Found(PENDING, is_broken_off=False),
        ANY,
        Question.WHAT_DOES_IT_BRING,
    ),
    ("large, broken off", item(PATH, large=True), Found(is_broken_off=True), ANY, Action.UPLOAD_IN_CHUNKS),
    # the file is there
    ("raw, there", item(URL), Found(file=file(None)), KEEP, Action.SKIP),
    ("complete", item(URL, TWO), Found(file=file(2)), KEEP, Action.SKIP),
    ("more than sent", item(URL, TWO), Found(file=file(5)), KEEP, Action.SKIP),
    ("there, to append", item(URL, TWO), Found(file=file(2)), ("append",), Action.APPEND),
    ("there, to replace", item(URL, TWO), Found(file=file(2)), ("replace",), Action.REPLACE),
    ("never held one", item(URL, TWO), Found(file=file(None)), ANY, Action.SETTLE),
    ("fewer than sent", item(URL, TWO), Found(file=file(1)), KEEP, Question.DID_IT_LOSE_SOME),
    (
        "fewer, lost on the way",
        item(URL, TWO),
        Found(file=file(1), has_lost_some=True),
        KEEP,
        Action.APPEND,
    ),
    (
        "fewer, as people left it",
        item(URL, TWO),
        Found(file=file(1), has_lost_some=False),
        KEEP,
        Action.SKIP,
    ),
    # a video's counter is null for ever, so it says nothing
    ("video, there", item(VIDEO, FRAMES), Found(file=file(None)), ANY, Question.IS_IT_LOST),
    ("raw video, there", item(VIDEO), Found(file=file(None)), ANY, Question.IS_IT_LOST),
    ("video, there and read", item(VIDEO), Found(file=file(None), is_lost=False), KEEP, Action.SKIP),
    ("video, lost", item(VIDEO, FRAMES), Found(is_lost=True), ANY, Action.SEND),
    (
        "video, read, its frames unknown",
        item(VIDEO, FRAMES),
        Found(file=file(None), is_lost=False),
        KEEP,
        Question.DID_IT_LOSE_SOME,
    ),
]


@pytest.mark.parametrize(
    "one, found, if_exists, expected",
    [(one, found, each, expected) for _, one, found, modes, expected in TABLE for each in modes],
    ids=[f"{what}-{each}" for what, _, _, modes, _ in TABLE for each in modes],
)
def test_what_is_done(one: Item, found: Found, if_exists: IfExists, expected: Action | Question):
    assert decide(one, found, if_exists) is expected


@pytest.mark.parametrize(
    "holds, if_exists, expected",
    [
        (True, "skip", Action.SKIP),
        (False, "skip", Action.APPEND),
        (True, "append", Action.APPEND),
        (False, "append", Action.APPEND),
        (True, "replace", Action.REPLACE),
        (False, "replace", Action.REPLACE),
    ],
)
def test_what_is_done_once_instances_had_time(holds: bool, if_exists: IfExists, expected: Action):
    assert decide_settled(holds_instances=holds, if_exists=if_exists) is expected


def test_an_item_counts_equal_instances_once():
    assert item(URL, instance_list=[BOX, BOX]).expected == 1


def test_children_of_one_name_have_references_of_their_own():
    first, second = (item(URL, TWO, parent_file_id=3, ordinal=each) for each in (0, 1))
    assert first.references.isdisjoint(second.references)
