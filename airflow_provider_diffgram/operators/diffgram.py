"""Operators for Diffgram."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow.providers.common.compat.sdk import BaseOperator, conf
from pydantic import ValidationError

from ..hooks.diffgram import DiffgramHook, failing_for_good
from ..ingest.compound import create_compound_file, upload_children
from ..ingest.jsonlines import candidates
from ..ingest.prepare import Candidate
from ..ingest.push import Sending, push
from ..ingest.senders import CONCURRENCY
from ..ingest.watch.rules import Rules
from ..models import Child, CompoundFile, Handle, Instance, InvalidValueError, Packet
from ..models.problems import describe
from .memory import memory_of
from .waiting import WaitingOperator, number_of, path_of, seconds_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


_WEEK = 7 * 86400.0


class _Targets(TypedDict):
    dataset: str | int | None
    label_schema: str | int | None


class _DiffgramOperator(BaseOperator):
    """What all operators have in common.

    :param dataset: name or id; the connection's default dataset when None.
    :param label_schema: name or id; the connection's, else the project's default schema, when None.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    """

    template_fields: Sequence[str] = ("dataset", "label_schema", "diffgram_conn_id")
    ui_color = "#dcebfa"

    def __init__(
        self,
        *,
        dataset: str | int | None = None,
        label_schema: str | int | None = None,
        diffgram_conn_id: str = DiffgramHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset
        self.label_schema = label_schema
        self.diffgram_conn_id = diffgram_conn_id

    def _targets(self, hook: DiffgramHook) -> _Targets:
        defaults = hook.get_defaults()
        return {
            "dataset": self.dataset or defaults.dataset,
            "label_schema": self.label_schema or defaults.label_schema,
        }

    def _logged(self, handle: Handle) -> dict[str, Any]:
        self.log.info(
            "%s expected: %s already there, %s ingested at once, %s sent in batches %s",
            handle.expected,
            handle.skipped,
            handle.done_at_send,
            sum(batch.inputs for batch in handle.batches),
            [batch.id for batch in handle.batches],
        )
        return handle.to_xcom()


class _SendingOperator(_DiffgramOperator, WaitingOperator):
    """What operators that send packets have in common.

    With ``wait_for_completion`` they take the parameters of
    :class:`~airflow_provider_diffgram.operators.waiting.WaitingOperator` too, and return the receipt that the
    sensor returns, instead of a handle.

    :param max_failed: how many packets Diffgram may refuse, or which share of them if below 1, before the
        task fails. By default none.
    :param report: path of a JSON Lines file, local or in object storage, to write with the outcome of each
        packet: ``{"name", "outcome", "reason", "input_id", "file_id"}``; outcome is ``sent``, ``skipped``,
        ``failed`` or ``unknown``.
    :param concurrency: requests under way at once.
    :param wait_for_completion: wait until everything is in Diffgram with its predictions. ``max_failed`` then
        counts for the inputs once more.
    :param deferrable: wait in the triggerer, without a worker slot.
    :param poke_interval: most seconds between two looks.
    :param wait_timeout: seconds to wait at most, from the end of the sending.
    :param wait_report: path of a JSON Lines file like ``report``, with what became of each input.
    """

    template_fields: Sequence[str] = (
        "max_failed",
        "report",
        "wait_report",
        *_DiffgramOperator.template_fields,
        *WaitingOperator.template_fields,
    )
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        max_failed: float | str = 0,
        report: str | None = None,
        concurrency: int = CONCURRENCY,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 15.0,
        wait_timeout: timedelta | float = _WEEK,
        wait_report: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_failed = max_failed
        self.report = report
        self.concurrency = concurrency
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.wait_timeout = wait_timeout
        self.wait_report = wait_report

    def on_kill(self) -> None:
        """Send nothing more; what is under way comes to its end. What is waited for may be archived."""
        if self._stop is not None:
            self._stop.set()
        super().on_kill()

    def _waiting(self) -> tuple[Rules, str | None]:
        return self._rules(self.max_failed), self.wait_report

    def _sent(self, handle: Handle) -> dict[str, Any]:
        """Tell what was sent; wait for it if asked to."""
        told = self._logged(handle)
        if not self.wait_for_completion:
            return told
        deadline, poke_interval = time.time() + seconds_of(self.wait_timeout), seconds_of(self.poke_interval)
        receipt = self._begin([handle])
        if receipt is not None:
            return receipt
        if self.deferrable:
            result: dict[str, Any] = self._wait_deferred([told], deadline, poke_interval)
            return result
        return self._wait_here(deadline, poke_interval)

    def _options(self, hook: DiffgramHook, context: Context) -> Sending:
        if self.wait_for_completion:
            self._waiting()  # so that what is wrong with it is told before anything is sent
        self._stop = threading.Event()
        return Sending(
            **self._targets(hook),
            max_failed=number_of("max_failed", self.max_failed),
            report=self.report,
            concurrency=self.concurrency,
            memory=memory_of(context),
            stop=self._stop,
            path_of=path_of,
        )


class DiffgramSendPacketOperator(_SendingOperator):
    """Send one packet or many to a dataset, each once; a retry or a second run sends only what is missing.

    Returns a handle, small JSON, for the sensor
    :class:`~airflow_provider_diffgram.sensors.diffgram.DiffgramInputSensor`.

    :param packets: a packet, a list of packets, or the path of a JSON Lines file with a packet per line,
        local or in object storage, packed or not (``.gz``). A packet is a ``Packet`` or a mapping of its
        fields.
    :param if_exists: what to do with media whose name is in the dataset already: ``skip`` them; ``fail``
        before anything is sent; ``append`` the predictions that the file lacks; ``replace`` those that it
        has, what people corrected included.
    """

    template_fields: Sequence[str] = ("packets", "if_exists", *_SendingOperator.template_fields)

    def __init__(
        self,
        *,
        packets: Packet | Mapping[str, Any] | Iterable[Packet | Mapping[str, Any]] | str,
        if_exists: str = "skip",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.packets = packets
        self.if_exists = if_exists

    def execute(self, context: Context) -> dict[str, Any]:
        """Send and return the handle."""
        with failing_for_good():
            hook = DiffgramHook(self.diffgram_conn_id)
            packets = cast(Iterable[Candidate], candidates(self.packets, "packet", path_of))
            handle = push(hook.get_conn(), packets, if_exists=self.if_exists, **self._options(hook, context))
        return self._sent(handle)


class DiffgramCreateCompoundFileOperator(_DiffgramOperator):
    """Create a compound file, or find the one of that name.

    Returns ``{"file_id", "name", "directory_id", "created", "url"}``, each also as an XCom of its own, so
    that ``create.output["file_id"]`` can be handed on.

    :param name: unique in the dataset.
    :param file_type: ``compound``, or another type that begins so.
    :param instance_list: instances of the compound itself, usually ``global``.
    :param if_exists: ``reuse`` or ``fail``.
    """

    template_fields: Sequence[str] = (
        "name",
        "file_type",
        "instance_list",
        "if_exists",
        *_DiffgramOperator.template_fields,
    )

    def __init__(
        self,
        *,
        name: str,
        file_type: str = "compound",
        instance_list: Sequence[Instance | Mapping[str, Any]] | None = None,
        if_exists: str = "reuse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"multiple_outputs": True, **kwargs})
        self.name = name
        self.file_type = file_type
        self.instance_list = instance_list
        self.if_exists = if_exists

    def execute(self, context: Context) -> dict[str, Any]:
        """Create or find, and return what is there now."""
        with failing_for_good():
            compound = self._compound()
            hook = DiffgramHook(self.diffgram_conn_id)
            client = hook.get_conn()
            parent = create_compound_file(client, compound, if_exists=self.if_exists, **self._targets(hook))
        self.log.info(
            "%s compound file %r: file %s",
            "Created" if parent.created else "Found",
            parent.name,
            parent.file_id,
        )
        return {
            "file_id": parent.file_id,
            "name": parent.name,
            "directory_id": parent.directory_id,
            "created": parent.created,
            "url": client.settings.file_url(parent.file_id),
        }

    def _compound(self) -> CompoundFile:
        fields = {"name": self.name, "type": self.file_type, "instance_list": self.instance_list or []}
        try:
            return CompoundFile.model_validate(fields)
        except ValidationError as error:
            raise InvalidValueError("compound file", describe(error)) from None


class DiffgramUploadChildrenOperator(_SendingOperator):
    """Send the children of a compound file that are not there yet: pages, cameras.

    Returns a handle, as :class:`DiffgramSendPacketOperator` does.

    :param parent_file_id: file id of the compound file, or what the operator that creates it returned, so
        that ``.expand(parent_file_id=create.output)`` maps over compound files.
    :param children: a child, a list of children, or the path of a JSON Lines file with a child per line.
        A child is a ``Child`` or a mapping of its fields.
    """

    template_fields: Sequence[str] = ("parent_file_id", "children", *_SendingOperator.template_fields)

    def __init__(
        self,
        *,
        parent_file_id: int | str | Mapping[str, Any],
        children: Child | Mapping[str, Any] | Iterable[Child | Mapping[str, Any]] | str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.parent_file_id = parent_file_id
        self.children = children

    def execute(self, context: Context) -> dict[str, Any]:
        """Send and return the handle."""
        with failing_for_good():
            hook = DiffgramHook(self.diffgram_conn_id)
            handle = upload_children(
                hook.get_conn(),
                self._parent(),
                cast(
                    Iterable[Child | Mapping[str, Any] | list[str]],
                    candidates(self.children, "child", path_of),
                ),
                **self._options(hook, context),
            )
        return self._sent(handle)

    def _parent(self) -> int:
        given = self.parent_file_id
        # A rendered template is text; an XCom of the create operator is a mapping.
        text = str(given.get("file_id") if isinstance(given, Mapping) else given).strip()
        if not text.isdecimal():
            raise InvalidValueError("parent_file_id", [f"must be a file id, not {self.parent_file_id!r}"])
        return int(text)
