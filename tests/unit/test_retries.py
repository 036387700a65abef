"""The policy for tasks of one's own: refusals stop, outages are waited for, the rest is the task's affair."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_diffgram import client
from airflow_provider_diffgram.hooks.connection import InvalidConnectionError
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.retries import retry_policy

try:
    from airflow.providers.common.compat.sdk import RetryAction
except ImportError:
    RetryAction = None

needs_policies = pytest.mark.skipif(RetryAction is None, reason="Airflow has retry policies from 3.3 on")


@needs_policies
@pytest.mark.parametrize(
    "error",
    [
        client.RefusedError("no"),
        client.CredentialError("no"),
        client.WrongAddressError("no"),
        client.TlsError("no"),
        client.TooLargeError("no"),
        InvalidValueError("packet", ["wrong"]),
        InvalidConnectionError("no host"),
    ],
)
def test_what_would_be_refused_again_fails_at_once(error):
    assert retry_policy().evaluate(error, 1, 3).action is RetryAction.FAIL


@needs_policies
@pytest.mark.parametrize(
    "error,minutes",
    [
        (client.HostUnreachableError("down"), 7),
        (client.ServerUnavailableError("down"), 7),
        (client.RateLimitedError("full"), 3),
    ],
)
def test_what_passes_by_itself_is_waited_for(error, minutes):
    policy = retry_policy(unreachable=timedelta(minutes=7), rate_limited=timedelta(minutes=3))
    decision = policy.evaluate(error, 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(minutes=minutes))


@needs_policies
def test_others_are_the_tasks_own_affair_and_the_policy_travels_with_the_dag():
    from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy

    policy = ExceptionRetryPolicy.deserialize(retry_policy().serialize())
    assert policy.evaluate(KeyError("x"), 1, 3).action is RetryAction.DEFAULT
    assert policy.evaluate(client.NoReplyError("?"), 1, 3).action is RetryAction.DEFAULT
    assert policy.evaluate(client.CredentialError("no"), 1, 3).action is RetryAction.FAIL


@pytest.mark.skipif(RetryAction is not None, reason="Airflow 3.3 has them")
def test_before_airflow_3_3_it_says_what_to_do_instead():
    with pytest.raises(RuntimeError, match="failing_for_good"):
        retry_policy()
