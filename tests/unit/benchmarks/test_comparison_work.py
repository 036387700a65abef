"""The comparison that is measured compares everything, with every output."""

from __future__ import annotations

from benchmarks.compare import compare


def test_each_comparison_is_measured_in_a_process_of_its_own():
    told: list[str] = []
    (first, second) = compare(30, 2, told.append)
    assert first.predictions == second.predictions == 300
    assert first.ap50 == second.ap50
    assert first.ap50 is not None
    assert 0.5 < first.ap50 < 1
    assert all(one.seconds > 0 and one.growth_mib >= 0 for one in (first, second))
    assert [line.partition(":")[0] for line in told] == ["300 predictions compared"] * 2
