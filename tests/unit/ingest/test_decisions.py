"""What is done with an item, as a table: no server, no time."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.read.remote import kept
from airflow_provider_diffgram.ingest.send.decisions.decide import (
    Action,
    Amendable,
    DeliverBy,
    Found,
    IfExists,
    Question,
    decide,
    decide_settled,
    introduces_safely,
    why_by_queue,
    why_not_uploaded,
)
from airflow_provider_diffgram.ingest.send.decisions.item import Item
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


BY: tuple[DeliverBy, ...] = ("auto", "upload", "queue")
ANY: tuple[IfExists, ...] = ("skip", "fail", "append", "replace")
KEEP: tuple[IfExists, ...] = ("skip", "fail")
CHANGE: tuple[IfExists, ...] = ("append", "replace")

TABLE: list[tuple[str, Item, Found, tuple[IfExists, ...], Action | Question]] = [
    # nothing is there
    ("by URL, new", item(URL, TWO), Found(), ANY, Question.CAN_IT_BE_READ),
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


TEXT = {"media": {"text_data": "a cat"}, "original_filename": "a.txt"}
BLOB = {
    "media": {"connection_id": 1, "bucket_name": "b", "raw_data_blob_path": "a.jpg"},
    "original_filename": "a.jpg",
}
READ = Found(medium=kept([b"picture"], 100))
UNREADABLE = Found(unreadable="HTTP 403")
ASK, SEND, UPLOAD, REFUSE = Question.CAN_IT_BE_READ, Action.SEND, Action.UPLOAD, Action.REFUSE

WAYS: list[tuple[str, Item, Found, tuple[Action | Question, ...]]] = [
    # what it is, what was found, what is done by ``auto``, ``upload`` and ``queue``
    ("by URL", item(URL, TWO), Found(), (ASK, ASK, SEND)),
    ("blob", item(BLOB, TWO), Found(), (ASK, ASK, SEND)),
    ("child by URL", item(URL, parent_file_id=3, ordinal=1), Found(), (ASK, ASK, SEND)),
    ("by URL, read", item(URL, TWO), READ, (UPLOAD, UPLOAD, UPLOAD)),
    ("by URL, not to be read", item(URL, TWO), UNREADABLE, (SEND, REFUSE, SEND)),
    ("name of blanks", item(URL, original_filename="a b.jpg"), Found(), (SEND, REFUSE, SEND)),
    ("name that begins with a point", item(URL, original_filename=".a.jpg"), Found(), (SEND, REFUSE, SEND)),
    ("name of another script", item(URL, original_filename="猫.jpg"), Found(), (SEND, REFUSE, SEND)),
    ("blob without extension", item(BLOB, original_filename="a"), Found(), (SEND, REFUSE, SEND)),
    ("name of a video", item(BLOB, original_filename="a.mp4"), Found(), (SEND, REFUSE, SEND)),
    ("video", item(VIDEO, FRAMES), Found(), (SEND, ASK, SEND)),
    ("text", item(TEXT), Found(), (SEND, ASK, SEND)),
    ("by path", item(PATH, TWO), Found(), (UPLOAD, UPLOAD, UPLOAD)),
    ("by path, large", item(PATH, large=True), Found(), (Action.UPLOAD_IN_CHUNKS,) * 3),
    ("pending", item(URL, TWO), Found(PENDING), (Action.ADOPT,) * 3),
    ("there", item(URL, TWO), Found(file=file(2)), (Action.SKIP,) * 3),
]


@pytest.mark.parametrize(
    "one, found, way, expected",
    [
        (one, found, way, done)
        for _, one, found, all_done in WAYS
        for way, done in zip(BY, all_done, strict=True)
    ],
    ids=[f"{what}-{way}" for what, *_ in WAYS for way in BY],
)
def test_how_new_media_travel(one: Item, found: Found, way: DeliverBy, expected: Action | Question):
    assert decide(one, found, "skip", way) is expected


@pytest.mark.parametrize(
    "one, found, why",
    [
        (item(URL), Found(), None),
        (item(URL), UNREADABLE, "cannot be read here (HTTP 403)"),
        (item(VIDEO), Found(), "is video"),
        (item(TEXT), Found(), "is text"),
        (item(URL, original_filename="a b.jpg"), Found(), "would get another name as an upload"),
    ],
)
def test_why_a_medium_goes_by_the_queue(one: Item, found: Found, why: str | None):
    assert why_not_uploaded(one, found, "auto") == why


def test_uploads_of_images_alone_introduce_a_run_without_a_turn():
    assert introduces_safely(Action.UPLOAD, item(URL, TWO))
    assert introduces_safely(Action.SKIP, item(URL, TWO))
    assert not introduces_safely(Action.UPLOAD, item(VIDEO, FRAMES))
    for action in (Action.SEND, Action.ADOPT, Action.APPEND, Action.REPLACE, Action.UPLOAD_IN_CHUNKS):
        assert not introduces_safely(action, item(URL, TWO))


@pytest.mark.parametrize(
    "holds, if_exists, expected",
    [
        (True, "skip", Action.SKIP),
        (False, "skip", Action.APPEND),
        (True, "append", Action.APPEND),
        (False, "append", Action.APPEND),
        (True, "replace", Action.REPLACE),
        (False, "replace", Action.REPLACE),
        (True, "refresh", Action.REFRESH),
        (False, "refresh", Action.REFRESH),
    ],
)
def test_what_is_done_once_instances_had_time(holds: bool, if_exists: IfExists, expected: Action):
    assert decide_settled(holds_instances=holds, if_exists=if_exists) is expected


@pytest.mark.parametrize(
    "mode, if_exists, expected",
    [
        ("update", "skip", Action.APPEND),
        ("update", "replace", Action.APPEND),
        ("update", "refresh", Action.REFRESH),
        ("update_with_existing", "refresh", Action.REPLACE),
    ],
)
def test_what_is_done_with_a_packet_that_names_its_file(mode: str, if_exists: IfExists, expected: Action):
    named = item({"file_id": 7, "mode": mode, **TWO})
    assert decide(named, Found(), if_exists) is expected


def test_a_file_that_is_there_is_refreshed_whatever_it_holds():
    for counted in (0, 1, 2, 9):
        assert decide(item(URL, TWO), Found(file=file(counted)), "refresh") is Action.REFRESH
    assert decide(item(URL), Found(file=file(None)), "refresh") is Action.REFRESH
    assert decide(item(URL, TWO), Found(file=file(None)), "refresh") is Action.SETTLE


@pytest.mark.parametrize(
    "found, why",
    [
        (Amendable(True), None),
        (Amendable(False), "two may write at once"),
        (Amendable(True, task="in_review"), "whose task is in_review"),
        (Amendable(True, has_just_been_saved=True), "saved just now"),
        (Amendable(True, is_long=True), "many instances"),
    ],
)
def test_why_a_change_goes_by_the_queue(found: Amendable, why: str | None):
    told = why_by_queue(found)
    assert told is None if why is None else why in str(told)


def test_an_item_counts_equal_instances_once():
    assert item(URL, instance_list=[BOX, BOX]).expected == 1


def test_children_of_one_name_have_references_of_their_own():
    first, second = (item(URL, TWO, parent_file_id=3, ordinal=each) for each in (0, 1))
    assert first.references.isdisjoint(second.references)
