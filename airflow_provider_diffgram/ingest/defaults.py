"""Defaults that operators show in their signatures; imports nothing, so that they stay cheap to import."""

CONCURRENCY = 16
"""Requests under way at once: enough for 20 packets a second at a round trip of 0.8 s."""

STALL_TIMEOUT = 1800.0
"""Seconds without any movement after which inputs count as left."""

MAX_RETRIES = 2
"""How often an input that was left may be retried."""

POLL_INTERVAL = 15.0
"""Most seconds between two looks of a wait."""

WAIT_TIMEOUT = 7 * 86400.0
"""Seconds that a wait takes at most: the server's queue may be long."""

MAX_POLL_FAILURES = 10
"""Looks of a wait that may fail in a row."""
