"""Values, answers and sockets that nobody thought of: always a value or a typed error."""

from hypothesis import HealthCheck, settings


def steady(examples: int) -> settings:
    """Return settings under which every run tries the same examples."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
