"""Which files are looked at first: a share by chance, the rest by what a model is least sure of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.review.select import (
    Candidate,
    Selection,
    disagreement,
    lowest_score,
    margin,
    select,
)


def box(label: str, score: float | None = None, x: int = 0, width: int = 10) -> dict[str, Any]:
    return {
        "type": "box",
        "label": label,
        "score": score,
        "x_min": x,
        "y_min": 0,
        "x_max": x + width,
        "y_max": 10,
    }


def tag(label: str, score: float) -> dict[str, Any]:
    return {"type": "tag", "label": label, "score": score}


@pytest.mark.parametrize(
    "predictions,least,difference",
    [
        ([], float("inf"), float("inf")),
        ([box("cat")], float("inf"), float("inf")),
        ([box("cat", 0.9)], 0.9, 0.8),
        ([box("cat", 0.6)], 0.6, 0.2),
        ([box("cat", 87), box("cat", -1), box("cat", 0.6)], 0.6, 0.2),
        ([box("cat", 0.6), box("dog", 0.55)], 0.55, 0.05),
        ([box("cat", 0.6), box("dog", 0.55, x=50)], 0.55, 0.1),
        ([box("cat", 0.9), box("cat", 0.85)], 0.85, 0.7),
        ([tag("cat", 0.7), tag("dog", 0.69)], 0.69, 0.01),
        ([tag("cat", 0.7), box("dog", 0.69)], 0.69, 0.38),
    ],
)
def test_how_sure_a_model_is_of_a_file(predictions, least, difference):
    assert lowest_score(predictions) == pytest.approx(least)
    assert margin(predictions) == pytest.approx(difference)


@pytest.mark.parametrize(
    "one,other,share",
    [
        ([], [], 0.0),
        ([box("cat")], [box("cat")], 0.0),
        ([box("cat")], [], 1.0),
        ([box("cat")], [box("dog")], 1.0),
        ([box("cat")], [box("cat", x=2)], 0.0),
        ([box("cat")], [box("cat", x=8)], 1.0),
        ([box("cat"), box("dog", x=50)], [box("cat")], 1 / 3),
        ([box("cat"), box("cat", x=1)], [box("cat", x=1), box("cat")], 0.0),
    ],
)
def test_how_much_two_runs_disagree(one, other, share):
    assert disagreement(one, other) == pytest.approx(share)
    assert disagreement(other, one) == pytest.approx(share)


FILES = [
    Candidate(1, [box("cat", 0.95)]),
    Candidate(2, [box("cat", 0.9), box("cat", 0.3, x=50)]),
    Candidate(3, [box("cat", 0.52)]),
    Candidate(4, [box("lynx", 0.99)]),
    Candidate(5, []),
]


@pytest.mark.parametrize(
    "by,chosen",
    [("score", [2, 3, 1, 4, 5]), ("margin", [3, 2, 1, 4, 5]), ("rare", [4])],
)
def test_what_is_ranked_first(by, chosen):
    found = select(FILES, Selection(amount=len(chosen), by=by, random_share=0))
    assert [each.file_id for each in found] == chosen
    assert {each.why for each in found} == {by}


def test_the_file_that_two_runs_disagree_on_comes_first_and_the_value_is_told():
    other = {each.file_id: each.predictions for each in FILES} | {3: [box("dog", 0.5)]}
    (first, *_) = select(FILES, Selection(amount=2, by="disagreement", random_share=0), other)
    assert (first.file_id, first.value) == (3, 1.0)
    with pytest.raises(InvalidValueError, match="another run"):
        select(FILES, Selection(amount=2, by="disagreement"))


def test_a_share_is_always_by_chance_and_drawn_among_all():
    files = [Candidate(n, [box("cat", n / 1000)]) for n in range(1000)]
    chosen = select(files, Selection(amount=100, random_share=0.2, seed="november"))
    by_chance = [each for each in chosen if each.why == "random"]
    assert (len(chosen), len(by_chance)) == (100, 20)
    assert max(each.file_id for each in by_chance) > 500
    ranked = [each.file_id for each in chosen if each.why == "score"]
    assert ranked == [n for n in range(1000) if n not in {each.file_id for each in by_chance}][:80]


def test_the_same_seed_chooses_the_same_files_in_whatever_order_they_come():
    selection = Selection(amount=0.4, by="random", seed="a")
    once = [each.file_id for each in select(FILES, selection)]
    assert once == [each.file_id for each in select(FILES[::-1], selection)]
    assert len(once) == 2
    others = {
        tuple(each.file_id for each in select(FILES, Selection(2, "random", seed=s))) for s in "abcdefgh"
    }
    assert len(others) > 1


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 60), max_size=50),
    st.one_of(st.integers(1, 60), st.floats(0.01, 0.99)),
    st.floats(0, 1),
    st.sampled_from(["score", "margin", "rare", "random"]),
)
def test_as_many_as_asked_for_each_once(ids, amount, share, by):
    files = [Candidate(n, [box("cat", n / 61)]) for n in ids]
    chosen = select(files, Selection(amount=amount, by=by, random_share=share))
    found = [each.file_id for each in chosen]
    assert len(found) == len(set(found))
    assert set(found) <= set(ids)
    there = len(set(ids))
    if amount >= 1:
        assert len(found) == min(there, amount)
    else:
        assert abs(len(found) - amount * there) < 1


def test_files_that_nothing_is_known_of_are_refused_rather_than_chosen_blindly():
    with pytest.raises(InvalidValueError, match="none of 2 files has a prediction with a score"):
        select([Candidate(1, [box("cat")]), Candidate(2)], Selection(amount=1))
    assert select([], Selection(amount=1)) == []


@pytest.mark.parametrize(
    "given,problem",
    [
        ({}, "amount is missing"),
        ({"amount": 5, "how": "x"}, "unknown key 'how'"),
        ({"amount": 0}, "amount must be"),
        ({"amount": 1.5}, "whole number"),
        ({"amount": "many"}, "amount must be"),
        ({"amount": True}, "amount must be"),
        ({"amount": 5, "by": "magic"}, "by must be one of"),
        ({"amount": 5, "random_share": 2}, "random_share must be"),
    ],
)
def test_a_wrong_selection_is_refused(given, problem):
    with pytest.raises(InvalidValueError, match=problem):
        Selection.of(given)


def test_numbers_of_rendered_templates_are_texts():
    assert Selection.of({"amount": "5", "random_share": "0.5", "seed": 3}) == Selection(5, "score", 0.5, "3")
