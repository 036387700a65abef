"""When a task that uses Diffgram is worth another attempt.

The operators and the sensor need none of this: what no retry can mend raises ``AirflowFailException``, which
stops a task on every version of Airflow. This is for tasks of your own that call the hook's client, and for
delays.
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
    """Return a ``retry_policy`` for a task: refusals stop it at once, outages are waited for.

    A failure that is none of Diffgram's is retried as the task's ``retries`` and ``retry_delay`` say.

    :param unreachable: delay after the host could not be reached, or the service or a storage was down.
    :param rate_limited: delay after the server had no room for requests for ten minutes.
    :raises RuntimeError: before Airflow 3.3, which has no retry policies.
    """
    try:
        from airflow.providers.common.compat.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
    except ImportError as error:
        raise RuntimeError(
            "retry_policy needs Airflow 3.3; before, call the client within hooks.diffgram.failing_for_good, "
            "which turns what no retry can mend into AirflowFailException"
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
                reason="Diffgram's limit is used up by all who share this address",
            ),
            RetryRule(
                exception=[
                    f"{_CLIENT}.errors.HostUnreachableError",
                    f"{_CLIENT}.errors.ServerUnavailableError",
                    f"{_CLIENT}.errors.StorageError",
                ],
                action=RetryAction.RETRY,
                retry_delay=unreachable,
                reason="Diffgram or the storage of the media cannot be reached, or is down",
            ),
        ]
    )
