"""The processes that wait, each for a few batches of an emulator."""

from __future__ import annotations

import pytest

from benchmarks import wait
from benchmarks.wait import BARE, NAIVE, OURS, polls_of, run
from benchmarks.wait_server import Load, WaitServer

FEW = Load(handles=3, batches=2, inputs=2, in_vain=2, poll_interval=0.5, quiet_seconds=0.5, seconds=1)


@pytest.mark.parametrize("kind", [OURS, NAIVE])
def test_every_wait_ends_after_its_last_input_and_none_for_the_silent_server(kind):
    ended = run(kind, FEW)
    assert len(ended.late) == 3
    assert min(ended.late) > 0
    assert ended.result["cpu_seconds"] > 0
    assert ended.result["growth_kib"] >= 0
    paths = {path.rpartition("/project/")[2].partition("/")[2] for _, path in ended.requests}
    assert paths <= ({"input/view/list"} if kind == OURS else {"input/view/{input}"})
    assert len(ended.requests) >= 2 * FEW.handles


def test_the_bare_loop_sends_as_many_requests_as_it_is_told():
    ended = run(BARE, FEW, requests=5, seconds=0.2)
    assert len(ended.requests) == 5
    assert ended.result["looks"] == 5
    assert ended.late == []


def test_a_wait_that_ends_otherwise_ends_the_measurement(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(WaitServer, "environment", lambda server, home: {"AIRFLOW_HOME": str(home)})
    with pytest.raises(RuntimeError, match="ended early"):
        run(OURS, FEW)


def test_requests_without_a_pause_between_them_are_one_poll():
    assert polls_of([]) == 0
    assert polls_of([5.0]) == 1
    assert polls_of([12.1, 5.2, 5.0, 12.0, 12.5, 30.0]) == 3


def test_requests_are_counted_for_a_poll_and_a_thousand_inputs():
    load = Load(1, 5, 1000, 0, 10, 0, 60)
    asked = wait.Run(load, {}, [(float(number), "list") for number in range(40)], [])
    assert asked.requests_per_poll(8) == 1.0


def test_one_of_a_hundred_waits_may_end_later():
    load = Load(100, 1, 10, 0, 10, 0, 60)
    assert wait.Run(load, {}, [], [4.0] * 98 + [9.0, 30.0]).intervals_to_end == 0.9
    assert wait.Run(load, {}, [], [4.0] * 99 + [30.0]).intervals_to_end == 0.4
