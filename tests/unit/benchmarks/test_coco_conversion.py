"""The two ways from COCO results to packets that are compared do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.coco import naive, ours, write_coco
from benchmarks.convert import alternate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco")
    write_coco(folder, 50, 40)
    return folder


def test_both_ways_make_the_same_packets(folder: Path):
    assert list(ours(folder)) == list(naive(folder))


def test_the_results_have_what_must_be_cut_and_dropped(folder: Path):
    packets = ours(folder)
    assert len(list(packets)) == 50
    account = packets.account
    assert account.predictions == 2000
    assert account.clipped > 100
    assert account.wrong > 20


def test_each_way_is_measured_in_a_process_of_its_own():
    told: list[str] = []
    ended = alternate(20, 5, 1, told.append)
    assert [[one.packets for one in way] for way in ended] == [[20], [20]]
    assert all(one.seconds > 0 and one.growth_mib >= 0 for way in ended for one in way)
    assert [line.partition(":")[0] for line in told] == ["100 COCO boxes · ours", "100 COCO boxes · naive"]
