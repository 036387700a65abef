"""Predictions that name no model get the model and the run of the push; what they are stays what it was."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media

ORIGIN = ("a-dag", "run-1")


def sent(diffgram: LiveDiffgram) -> list[dict[str, Any]]:
    """Return the instances of the only input, leftmost first, as they were sent."""
    (row,) = diffgram.inputs()
    return sorted(row.instance_list, key=lambda each: each["x_min"])


def told(instance: dict[str, Any]) -> Any:
    return tuple(instance.get(key) for key in ("machine_made", "model_ref", "model_run_ref"))


def test_what_has_a_score_or_is_machine_made_gets_the_origin_unless_it_names_one(
    diffgram: LiveDiffgram, media: Media
):
    instances = [
        box(1, score=0.5),
        box(2, machine_made=True),
        box(3, score=0.5, model_ref="detector"),
        box(4),
        box(5, score=0.5, machine_made=False),
        box(6, score=0.5, model_ref="detector", model_run_ref="night"),
    ]
    assert diffgram.pushed([image(media, "a.png", *instances)], origin=ORIGIN).succeeded == 1
    assert [told(each) for each in sent(diffgram)] == [
        (True, *ORIGIN),
        (True, *ORIGIN),
        (None, "detector", None),
        (None, None, None),
        (False, None, None),
        (None, "detector", "night"),
    ]
    runs = {run.id: run.reference_id for run in diffgram.ask(routes.list_model_runs)}
    held = diffgram.instances(diffgram.file("a.png").id)
    assert [runs.get(each["model_run_id"]) for each in held] == ["run-1", "run-1", None, None, None, "night"]


def test_a_model_without_a_run(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(score=1))], origin=("a-dag", None))
    assert [told(each) for each in sent(diffgram)] == [(True, "a-dag", None)]


def test_without_an_origin_nothing_is_added(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(score=1))])
    assert [told(each) for each in sent(diffgram)] == [(None, None, None)]


@pytest.mark.parametrize("if_exists", ["skip", "append", "replace"])
def test_the_next_run_recognises_what_this_one_sent(diffgram: LiveDiffgram, media: Media, if_exists: str):
    packet = image(media, "a.png", box(score=0.5))
    assert diffgram.pushed([packet], origin=ORIGIN).succeeded == 1
    file = diffgram.file("a.png").id
    update = {"file_id": file, "mode": "update", "instance_list": [box(31, score=0.5)]}
    again = diffgram.pushed([packet], origin=("a-dag", "run-2"), if_exists=if_exists)
    assert again.skipped == 1
    assert diffgram.pushed([update], origin=ORIGIN).succeeded == 1
    assert diffgram.pushed([update], origin=("a-dag", "run-2")).skipped == 1


def test_an_origin_with_a_nul_character_is_refused_quirk_49(diffgram: LiveDiffgram):
    with pytest.raises(InvalidValueError, match="NUL"):
        diffgram.push([], origin=("a\x00", None))
