"""Defaults that operators show in their signatures; imports nothing, so that they stay cheap to import."""

CONCURRENCY = 16
"""Requests under way at once: enough for 20 packets a second at a round trip of 0.8 s."""

STALL_TIMEOUT = 1800.0
"""Seconds without any movement after which inputs count as left."""

MAX_RETRIES = 2
"""How often an input that was left may be retried."""
