"""Compound files: found again or created, and their children resumed (server.md 2.4, 4.2)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, OutcomeUnknownError, RefusedError, routes
from airflow_provider_diffgram.ingest.send.compound import Parent, create_compound_file, upload_children
from airflow_provider_diffgram.ingest.send.decisions.decide import DeliverBy
from airflow_provider_diffgram.ingest.send.push import PushError
from airflow_provider_diffgram.models import CompoundFile, Handle, InvalidValueError
from tests.integration.ingest.fast_time import FastTime, until
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.served_media import Media, png


def create(diffgram: LiveDiffgram, name: str = "pages", *instances: dict[str, Any], **more: Any) -> Parent:
    compound = CompoundFile.model_validate({"name": name, "instance_list": instances})
    return create_compound_file(diffgram.client, compound, **{"dataset": DATASET, **more})


def upload(diffgram: LiveDiffgram, parent: int, children: list[Any], delivery: DeliverBy = "auto") -> Handle:
    return upload_children(diffgram.client, parent, children, dataset=DATASET, delivery=delivery)


def page(media: Media, ordinal: int, **more: Any) -> dict[str, Any]:
    name = f"page-{ordinal}.png"
    return {
        "media": {"url": media.url(name)},
        "original_filename": name,
        "ordinal": ordinal,
        "instance_list": [box(ordinal + 1)],
        **more,
    }


def test_a_compound_file_is_created_once_and_reused(diffgram: LiveDiffgram):
    first, second = create(diffgram), create(diffgram)
    assert (first.created, second.created) == (True, False)
    assert first.file_id == second.file_id
    assert [(file.type, file.original_filename) for file in diffgram.files()] == [("compound", "pages")]


def test_a_name_that_is_part_of_another_is_not_that_one_2_6(diffgram: LiveDiffgram):
    longer, shorter, other_case = (create(diffgram, name) for name in ("pages-2", "pages", "PAGES"))
    assert shorter.created
    assert len({longer.file_id, shorter.file_id, other_case.file_id}) == 3
    assert create(diffgram, "pages").file_id == shorter.file_id


def test_if_exists_fail_refuses_and_names_the_file(diffgram: LiveDiffgram):
    there = create(diffgram)
    with pytest.raises(InvalidValueError, match=f"file {there.file_id}"):
        create(diffgram, if_exists="fail")
    with pytest.raises(InvalidValueError, match="if_exists must be one of 'reuse', 'fail'"):
        create(diffgram, if_exists="skip")
    assert len(diffgram.files()) == 1


def test_instances_of_the_compound_itself_are_stored(diffgram: LiveDiffgram):
    parent = create(diffgram, "pages", {"type": "global"}, box(4))
    assert {each["type"] for each in diffgram.instances(parent.file_id)} == {"global", "box"}


def test_attributes_of_the_compound_itself_are_stored(diffgram: LiveDiffgram):
    group = diffgram.post("attribute/group/new", {})["attribute_template_group"]["id"]
    wanted = {"group_id": group, "name": "kind", "kind": "text", "mode": "UPDATE"}
    diffgram.post("attribute/group/update", wanted | {"is_global": True, "global_type": "compound_file"})
    create(diffgram, "pages", {"type": "global", "attribute_groups": {str(group): "a contract"}})
    (held,) = diffgram.instances(diffgram.file("pages").id)
    assert held["attribute_groups"] == {str(group): "a contract"}


def test_an_unknown_label_is_told_before_the_parent_is_made(diffgram: LiveDiffgram):
    with pytest.raises(InvalidValueError, match="'bird'"):
        create(diffgram, "pages", box(label="bird"))
    assert diffgram.files() == []


def test_a_name_of_a_file_that_is_no_compound_is_refused_2_4(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([{"media": {"url": media.url("a.png")}, "original_filename": "a.png"}])
    with pytest.raises(InvalidValueError, match="of type image"):
        create(diffgram, "a.png")


def test_a_name_of_a_child_is_refused_by_the_server_and_told_3_5(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram)
    diffgram.done(upload(diffgram, parent.file_id, [page(media, 0)]))
    with pytest.raises(RefusedError, match="already exists"):
        create(diffgram, "page-0.png")


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "truncate"])
def test_a_lost_answer_ends_in_one_compound_file(diffgram: LiveDiffgram, kind: str):
    diffgram.emulator.fault("file/new-compound", kind)
    try:
        first = create(diffgram, "pages", box(3))
    except OutcomeUnknownError:
        assert kind == "reset_before", "what was stored is found"
        first = create(diffgram, "pages", box(3))
    assert create(diffgram).file_id == first.file_id
    assert len(diffgram.files()) == 1
    assert diffgram.lefts(first.file_id) == [3]


def test_two_at_once_use_one_compound_file_quirk_55(diffgram: LiveDiffgram):
    def one(_: int) -> Parent:
        client = DiffgramClient(settings(diffgram.emulator), FastTime())
        return create_compound_file(client, CompoundFile(name="pages"), dataset=DATASET)

    with ThreadPoolExecutor(4) as pool:
        parents = list(pool.map(one, range(4)))
    (file,) = diffgram.files()
    assert {parent.file_id for parent in parents} == {file.id}


def test_a_parent_that_lost_its_instances_is_not_reused_in_silence_2_4(diffgram: LiveDiffgram):
    diffgram.compound()
    with pytest.raises(RefusedError, match="instances"):
        create(diffgram, "pages", box(3))


def test_an_archived_compound_file_is_created_anew_2_4(diffgram: LiveDiffgram):
    first = create(diffgram)
    diffgram.archive(*diffgram.inputs())
    again = create(diffgram)
    assert again.created
    assert again.file_id != first.file_id


def test_children_arrive_at_their_places_and_a_second_upload_sends_nothing(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    (tmp_path / "local.png").write_bytes(png())
    parent = create(diffgram)
    children = [
        page(media, 1),
        page(media, 0),
        {"media": {"path": tmp_path / "local.png"}, "ordinal": 2, "instance_list": [box(3)]},
        {"media": {"text_data": "words"}, "original_filename": "t.txt", "ordinal": 3},
    ]
    assert diffgram.done(upload(diffgram, parent.file_id, children)).summary() == "4 expected: 4 succeeded"
    stored = diffgram.children(parent.file_id)
    assert [child.ordinal for child in stored] == [0, 1, 2, 3]
    assert [diffgram.lefts(child.id) for child in stored] == [[1], [2], [3], []]
    assert [file.id for file in diffgram.files()] == [parent.file_id]
    before = diffgram.content()
    assert diffgram.done(upload(diffgram, parent.file_id, children)).summary() == "4 expected: 4 skipped"
    assert diffgram.content() == before


def test_an_upload_that_broke_half_way_sends_only_the_rest(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram)
    children = [page(media, ordinal) for ordinal in range(5)]
    diffgram.done(upload(diffgram, parent.file_id, children[:2], "queue"))
    diffgram.emulator.fault("input/packet", "latency", times=1)
    diffgram.emulator.fault("input/packet", "status", status=403, body={"error": "403 Forbidden"})
    with pytest.raises(PushError, match=r"stopped: send packet page-\d\.png") as caught:
        upload(diffgram, parent.file_id, children, "queue")
    assert caught.value.permanent
    receipt = diffgram.done(upload(diffgram, parent.file_id, children, "queue"))
    assert receipt.succeeded + receipt.skipped == 5
    assert [child.ordinal for child in diffgram.children(parent.file_id)] == [0, 1, 2, 3, 4]
    assert len(diffgram.inputs(parent.file_id)) == 5


def test_two_children_of_one_name_are_two_children_3_5(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram)
    children = [page(media, ordinal, original_filename="same.png") for ordinal in range(3)]
    assert diffgram.done(upload(diffgram, parent.file_id, children)).succeeded == 3
    assert diffgram.done(upload(diffgram, parent.file_id, children)).skipped == 3
    assert [diffgram.lefts(child.id) for child in diffgram.children(parent.file_id)] == [[1], [2], [3]]


def test_one_name_below_two_parents_is_no_collision_3_5(diffgram: LiveDiffgram, media: Media):
    parents = [create(diffgram, name) for name in ("left", "right")]
    handles = [upload(diffgram, parent.file_id, [page(media, 0)]) for parent in parents]
    assert diffgram.done(*handles).summary() == "2 expected: 2 succeeded"
    assert [len(diffgram.children(parent.file_id)) for parent in parents] == [1, 1]


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"dataset": "no such", "label_schema": "none"}, "(?s)dataset 'no such'.*label schema 'none'"),
        ({"parent_file_id": 999_999}, "parent_file_id 999999: no such file in project"),
        ({"max_failed": -1}, "max_failed must be 0 or more"),
    ],
)
def test_children_are_yielded_once_what_is_known_before_them_is_right(
    diffgram: LiveDiffgram, wrong: dict[str, Any], told: str
):
    asked = []

    def children() -> Iterator[dict[str, Any]]:
        asked.append("a child")
        yield {"media": {"text_data": "hello"}, "original_filename": "a.txt", "ordinal": 0}

    parent = create(diffgram).file_id
    with pytest.raises(InvalidValueError, match=told) as caught:
        upload_children(
            diffgram.client, children=children(), **{"parent_file_id": parent, "dataset": DATASET, **wrong}
        )
    assert "nothing was sent" in str(caught.value)
    assert asked == []
    diffgram.done(upload_children(diffgram.client, parent, children(), dataset=DATASET))
    assert [child.original_filename for child in diffgram.children(parent)] == ["a.txt"]


def test_problems_of_all_children_are_told_at_once_and_nothing_is_sent(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram)
    children = [
        page(media, 0),
        page(media, 0),
        {"media": {}},
        page(media, 3, instance_list=[box(label="bird")]),
    ]
    with pytest.raises(InvalidValueError) as caught:
        upload(diffgram, parent.file_id, children)
    told = str(caught.value)
    for words in ("child 1: ordinal 0 is that of child 0", "child 2: media", "child 2: ordinal", "'bird'"):
        assert words in told
    assert diffgram.children(parent.file_id) == []
    assert diffgram.inputs(parent.file_id) == []


def test_a_child_that_fails_leaves_parent_and_brothers_alone_4_2_rule_9(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram)
    bad = page(media, 1) | {"media": {"url": media.url("gone/1.png")}}
    receipt = diffgram.done(upload(diffgram, parent.file_id, [page(media, 0), bad, page(media, 2)]))
    assert (receipt.succeeded, receipt.failed) == (2, 1)
    assert "404" in receipt.failures[0].reason
    assert [child.ordinal for child in diffgram.children(parent.file_id)] == [0, 2]
    assert diffgram.done(upload(diffgram, parent.file_id, [page(media, n) for n in range(3)])).skipped == 2
    assert [child.ordinal for child in diffgram.children(parent.file_id)] == [0, 1, 2]


def together(diffgram: LiveDiffgram, name: str = "pages", count: int = 2) -> list[int]:
    """Make several compound files of one name, as processes do that ask at the same moment (quirk 55)."""
    diffgram.emulator.control("options", {"name_race_seconds": 0.5})

    def one(_: int) -> int | None:
        client = DiffgramClient(settings(diffgram.emulator), FastTime())
        request = routes.create_compound(client.project, diffgram.directory_id, name, "compound", [])
        try:
            return client.send(request).id
        except RefusedError:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = sorted(file_id for file_id in pool.map(one, range(4)) if file_id)
    assert len(made) == count
    return made


def test_two_that_were_created_at_once_are_found_and_the_younger_archived_quirk_55(diffgram: LiveDiffgram):
    older, _ = together(diffgram)
    assert create(diffgram) == Parent(older, "pages", diffgram.directory_id, created=False)
    assert [file.id for file in diffgram.files()] == [older]


def test_a_refusal_archives_none_of_two_that_were_created_at_once(diffgram: LiveDiffgram):
    both = together(diffgram)
    with pytest.raises(RefusedError, match="instances"):
        create(diffgram, "pages", box(3))
    with pytest.raises(InvalidValueError, match="is in the dataset already"):
        create(diffgram, if_exists="fail")
    assert [file.id for file in diffgram.files()] == both


def test_a_younger_one_that_holds_children_stays(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    older, younger = together(diffgram)
    body = {"directory_id": diffgram.directory_id, **page(media, 0), "parent_file_id": younger}
    body["media"]["type"], body["instance_list"] = "image", [box(label="cat") | {"label_file_id": 1}]
    batch = diffgram.client.send(routes.create_batch(diffgram.client.project)).id
    diffgram.ask(routes.send_packet, {**body, "batch_id": batch}, "page")
    deadline = time.monotonic() + 10
    while not diffgram.children(younger):
        until("no child", deadline)
    assert create(diffgram).file_id == older
    assert f"file {younger} has its name, and children" in caplog.text
    assert {file.id for file in diffgram.files()} == {older, younger}


def test_a_400_after_the_parent_was_made_finds_it_by_its_name_quirk_20(diffgram: LiveDiffgram):
    crash = {"log": {"error": {"instance_list_compound": "Traceback ..."}, "info": {}, "success": False}}
    diffgram.emulator.fault("file/new-compound", "status", status=400, body=crash, processed=True)
    made = create(diffgram, "pages", box(3))
    assert made.created
    assert [file.id for file in diffgram.files()] == [made.file_id]
    assert diffgram.lefts(made.file_id) == [3]


@pytest.mark.parametrize("given", ["name", "id", "id as text"])
def test_a_dataset_is_given_by_name_or_id(diffgram: LiveDiffgram, given: str):
    directory_id = diffgram.directory_id
    dataset = {"name": DATASET, "id": directory_id, "id as text": str(directory_id)}[given]
    assert create(diffgram, dataset=dataset).directory_id == directory_id


def test_a_wrong_order_is_corrected_and_nothing_is_sent_again_2_6(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    parent = create(diffgram).file_id
    names = [f"page-{number}.png" for number in (1, 3, 2)]
    first = [page(media, ordinal, original_filename=name) for ordinal, name in enumerate(names)]
    diffgram.done(upload(diffgram, parent, first))
    sorted_now = [{**child, "ordinal": int(child["original_filename"][5])} for child in first]
    diffgram.emulator.fault("update-metadata", "reset_after")
    added = page(media, 0)
    receipt = diffgram.done(upload(diffgram, parent, [added, *sorted_now]))
    assert receipt.summary() == "4 expected: 1 succeeded, 3 skipped"
    assert [child.original_filename for child in diffgram.children(parent)] == [
        f"page-{number}.png" for number in range(4)
    ]
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1, 2, 3]
    assert len(diffgram.inputs(parent)) == 4


def test_a_problem_leaves_a_wrong_order_as_it_is(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram).file_id
    diffgram.done(upload(diffgram, parent, [page(media, 0)]))
    moved = page(media, 0) | {"ordinal": 7}
    with pytest.raises(InvalidValueError, match="'bird'"):
        upload(diffgram, parent, [moved, page(media, 1, instance_list=[box(label="bird")])])
    assert [child.ordinal for child in diffgram.children(parent)] == [0]


def test_a_stranger_at_one_of_the_ordinals_is_told(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    parent = create(diffgram).file_id
    diffgram.done(upload(diffgram, parent, [page(media, 0)]))
    upload(diffgram, parent, [page(media, 0, original_filename="other.png")])
    assert "ordinal 0 is also that of 'page-0.png'" in caplog.text


def test_failed_children_are_archived_and_sent_again_when_asked(diffgram: LiveDiffgram, media: Media):
    parent = create(diffgram).file_id
    diffgram.emulator.control("rows", {"match": "page-1", "kind": "flip", "seconds": 0.1})
    gone = page(media, 0) | {"media": {"url": media.url("gone/0.png")}}
    receipt = diffgram.done(upload(diffgram, parent, [gone, page(media, 1), page(media, 2)], "queue"))
    assert (receipt.succeeded, receipt.failed) == (1, 2)
    broken = {child.ordinal: child.id for child in diffgram.children(parent)}
    children = [page(media, number) for number in range(3)]
    handle = upload_children(diffgram.client, parent, children, repair=True, dataset=DATASET)
    assert diffgram.done(handle).summary() == "3 expected: 2 succeeded, 1 skipped"
    stored = diffgram.children(parent)
    assert [(child.ordinal, diffgram.lefts(child.id)) for child in stored] == [(0, [1]), (1, [2]), (2, [3])]
    assert stored[1].id != broken[1], "what was there of it is archived"
    assert stored[2].id == broken[2], "what was well stays"
    assert [row.status for row in diffgram.inputs(parent) if not row.archived] == ["success"] * 3


def test_a_parent_that_is_archived_meanwhile_is_told_quirk_56(diffgram: LiveDiffgram, tmp_path: Path):
    parent = create(diffgram).file_id
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for each in paths:
        each.write_bytes(png())
    children = [{"media": {"path": each}, "ordinal": number} for number, each in enumerate(paths)]
    (row,) = diffgram.inputs()

    diffgram.emulator.fault("input/from_local", "latency", seconds=0.5)
    archiver = threading.Timer(0.3, diffgram.archive, [row])
    archiver.start()
    with pytest.raises(RefusedError, match=f"compound file {parent} was archived in the meantime"):
        upload(diffgram, parent, children)
    archiver.join()
