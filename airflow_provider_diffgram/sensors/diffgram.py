"""The sensor that waits for inputs.

Every parse of a DAG imports this module, so the sensor imports what it needs only when it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import PokeReturnValue, conf

from ..hooks.diffgram import failing_for_good
from ..ingest.defaults import POLL_INTERVAL
from ..operators.base import seconds_of
from ..operators.waiting import WaitingOperator
from .waiting import WaitSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..models import Handle


class DiffgramInputSensor(WaitingOperator, WaitSensor):
    """Wait until everything that was sent is in Diffgram with its predictions.

    What arrived before the sensor started counts as well. It fails as soon as an input fails, with the
    server's reason. Returns a receipt: ``{"expected", "succeeded", "skipped", "failed", ...}``.

    Give exactly one of ``handle``, ``batch_ids``, ``input_ids`` and ``parent_file_id``.

    :param handle: what a Diffgram operator returned, a list of these from mapped tasks, or either as JSON.
    :param batch_ids: ids of input batches, to wait for all their root inputs.
    :param input_ids: ids of inputs.
    :param parent_file_id: file id of a compound file.
    :param expected_count: number of its children, with ``parent_file_id``.
    :param max_failed: how many inputs may fail. A number below 1 is a share. By default none.
    :param report: path of a JSON Lines file, local or in object storage, to write with the outcome of each
        input: ``{"name", "outcome", "reason", "input_id", "file_id", "missing"}``.
    :param deferrable: whether to wait in the triggerer, without a worker slot.
    :param poke_interval: longest time between two polls, in seconds.
    """

    template_fields: Sequence[str] = (
        "handle",
        "batch_ids",
        "input_ids",
        "parent_file_id",
        "expected_count",
        "max_failed",
        "report",
        "diffgram_conn_id",
        *WaitingOperator.template_fields,
    )
    ui_color = "#e8f4e4"

    def __init__(
        self,
        *,
        handle: Mapping[str, Any] | Iterable[Mapping[str, Any]] | str | None = None,
        batch_ids: Iterable[int] | str | None = None,
        input_ids: Iterable[int] | str | None = None,
        parent_file_id: int | str | None = None,
        expected_count: int | str | None = None,
        max_failed: float | str = 0,
        report: str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = POLL_INTERVAL,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.handle = handle
        self.batch_ids = batch_ids
        self.input_ids = input_ids
        self.parent_file_id = parent_file_id
        self.expected_count = expected_count
        self.max_failed = max_failed
        self.report = report
        self.deferrable = deferrable

    def _defer_unless_over(self, context: Context, deadline: float) -> dict[str, Any]:
        handles = self._handles()
        receipt = self._begin(context, handles)
        if receipt is None:
            self._defer([each.to_xcom() for each in handles], deadline, seconds_of(self.poke_interval))
        return self._announce_receipt(context, receipt)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once; true when nothing is pending.

        In reschedule mode nothing is remembered between pokes, so a poke also waits for what will be decided
        within seconds.
        """

        def poll() -> PokeReturnValue:
            waiting = self._waiting or self._prepare(context, self._handles())
            receipt = self._look(context, waiting.poke(seconds_of(self.poke_interval)))
            if receipt is None:
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self._announce_receipt(context, receipt))

        return self._surviving(poll)

    def _lose_sight(self) -> None:
        if self._waiting is not None:
            self._waiting.lose_sight(self._client().clock.monotonic())

    def _report_path(self) -> str | None:
        return self.report

    def _document(self) -> str | None:
        if self.parent_file_id not in (None, ""):
            return f"children of file {self.parent_file_id}"
        handles = self.handle if isinstance(self.handle, list | tuple) else [self.handle]
        batches = [
            batch for each in handles if isinstance(each, Mapping) for batch in each.get("batches") or ()
        ]
        ids = dict.fromkeys(batch["id"] for batch in batches if batch.get("id") is not None)
        return f"batch {', '.join(map(str, ids))}" if ids else None

    def _handles(self) -> list[Handle]:
        from ..ingest.watch.targets import Target
        from ..models import InvalidValueError
        from ..models.problems import all_problems

        target = Target(self.handle, self.batch_ids, self.input_ids, self.parent_file_id, self.expected_count)
        with failing_for_good():
            problems = all_problems([target.check, self._check_wait])
            if problems:
                raise InvalidValueError("wait", problems)
            client = self._client()
            return client.run(target.handles(client.project))
