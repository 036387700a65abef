"""The list that is written, and what the answer tells, with a server of a few lines (server.md 10.8)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.ingest.server.past import Fate, Past, fate_of, undone_since
from airflow_provider_diffgram.ingest.server.rewrite import (
    Rewrite,
    appended,
    count_gone,
    is_same,
    judge,
    repaired,
    replaced,
    rewritten,
)
from airflow_provider_diffgram.models import File, InstanceHistory
from airflow_provider_diffgram.models.received import AnnotationUpdate
from tests.unit.recorded import recording

Row = dict[str, Any]


def sent(left: int, reference: str | None = None, **more: Any) -> Row:
    box = {"type": "box", "label_file_id": 1, "x_min": left, "y_min": 2, "x_max": left + 9, "y_max": 11}
    return {**box, "machine_made": True, "creation_ref_id": reference or f"r{left}", **more}


class Server:
    """The rows of one file, and what a whole list does to them."""

    def __init__(self, *rows: Row) -> None:
        self.rows: list[Row] = []
        self.ids = itertools.count(1)
        for row in rows:
            self._make(row, None, "created", by_person=False)

    def _make(self, row: Row, before: Row | None, action: str, *, by_person: bool) -> Row:
        one = {**row, "id": next(self.ids), "action_type": action, "is_by_person": by_person}
        one["previous_id"] = None if before is None else before["id"]
        one["root_id"] = one["id"] if before is None else before["root_id"]
        one["version"] = 1 if before is None else row.get("version", 0) + 1
        one["soft_delete"] = action == "deleted"
        self.rows.append(one)
        return one

    def living(self) -> list[Row]:
        return [{**row, "label_file": {}} for row in self.rows if not row["soft_delete"]]

    def history(self, row_id: int) -> list[Row]:
        root = next(row["root_id"] for row in self.rows if row["id"] == row_id)
        return sorted((r for r in self.rows if r["root_id"] == root), key=lambda row: -row["id"])

    def save(self, page: list[Row], *, by_person: bool = False) -> AnnotationUpdate:
        known = [row for row in self.rows if not row["soft_delete"] or row["action_type"] == "deleted"]
        kept, gone, made = set(), [], []
        for row in page:
            is_deletion = bool(row.get("soft_delete"))
            same = next((o for o in known if o["soft_delete"] == is_deletion and is_same(row, o)), None)
            if same is not None:
                kept.add(same["id"])
                continue
            before = next((o for o in self.rows if o["id"] == row.get("id")), None)
            was_dead = before is not None and before["soft_delete"]
            action = "deleted" if is_deletion else "undeleted" if was_dead else "edited"
            made.append(self._make(row, before, action if before else "created", by_person=by_person))
            if before is not None and not was_dead:
                gone.append(before)
        new = {row["id"] for row in made}
        missing = [
            row
            for row in self.rows
            if not row["soft_delete"] and row["id"] not in kept | new and row not in gone
        ]
        for row in [*gone, *missing]:
            row |= {"soft_delete": True, "deletion_type": "system_deletion"}
        ids = [row["id"] for row in [*gone, *missing]]
        log = {"warning": {"missing_ids": [row["id"] for row in missing]}} if missing else {}
        body = {"added_instances": made, "deleted_instances": ids, "new_file": {"id": 7}, "log": log}
        return AnnotationUpdate.model_validate(body)


def lefts(server: Server) -> list[int]:
    return sorted(row["x_min"] for row in server.living())


def test_everything_that_was_read_goes_back_but_the_file_of_its_label():
    server = Server(sent(1), sent(21))
    rewrite = appended(server.living(), [sent(3)])
    assert rewrite.rows == [
        sent(3),
        *(
            {k: v for k, v in row.items() if k not in ("label_file", "is_by_person")}
            for row in server.living()
        ),
    ]
    verdict = judge(rewrite, server.save(rewrite.rows))
    assert verdict.is_proof
    assert lefts(server) == [1, 3, 21]


@pytest.mark.parametrize(
    "wanted, known, added",
    [
        ([sent(1)], (), set()),
        ([sent(1), sent(3)], (), {"r3"}),
        ([sent(3), sent(5)], ("r3",), {"r5"}),
        ([sent(1, "other")], (), set()),  # equal in content: none to the server
        ([sent(1, "other", label_file_id=2)], (), {"other"}),
        ([sent(1, "other", attribute_groups={"9": 1})], (), {"other"}),
        ([sent(1, "other", machine_made=False)], (), {"other"}),
        ([sent(1, "other", score=0.5, model_id=4)], (), set()),
    ],
)
def test_append_adds_what_is_missing_and_nothing_that_the_server_would_drop(
    wanted: list[Row], known: tuple[str, ...], added: set[str]
):
    rewrite = appended(Server(sent(1), sent(21)).living(), wanted, known)
    assert rewrite.added == added
    assert rewrite.is_needed == bool(added)
    assert rewrite.equal <= {"other"}


def test_replace_names_what_goes_and_keeps_what_is_wanted_or_equal():
    server = Server(sent(1), sent(3), sent(5))
    among = {row["id"] for row in server.living()}
    rewrite = replaced(server.living(), [sent(1), sent(5, "equal"), sent(7)], among)
    assert (rewrite.added, rewrite.equal) == ({"r7"}, {"equal"})
    assert judge(rewrite, server.save(rewrite.rows)).is_proof
    assert lefts(server) == [1, 5, 7]
    assert [row["action_type"] for row in server.history(2)] == ["deleted", "created"]
    assert not replaced(server.living(), [sent(1), sent(5, "equal"), sent(7)], among).is_needed


def test_what_people_saved_since_it_was_read_is_not_replaced():
    server = Server(sent(1))
    among = {row["id"] for row in server.living()}
    server.save([*server.living(), sent(40, "drawn", machine_made=False)], by_person=True)
    assert replaced(server.living(), [sent(7)], among).removed == {1}


def test_new_rows_come_first_so_that_a_refused_one_leaves_the_others_alone():
    rewrite = rewritten(Server(sent(1)).living(), [sent(3)], [])
    assert [row["x_min"] for row in rewrite.rows] == [3, 1]


def test_a_row_of_which_the_server_made_none_is_told():
    server = Server(sent(1))
    rewrite = Rewrite([*server.living(), sent(1, "twin")], added=frozenset({"twin"}))
    verdict = judge(rewrite, server.save(rewrite.rows))
    assert verdict.unadded == {"twin"}
    assert not verdict.is_proof


EDITS = st.lists(
    st.tuples(st.sampled_from(["move", "delete", "draw", "relabel"]), st.integers(0, 5)), max_size=4
)


def edited(page: list[Row], edits: list[tuple[str, int]]) -> list[Row]:
    """Return a page as a person leaves it."""
    page = [dict(row) for row in page]
    for number, (what, index) in enumerate(edits):
        row = page[index % len(page)] if page else None
        if what == "draw" or row is None:
            page.append(sent(100 + number, f"drawn{number}", machine_made=False))
        elif what == "move" and not row.get("soft_delete"):
            row |= {"x_min": row["x_min"] + 200 + number, "x_max": row["x_max"] + 200 + number}
        elif what == "relabel" and not row.get("soft_delete"):
            row["label_file_id"] = 5 + number
        elif what == "delete" and "id" in row:
            row["soft_delete"] = True
    return page


@settings(max_examples=300, deadline=None)
@given(
    there=st.lists(
        st.integers(0, 6).map(lambda n: sent(n * 11)), unique_by=lambda row: row["x_min"], max_size=5
    ),
    wanted=st.lists(
        st.integers(0, 9).map(lambda n: sent(n * 11)),
        unique_by=lambda row: row["x_min"],
        min_size=1,
        max_size=5,
    ),
    edits=EDITS,
    replaces=st.booleans(),
)
def test_whatever_a_person_saves_between_reading_and_writing_is_as_they_left_it_after_the_repair(
    there: list[Row], wanted: list[Row], edits: list[tuple[str, int]], replaces: bool
):
    server = Server(*there)
    read = server.living()
    among = {row["id"] for row in read}
    rewrite = replaced(read, wanted, among) if replaces else appended(read, wanted)
    page = edited(server.living(), edits)
    server.save(page, by_person=True)
    theirs = [row for row in server.living() if row["is_by_person"]]
    deleted = {row["creation_ref_id"] for row in page if row.get("soft_delete")}
    if not rewrite.is_needed:
        return
    lost, touched = set[int](), set[int]()
    for _ in range(4):
        verdict = judge(rewrite, server.save(rewrite.rows))
        if not verdict.has_undone:
            break
        lost |= set(verdict.lost)
        touched |= {row["id"] for row in verdict.revived}
        histories = {min(r["id"] for r in h): h for h in map(server.history, sorted(lost | touched))}
        rewrite = repaired(server.living(), histories.values(), lost)
        if not rewrite.is_needed:
            break
    living = server.living()
    for row in theirs:
        assert any(is_same(row, each) for each in living), "what they drew, moved or relabelled is there"
    refs = {row["creation_ref_id"] for row in living}
    assert not deleted & refs, "what they deleted is not"
    for row in wanted:
        is_there = row["creation_ref_id"] in refs or any(is_same(row, each) for each in living)
        assert is_there or row["creation_ref_id"] in deleted


def test_the_recorded_loss_is_seen_and_repaired():
    recorded = recording("fast_update_after_person")
    rows = recorded.sent["instance_list"]
    answer = AnnotationUpdate.model_validate(recorded.answer)
    rewrite = Rewrite(rows, added=frozenset({"robot-late"}))
    verdict = judge(rewrite, answer)
    assert verdict.lost == (864, 865)
    assert [(row["id"], row["previous_id"]) for row in verdict.revived] == [(866, 858)]
    assert verdict.unadded == set()


@pytest.mark.parametrize(
    "name, fate",
    [
        ("loop_instance_history_deleted", Fate.DELETED_BY_PERSON),
        ("loop_instance_history_lost_stale", Fate.LOST),
    ],
)
def test_recorded_histories_tell_what_became_of_an_instance(name: str, fate: Fate):
    assert fate_of(InstanceHistory.model_validate(recording(name).answer).rows) is fate


def told(*rows: tuple[str, bool, bool]) -> list[Row]:
    """Return a history, newest first, of (action, by a person, dead)."""
    return [
        {"id": 9 - number, "action_type": action, "is_by_person": by_person, "soft_delete": dead}
        | ({"previous_id": 8 - number} if action != "created" else {})
        | ({"deletion_type": "system_deletion"} if dead and action != "deleted" else {})
        for number, (action, by_person, dead) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    "history, fate",
    [
        (told(("created", False, False)), Fate.LIVES),
        (told(("edited", True, False), ("created", False, True)), Fate.LIVES),
        (told(("deleted", True, True), ("created", False, True)), Fate.DELETED_BY_PERSON),
        (told(("deleted", False, True), ("created", False, True)), Fate.TAKEN_BACK),
        (told(("deleted", False, True), ("edited", True, True), ("created", False, True)), Fate.TAKEN_BACK),
        (
            told(("deleted", False, True), ("undeleted", False, True), ("deleted", True, True)),
            Fate.DELETED_BY_PERSON,
        ),
        (told(("created", False, True)), Fate.LOST),
        (told(("edited", True, True), ("created", False, True)), Fate.LOST),
    ],
)
def test_what_became_of_an_instance(history: list[Row], fate: Fate):
    assert fate_of(history) is fate


def test_of_what_people_saved_only_what_is_not_as_they_left_it_is_undone():
    def history(*rows: Row) -> list[Row]:
        return [{"soft_delete": False, "is_by_person": False, **sent(1), **row} for row in rows]

    late, early = "2026-11-27T01:00", "2026-11-27T00:00"
    moved: Row = {"id": 2, "x_min": 5, "is_by_person": True, "soft_delete": True, "created_time": late}
    moved["deletion_type"] = "system_deletion"
    revived = {"id": 3, "action_type": "undeleted"}
    given_back = {"id": 4, "x_min": 5, "action_type": "undeleted"}
    assert undone_since(Past(living=[history(revived, moved)]), early)
    assert not undone_since(Past(living=[history(given_back, moved)]), early)
    assert not undone_since(Past(living=[history(revived, {**moved, "created_time": "2026-11-26"})]), early)
    assert undone_since(Past(chains=[history(moved)]), early)
    assert not undone_since(Past(chains=[history({**moved, "action_type": "deleted"})]), early)


def test_the_counter_tells_how_many_rows_are_gone():
    def file(counter: int | None, *versions: int | None) -> File:
        return File(id=1, count_instances_changed=counter, instance_list=[{"version": v} for v in versions])

    assert count_gone(file(None)) == 0
    assert count_gone(file(3, 1, 1, None)) == 0
    assert count_gone(file(5, 1, 3)) == 1


@pytest.mark.parametrize(
    "shape, stored",
    [
        (
            {"type": "polygon", "points": [{"x": 1, "y": 2.5}]},
            {"points": [{"x": 1, "y": 2.5, "figure_id": None}]},
        ),
        (
            {"type": "cuboid", "front_face": {"top_left": {"x": 1, "y": 2}}},
            {"front_face": {"top_left": {"x": 1, "y": 2}, "width": 50}},
        ),
        ({"type": "audio", "start_time": 1.5, "end_time": 2}, {"start_time": 1.5, "end_time": 2.0}),
    ],
)
def test_a_shape_is_known_again_beside_what_the_server_adds_to_it(shape: Row, stored: Row):
    sent_row = {**sent(1), **shape}
    living = {**sent_row, **stored}
    assert is_same(sent_row, living)
    changed = {key: [] if isinstance(value, list) else {} for key, value in stored.items()}
    assert not is_same(sent_row, {**living, **changed})
