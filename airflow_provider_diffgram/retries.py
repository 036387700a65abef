"""Whether another attempt of a task that uses Diffgram makes sense.

The operators and the sensor do not need this: an error that no retry can fix raises ``AirflowFailException``,
which stops a task on every version of Airflow. Use it for your own tasks that call the hook's client, and
to set delays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ExceptionRetryPolicy

_CLIENT = "airflow_provider_diffgram.client"


def retry_policy(
    *,
    unreachable: timedelta = timedelta(minutes=2),
    rate_limited: timedelta = timedelta(minutes=1),
) -> ExceptionRetryPolicy:
    """Return a ``retry_policy`` for a task: refusals stop it at once, outages are retried.

    For any other failure the task's ``retries`` and ``retry_delay`` apply.

    :param unreachable: delay if the host could not be reached, or the service or a storage was down.
    :param rate_limited: delay if the rate limit was used up for ten minutes.
    :raises RuntimeError: before Airflow 3.3, which introduced retry policies.
    """
    try:
        from airflow.providers.common.compat.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
    except ImportError as error:
        raise RuntimeError(
            "retry_policy needs Airflow 3.3. On older versions call the client within "
            "hooks.diffgram.failing_for_good, which stops the task on errors that no retry can fix"
        ) from error
    return ExceptionRetryPolicy(
        rules=[
            RetryRule(
                exception=[
                    f"{_CLIENT}.errors.RefusedError",
                    "airflow_provider_diffgram.models.problems.InvalidValueError",
                    "airflow_provider_diffgram.hooks.connection.InvalidConnectionError",
                ],
                action=RetryAction.FAIL,
                reason="Diffgram would refuse it again",
            ),
            RetryRule(
                exception=f"{_CLIENT}.errors.RateLimitedError",
                action=RetryAction.RETRY,
                retry_delay=rate_limited,
                reason="the rate limit of Diffgram is used up by everyone behind this address",
            ),
            RetryRule(
                exception=[
                    f"{_CLIENT}.errors.HostUnreachableError",
                    f"{_CLIENT}.errors.ServerUnavailableError",
                    f"{_CLIENT}.errors.StorageError",
                ],
                action=RetryAction.RETRY,
                retry_delay=unreachable,
                reason="Diffgram or the storage of the media is down or cannot be reached",
            ),
        ]
    )
