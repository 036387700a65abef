"""How the end of a wait is told."""

from __future__ import annotations

from airflow_provider_diffgram.ingest.watch.ending import describe_receipt
from airflow_provider_diffgram.models import Receipt, ReceiptFailure


def failures(count: int, *more: ReceiptFailure) -> list[ReceiptFailure]:
    return [
        *(ReceiptFailure(name=f"{n}.png", input_id=n + 1, reason="too dark") for n in range(count)),
        *more,
    ]


def test_those_not_named_are_counted_the_missing_ones_too():
    missing = ReceiptFailure(name="batch 3", input_id=None, reason="100 inputs are not listed", inputs=100)
    named = failures(19, missing)
    words = describe_receipt(
        Receipt(project="p", expected=200, failed=25, missing=100, failures=named)
    ).splitlines()
    assert words == [
        "200 expected: 25 failed, 100 missing. The first: 0.png (input 1): too dark",
        "batch 3: 100 inputs are not listed",
        "19 alike: 0.png (input 1): too dark; also 1.png (input 2), 2.png (input 3), 3.png (input 4), "
        "4.png (input 5), 5.png (input 6) and 13 more",
        "and 6 more",
    ]


def test_where_all_are_named_nothing_more_is_told():
    words = describe_receipt(Receipt(project="p", expected=9, failed=2, failures=failures(2)))
    assert words.splitlines()[1:] == ["2 alike: 0.png (input 1): too dark; also 1.png (input 2)"]


def test_one_failure_is_one_line():
    words = describe_receipt(Receipt(project="p", expected=9, failed=1, succeeded=8, failures=failures(1)))
    assert words == "9 expected: 8 succeeded, 1 failed. 0.png (input 1): too dark"
