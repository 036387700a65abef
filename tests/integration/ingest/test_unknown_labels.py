"""Labels missing from the schema: named all at once, left out, or created."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media


def labels_of(diffgram: LiveDiffgram, schema_id: int | None = None) -> list[str]:
    schema_id = schema_id or diffgram.ask(routes.list_schemas)[0].id
    return sorted(label.name for label in diffgram.ask(routes.list_labels, schema_id).labels)


def packets(media: Media) -> list[dict[str, Any]]:
    return [
        image(media, "a.png", box(1), box(20, label="bird")),
        image(media, "b.png", box(1, label="fish"), box(40, label="bird")),
    ]


def names_of(diffgram: LiveDiffgram, name: str) -> list[str]:
    held = diffgram.instances(diffgram.file(name).id)
    return [each["label_file"]["label"]["name"] for each in held]


def test_all_unknown_labels_are_told_at_once_by_default(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push(packets(media))
    (problem,) = caught.value.problems
    assert "2 labels missing from schema 'Default Schema': 'bird', 'fish'" in problem
    assert "'drop' or 'create'" in problem
    assert diffgram.content() == ([], [], [])


def test_drop_leaves_their_instances_out_and_tells_how_many(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    receipt = diffgram.pushed(packets(media), unknown_labels="drop")
    assert receipt.summary() == "2 expected: 2 succeeded"
    assert names_of(diffgram, "a.png") == ["cat"]
    assert diffgram.instances(diffgram.file("b.png").id) == []
    assert labels_of(diffgram) == ["cat", "dog"]
    assert "3 instances left out" in caplog.text
    assert "'bird' (2), 'fish' (1)" in caplog.text
    assert diffgram.pushed(packets(media), unknown_labels="drop").skipped == 2


def test_drop_leaves_frames_without_instances_out_5_6(diffgram: LiveDiffgram, media: Media):
    frames = {0: [box(label="bird")], 2: [box()]}
    video = {"media": {"url": media.url("v.mp4"), "type": "video"}, "original_filename": "v.mp4"}
    receipt = diffgram.pushed([{**video, "frame_packet_map": frames}], unknown_labels="drop")
    assert receipt.summary() == "1 expected: 1 succeeded"
    (row,) = diffgram.inputs()
    assert set(diffgram.ask(routes.view_input, row.id).frame_packet_map or {}) == {"2"}


def test_create_makes_each_label_once_and_only_when_the_rest_is_right(diffgram: LiveDiffgram, media: Media):
    wrong = [*packets(media), {"media": {"url": "http://h/noext"}}]
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push(wrong, unknown_labels="create")
    assert "bird" not in str(caught.value)
    assert labels_of(diffgram) == ["cat", "dog"]

    assert diffgram.pushed(packets(media), unknown_labels="create").succeeded == 2
    assert labels_of(diffgram) == ["bird", "cat", "dog", "fish"]
    assert names_of(diffgram, "a.png") == ["cat", "bird"]
    assert names_of(diffgram, "b.png") == ["fish", "bird"]
    assert diffgram.pushed(packets(media), unknown_labels="create").skipped == 2
    assert labels_of(diffgram) == ["bird", "cat", "dog", "fish"]


def test_create_makes_labels_in_the_schema_of_the_push_alone(diffgram: LiveDiffgram, media: Media):
    other = diffgram.ask(routes.create_schema, "other")
    packet = image(media, "a.png", box())
    assert diffgram.pushed([packet], unknown_labels="create", label_schema="other").succeeded == 1
    assert labels_of(diffgram, other.id) == ["cat"]
    assert labels_of(diffgram) == ["cat", "dog"]


def test_labels_of_a_stream_are_created_when_its_thousand_is_checked(diffgram: LiveDiffgram, media: Media):
    from airflow_provider_diffgram.ingest.send.push import push

    handle = push(diffgram.client, iter(packets(media)), dataset=DATASET, unknown_labels="create")
    assert diffgram.done(handle).succeeded == 2
    assert labels_of(diffgram) == ["bird", "cat", "dog", "fish"]


def test_a_label_whose_creation_stays_unanswered_is_looked_for_before_it_is_made_again(
    diffgram: LiveDiffgram, media: Media
):
    diffgram.emulator.fault("label/new", kind="reset_after", times=1)
    assert diffgram.pushed(packets(media), unknown_labels="create").succeeded == 2
    assert labels_of(diffgram) == ["bird", "cat", "dog", "fish"]


def test_a_thousand_labels_are_a_mistake_and_are_not_created(diffgram: LiveDiffgram, media: Media):
    tags = [{"type": "tag", "label": f"label {number}"} for number in range(1000)]
    with pytest.raises(InvalidValueError, match="1,000 labels or more would be created, such as 'label 0'"):
        diffgram.push([image(media, "a.png", *tags)], unknown_labels="create")
    assert labels_of(diffgram) == ["cat", "dog"]


def test_an_unknown_label_file_id_fails_whatever_is_asked(diffgram: LiveDiffgram, media: Media):
    packet = image(media, "a.png", {**box(), "label": None, "label_file_id": 99999})
    for word in ("fail", "drop", "create"):
        with pytest.raises(InvalidValueError, match="99999"):
            diffgram.push([packet], unknown_labels=word)


def test_another_word_is_refused(diffgram: LiveDiffgram):
    with pytest.raises(InvalidValueError, match="unknown_labels must be one of 'fail', 'drop', 'create'"):
        diffgram.push([], unknown_labels="ignore")


@pytest.mark.parametrize("unknown_labels", ["fail", "drop", "create"])
@pytest.mark.parametrize("label", ["cat ", " cat", "cat\u00a0"])
def test_a_label_that_only_looks_like_one_of_the_schema_is_refused(
    diffgram: LiveDiffgram, media: Media, unknown_labels: str, label: str
):
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push([image(media, "a.png", box(1, label=label))], unknown_labels=unknown_labels)
    told = f"label {label!a} differs from 'cat' only by blanks or by how an accent is written: write it the "
    assert f"{told}same way" in caught.value.problems
    assert labels_of(diffgram) == ["cat", "dog"]


def test_two_labels_that_look_alike_are_not_both_created(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(InvalidValueError, match=r"label 'caf.xe9' differs from 'cafe.u0301' only by blanks"):
        diffgram.push(
            [image(media, "a.png", box(1, label="caf\u00e9"), box(20, label="cafe\u0301"))],
            unknown_labels="create",
        )
    assert labels_of(diffgram) == ["cat", "dog"]


def test_a_blank_label_is_not_created(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(InvalidValueError, match=r"label ' ' is blank: give the name of a label"):
        diffgram.push([image(media, "a.png", box(1, label=" "))], unknown_labels="create")
    assert labels_of(diffgram) == ["cat", "dog"]
