"""What a later run changes in a file: a table of the rules. Random nights: see ``test_refresh_histories``."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.send.decisions.refresh import (
    Counts,
    Rules,
    Run,
    Standing,
    is_earlier,
    refreshed,
    rules_of,
    standing_of,
)
from tests.unit.ingest.server.test_rewrite import Row, sent

MODEL, PERSON, API = 4, 1, 6


def predicted(left: int, run: int = 1, **more: Any) -> Row:
    """Return a row that a run predicted, as it lives."""
    made = {"id": 100 + left, "version": 1, "action_type": "created", "previous_id": None}
    return {**sent(left), "model_id": MODEL, "model_run_id": run, "member_created_id": API, **made, **more}


def wanted(left: int, run: int = 2, **more: Any) -> Row:
    return {**sent(left), "model_id": MODEL, "model_run_id": run, **more}


def decide(
    living: list[Row], new: list[Row], rules: Rules | None = None, **more: Any
) -> tuple[set[int], set[int], dict[str, int]]:
    done = refreshed(living, new, [Run(MODEL, 2)], rules or Rules(), people={PERSON}, **more)
    return {row["x_min"] for row in done.new}, {row["x_min"] for row in done.going}, done.counts.to_json()


@pytest.mark.parametrize(
    "row, standing",
    [
        (predicted(1), Standing.UNTOUCHED),
        (predicted(1, member_created_id=None), Standing.UNTOUCHED),
        (predicted(1, model_run_id=None), Standing.UNTOUCHED),
        (predicted(1, 2), Standing.OF_THIS_RUN),
        (predicted(1, 3), Standing.OF_LATER_RUN),
        (predicted(1, version=2, action_type="edited", member_created_id=PERSON), Standing.TOUCHED),
        (predicted(1, version=2, action_type="undeleted"), Standing.TOUCHED),
        (predicted(1, creation_ref_id=None), Standing.TOUCHED),
        (predicted(1, action_type="edited", previous_id=7), Standing.TOUCHED),
        (predicted(1, member_created_id=PERSON), Standing.TOUCHED),
        (predicted(1, model_id=9), Standing.OF_OTHERS),
        (predicted(1, model_id=None), Standing.OF_OTHERS),
        (predicted(1, model_id=None, member_created_id=PERSON), Standing.OF_PERSON),
    ],
)
def test_what_a_row_is_to_a_run(row: Row, standing: Standing):
    assert standing_of(row, Run(MODEL, 2), {PERSON}) is standing
    if row["member_created_id"] != PERSON:
        assert is_earlier(row, Run(MODEL, 2)) == (standing is Standing.UNTOUCHED)


MOVED = {"version": 2, "action_type": "edited", "member_created_id": PERSON}
DRAWN = predicted(60, model_id=None, model_run_id=None, member_created_id=PERSON, creation_ref_id="drawn")
DELETED = predicted(80, creation_ref_id="gone")


TOUCHED_1, SETTLED_1 = {"touched": 1}, {"settled": 1}
EXCHANGED = {"added": 1, "taken_back": 1}
OUTDATED = {"taken_back": 1, "outdated": 1}
SAME_REF = {**predicted(30, **MOVED), "creation_ref_id": "r1"}


@pytest.mark.parametrize(
    "living, new, more, added, going, counts",
    [
        ([], [wanted(1)], {}, {1}, set(), {"added": 1}),
        ([predicted(1)], [wanted(40)], {}, {40}, {1}, EXCHANGED),
        ([predicted(1)], [wanted(1)], {}, set(), set(), {"unchanged": 1}),
        ([predicted(1)], [], {}, set(), {1}, {"taken_back": 1}),
        ([predicted(1)], [], {"rules": Rules(empty="keep")}, set(), set(), {}),
        ([predicted(1, **MOVED)], [wanted(40)], {}, {40}, set(), {"added": 1, **TOUCHED_1}),
        ([predicted(1, **MOVED)], [wanted(3)], {}, set(), set(), {**TOUCHED_1, **SETTLED_1}),
        ([predicted(1, **MOVED)], [wanted(3, label_file_id=2)], {}, {3}, set(), {"added": 1, **TOUCHED_1}),
        ([SAME_REF], [wanted(1)], {}, set(), set(), {**TOUCHED_1, **SETTLED_1}),
        ([DRAWN], [wanted(62)], {}, set(), set(), SETTLED_1),
        ([DRAWN], [wanted(62)], {"rules": Rules(respect_people=False)}, {62}, set(), {"added": 1}),
        ([DRAWN], [wanted(62)], {"rules": Rules(min_iou=0.9)}, {62}, set(), {"added": 1}),
        ([], [wanted(81)], {"deleted": [DELETED]}, set(), set(), SETTLED_1),
        ([predicted(1, 2)], [wanted(1)], {}, set(), set(), {"unchanged": 1}),
        ([predicted(1)], [wanted(1)], {"rules": Rules(rescore=True)}, {1}, {1}, EXCHANGED),
        ([predicted(1, 3), predicted(30, 2)], [wanted(30)], {}, set(), {30}, OUTDATED),
        ([predicted(1, model_id=9)], [wanted(40)], {}, {40}, set(), {"added": 1}),
    ],
)
def test_what_a_run_changes(
    living: list[Row], new: list[Row], more: Any, added: set[int], going: set[int], counts: dict[str, int]
):
    assert decide(living, new, **more) == (added, going, counts)


def test_polygons_and_points_of_people_are_known_again_too():
    def polygon(left: int, **more: Any) -> Row:
        corners = ((left, 0), (left + 20, 0), (left + 20, 20), (left, 20))
        return {**sent(left), "type": "polygon", "points": [{"x": x, "y": y} for x, y in corners], **more}

    def point(left: int, **more: Any) -> Row:
        return {**sent(left), "type": "point", "points": [{"x": left, "y": 5}], **more}

    drawn: Row = {"member_created_id": PERSON, "model_id": None, "creation_ref_id": "drawn", "id": 1}
    drawn["machine_made"] = False
    for kind, near, far in ((polygon, 4, 15), (point, 0, 1)):
        assert decide([kind(0, **drawn)], [kind(near, creation_ref_id="w")])[2] == {"settled": 1}
        assert decide([kind(0, **drawn)], [kind(far, creation_ref_id="w")])[2] == {"added": 1}


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"empty": "drop"}, "empty must be one of 'clear', 'keep', not 'drop'"),
        ({"reviewed": True}, "reviewed must be one of"),
        ({"min_iou": 0}, "min_iou must be above 0"),
        ({"min_iou": True}, "min_iou must be above 0"),
        ({"rescore": "yes"}, "rescore must be true or false"),
        ({"iou": 0.5}, "there is no 'iou'"),
    ],
)
def test_rules_that_mean_nothing_are_told(wrong: dict[str, Any], told: str):
    with pytest.raises(ValueError, match=told):
        rules_of(wrong)


def test_counts_add_up_and_leave_out_what_is_nothing():
    counts = Counts(added=1)
    counts.add(Counts(added=2, waiting=1))
    assert counts.to_json() == {"added": 3, "waiting": 1}


def test_a_run_that_comes_too_late_makes_room_for_that_of_its_own_model_only():
    other = 9
    living = [predicted(1, 3), predicted(30, 2), predicted(60, 1, model_id=other)]
    new = [wanted(90), wanted(120, 8, model_id=other)]
    done = refreshed(living, new, [Run(MODEL, 2), Run(other, 8)], Rules(), people={PERSON})
    assert [row["x_min"] for row in done.new] == [120]
    assert [row["x_min"] for row in done.going] == [60, 30]
    assert done.counts.to_json() == {"added": 1, "taken_back": 2, "outdated": 1}
