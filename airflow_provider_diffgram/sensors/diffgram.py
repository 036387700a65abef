"""Sensor for Diffgram.

What it needs to look is imported when it looks: every parse of a DAG imports this module.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from ..hooks.diffgram import DiffgramHook, failing_for_good
from ..links.diffgram import LINKS, remember_place

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.progress import Watch
    from ..lineage.diffgram import Outcome
    from ..models import Handle, Receipt

_SETTLING_POLL = 2.0
_TRIGGERER_GRACE = 600.0


class DiffgramInputSensor(BaseSensorOperator):
    """Wait until everything that was sent is in Diffgram with its predictions.

    Right as well if everything was in before it began. Fails as soon as an input failed, with the server's
    reasons. Returns a receipt: ``{"expected", "succeeded", "skipped", "failed", ...}``.

    :param handle: what a Diffgram operator returned, a list of such from mapped tasks, or JSON of either.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param deferrable: wait in the triggerer, without a worker slot.
    """

    template_fields: Sequence[str] = ("handle", "diffgram_conn_id")
    ui_color = "#e8f4e4"
    operator_extra_links = LINKS
    _outcome: Outcome | None = None

    def __init__(
        self,
        *,
        handle: Mapping[str, Any] | Iterable[Mapping[str, Any]] | str,
        diffgram_conn_id: str = DiffgramHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 15.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.handle = handle
        self.diffgram_conn_id = diffgram_conn_id
        self.deferrable = deferrable
        self._watch: Watch | None = None

    def execute(self, context: Context) -> Any:
        """Wait, here or in the triggerer, and return the receipt."""
        if not self.deferrable:
            return super().execute(context)
        from ..triggers.diffgram import DiffgramInputTrigger

        try:
            self._remember_place(context)
            receipt = self._look()
            if receipt.complete:
                return self._announced(context, self._tidied(receipt))
        except AirflowFailException as error:
            if self.soft_fail:  # as the base class does for what it runs itself
                raise AirflowSkipException(f"skipped, since soft_fail is set: {error}") from error
            raise
        self.log.info("%s; waiting in the triggerer", receipt.summary())
        return self.defer(
            trigger=DiffgramInputTrigger(
                diffgram_conn_id=self.diffgram_conn_id,
                handles=[handle.to_xcom() for handle in self._handles()],
                deadline=time.time() + self._seconds(self.timeout),
                poll_interval=self._seconds(self.poke_interval),
            ),
            method_name="execute_complete",
            # The trigger ends by itself at its deadline; this is for a triggerer that is gone.
            timeout=timedelta(seconds=self._seconds(self.timeout) + _TRIGGERER_GRACE),
        )

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once; true when nothing is left to wait for.

        Between two pokes in reschedule mode nothing is remembered, so a success whose instances are not
        written yet is watched within the poke, for seconds.
        """
        if self._watch is None:
            self._remember_place(context)
        receipt = self._look()
        while self.reschedule and self._watch is not None and self._watch.settling:
            time.sleep(_SETTLING_POLL)
            receipt = self._look()
        self.log.info(receipt.summary())
        if not receipt.complete:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._announced(context, self._tidied(receipt)))

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None) -> dict[str, Any]:
        """Turn what the trigger saw into the receipt, or into the failure."""
        from ..models import Receipt

        if not event or event.get("status") not in ("done", "timeout", "error"):
            raise AirflowException(f"the trigger sent an event of unknown form: {event!r}")
        if event["status"] == "error":
            error = AirflowFailException if event.get("permanent") else AirflowException
            raise error(str(event.get("message")))
        receipt = Receipt.model_validate(event["receipt"])
        if event["status"] == "timeout":
            raise AirflowSensorTimeout(
                "\n".join(
                    [
                        f"not settled within {self._seconds(self.timeout):.0f} s: {receipt.summary()}",
                        *receipt.waiting,
                    ]
                )
            )
        return self._announced(context, self._tidied(receipt))

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return what OpenLineage is told: the dataset that is complete now."""
        from ..lineage.diffgram import facets_of

        return facets_of(self._outcome)

    def _remember_place(self, context: Context) -> None:
        """Keep what the links are made of, so that a wait that fails has them, too."""
        with failing_for_good():
            settings = DiffgramHook(self.diffgram_conn_id).get_settings()
            directory_id = self._handles()[0].directory_id
        remember_place(context, settings.base_url, settings.project, directory_id=directory_id)

    def _announced(self, context: Context, receipt: Receipt) -> dict[str, Any]:
        """Tell links, outlets and lineage what is in, and return the receipt."""
        from ..lineage.diffgram import announce

        client = DiffgramHook(self.diffgram_conn_id).get_conn()
        for directory_id in dict.fromkeys(handle.directory_id for handle in self._handles()):
            self._outcome = announce(
                self, context, client, directory_id, counts=receipt.counts(), file_ids=receipt.file_ids
            )
        return self._ended(receipt)

    def _tidied(self, receipt: Receipt) -> Receipt:
        """Archive what was stored twice, which a trigger must not do; look again if there were."""
        from ..ingest.doubles import archive_doubled
        from ..ingest.progress import Watch

        if receipt.failed:
            return receipt
        with failing_for_good():
            client = DiffgramHook(self.diffgram_conn_id).get_conn()
            if not archive_doubled(client, self._handles()):
                return receipt
            return client.run(Watch(self._handles()).look())

    def _look(self) -> Receipt:
        from ..ingest.progress import Watch

        with failing_for_good():
            if self._watch is None:
                self._watch = Watch(self._handles())
            receipt = DiffgramHook(self.diffgram_conn_id).get_conn().run(self._watch.look())
        if receipt.failed:
            self._ended(receipt)
        return receipt

    def _handles(self) -> list[Handle]:
        from pydantic import ValidationError

        from ..models import Handle, InvalidValueError
        from ..models.problems import describe

        given = _from_text(self.handle) if isinstance(self.handle, str) else self.handle
        handles = [given] if isinstance(given, Mapping) else list(given or [])
        try:
            parsed = [Handle.model_validate(handle) for handle in handles]
        except ValidationError as error:
            raise InvalidValueError("handle", describe(error)) from None
        if not parsed:
            raise InvalidValueError("handle", ["none given: pass what a Diffgram operator returned"])
        return parsed

    def _ended(self, receipt: Receipt) -> dict[str, Any]:
        self.log.info(receipt.summary())
        if receipt.failed:
            lines = [
                f"{each.name or 'update'} (input {each.input_id}): {each.reason}" for each in receipt.failures
            ]
            raise AirflowFailException("\n".join([receipt.summary(), *lines]))
        return receipt.to_xcom()

    @staticmethod
    def _seconds(value: timedelta | float) -> float:
        return value.total_seconds() if isinstance(value, timedelta) else float(value)


def _from_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        from ..models import InvalidValueError

        raise InvalidValueError(
            "handle",
            [f"not JSON: {text[:60]!r}; pass the operator's .output, or add | tojson to the template"],
        ) from None
