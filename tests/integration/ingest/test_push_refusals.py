"""What is wrong is known before anything is sent: all of it is told, and nothing arrives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramClient,
    DiffgramError,
    HostUnreachableError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.routes.uploads import MIB
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.served_media import Media, png
from tests.unit.client.scripted_server import Answer, answering


def image(media: Media, name: str, **more: Any) -> dict[str, Any]:
    return {"media": {"url": media.url(name)}, "original_filename": name, **more}


def refused(diffgram: LiveDiffgram, packets: list[Any], **more: Any) -> list[str]:
    """Push, expect a refusal, prove that nothing was sent; return the problems."""
    before = diffgram.content()
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push(packets, **more)
    assert diffgram.content() == before
    return caught.value.problems


def compound(diffgram: LiveDiffgram, name: str = "pages", directory_id: int | None = None) -> int:
    request = (directory_id or diffgram.directory_id, name, "compound", [])
    return int(diffgram.ask(routes.create_compound, *request).id)


def stored(diffgram: LiveDiffgram, media: Media, name: str = "there.png") -> int:
    diffgram.pushed([image(media, name, instance_list=[box()])])
    return diffgram.file(name).id


def test_problems_of_every_kind_are_told_at_once(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    (tmp_path / "empty.png").touch()
    there = stored(diffgram, media)
    packets = [
        image(media, "good.png", instance_list=[box()]),
        image(media, "a.png", instance_list=[box(label="bird"), box(label="fish")]),
        image(media, "b.png", instance_list=[{**box(), "label": None, "label_file_id": 99999}]),
        image(media, "c.png", instance_list=[box() | {"x_min": 1.5, "x_max": "9", "score": float("nan")}]),
        {"media": {"path": tmp_path / "missing.png"}},
        {"media": {"path": tmp_path / "empty.png"}},
        {},
        image(media, "d.png", parent_file_id=99999, ordinal=0),
        image(media, "e.png", parent_file_id=there, ordinal=0),
        {"file_id": 99998, "mode": "update", "instance_list": [box()]},
        image(media, "good.png"),
        {"media": {"url": "http://h/noext"}},
    ]
    told = "\n".join(refused(diffgram, packets, dataset="no such dataset"))
    for words in (
        "dataset 'no such dataset'",
        DATASET,
        "'bird', 'fish'",
        "'cat', 'dog'",
        "label_file_id 99999",
        "packet 3 (c.png): instance_list.0.box.x_min",
        "packet 3 (c.png): instance_list.0.box.x_max",
        "packet 3 (c.png): instance_list.0.box.score",
        "packet 4 (missing.png): no such file",
        "packet 5 (empty.png): file is empty",
        "packet 6: file_id: has neither media nor file_id",
        "packet 7 (d.png): parent_file_id 99999: no such file",
        f"packet 8 (e.png): parent_file_id {there} is of type image",
        "packet 9 (file 99998): file_id 99998: no such file",
        "packet 10 (good.png): a second packet named 'good.png'",
        "packet 11",
    ):
        assert words in told, words


def test_an_unknown_schema_does_not_hide_the_other_problems(diffgram: LiveDiffgram):
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push([{}], dataset="nope", label_schema="no such schema")
    assert "no such schema" in str(caught.value)
    assert "dataset 'nope'" in str(caught.value)
    assert "packet 0" in str(caught.value)


@pytest.mark.parametrize("dataset", [None, "", "Nope", "PREDICTIONS", "predict", 99999, "99999"])
def test_an_unknown_dataset_is_told_with_those_that_exist_2_3(
    diffgram: LiveDiffgram, media: Media, dataset: Any
):
    (problem,) = refused(diffgram, [image(media, "a.png")], dataset=dataset)
    assert "dataset" in problem
    assert (DATASET in problem) == bool(dataset)


def test_a_removed_parent_is_refused_4_2_rule_13(diffgram: LiveDiffgram, media: Media):
    parent = compound(diffgram)
    diffgram.archive(*diffgram.inputs())
    (problem,) = refused(diffgram, [image(media, "a.png", parent_file_id=parent, ordinal=0)])
    assert "removed" in problem
    assert "pages" in problem


def test_a_parent_in_another_dataset_is_refused_4_2_rule_1(diffgram: LiveDiffgram, media: Media):
    other = diffgram.ask(routes.create_dataset, "other")
    parent = compound(diffgram, directory_id=other.id)
    (problem,) = refused(diffgram, [image(media, "a.png", parent_file_id=parent, ordinal=0)])
    assert "another dataset" in problem
    assert diffgram.children(parent) == []


def test_images_above_7680_pixels_are_refused_wherever_they_go_quirk_45(
    diffgram: LiveDiffgram, tmp_path: Path
):
    diffgram.limits = replace(LIMITS, upload=2 * MIB)
    for name, height in (("a.png", 9), ("child.bmp", 9), ("chunks.bmp", 100), ("good.png", 9)):
        width = 7680 if name == "good.png" else 9000
        Image.new("RGB", (width, height)).save(tmp_path / name)
    assert (tmp_path / "chunks.bmp").stat().st_size > 2 * MIB
    parent = compound(diffgram)
    packets = [
        {"media": {"path": str(tmp_path / "a.png")}, "instance_list": [box()]},
        {"media": {"path": str(tmp_path / "chunks.bmp")}},
        {"media": {"path": str(tmp_path / "child.bmp")}, "parent_file_id": parent, "ordinal": 0},
        {"media": {"path": str(tmp_path / "good.png")}},
    ]
    found = refused(diffgram, packets)
    assert [each.partition(" pixels")[0].rpartition("is ")[2] for each in found] == [
        "9000 x 9",
        "9000 x 100",
        "9000 x 9",
    ]


def test_files_of_another_project_are_no_files_2_5(diffgram: LiveDiffgram, media: Media):
    other = LiveDiffgram.of(diffgram.emulator.with_project(diffgram.client.project + "-other"))
    parent, file_id = compound(other), stored(other, media)
    packets = [
        image(media, "a.png", parent_file_id=parent, ordinal=0),
        {"file_id": file_id, "mode": "update", "instance_list": [box()]},
    ]
    before = other.content()
    assert [f"{diffgram.client.project!r}" in each for each in refused(diffgram, packets)] == [True, True]
    assert other.content() == before
    foreign = {**box(), "label": None, "label_file_id": other.labels["cat"]}
    (problem,) = refused(diffgram, [image(media, "b.png", instance_list=[foreign])])
    assert str(other.labels["cat"]) in problem


def test_an_update_of_a_compound_would_hang_and_is_refused_quirk_33(diffgram: LiveDiffgram):
    parent = compound(diffgram)
    update = {"file_id": parent, "mode": "update", "instance_list": [box()]}
    (problem,) = refused(diffgram, [update], delivery="queue")
    assert "compound" in problem


def test_an_update_of_a_removed_file_is_refused(diffgram: LiveDiffgram, media: Media):
    file_id = stored(diffgram, media)
    diffgram.archive(*diffgram.inputs())
    (problem,) = refused(diffgram, [{"file_id": file_id, "mode": "update", "instance_list": [box()]}])
    assert "removed" in problem


def test_frames_for_an_image_and_a_list_for_a_video_are_refused_5_6(diffgram: LiveDiffgram, media: Media):
    picture = stored(diffgram, media)
    diffgram.pushed([{"media": {"url": media.url("v.mp4"), "type": "video"}, "original_filename": "v.mp4"}])
    video = diffgram.file("v.mp4").id
    packets = [
        {"file_id": picture, "mode": "update", "frame_packet_map": {"0": [box()]}},
        {"file_id": video, "mode": "update", "instance_list": [box()]},
    ]
    assert len(refused(diffgram, packets)) == 2


def test_two_children_of_one_place_are_refused(diffgram: LiveDiffgram, media: Media):
    parent = compound(diffgram)
    child = image(media, "a.png", parent_file_id=parent, ordinal=1)
    (problem,) = refused(diffgram, [child, child])
    assert "ordinal 1" in problem


def test_a_child_with_the_name_of_a_root_file_is_refused_quirk_18(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    (tmp_path / "b.png").write_bytes(png())
    diffgram.pushed([image(media, "a.png"), image(media, "b.png")])
    parent = compound(diffgram)
    packets = [
        image(media, "a.png", parent_file_id=parent, ordinal=0, instance_list=[box()]),
        {
            "media": {"path": tmp_path / "b.png"},
            "original_filename": "b.png",
            "parent_file_id": parent,
            "ordinal": 1,
        },
        image(media, "pages.png", parent_file_id=parent, ordinal=2),
    ]
    told = sorted(refused(diffgram, packets))
    assert len(told) == 2
    assert "a.png" in told[0]
    assert "b.png" in told[1]


def test_attribute_values_are_checked_against_the_live_project_quirks_49_and_51(
    diffgram: LiveDiffgram, media: Media
):
    group = diffgram.post("attribute/group/new", {})["attribute_template_group"]["id"]
    wanted = {"group_id": group, "mode": "UPDATE", "name": "colour", "prompt": "Which?", "kind": "select"}
    diffgram.post("attribute/group/update", wanted | {"is_global": False, "global_type": "file"})
    made = diffgram.post("attribute", {"mode": "NEW", "attribute": {"name": "red", "group_id": group}})
    option = made["attribute_template"]["id"]
    threads = diffgram.state()["ingest_threads"]

    def with_value(value: Any, group_id: int = group) -> dict[str, Any]:
        return image(media, "a.png", instance_list=[box(attribute_groups={str(group_id): value})])

    told = [refused(diffgram, [with_value(bad)]) for bad in ({"id": 999999}, "mauve", {"id": "red"})]
    assert all(f"{option} (red)" in problems[0] for problems in told)
    assert "does not exist" in refused(diffgram, [with_value({"id": option}, 999999)])[0]
    by_name = image(media, "a.png", instance_list=[box(attributes={"colour": "red"})])
    assert diffgram.pushed([by_name]).succeeded == 1
    (instance,) = diffgram.instances(diffgram.file("a.png").id)
    stored_value = {"id": option, "name": option, "display_name": "red"}
    assert instance["attribute_groups"] == {str(group): stored_value}
    for same in (by_name, with_value({"id": option}), with_value("red")):
        assert diffgram.pushed([same], if_exists="append").skipped == 1
    assert diffgram.state()["ingest_threads"] == threads


def test_the_newest_of_two_labels_of_a_name_is_used_2_1(diffgram: LiveDiffgram, media: Media):
    schema = diffgram.ask(routes.list_schemas)[0]
    newer = diffgram.ask(routes.create_label, "cat", schema.id).id
    diffgram.pushed([image(media, "a.png", instance_list=[box()])])
    assert [each["label_file_id"] for each in diffgram.instances(diffgram.file("a.png").id)] == [newer]


def test_many_problems_are_cut_but_counted(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(InvalidValueError, match="130 problem") as caught:
        diffgram.push([{} for _ in range(130)])
    assert (len(caught.value.problems), caught.value.unshown) == (100, 30)
    assert str(caught.value).endswith("and 30 more")


def pushing(diffgram: LiveDiffgram, media: Media, role: str = "admin", **change: Any) -> None:
    with DiffgramClient(settings(diffgram.emulator, role, **change), FastTime()) as client:
        push(client, [image(media, "a.png", instance_list=[box()])], dataset=DATASET)


@pytest.mark.parametrize(
    "change, kind, words",
    [
        ({"client_secret": "wrong"}, CredentialError, "secret"),
        ({"client_id": "wrong"}, CredentialError, "client ID"),
        ({"project": "no-such-project"}, CredentialError, "no such project"),
        ({"host": "http://127.0.0.1:1", "retry_timeout": 0.2}, HostUnreachableError, "host and port"),
        ({"host": "http://no-such-host.invalid", "retry_timeout": 0.2}, HostUnreachableError, "no-such-host"),
    ],
)
def test_a_wrong_connection_is_told_and_nothing_is_sent(
    diffgram: LiveDiffgram, media: Media, change: dict[str, Any], kind: type[DiffgramError], words: str
):
    before = diffgram.content()
    with pytest.raises(kind, match=words):
        pushing(diffgram, media, **change)
    assert diffgram.content() == before


def test_a_web_page_at_the_host_is_no_diffgram(diffgram: LiveDiffgram, media: Media):
    page = Answer(body=b"<!DOCTYPE html><title>Log in</title>", headers={"Content-Type": "text/html"})
    with answering(page) as server, pytest.raises(WrongAddressError, match="host and port"):
        pushing(diffgram, media, host=server.url)


def test_a_role_that_may_not_write_is_told_once_quirk_29(diffgram: LiveDiffgram, media: Media):
    before = diffgram.content()
    with pytest.raises((PushError, CredentialError), match="role does not allow this") as caught:
        pushing(diffgram, media, role="Viewer")
    assert getattr(caught.value, "permanent", True)
    assert diffgram.content() == before


def test_many_files_to_update_are_listed_together_and_checked_as_one_is(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, f"{number}.png") for number in range(8)])
    there = {str(file.original_filename): file.id for file in diffgram.files()}
    parent = diffgram.compound()
    diffgram.archive(*(row for row in diffgram.inputs() if row.original_filename == "7.png"))
    elsewhere = diffgram.ask(routes.create_dataset, "elsewhere").id
    diffgram.pushed([image(media, "other.png")], dataset=elsewhere)
    (other,) = diffgram.ask(routes.list_files, elsewhere).file_list

    def update(file_id: int, **more: Any) -> dict[str, Any]:
        return {"file_id": file_id, "mode": "update", **({"instance_list": [box(3)]} | more)}

    good = [update(file_id) for name, file_id in there.items() if name != "7.png"]
    frames = update(there["6.png"], instance_list=[], frame_packet_map={"0": [box(1)]})
    wrong = [frames, update(there["7.png"]), update(10**6), update(parent)]
    problems = refused(diffgram, [*good[:6], *wrong], delivery="queue")
    assert [problem.partition(": ")[2] for problem in problems] == [
        f"file_id {there['6.png']} is of type image: give instance_list, not frame_packet_map",
        f"file_id {there['7.png']} (7.png) was removed in Diffgram",
        f"file_id 1000000: no such file in project {diffgram.client.project!r}",
        f"file_id {parent} is a compound file: an update of it would hang in the queue for ever",
    ]

    def looks() -> int:
        counts = diffgram.emulator.requests()["counts"]
        return sum(one["count"] for one in counts if one["path"] == "/api/v1/file/view")

    before = looks()
    assert diffgram.pushed([*good, update(other.id)]).succeeded == 8
    assert looks() - before == 3 + 1, "the first three singly, and the one of another dataset"
