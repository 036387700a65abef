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
    missing = ReceiptFailure(name="batch 3", input_id=None, reason="100 input(s) not listed", inputs=100)
    named = failures(19, missing)
    words = describe_receipt(
        Receipt(project="p", expected=200, failed=25, missing=100, failures=named)
    ).splitlines()
    assert len(words) == 1 + 20 + 1
    assert words[-1] == "and 6 more"


def test_where_all_are_named_nothing_more_is_told():
    words = describe_receipt(Receipt(project="p", expected=9, failed=2, failures=failures(2)))
    assert words.splitlines()[1:] == ["0.png (input 1): too dark", "1.png (input 2): too dark"]
