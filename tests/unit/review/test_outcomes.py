"""What became of each prediction: the rules, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.server.past import Fate
from airflow_provider_diffgram.review.quality.compare import (
    FileNow,
    Outcome,
    Prediction,
    SentFile,
    compare_file,
    named_as_sent,
    predictions_of,
)
from tests.unit.review.predicted import Fields, box, by_person, drawn, now, row, sent


def told(outcomes: list[Outcome]) -> dict[str | None, str]:
    return {each.reference: each.outcome for each in outcomes}


def test_one_that_is_as_it_was_is_kept():
    (kept,) = compare_file(sent(box(reference="a", score=0.9)), now(row()))
    assert (kept.outcome, kept.iou, kept.score, kept.run) == ("kept", 1.0, 0.9, "model/run")


@pytest.mark.parametrize(
    "change, outcome",
    [
        ({"x_min": 20}, "moved"),
        ({"label": "dog"}, "relabelled"),
        ({"attribute_groups": {"3": {"id": 7, "name": 7}}}, "attributes_changed"),
        ({"x_min": 20, "label": "dog"}, "moved+relabelled"),
        (
            {"x_min": 9, "label": "dog", "attribute_groups": {"3": "red"}},
            "moved+relabelled+attributes_changed",
        ),
        ({"machine_made": False, "score": None, "version": 1, "root_id": None}, "kept"),
    ],
)
def test_what_a_person_changes(change: Fields, outcome: str):
    (found,) = compare_file(sent(box(reference="a", score=0.9)), now(row(**change)))
    assert found.outcome == outcome
    assert found.score == 0.9


def test_how_far_one_moved():
    (moved,) = compare_file(sent(box(reference="a")), now(row(60)))
    assert moved.iou == pytest.approx(1 / 3)
    assert moved.shift == 50


def test_only_the_words_of_an_option_changed():
    before = box(reference="a", attribute_groups={"3": {"id": 7, "name": 7, "display_name": "red"}})
    after = row(attribute_groups={"3": {"id": 7, "name": "red", "display_name": "Red"}, "4": None, "5": []})
    assert told(compare_file(sent(before), now(after))) == {"a": "kept"}


def test_a_frame_and_its_track():
    of = [Prediction("a", frame, box(reference="a", number=2), None) for frame in (0, 5)]
    file = SentFile(1, "a.mp4", 5, of)
    frames = {0: [row(number=2)], 5: [row(number=3)], 6: [drawn(3)]}
    outcomes = compare_file(file, FileNow(1, True, frames))
    assert [(each.frame, each.outcome) for each in outcomes] == [
        (0, "kept"),
        (5, "track_changed"),
        (6, "added"),
    ]


@pytest.mark.parametrize("there", [None, now(row(), reviewed=False)])
def test_nobody_looked_yet_which_is_no_acceptance(there: FileNow | None):
    assert told(compare_file(sent(box(reference="a")), there)) == {"a": "not_reviewed"}


def fate(fate: Fate) -> dict[tuple[None, str], Fate]:
    """Return that of the prediction ``a``."""
    return {(None, "a"): fate}


@pytest.mark.parametrize(
    "history, outcome",
    [
        (Fate.DELETED_BY_PERSON, "deleted"),
        (Fate.TAKEN_BACK, "superseded"),
        (Fate.LOST, "lost"),
    ],
)
def test_what_a_history_says(history: Fate, outcome: str):
    (gone,) = compare_file(sent(box(reference="a")), now(fates=fate(history)))
    assert (gone.outcome, gone.proof) == (outcome, "history")


def test_without_a_history_nothing_is_guessed():
    (gone,) = compare_file(sent(box(reference="a")), now())
    assert (gone.outcome, gone.proof) == ("unknown", None)


def test_what_the_file_never_held_was_not_stored():
    file = sent(box(reference="a"), box(300, reference="b"))
    outcomes = compare_file(file, now(fates=fate(Fate.DELETED_BY_PERSON), complete=True))
    assert told(outcomes) == {"a": "deleted", "b": "not_stored"}


def test_one_that_is_drawn_again_is_neither_deleted_nor_added():
    outcomes = compare_file(
        sent(box(reference="a"), box(300, reference="b")),
        now(drawn(20, "dog"), drawn(500), fates=by_person("a", "b")),
    )
    assert [each.outcome for each in outcomes] == ["redrawn", "deleted", "added"]
    assert outcomes[0].final_label == "dog"
    assert outcomes[0].iou == pytest.approx(90 / 110)


def test_of_several_drawn_the_likest_takes_the_place():
    file = sent(box(reference="a"), box(16, reference="b"))
    outcomes = compare_file(file, now(drawn(15), drawn(4), fates=by_person("a", "b")))
    assert [(each.reference, each.final and each.final["x_min"]) for each in outcomes] == [
        ("a", 4),
        ("b", 15),
    ]


def test_what_a_program_drew_there_is_no_redrawing():
    rows = row(15, reference="other", version=2)
    outcomes = compare_file(sent(box(reference="a")), now(rows, fates=fate(Fate.DELETED_BY_PERSON)))
    assert [each.outcome for each in outcomes] == ["deleted", "added_by_push"]


@pytest.mark.parametrize("fates, outcome", [(fate(Fate.LOST), "lost"), ({}, "unknown")])
def test_one_that_nobody_is_known_to_have_deleted_is_not_redrawn(fates: dict[Any, Fate], outcome: str):
    outcomes = compare_file(sent(box(reference="a")), now(drawn(12), fates=fates))
    assert [each.outcome for each in outcomes] == [outcome, "added"]


def test_of_two_equal_ones_the_server_stores_one():
    outcomes = compare_file(sent(box(reference="a"), box(reference="b")), now(row()))
    assert told(outcomes) == {"a": "kept", "b": "not_stored"}


def test_an_equal_row_of_an_earlier_push_stands_for_it():
    outcomes = compare_file(sent(box(reference="new")), now(row(reference="old")))
    assert [each.outcome for each in outcomes] == ["kept"]


@pytest.mark.parametrize("score", [float("nan"), "NaN", 87, -1])
def test_a_score_of_another_program_that_is_none(score: Any):
    (added,) = compare_file(sent(), now(row(score=score)))
    assert (added.outcome, added.score) == ("added_by_push", None)


def test_an_equal_row_of_an_earlier_push_that_a_person_deleted_stands_for_it_too():
    dead = [(row(300, reference="other"), Fate.LOST), (row(reference="old"), Fate.DELETED_BY_PERSON)]
    (gone,) = compare_file(sent(box(reference="new")), now(dead=dead, complete=True))
    assert (gone.outcome, gone.proof) == ("deleted", "history")


def test_without_a_reference_nothing_is_guessed():
    outcomes = compare_file(sent(box()), now(row()))
    assert [each.outcome for each in outcomes] == ["not_compared", "added_by_push"]


def test_a_relation_has_no_place_to_compare():
    relation = {"type": "relation", "creation_ref_id": "a", "from_creation_ref": "b", "to_creation_ref": "c"}
    (outcome,) = compare_file(sent(relation), now(row(**{"type": "relation", "label": None})))
    assert outcome.outcome == "not_compared"


def line(*instances: Fields, **more: Any) -> Fields:
    packet = {"instance_list": list(instances)} | more.pop("packet", {})
    return {"name": "a.png", "file_id": 1, "directory_id": 5, "packet": packet} | more


def test_a_retry_predicts_nothing_new():
    told = line(box(reference="a", model_ref="m", model_run_ref="1"))
    file = predictions_of([told, told])
    assert [(each.reference, each.run) for each in file.predictions] == [("a", "m/1")]
    assert file.doubled == 0


def test_of_a_reference_given_twice_the_last_counts_and_it_is_told():
    file = predictions_of([line(box(reference="a"), box(300, reference="a"))])
    assert [each.fields["x_min"] for each in file.predictions] == [300]
    assert file.doubled == 1


def test_a_label_that_was_renamed_since_is_no_judgement():
    ids = {"cat": 308, "dog": 309}
    told = line(
        box(reference="a"), box(300, reference="b"), box(600, "dog", reference="c"), label_file_ids=ids
    )
    file = predictions_of([told])
    rows = (
        row(label="kitty"),
        row(300, "hound", reference="b", label_file_id=309, version=2),
        row(600, "hound", reference="c", label_file_id=309),
    )
    stored = named_as_sent(file, now(*rows))
    outcomes = compare_file(file, stored)
    assert {each.reference: each.outcome for each in outcomes} == {
        "a": "kept",
        "b": "relabelled",
        "c": "kept",
    }
    assert {each.final_label for each in outcomes} == {"cat", "dog"}
    assert stored is not None
    assert {each["label"] for each in stored.rows[None]} == {"cat", "dog"}


def test_a_later_line_that_replaces():
    file = predictions_of(
        [line(box(reference="a")), line(box(300, reference="b"), packet={"mode": "update_with_existing"})]
    )
    outcomes = compare_file(file, now(row(300, reference="b")))
    assert told(outcomes) == {"a": "superseded", "b": "kept"}


def test_a_push_outside_the_record_that_replaced():
    outcomes = compare_file(sent(box(reference="a")), now(fates=fate(Fate.LOST), replaced=True))
    assert told(outcomes) == {"a": "superseded"}


def test_frames_of_a_record():
    file = predictions_of([line(packet={"frame_packet_map": {"0": [box(reference="a")], "12": [box()]}})])
    assert [each.frame for each in file.predictions] == [0, 12]
