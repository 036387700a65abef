"""The judge of ``make chaos`` finds each fault that is planted, and nothing where there is none."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chaos.judge import Row, Told, Truth, judge
from chaos.packets import after, children, instances, local_children, place_of, predictions
from chaos.reader import Found, There, child_place

NAMES = ("a.png", "b.png")
PREDICTIONS = {name: predictions({"instance_list": instances(number)}) for number, name in enumerate(NAMES)}
ANOTHER = next(iter(predictions({"instance_list": instances(77)})))
SENT = dict.fromkeys(NAMES, "sent")
RECEIPT = {"succeeded": 2, "skipped": 0, "archived": 0}


def files() -> list[Found]:
    return [Found(1, "a.png", PREDICTIONS["a.png"]), Found(2, "b.png", PREDICTIONS["b.png"])]


def told(**changes: Any) -> Told:
    values = {"places": NAMES, "state": "success", "outcomes": SENT, "receipt": RECEIPT, **changes}
    return Told(**values)


def figures(
    truth: Truth | None = None,
    there: list[Found] | None = None,
    run: Told | None = None,
    unfinished: tuple[str, ...] = (),
) -> dict[str, int]:
    row = judge(
        "case",
        truth or Truth(PREDICTIONS),
        There(files() if there is None else there, list(unfinished)),
        [run or told()],
    )
    assert row.is_clean is not any(row.figures.values())
    return {name: value for name, value in row.figures.items() if value}


def test_what_is_right_is_clean():
    assert figures() == {}
    assert Row("case").is_clean


def test_a_medium_that_is_not_there_is_lost_with_its_predictions():
    assert figures(there=files()[:1]) == {"lost": 4, "false_success": 1}


def test_a_prediction_that_is_not_there_is_lost():
    fewer = PREDICTIONS["b.png"] - Counter(list(PREDICTIONS["b.png"])[:1])
    assert figures(there=[files()[0], Found(2, "b.png", fewer)]) == {"lost": 1, "false_success": 1}


def test_a_prediction_of_another_label_or_place_is_one_lost_and_one_too_many():
    kind, label, geometry = next(iter(PREDICTIONS["b.png"]))
    for wrong in ((kind, "fish", geometry), (kind, label, (*geometry[:3], 999)), ("tag", label, geometry)):
        held = PREDICTIONS["b.png"] - Counter([(kind, label, geometry)]) + Counter([wrong])
        there = [files()[0], Found(2, "b.png", held)]
        assert figures(there=there) == {"lost": 1, "duplicated": 1, "false_success": 1}


def test_a_medium_alive_twice_is_duplicated():
    assert figures(there=[*files(), Found(3, "b.png", PREDICTIONS["b.png"])]) == {"duplicated": 1}


def test_a_prediction_there_twice_is_duplicated():
    twice = PREDICTIONS["a.png"] + Counter(list(PREDICTIONS["a.png"])[:1])
    assert figures(there=[Found(1, "a.png", twice), files()[1]]) == {"duplicated": 1}


def test_a_prediction_nobody_sent_is_duplicated():
    more = PREDICTIONS["a.png"] + Counter([ANOTHER])
    assert figures(there=[Found(1, "a.png", more), files()[1]]) == {"duplicated": 1}


def scan(*ordinals: int) -> list[Found]:
    """Return three children of one compound file, at these places."""
    return [
        Found(number, child_place("scan", f"page-{number}.png", ordinal), predictions_of(number))
        for number, ordinal in enumerate(ordinals, 1)
    ]


def predictions_of(number: int) -> Counter[Any]:
    return predictions({"instance_list": instances(number)})


PAGES = {file.place: file.predictions for file in scan(0, 1, 2)}


@pytest.mark.parametrize("ordinals, wrong", [((0, 1, 2), 0), ((0, 1, 5), 1), ((1, 0, 2), 2), ((2, 0, 1), 3)])
def test_a_child_at_a_wrong_place_is_one_wrong_and_nothing_else(ordinals, wrong):
    run = told(places=list(PAGES), outcomes=None, receipt={"succeeded": 3})
    found = figures(Truth(PAGES), scan(*ordinals), run)
    assert found == ({"order_wrong": wrong} if wrong else {})


def test_a_child_at_a_wrong_place_is_lost_if_it_lacks_its_predictions():
    there = scan(0, 1, 5)
    there[2] = Found(3, there[2].place, Counter())
    run = told(places=list(PAGES), outcomes=None, receipt={"succeeded": 2})
    assert figures(Truth(PAGES), there, run) == {"lost": 3, "false_success": 1, "order_wrong": 1}


def test_a_second_child_beside_the_one_in_its_place_is_doubled_wherever_it_is():
    for ordinal in (1, 5):
        again = Found(9, child_place("scan", "page-2.png", ordinal), predictions_of(2))
        run = told(places=list(PAGES), outcomes=None, receipt={"succeeded": 3})
        assert figures(Truth(PAGES), [*scan(0, 1, 2), again], run) == {"duplicated": 1}


def test_children_below_another_parent_are_lost_and_too_many():
    there = [Found(file.id, file.place.replace("scan", "other"), file.predictions) for file in scan(0, 1, 2)]
    run = told(places=list(PAGES), outcomes=None, receipt={"succeeded": 3})
    assert figures(Truth(PAGES), there, run) == {"lost": 12, "duplicated": 3, "false_success": 3}


def test_a_compound_file_alive_twice_is_duplicated():
    row = judge("case", Truth(PAGES), There(scan(0, 1, 2), [], ["scan", "scan", "other"]), [])
    assert row.duplicated == 1


def test_a_medium_nobody_sent_is_duplicated():
    assert figures(there=[*files(), Found(3, "c.png", Counter())]) == {"duplicated": 1}


def test_the_oldest_of_two_files_is_the_one_that_counts():
    there = [Found(1, "a.png", Counter()), files()[1], Found(3, "a.png", PREDICTIONS["a.png"])]
    assert figures(there=there) == {"lost": 3, "duplicated": 1, "false_success": 1}


def test_what_was_sent_again_without_need_is_duplicated():
    assert figures(Truth(PREDICTIONS, sent_again=3)) == {"duplicated": 3}


@pytest.mark.parametrize("outcomes", [{**SENT, "b.png": "unknown"}, {"a.png": "sent"}])
def test_a_packet_without_an_outcome_in_the_report_is_unknown(outcomes):
    assert figures(run=told(outcomes=outcomes)) == {"unknown": 1}


def test_a_run_that_fails_although_nothing_was_planted_leaves_its_packets_unknown():
    assert figures(run=told(state="failed", receipt=None)) == {"unknown": 2}


def test_an_input_that_never_ends_is_unknown_unless_its_file_is_complete():
    assert figures(unfinished=("a.png",)) == {}
    assert figures(unfinished=("None",)) == {"unknown": 1}
    assert figures(there=files()[1:], unfinished=("a.png",)) == {"lost": 4, "unknown": 1, "false_success": 1}


def test_an_input_of_a_child_that_never_ends_is_unknown_unless_the_child_is_complete():
    place = "parent/page.png#3"
    truth = Truth({place: PREDICTIONS["a.png"]})
    run = told(places=[place], outcomes={"page.png": "sent"}, receipt={**RECEIPT, "succeeded": 1})
    there = [Found(1, place, PREDICTIONS["a.png"])]
    assert figures(truth, there, run, ("page.png",)) == {}
    assert figures(truth, [], run, ("page.png",))["unknown"] == 1
    assert figures(truth, there, run, ("other.png",)) == {"unknown": 1}


def test_a_receipt_that_counts_more_than_arrived_is_a_false_success():
    truth = Truth({"a.png": PREDICTIONS["a.png"]}, {"b.png"})
    outcomes = {"a.png": "sent", "b.png": "failed"}
    assert figures(truth, files()[:1], told(outcomes=outcomes)) == {"false_success": 1}
    right = told(outcomes=outcomes, receipt={**RECEIPT, "succeeded": 1})
    assert figures(truth, files()[:1], right) == {}


@pytest.mark.parametrize("counted", ["succeeded", "skipped"])
def test_a_receipt_that_counts_what_a_person_archived_as_stored_is_a_false_success(counted):
    truth = Truth({"a.png": PREDICTIONS["a.png"]})
    right = told(receipt={"succeeded": 1, "archived": 1})
    assert figures(truth, files()[:1], right) == {}
    wrong = told(receipt={"succeeded": 1, "archived": 0, counted: 2})
    assert figures(truth, files()[:1], wrong)["false_success"] >= 1


def test_a_receipt_that_counts_a_silent_loss_as_stored_is_a_false_success_and_a_missed_failure():
    truth = Truth({"a.png": PREDICTIONS["a.png"]}, {"b.png"})
    there = [files()[0], Found(2, "b.png", Counter())]
    assert figures(truth, there, told()) == {"false_success": 1, "missed_failure": 1}
    failure = {"name": "b.png", "input_id": 2, "reason": "success, but it holds 0 of 3 instances"}
    assert figures(truth, there, told(receipt={"succeeded": 1, "failures": [failure]})) == {}
    assert figures(truth, there, told(receipt={"succeeded": 2, "failures": [failure]})) == {
        "false_success": 1
    }


def test_a_stuck_input_is_named_or_brought_in_and_nothing_else_will_do():
    there, stuck = files()[:1], ("b.png",)
    planted = Truth({"a.png": PREDICTIONS["a.png"]}, {"b.png"})
    named = told(state="failed", receipt=None, errors="b.png (input 2) is stuck in processing")
    assert figures(planted, there, named, stuck) == {}
    silent = told(state="failed", receipt=None, errors="not settled within 150 s")
    assert figures(planted, there, silent, stuck) == {"unknown": 2, "missed_failure": 1}
    to_retry = Truth(PREDICTIONS)
    assert figures(to_retry, there, named, stuck) == {"lost": 4, "unknown": 3}
    assert figures(to_retry, there, told(), stuck) == {"lost": 4, "unknown": 1, "false_success": 1}


def test_a_wait_for_a_batch_that_is_gone_must_name_it():
    truth = Truth({}, {"987654"})
    waits = {"places": (), "outcomes": {}}
    assert figures(truth, [], told(**waits, state="failed", receipt=None, errors="batch 987654: none")) == {}
    assert figures(truth, [], told(**waits, receipt={"succeeded": 0})) == {"missed_failure": 1}
    assert figures(truth, [], told(**waits, receipt={"succeeded": 3})) == {
        "false_success": 3,
        "missed_failure": 1,
    }
    assert figures(truth, [], told(**waits, state="failed", receipt=None)) == {"missed_failure": 1}


def test_a_success_without_a_receipt_is_false():
    assert figures(run=told(receipt=None)) == {"false_success": 2}


def test_a_planted_failure_that_nobody_names_is_missed():
    truth = Truth({"a.png": PREDICTIONS["a.png"]}, {"b.png"})
    quiet = told(receipt={**RECEIPT, "succeeded": 1})
    assert figures(truth, files()[:1], quiet) == {"missed_failure": 1}
    failed = told(state="failed", receipt=None, errors="b.png (input 2): no valid response (404)")
    assert figures(truth, files()[:1], failed) == {}


def test_a_run_that_fails_without_naming_what_was_planted_is_unknown_and_missed():
    truth = Truth({"a.png": PREDICTIONS["a.png"]}, {"b.png"})
    run = told(state="failed", receipt=None, errors="the server is gone")
    assert figures(truth, files()[:1], run) == {"unknown": 2, "missed_failure": 1}


def test_predictions_of_different_packets_never_look_alike():
    all_of_them = Counter[Any]()
    for number in range(1000):
        for salt in (0, 50, 100):
            all_of_them += predictions({"instance_list": instances(number, salt)})
    assert len(all_of_them) == 1000 * 3 * 3


def test_children_of_one_name_have_places_of_their_own():
    places = [place_of(packet, "scan") for packet in children(4, "http://127.0.0.1")]
    assert places == ["scan/page-1.png#0", "scan/page-1.png#1", "scan/page-2.png#2", "scan/page-3.png#3"]


def test_children_on_disk_have_places_in_order_and_predictions_but_for_one(tmp_path):
    packets = local_children(5, tmp_path)
    assert [place_of(packet, "scan") for packet in packets] == [f"scan/page-{n}.png#{n}" for n in range(5)]
    assert [len(packet.get("instance_list", [])) for packet in packets] == [3, 3, 3, 0, 3]


@pytest.mark.parametrize(
    "mode, right",
    [("url", {"old"}), ("local", {"old"}), ("append", {"old", "new"}), ("replace", {"new"})],
)
def test_what_a_push_does_to_a_medium_that_is_there_depends_on_the_mode(mode, right):
    old, new = instances(0, salt=100), instances(0)
    held = {"old": predictions({"instance_list": old}), "new": predictions({"instance_list": new})}
    packet = {"original_filename": "a.png", "instance_list": new}
    expected = after(mode, [packet], {"a.png": held["old"]})
    assert expected == {"a.png": sum((held[each] for each in right), Counter())}
    assert after(mode, [packet], expected) == expected


def test_where_a_wait_ends_with_the_first_failure_one_that_is_named_is_enough():
    planted = {"a.png", "b.png"}
    run = Told(["a.png", "b.png"], "failed", {}, None, "a.png: gone")
    no_one = Told(["a.png", "b.png"], "failed", {}, None, "")
    truth = Truth({}, planted, ends_at_the_first=True)
    nothing = There([], [], [])
    assert judge("case", truth, nothing, [run]).missed_failure == 0
    assert judge("case", truth, nothing, [no_one]).missed_failure == 2
    assert judge("case", Truth({}, planted), nothing, [run]).missed_failure == 1


def test_what_people_changed_and_is_not_so_counts():
    assert figures(Truth(PREDICTIONS, people_undone=2)) == {"people_undone": 2}


def test_what_an_old_page_took_may_be_there_or_not_and_is_told_apart():
    gone = Counter(list(PREDICTIONS["b.png"])[:1])
    right = {**PREDICTIONS, "b.png": PREDICTIONS["b.png"] - gone}
    for held in (right["b.png"], PREDICTIONS["b.png"]):
        truth = Truth(right, taken={"b.png": gone})
        there = There([files()[0], Found(2, "b.png", held)], [])
        row = judge("case", truth, there, [told()])
        assert (row.is_clean, row.taken_by_pages) == (True, 1)
    twice = [files()[0], Found(2, "b.png", PREDICTIONS["b.png"] + gone)]
    assert figures(truth, twice) == {"duplicated": 1}
