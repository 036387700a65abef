"""What a wait in the triggerer says while it goes on, by a clock that passes when told to."""

from __future__ import annotations

import logging
import random
import re
import time
from typing import Any

import pytest

from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.triggers.diffgram import DiffgramInputTrigger
from tests.unit.ingest.watch.listed import Listed, handle, rows_of

LINE = re.compile(r"(\d+) of 300 in Diffgram( · \d+\.\d/(s|min) · about .+ left)?( · nothing new for .+)?$")


class Steady(Listed):
    """One of its inputs ends each second, in no order (quirk 50), until as many have as will."""

    most = 300

    def __init__(self, *rows: dict[str, Any]) -> None:
        super().__init__(*rows)
        self.queue = random.Random(0).sample(self.rows, len(self.rows))

    @property
    def done(self) -> int:
        return min(self.most, int(self.now))

    def _answer(self, request: Request[Any]) -> Any:
        for each in self.queue[: self.done]:
            each["status"] = "success"
        return super()._answer(request)


def lines_of_a_wait(listed: Listed, seconds: float, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what a deferred wait says, that lasts until everything is in or so many seconds have passed."""
    caplog.set_level(logging.INFO)
    trigger = DiffgramInputTrigger("diffgram_default", [handle(300).to_xcom()], time.time() + seconds, 15.0)
    listed.run(trigger._wait("p"))
    return [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]


def test_a_deferred_wait_of_five_minutes_says_five_to_fifteen_lines(caplog: pytest.LogCaptureFixture):
    listed = Steady(*rows_of(range(1, 301), "processing"))
    lines = lines_of_a_wait(listed, 1000, caplog)
    assert 290 <= listed.now <= 330
    assert 5 <= len(lines) <= 15, lines
    found = [LINE.match(line) for line in lines]
    assert all(found), lines
    counts = [int(each[1]) for each in found if each]
    assert counts == sorted(counts)
    assert counts[0] < 20
    assert sum(" left" in line for line in lines) >= len(lines) - 2


def test_a_wait_in_which_nothing_moves_says_so(caplog: pytest.LogCaptureFixture):
    listed = Steady(*rows_of(range(1, 301), "processing"))
    listed.most = 10
    lines = lines_of_a_wait(listed, 300, caplog)
    assert 5 <= len(lines) <= 15, lines
    assert re.match(r"10 of 300 in Diffgram .* · nothing new for [34] min$", lines[-1]), lines[-1]
