"""Defaults that operators show in their signatures. Imports nothing, so that operators import fast."""

CONCURRENCY = 16
"""Requests at once: enough for 20 packets a second with a round trip of 0.8 s."""

STALL_TIMEOUT = 1800.0
"""Seconds without progress after which inputs count as abandoned."""

MAX_RETRIES = 2
"""How often an abandoned input may be retried."""

POLL_INTERVAL = 15.0
"""Most seconds between two polls of a wait."""

WAIT_TIMEOUT = 7 * 86400.0
"""Most seconds of a wait: the server's queue may be long."""

MAX_POLL_FAILURES = 10
"""Number of failed polls in a row after which a wait gives up."""
