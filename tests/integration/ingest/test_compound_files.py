"""Compound files: found again or created, and their children resumed (wire contract 2.4, 4.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, OutcomeUnknownError, RefusedError, routes
from airflow_provider_diffgram.ingest.compound import Parent, create_compound_file, upload_children
from airflow_provider_diffgram.ingest.push import PushError
from airflow_provider_diffgram.models import CompoundFile, Handle, InvalidValueError
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.served_media import Media, png


def create(diffgram: LiveDiffgram, name: str = "pages", *instances: dict[str, Any], **more: Any) -> Parent:
    compound = CompoundFile.model_validate({"name": name, "instance_list": instances})
    return create_compound_file(diffgram.client, compound, **{"dataset": DATASET, **more})


def upload(diffgram: LiveDiffgram, parent: int, children: list[Any]) -> Handle:
    return upload_children(diffgram.client, parent, children, dataset=DATASET)


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
    with pytest.raises(InvalidValueError, match="'reuse' or 'fail'"):
        create(diffgram, if_exists="skip")
    assert len(diffgram.files()) == 1


def test_instances_of_the_compound_itself_are_stored(diffgram: LiveDiffgram):
    parent = create(diffgram, "pages", {"type": "global"}, box(4))
    assert {each["type"] for each in diffgram.instances(parent.file_id)} == {"global", "box"}


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
        client = DiffgramClient(settings(diffgram.emulator), FastTime.sleep)
        return create_compound_file(client, CompoundFile(name="pages"), dataset=DATASET)

    with ThreadPoolExecutor(4) as pool:
        parents = list(pool.map(one, range(4)))
    (file,) = diffgram.files()
    assert {parent.file_id for parent in parents} == {file.id}


def test_a_parent_that_lost_its_instances_is_not_reused_in_silence_2_4(diffgram: LiveDiffgram):
    diffgram.ask(routes.create_compound, diffgram.directory_id, "pages", "compound", [])
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
    diffgram.done(upload(diffgram, parent.file_id, children[:2]))
    diffgram.emulator.fault("input/packet", "latency", times=1)
    diffgram.emulator.fault("input/packet", "status", status=403, body={"error": "403 Forbidden"})
    with pytest.raises(PushError, match=r"stopped: send packet page-\d\.png") as caught:
        upload(diffgram, parent.file_id, children)
    assert caught.value.permanent
    receipt = diffgram.done(upload(diffgram, parent.file_id, children))
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
