"""Operators for Diffgram.

What they need to do their work is imported when they do it: every parse of a DAG imports this module.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow.providers.common.compat.sdk import BaseOperator

from ..hooks.diffgram import DiffgramHook, failing_for_good
from ..ingest.senders import CONCURRENCY
from ..links.diffgram import LINKS, remember_place
from .memory import memory_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.options import Sending
    from ..ingest.prepare import Candidate
    from ..lineage.diffgram import Outcome
    from ..models import Child, CompoundFile, Handle, Instance, Packet


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
    operator_extra_links = LINKS
    _outcome: Outcome | None = None

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

    def _hook(self) -> DiffgramHook:
        return DiffgramHook(self.diffgram_conn_id)

    def _targets(self, hook: DiffgramHook) -> _Targets:
        defaults = hook.get_defaults()
        return {
            "dataset": self.dataset or defaults.dataset,
            "label_schema": self.label_schema or defaults.label_schema,
        }

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return what OpenLineage is told: the dataset, and where its media came from if that is known."""
        from ..lineage.diffgram import facets_of

        return facets_of(self._outcome, self._sources())

    def _sources(self) -> Iterable[Any]:
        """Return packets to name the sources of."""
        return ()

    def _announce(self, context: Context, hook: DiffgramHook, handle: Handle, *file_ids: int) -> None:
        """Tell links, outlets and lineage what was sent."""
        from ..lineage.diffgram import announce

        self._outcome = announce(
            self,
            context,
            hook.get_conn(),
            handle.directory_id,
            dataset=self._targets(hook)["dataset"],
            counts=handle.counts(),
            file_ids=file_ids,
        )

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


class _SendingOperator(_DiffgramOperator):
    """What operators that send packets have in common.

    :param max_failed: how many packets Diffgram may refuse, or which share of them if below 1, before the
        task fails. By default none.
    :param report: path of a JSON Lines file, local or in object storage, to write with the outcome of each
        packet: ``{"name", "outcome", "reason", "input_id", "file_id"}``; outcome is ``sent``, ``skipped``,
        ``failed`` or ``unknown``.
    :param concurrency: requests under way at once.
    """

    template_fields: Sequence[str] = ("max_failed", "report", *_DiffgramOperator.template_fields)
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        max_failed: float = 0,
        report: str | None = None,
        concurrency: int = CONCURRENCY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_failed = max_failed
        self.report = report
        self.concurrency = concurrency

    def on_kill(self) -> None:
        """Send nothing more; what is under way comes to its end."""
        if self._stop is not None:
            self._stop.set()

    def _options(self, hook: DiffgramHook, context: Context) -> Sending:
        from ..ingest.options import Sending

        self._stop = threading.Event()
        settings = hook.get_settings()
        remember_place(context, settings.base_url, settings.project)  # so that a failure has a link, too
        return Sending(
            **self._targets(hook),
            max_failed=self._number(),
            report=self.report,
            concurrency=self.concurrency,
            memory=memory_of(context),
            stop=self._stop,
            path_of=hook.path_opener(),
        )

    def _number(self) -> float:
        from ..models import InvalidValueError

        try:
            return float(self.max_failed)  # a rendered template is text
        except (TypeError, ValueError):
            raise InvalidValueError("max_failed", [f"must be a number, not {self.max_failed!r}"]) from None


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
        from ..ingest.jsonlines import candidates
        from ..ingest.push import push

        with failing_for_good():
            hook = self._hook()
            packets = cast("Iterable[Candidate]", candidates(self.packets, "packet", hook.path_opener()))
            handle = push(hook.get_conn(), packets, if_exists=self.if_exists, **self._options(hook, context))
        self._announce(context, hook, handle)
        return self._logged(handle)

    def _sources(self) -> Iterable[Any]:
        from ..lineage.sources import named

        return named(self.packets, "packet", self._hook().path_opener())


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
        from ..ingest.compound import create_compound_file
        from ..lineage.diffgram import announce

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
        self._outcome = announce(
            self,
            context,
            client,
            parent.directory_id,
            dataset=self._targets(hook)["dataset"],
            counts={"created": int(parent.created)},
            file_ids=[parent.file_id],
        )
        return {
            "file_id": parent.file_id,
            "name": parent.name,
            "directory_id": parent.directory_id,
            "created": parent.created,
            "url": client.settings.file_url(parent.file_id),
        }

    def _compound(self) -> CompoundFile:
        from pydantic import ValidationError

        from ..models import CompoundFile, InvalidValueError
        from ..models.problems import describe

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
        from ..ingest.compound import upload_children
        from ..ingest.jsonlines import candidates

        with failing_for_good():
            hook = self._hook()
            handle = upload_children(
                hook.get_conn(),
                self._parent(),
                cast(
                    "Iterable[Child | Mapping[str, Any] | list[str]]",
                    candidates(self.children, "child", hook.path_opener()),
                ),
                **self._options(hook, context),
            )
        self._announce(context, hook, handle, self._parent())
        return self._logged(handle)

    def _sources(self) -> Iterable[Any]:
        from ..lineage.sources import named

        return named(self.children, "child", self._hook().path_opener())

    def _parent(self) -> int:
        from ..models import InvalidValueError

        given = self.parent_file_id
        # A rendered template is text; an XCom of the create operator is a mapping.
        text = str(given.get("file_id") if isinstance(given, Mapping) else given).strip()
        if not text.isdecimal():
            raise InvalidValueError("parent_file_id", [f"must be a file id, not {self.parent_file_id!r}"])
        return int(text)
