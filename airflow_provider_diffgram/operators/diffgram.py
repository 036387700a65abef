"""Operators for Diffgram."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from ..hooks.diffgram import DiffgramHook, failing_for_good
from ..ingest.children import children_of
from ..ingest.compound import create_compound_file, upload_children
from ..ingest.jsonlines import candidates
from ..ingest.labels import UnknownLabels
from ..ingest.options import Sending
from ..ingest.prepare import Candidate
from ..ingest.push import push
from ..ingest.senders import CONCURRENCY
from ..models import Child, ChildFolder, ChildPages, CompoundFile, Handle, Instance, InvalidValueError, Packet
from ..models.problems import describe
from .base import DiffgramOperator, path_of
from .memory import memory_of
from .validate import DiffgramValidatePacketsOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

__all__ = [
    "DiffgramCreateCompoundFileOperator",
    "DiffgramSendPacketOperator",
    "DiffgramUploadChildrenOperator",
    "DiffgramValidatePacketsOperator",
]

ChildSource = Child | ChildFolder | ChildPages | Mapping[str, Any]


_MOST_SECONDS = 30


class _SendingOperator(DiffgramOperator):
    """What operators that send packets have in common.

    :param max_failed: how many packets Diffgram may refuse, or which share of them if below 1, before the
        task fails. By default none.
    :param report: path of a JSON Lines file, local or in object storage, to write with the outcome of each
        packet: ``{"name", "outcome", "reason", "input_id", "file_id"}``; outcome is ``sent``, ``skipped``,
        ``failed`` or ``unknown``.
    :param concurrency: requests under way at once.
    :param unknown_labels: what becomes of labels that the schema has not: ``fail`` with all of them; ``drop``
        their instances, counted in the log; ``create`` the labels, once everything else is found right.
    :param model_ref: model of predictions that name none: the DAG's id. A prediction is what is
        ``machine_made`` or has a ``score``. None: they go without model and run.
    :param model_run_ref: run of that model: the DAG run's id. None: they go without a run.
    """

    template_fields: Sequence[str] = (
        "max_failed",
        "report",
        "unknown_labels",
        "model_ref",
        "model_run_ref",
        *DiffgramOperator.template_fields,
    )
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        max_failed: float = 0,
        report: str | None = None,
        concurrency: int = CONCURRENCY,
        unknown_labels: str = "fail",
        model_ref: str | None = "{{ dag.dag_id }}",
        model_run_ref: str | None = "{{ run_id }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_failed = max_failed
        self.report = report
        self.concurrency = concurrency
        self.unknown_labels = unknown_labels
        self.model_ref = model_ref
        self.model_run_ref = model_run_ref

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

    def on_kill(self) -> None:
        """Send nothing more; what is under way comes to its end."""
        if self._stop is not None:
            self._stop.set()

    def _options(self, hook: DiffgramHook, context: Context) -> Sending:
        self._stop = threading.Event()
        return Sending(
            **self._targets(hook),
            unknown_labels=cast(UnknownLabels, self.unknown_labels),
            origin=self._origin(),
            max_failed=self._number(),
            report=self.report,
            concurrency=self.concurrency,
            memory=memory_of(context),
            stop=self._stop,
            introduce_after=_seconds_after_the_first(context),
            path_of=path_of,
        )

    def _origin(self) -> tuple[str, str | None] | None:
        if not self.model_ref:
            return None
        return str(self.model_ref), str(self.model_run_ref) if self.model_run_ref else None

    def _number(self) -> float:
        try:
            return float(self.max_failed)  # a rendered template is text
        except (TypeError, ValueError):
            raise InvalidValueError("max_failed", [f"must be a number, not {self.max_failed!r}"]) from None


def _seconds_after_the_first(context: Context) -> float:
    """Let mapped tasks that share a new model run introduce it one after another (quirk 48)."""
    ti = context.get("ti")
    return float(min(max(0, ti.map_index or 0), _MOST_SECONDS)) if ti is not None else 0.0


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
            hook = self._hook()
            packets = cast(Iterable[Candidate], candidates(self.packets, "packet", path_of))
            handle = push(hook.get_conn(), packets, if_exists=self.if_exists, **self._options(hook, context))
        return self._logged(handle)


class DiffgramCreateCompoundFileOperator(DiffgramOperator):
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
        *DiffgramOperator.template_fields,
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
            hook = self._hook()
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
    :param children: a child, a folder of media, the pages of a document, a list of these, or the path of a
        JSON Lines file with one of them per line. Each is a ``Child``, ``ChildFolder``, ``ChildPages``, or
        a mapping of its fields.
    :param repair: archive children that failed before, and what there is of them, and send them again.
    """

    template_fields: Sequence[str] = ("parent_file_id", "children", *_SendingOperator.template_fields)

    def __init__(
        self,
        *,
        parent_file_id: int | str | Mapping[str, Any],
        children: ChildSource | Iterable[ChildSource] | str,
        repair: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.parent_file_id = parent_file_id
        self.children = children
        self.repair = repair

    def execute(self, context: Context) -> dict[str, Any]:
        """Send and return the handle."""
        with failing_for_good():
            hook = self._hook()
            handle = upload_children(
                hook.get_conn(),
                self._parent(),
                children_of(self.children, path_of),
                repair=self.repair,
                **self._options(hook, context),
            )
        return self._logged(handle)

    def _parent(self) -> int:
        given = self.parent_file_id
        # A rendered template is text; an XCom of the create operator is a mapping.
        text = str(given.get("file_id") if isinstance(given, Mapping) else given).strip()
        if not text.isdecimal():
            raise InvalidValueError("parent_file_id", [f"must be a file id, not {self.parent_file_id!r}"])
        return int(text)
