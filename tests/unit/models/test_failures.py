"""Many failures are told by cause."""

from __future__ import annotations

from airflow_provider_diffgram.models.failures import Failures


def test_one_failure_is_one_sentence():
    failures = Failures()
    failures.add("a.jpg", "too dark")
    assert failures.sentence() == " a.jpg: too dark"
    assert failures.lines() == []


def test_no_failure_is_no_word():
    assert (Failures().sentence(), Failures().lines()) == ("", [])


def test_alike_ones_are_counted_whatever_name_and_number_they_tell():
    failures = Failures()
    alike = [failures.add(f"{n}.jpg", f"upload '{n}.jpg': {n + 7} bytes are missing") for n in range(40)]
    failures.add("x.jpg", "too dark")
    assert alike == list(range(1, 41))
    assert failures.sentence() == " The first: 0.jpg: upload '0.jpg': 7 bytes are missing"
    assert failures.lines() == [
        "40 alike: 0.jpg: upload '0.jpg': 7 bytes are missing; also 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg "
        "and 34 more",
        "x.jpg: too dark",
    ]
    assert failures.lines(least=4) == failures.lines()[:1]


def test_at_most_ten_causes_are_told_the_most_frequent_first_and_none_is_lost_in_the_count():
    failures = Failures()
    for number in range(300):
        for each in range(2 if number == 250 else 1):
            failures.add(f"{number}.{each}", "cause " + "i" * number)
    failures.add("later", "cause iiii")
    lines = failures.lines(unnamed=5)
    assert len(lines) == 11
    assert lines[0] == "2 alike: 4.0: cause iiii; also later"
    assert lines[-1] == "and 296 more"  # 300 + 1 + 1 + 5 failed, and 11 of them are in the lines above


def test_one_that_stands_for_many_counts_as_many():
    failures = Failures()
    failures.add("batch 3", "not listed", 100)
    failures.add("x.jpg", "too dark")
    assert failures.lines(unnamed=1) == ["batch 3: not listed", "x.jpg: too dark", "and 1 more"]
