"""Which requests came: counted for ever, and the latest kept one by one."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any

KEPT = 10_000

_Entry = tuple[int, float, str, str, int | None, int | None]


class Requests:
    """Counts of the API's requests.

    A request is counted when its answer is decided, under the path of its endpoint, so that numbers in the
    path do not make new counters. The status is null for a request that got no answer.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int | None]] = Counter()
        self._latest: deque[_Entry] = deque(maxlen=KEPT)
        self._total = 0
        self._lock = threading.Lock()

    def note(self, method: str, path: str, status: int | None, port: int | None) -> None:
        """Count a request.

        :param path: of the endpoint, with its names in braces.
        :param port: of the client, which tells its connections apart.
        """
        with self._lock:
            self._total += 1
            self._counts[method, path, status] += 1
            self._latest.append((self._total, time.time(), method, path, status, port))

    def clear(self) -> None:
        """Forget everything; numbers start at 1 again."""
        with self._lock:
            self._counts.clear()
            self._latest.clear()
            self._total = 0

    def shown(self, since: int | None) -> dict[str, Any]:
        """Return the counters.

        :param since: the number of a request: later requests that are still kept are shown too.
        """
        with self._lock:
            counts, latest, total = list(self._counts.items()), list(self._latest), self._total
        answer: dict[str, Any] = {
            "total": total,
            "counts": [
                {"method": method, "path": path, "status": status, "count": count}
                for (method, path, status), count in sorted(counts, key=lambda one: str(one[0]))
            ],
        }
        if since is not None:
            keys = ("number", "time", "method", "path", "status", "port")
            answer["latest"] = [dict(zip(keys, one, strict=True)) for one in latest if one[0] > since]
        return answer
