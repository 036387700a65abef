"""The loop of a wait: when it looks, what it survives, when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.client import CredentialError, HostUnreachableError, RateLimitedError
from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.ingest.watch.errors import InputsFailedError, ServerLostError, WaitTimeoutError
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.wait import Waiting
from airflow_provider_diffgram.models import InvalidValueError, Receipt
from tests.unit.ingest.watch.listed import Listed, box, handle, row, rows_of

AWAY = HostUnreachableError("away")


def waiting(listed: Listed, **rules: object) -> Waiting:
    return Waiting([handle(len(listed.rows))], Rules(**rules))  # type: ignore[arg-type]


class Later(Listed):
    """Its inputs end at a moment."""

    ends_at = 100.0

    def _answer(self, request: Request[Any]) -> Any:
        if self.now >= self.ends_at:
            self.rows = [{**each, "status": "success"} for each in self.rows]
        return super()._answer(request)


def test_it_looks_until_all_is_in_and_no_more_than_a_poll_interval_longer():
    listed = Later(row(1, "processing"))
    standing = listed.run(waiting(listed).until_decided(1000, 10))
    assert (standing.status, standing.receipt.succeeded) == ("done", 1)
    assert 100 <= listed.now <= 110


def test_the_first_look_comes_when_it_is_told_to():
    listed = Listed(row(1))
    listed.run(waiting(listed).until_decided(1000, 10, first_pause=0.25))
    assert listed.now == 0.25


def test_the_last_look_is_made_when_time_is_over_and_asks_for_all():
    listed = Listed(*rows_of(range(1, 200), "processing"))
    standing = listed.run(waiting(listed).until_decided(60, 15))
    assert (standing.status, standing.receipt.pending) == ("timeout", 199)
    assert 60 < listed.now < 60.1
    assert listed.asked["list All"] == 1


def test_what_is_in_when_time_is_over_is_in():
    listed = Listed(row(1))
    assert listed.run(waiting(listed).until_decided(-5, 10)).status == "done"


def test_it_ends_as_soon_as_more_failed_than_may():
    listed = Listed(row(1, "processing"), row(2, "failed"))
    assert listed.run(waiting(listed).until_decided(100, 10)).status == "done"
    assert listed.run(waiting(listed, max_failed=1).until_decided(100, 10)).status == "timeout"


def test_what_is_stuck_is_told_to_be_retried_but_not_when_time_is_over():
    listed = Listed(row(1, "processing", source="from_url"))
    rules = {"on_stuck": "retry", "stall_timeout": 30.0}
    standing = listed.run(waiting(listed, **rules).until_decided(100, 10))
    assert (standing.status, standing.to_retry) == ("stuck", (1,))
    assert listed.run(waiting(listed, **rules).until_decided(20, 10)).status == "timeout"


def test_looks_that_fail_are_outlived_and_forgotten_after_one_that_succeeds():
    listed = Listed(row(1, "processing"))
    listed.faults = [AWAY, AWAY]
    steps = waiting(listed).until_decided(30, 5, max_failures=3)
    assert listed.run(steps).status == "timeout"
    listed = Listed(row(1))
    listed.faults = [AWAY, AWAY, AWAY]
    with pytest.raises(ServerLostError, match="3 polls in a row failed; the last one: away") as caught:
        listed.run(waiting(listed).until_decided(30, 5, max_failures=3))
    assert not caught.value.permanent


def test_looks_that_fail_alike_are_told_at_length_once(caplog: pytest.LogCaptureFixture):
    listed = Listed(row(1))
    listed.faults = [AWAY, AWAY, RateLimitedError("busy"), AWAY]
    assert listed.run(waiting(listed).until_decided(100, 5)).status == "done"
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told == [
        f"poll 1 of 10 failed: {AWAY}",
        "poll 2 of 10 failed: as before",
        "poll 3 of 10 failed: busy",
        f"poll 4 of 10 failed: {AWAY}",
    ]


def test_the_last_look_that_failed_alone_is_one_look():
    listed = Listed(row(1, "processing"))
    listed.faults = [AWAY]
    with pytest.raises(ServerLostError, match=r"^1 poll in a row failed"):
        listed.run(waiting(listed).until_decided(0, 5))


def test_time_in_which_the_server_was_away_leaves_nothing_stuck():
    listed = Listed(row(1, "processing"))
    wait = waiting(listed, stall_timeout=60.0)
    listed.run(wait.begin())
    listed.faults = [AWAY] * 8
    assert listed.run(wait.until_decided(90, 15)).status == "timeout"


@pytest.mark.parametrize("is_told, status", [(True, "pending"), (False, "done")])
def test_a_poke_that_failed_does_not_count_as_standstill(is_told: bool, status: str):
    listed = Listed(row(1, "processing"))
    wait = waiting(listed, stall_timeout=60.0)
    assert listed.run(wait.poke(15)).status == "pending"
    listed.now += 90
    if is_told:
        wait.lose_sight(listed.now)
    standing = listed.run(wait.poke(15))
    assert (standing.status, standing.receipt.stuck) == (status, 0 if is_told else 1)


def test_it_leaves_the_server_alone_for_as_long_as_it_is_told_to():
    listed = Listed(row(1))
    busy = RateLimitedError("busy")
    busy.retry_after = 40.0
    listed.faults = [busy]
    listed.run(waiting(listed).until_decided(100, 10))
    assert listed.now > 40


def test_a_refusal_is_raised_at_once():
    listed = Listed(row(1))
    listed.faults = [CredentialError("wrong")]
    with pytest.raises(CredentialError):
        listed.run(waiting(listed).until_decided(100, 10))


def test_a_poke_looks_on_while_all_that_is_left_will_be_decided_within_seconds():
    listed = Listed(row(1, instance_list=[box()]))
    assert listed.run(waiting(listed).poke(10)).status == "done"
    assert 5 < listed.now < 8
    listed = Listed(row(1, "processing"))
    wait = waiting(listed)
    assert [listed.run(wait.poke(10)).status for _ in range(2)] == ["pending", "pending"]
    assert (listed.now, listed.asked["list All"]) == (0, 2)


def test_progress_is_told_after_each_look():
    listed, told = Later(row(1, "processing")), list[Receipt]()
    listed.run(Waiting([handle(1)], Rules(), progress=told.append).until_decided(1000, 10))
    assert len(told) > 10
    assert [each.succeeded for each in told[-2:]] == [0, 1]


def test_how_it_ended_is_told_even_where_the_report_could_not_be_written():
    receipt = Receipt(project="p", expected=2, failed=1, pending=1, waiting=["b (input 2): processing"])
    for error in (InputsFailedError, WaitTimeoutError):
        words = str(error("verdict", receipt, AWAY)).splitlines()
        assert words == ["verdict", "The report was not written: away"]
        assert error("verdict", receipt).permanent


def test_a_wait_without_handles_is_refused():
    with pytest.raises(InvalidValueError):
        Waiting([], Rules())
