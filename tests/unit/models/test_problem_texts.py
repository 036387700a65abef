"""All problems of a value are told at once, and none of them shows a signed URL."""

from __future__ import annotations

import datetime
import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from airflow_provider_diffgram.models import CompoundFile, InvalidValueError, Packet
from airflow_provider_diffgram.models.problems import NOTHING, all_problems, describe, did_you_mean, telling
from airflow_provider_diffgram.models.received import without_signatures

SECRET = "X-Amz-Signature=0123456789abcdef"
BAD_BOX = {"type": "box", "label": "cat", "x_min": 1.5, "y_min": "2", "x_max": None, "y_max": float("nan")}


def error_of(**value: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Packet.model_validate(value)
    return caught.value


def test_every_problem_of_a_packet_is_told_at_once():
    value = {
        "media": {"url": "ftp://h/a.jpg", "type": "text"},
        "instance_list": [BAD_BOX, {"type": "polygon", "label": "", "points": []}, {"type": "boxx"}],
        "ordinal": "1",
        "parent_file_id": 1.5,
        "mode": "append",
        "colour": "red",
    }
    lines = describe(error_of(**value), "packet 3")
    places = {line.removeprefix("packet 3: ").split(":")[0] for line in lines}
    assert places == {
        "media.url.url",
        "media.url.type",
        "instance_list.0.box.x_min",
        "instance_list.0.box.y_min",
        "instance_list.0.box.x_max",
        "instance_list.0.box.y_max",
        "instance_list.1.polygon.label",
        "instance_list.1.polygon.points",
        "instance_list.2",
        "ordinal",
        "parent_file_id",
        "mode",
        "colour",
    }
    assert all(line.startswith("packet 3: ") for line in lines)


TAG = {"type": "tag", "label": "a"}
PLAINER = {
    "is of the type date, which JSON does not have: give a text or a number": TAG
    | {"attributes": {"day": datetime.date(2026, 11, 27)}},
    "is of the type int64, which JSON does not have: give a text or a number": TAG
    | {"attributes": {"n": [np.int64(3)]}},
    "needs a type, such as box": {"label": "a"},
    "must be an object with its fields by name, not tuple": {
        "type": "line",
        "label": "a",
        "points": [(1, 2)] * 2,
    },
    "must be an object with its fields by name, not list": [1, 2, 3, 4],
}


@pytest.mark.parametrize("told", PLAINER)
def test_what_pydantic_says_less_plainly(told: str):
    lines = describe(error_of(media={"url": "http://h/a.jpg"}, instance_list=[PLAINER[told]]))
    assert lines
    assert all(line.endswith(f": {told}") for line in lines)


def test_a_problem_names_place_cause_and_value():
    line = describe(
        error_of(media={"url": "http://h/a.jpg"}, instance_list=[BAD_BOX | {"x_max": 3, "y_max": 9}])
    )[0]
    assert line.startswith("instance_list.0.box.x_min: must be a whole number, not 1.5")
    assert line.endswith("(value: 1.5)")


def test_a_long_value_is_cut():
    (line,) = describe(error_of(media={"url": "x" * 5000}))
    assert len(line) < 200


@pytest.mark.parametrize(
    "value",
    [
        {"media": {"url": f"http://h/a.jpg?{SECRET}", "type": "text"}},
        {"media": {"url": f"http://h/a.jpg?{SECRET}", "path": "a"}},
        {"media": {"url": f"http:///a.jpg?{SECRET}"}},
        {"media": {"url": f"s3://bucket/a.jpg?{SECRET}"}},
        {"media": {"url": f"HTTPS:/h/a.jpg?{SECRET}"}},
        {"media": {"url": f"/a.jpg?{SECRET}"}},
        {"media": {"path": f"https://h/a.jpg?{SECRET}"}},
        {"media": {"path": f"s3://bucket/a.jpg?{SECRET}"}},
        {"media": f"https://h/a.jpg?{SECRET}"},
        {"media": {"url": "http://h/a.jpg"}, "original_filename": f"http://h/a?{SECRET}"},
        {"media": {"url": f"http://h/a.jpg?{SECRET}"}, "ordinal": "x"},
    ],
)
def test_no_signed_url_is_shown(value: dict[str, object]):
    error = error_of(**value)
    assert SECRET not in str(error)
    assert SECRET not in "\n".join(describe(error))
    assert SECRET not in str(InvalidValueError("packets", describe(error)))


def test_a_choice_that_is_none_is_told_with_those_that_are():
    (line,) = describe(
        error_of(media={"url": "http://h/a.jpg"}, instance_list=[{"type": "boxx", "label": "a"}])
    )
    assert line.startswith("instance_list.0: type must be one of 'box', 'polygon', ")
    assert line.endswith(", not 'boxx' (did you mean 'box'?)")


@pytest.mark.parametrize(
    "text, left",
    [
        (f"from http://h/a.jpg?{SECRET} Response: x", "from http://h/a.jpg?... Response: x"),
        (f"'https://h/a?{SECRET}&b=2'", "'https://h/a?...'"),
        (f'"HTTPS://H/a?{SECRET}"', '"HTTPS://H/a?..."'),
        ("is it there? no", "is it there? no"),
        (f"url: /a.jpg?{SECRET} (Caused by", "url: /a.jpg?... (Caused by"),
    ],
)
def test_the_query_of_a_url_is_cut_out_of_a_text(text: str, left: str):
    assert without_signatures(text) == left


def test_an_invalid_value_error_lists_its_problems_and_survives_a_pickle():
    error = InvalidValueError("packets", ["one", "two"], 3, NOTHING)
    assert str(error) == "packets: 5 problems; nothing was sent. The first: one\ntwo\nand 3 more"
    again = pickle.loads(pickle.dumps(error))
    assert (again.what, again.problems, str(again)) == ("packets", ["one", "two"], str(error))


def test_what_was_sent_is_told_by_those_alone_who_know_it():
    assert str(InvalidValueError("handle", ["none given"])) == "handle: none given"
    with pytest.raises(InvalidValueError, match=r"wrong; nothing was sent$"), telling(NOTHING):
        raise InvalidValueError("handle", [])
    with (
        pytest.raises(InvalidValueError, match=r"wrong; 7 were sent$"),
        telling(NOTHING),
        telling("7 were sent"),
    ):
        raise InvalidValueError("packets", [])


def test_many_alike_problems_are_one_line_with_their_number():
    scores = [
        f"packet {n} ({n}.png): instance_list.{n}.score: must be 0 to 1 (value: {n})" for n in range(40)
    ]
    error = InvalidValueError("packets", ["label 'x' is missing", *scores], 7)
    first, *lines = str(error).splitlines()
    assert first == "packets: 48 problems. The first: label 'x' is missing"
    assert lines == [
        f"40 alike: {scores[0]}; also in packet 1 (1.png), packet 2 (2.png), packet 3 (3.png), "
        "packet 4 (4.png), packet 5 (5.png) and 34 more",
        "label 'x' is missing",
        "and 7 more",
    ]


def test_a_message_has_ten_lines_below_the_first_at_most():
    error = InvalidValueError("packets", [f"{letter} is wrong" for letter in "abcdefghijklmnop"])
    assert str(error).splitlines()[1:] == [*(f"{letter} is wrong" for letter in "abcdefghi"), "and 7 more"]
    few = InvalidValueError("packets", [f"{letter} is wrong" for letter in "abcdefghij"])
    assert str(few).splitlines()[1:] == [f"{letter} is wrong" for letter in "bcdefghij"]


@pytest.mark.parametrize(
    "given, known, told",
    [
        ("Car", ["car", "cat"], " (did you mean 'car'?)"),
        ("persn", ["car", "person"], " (did you mean 'person'?)"),
        ("cta", ["cat", "dog"], " (did you mean 'cat'?)"),
        ("zebra", ["car", "person"], ""),
        ("car", [], ""),
    ],
)
def test_the_nearest_name_is_told(given: str, known: list[str], told: str):
    assert did_you_mean(given, known) == told


def test_all_that_is_wrong_is_gathered():
    def wrong(*problems: str) -> None:
        raise InvalidValueError("thing", problems)

    assert all_problems([lambda: wrong("a"), lambda: None, lambda: wrong("b", "c")]) == ["a", "b", "c"]


def test_the_name_of_a_compound_file_is_told():
    with pytest.raises(ValidationError) as caught:
        CompoundFile.model_validate({"name": "", "type": "whatever"})
    assert [line.split(":")[0] for line in describe(caught.value)] == ["name", "type"]
