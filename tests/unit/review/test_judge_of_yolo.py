"""What the judge of YOLO sets calls a difference. It reads them with Ultralytics, which is not here."""

from __future__ import annotations

import pytest

from tests.judges.yolo import Told, differences

WRITTEN: Told = {"a.png": [("cat", [0.1, 0.2]), ("dog", [0.3, 0.4])], "b.png": []}


def test_order_and_the_last_digits_are_no_difference():
    assert differences(WRITTEN, {"a.png": [("dog", [0.3, 0.4]), ("cat", [0.10001, 0.2])], "b.png": []}) == []


@pytest.mark.parametrize(
    "read, told",
    [
        ({"a.png": WRITTEN["a.png"]}, "b.png is left out"),
        ({**WRITTEN, "a.png": [("cat", [0.1, 0.2])]}, "a.png: "),
        ({**WRITTEN, "a.png": [("cat", [0.1, 0.2]), ("Dog", [0.3, 0.4])]}, "a.png: "),
        ({**WRITTEN, "a.png": [("cat", [0.1, 0.2]), ("dog", [0.3, 0.5])]}, "a.png: "),
    ],
)
def test_what_is_read_otherwise_is_named(read: Told, told: str):
    (problem,) = differences(WRITTEN, read)
    assert problem.startswith(told)
