"""How mapped tasks agree which of them introduces a model run: each writes an XCom that the others read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .memory import ONE_AT_A_TIME

if TYPE_CHECKING:
    from ..ingest.send.queue.turns import Turns

_KEY = "diffgram_turn"


class XComBoard:
    """A board on which each mapped task of a DAG run writes its own XCom.

    :param ti: the running task instance.
    """

    def __init__(self, ti: Any) -> None:
        self._ti = ti

    def write(self, ticket: dict[str, Any]) -> None:
        """Replace this task's ticket."""
        with ONE_AT_A_TIME:
            self._ti.xcom_push(key=_KEY, value=ticket)

    def read(self) -> list[Any]:
        """Return the tickets of all mapped tasks. Airflow returns a single one bare, and none as None."""
        with ONE_AT_A_TIME:
            found = self._ti.xcom_pull(task_ids=self._ti.task_id, key=_KEY)
        if found is None or isinstance(found, Mapping):
            return [found]
        return list(found)


def turns_of(context: Any) -> Turns | None:
    """Return the turns of a mapped task, or None for a task that is not mapped."""
    ti = context.get("ti")
    index = getattr(ti, "map_index", None)
    if index is None or index < 0:
        return None
    from ..ingest.send.queue.turns import Turns

    return Turns(XComBoard(ti), index)
