"""A number and what it counts agree in every text that a person reads: ``1 label``, ``4,894 labels``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_diffgram.models.problems import count_of, named
from reference.messages import VALUE, texts

PACKAGE = Path(__file__).parents[3] / "airflow_provider_diffgram"
NOUNS = (
    "annotations|attributes|batches|blobs|boxes|children|connections|datasets|events|files|frames|groups|images"
    "|inputs|instances|jobs|labels|lines|looks|masks|objects|options|packets|pages|pairs|people|pictures"
    "|polygons|predictions|problems|records|references|requests|reviewers|rows|runs|scores|shapes"
    "|tasks|tiles|videos"
)
PLURAL = re.compile(rf"(?<!of )(?<!names page ){VALUE} ({NOUNS})\b(?! as the)")
BOTH = re.compile(r"(?<!http)\(s\)")
ALWAYS_MANY = {
    "limit …: ask for 1 to … events at once",
    "frames … to …: ask for 1 to … frames at once, from 0 on",
    "… inputs or more",
}
"""The number in them is never one."""


def test_no_text_puts_a_plural_after_a_number_that_may_be_one():
    told = texts(PACKAGE)
    assert len(told) > 3000
    assert [each for each in told if PLURAL.search(each) and each not in ALWAYS_MANY] == []
    assert [each for each in told if BOTH.search(each)] == []
    assert set(told) >= ALWAYS_MANY


@pytest.mark.parametrize(
    "text, is_wrong",
    [
        (f"{VALUE} packets: {VALUE}", True),
        (f"has {VALUE} instances", True),
        (f"{VALUE} of {VALUE} packets", False),
        (f"{VALUE} sent", False),
    ],
)
def test_the_rule_can_fail(text: str, is_wrong: bool):
    assert bool(PLURAL.search(text)) is is_wrong


def test_numbers_and_lists_agree_with_their_nouns():
    assert [count_of(number, "box") for number in (1,)] == ["1 box"]
    assert [count_of(number, "label") for number in (0, 1, 4894)] == ["0 labels", "1 label", "4,894 labels"]
    assert named("input", [3]) == "input 3"
    assert named("input", range(3, 27), most=2) == "inputs 3, 4 and 22 more"
