"""What operators that send packets share. Imports as little as :mod:`.base`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import conf

from ..ingest.defaults import CONCURRENCY, POLL_INTERVAL, WAIT_TIMEOUT
from .base import DiffgramOperator, check_flag, check_rendered_name, number_of, seconds_of
from .memory import memory_of
from .metrics import count_push
from .turns import turns_of
from .waiting import WaitingOperator, batch_ids_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..hooks.diffgram import DiffgramHook
    from ..ingest.check.labels import UnknownLabels
    from ..ingest.send.decisions.decide import DeliverBy, IfExists
    from ..ingest.send.options import Sending
    from ..models import Handle

Check = Callable[[], object]


class SendingOperator(DiffgramOperator, WaitingOperator):
    """Sends, and can wait.

    With ``wait_for_completion`` they also take the parameters of
    :class:`~airflow_provider_diffgram.operators.waiting.WaitingOperator`, and return a receipt as the sensor
    does, instead of a handle.

    :param max_failed: how many packets Diffgram may refuse before the task fails. A number below 1 is a
        share. By default none.
    :param report: path of a JSON Lines file, local or in object storage, to write with the outcome of each
        packet: ``{"name", "outcome", "delivery", "reason", "input_id", "file_id", "refreshed"}``; outcome is
        ``sent``, ``skipped``, ``failed`` or ``unknown``.
    :param record: path of a JSON Lines file, local or in object storage, to write with each packet as it was
        sent, and its file. Corrections are compared with it later. Compressed if the name ends in ``.gz``.
    :param delivery: how media by URL, blobs and texts are sent. ``upload``: the worker reads and uploads
        them, so that they are in Diffgram with their predictions before the task ends. ``queue``: Diffgram
        fetches them later. ``auto``: images that the worker can read are uploaded, all others queued.
    :param concurrency: how many requests at once, at most 32. Uploads start with two, and add more only while
        the server does not get slower.
    :param unknown_labels: what to do with labels that are missing from the schema: ``fail``, and name all of
        them; ``drop`` their instances, and log how many; ``create`` the labels, once everything else has been
        checked.
    :param create_dataset: whether to create the dataset if it does not exist, once the parameters are
        checked.
    :param model_ref: model of predictions that name none; by default the DAG's id. A prediction has a
        ``score`` or is ``machine_made``. None sends them without model and run.
    :param model_run_ref: run of that model; by default the DAG run's id. None sends predictions without a
        run.
    :param wait_for_completion: whether to wait until everything is in Diffgram with its predictions.
        ``max_failed`` then applies to the inputs as well.
    :param deferrable: whether to wait in the triggerer, without a worker slot.
    :param poke_interval: longest time between two polls, in seconds.
    :param wait_timeout: how long to wait after sending, in seconds.
    :param wait_report: path of a JSON Lines file like ``report``, with the outcome of each input.
    """

    template_fields: Sequence[str] = (
        "max_failed",
        "report",
        "record",
        "delivery",
        "unknown_labels",
        "model_ref",
        "model_run_ref",
        "wait_report",
        *DiffgramOperator.template_fields,
        *WaitingOperator.template_fields,
    )
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        max_failed: float | str = 0,
        report: str | None = None,
        record: str | None = None,
        delivery: str = "auto",
        concurrency: int = CONCURRENCY,
        unknown_labels: str = "fail",
        create_dataset: bool = False,
        model_ref: str | None = "{{ dag.dag_id }}",
        model_run_ref: str | None = "{{ run_id }}",
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = POLL_INTERVAL,
        wait_timeout: timedelta | float = WAIT_TIMEOUT,
        wait_report: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_failed = max_failed
        self.report = report
        self.record = record
        self.delivery = delivery
        self.concurrency = concurrency
        self.unknown_labels = unknown_labels
        self.create_dataset = create_dataset
        self.model_ref = model_ref
        self.model_run_ref = model_run_ref
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.wait_timeout = wait_timeout
        self.wait_report = wait_report

    def on_kill(self) -> None:
        """Send nothing more. Requests under way are finished; pending inputs may be archived."""
        if self._stop is not None:
            self._stop.set()
        super().on_kill()

    def _patience(self) -> float:
        return seconds_of(self.wait_timeout, "wait_timeout")

    def _pause(self) -> float:
        return seconds_of(self.poke_interval, "poke_interval")

    def _report_path(self) -> str | None:
        return self.wait_report

    def _finish(self, context: Context, handle: Handle) -> dict[str, Any]:
        """Report what was sent. If requested, wait for it, and report what has arrived."""
        self.log.info("%s", handle.summary())
        sent = handle.to_xcom()
        count_push(context, handle)
        if not self.wait_for_completion:
            self._announce_handle(context, handle)
            return sent
        self._began = time.time()
        deadline, poke_interval = self._began + self._patience(), self._pause()
        receipt = self._begin(context, [handle])
        if receipt is None and self.deferrable:
            self._defer([sent], deadline, poke_interval)
        return self._announce_receipt(context, receipt or self._wait_here(context, deadline, poke_interval))

    def _announce_handle(self, context: Context, handle: Handle) -> None:
        """Report what was sent to links, outlets and lineage."""
        self._remember(context, batch_ids=batch_ids_of([handle]))
        dataset = self._targets(self._hook())["dataset"]
        file_ids = [*self._file_ids(), *handle.file_ids]
        self._announce(
            context, handle.directory_id, dataset=dataset, counts=handle.counts(), file_ids=file_ids
        )

    def _options(
        self,
        hook: DiffgramHook,
        context: Context,
        *,
        if_exists: str = "skip",
        refresh: Mapping[str, Any] | None = None,
        also: Check | None = None,
    ) -> Sending:
        """Return the options of a push.

        :param also: one more check.
        :raises InvalidValueError: with everything that is wrong with the options of push and wait.
        """
        from ..ingest.send.options import Options, Sending
        from ..models import InvalidValueError
        from ..models.problems import NOTHING, all_problems

        options = Sending(
            **self._targets(hook),
            unknown_labels=cast("UnknownLabels", self.unknown_labels),
            origin=self._origin(),
            max_failed=0.0,
            report=self.report,
            record=self.record,
            delivery=cast("DeliverBy", self.delivery),
            concurrency=self.concurrency,
            memory=memory_of(context),
            stop=self._stop,
            turns=turns_of(context),
            path_of=hook.path_opener(),
        )

        def check() -> None:
            if not self.wait_for_completion:  # otherwise the rules of the wait check it
                options["max_failed"] = number_of("max_failed", self.max_failed)
            Options(**options, if_exists=cast("IfExists", if_exists), refresh=refresh)

        flags = [
            partial(check_flag, name, getattr(self, name))
            for name in ("wait_for_completion", "deferrable", "create_dataset")
        ]
        of_wait = (self._check_wait, self._patience, self._pause) if self.wait_for_completion else ()
        problems = all_problems(each for each in (check, also, *flags, *of_wait) if each is not None)
        if problems:
            raise InvalidValueError("parameters", problems, sent=NOTHING)
        self._remember(context)
        if self.create_dataset:
            self._create_dataset(hook)
        options["max_failed"] = number_of("max_failed", self.max_failed)
        return options

    def _create_dataset(self, hook: DiffgramHook) -> None:
        from ..setup.datasets import ensure_dataset

        name = self._targets(hook)["dataset"]
        check_rendered_name(name if isinstance(name, str) else "an id")
        if not isinstance(name, str):
            return  # an id means an existing one; without a name the push says what to do
        dataset, created = ensure_dataset(hook.get_conn(), name)
        if created:
            self.log.info("Created dataset %r: id %s", dataset.nickname, dataset.id)

    def _origin(self) -> tuple[str, str | None] | None:
        if not self.model_ref:
            return None
        return str(self.model_ref), str(self.model_run_ref) if self.model_run_ref else None
