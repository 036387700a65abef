"""Operators that send packets and compound files, and check them.

Every parse of a DAG imports this module, so operators import what they need only when they run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..hooks.diffgram import failing_for_good
from .base import DiffgramOperator, check_flag, name_of_packets
from .metrics import counting_failures
from .sending import SendingOperator
from .validate import DiffgramValidatePacketsOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.read.paths import PathOpener
    from ..ingest.send.decisions.decide import IfExists
    from ..ingest.send.push import Packets
    from ..models import Child, ChildFolder, ChildPages, CompoundFile, Instance, Packet

    ChildSource = Child | ChildFolder | ChildPages | Mapping[str, Any]

__all__ = [
    "DiffgramCreateCompoundFileOperator",
    "DiffgramSendPacketOperator",
    "DiffgramUploadChildrenOperator",
    "DiffgramValidatePacketsOperator",
]


class DiffgramSendPacketOperator(SendingOperator):
    """Send packets to a dataset, each exactly once. A retry or a second run sends only what is missing.

    Returns a handle, a small JSON object, for the sensor
    :class:`~airflow_provider_diffgram.sensors.diffgram.DiffgramInputSensor`.

    :param packets: a packet, a list of packets, or the path of a JSON Lines file with one packet per line,
        local or in object storage, compressed (``.gz``) or not. A packet is a ``Packet`` or a mapping of its
        fields.
    :param if_exists: what to do with media whose name is already in the dataset: ``skip`` them; ``fail``
        before anything is sent; ``append`` the missing predictions; ``replace`` all instances, even those
        that people corrected; ``refresh`` those that earlier runs of the model predicted and nobody touched.
    :param refresh: how ``refresh`` decides, such as ``{"reviewed": "refresh", "min_iou": 0.7}``: the fields
        of :class:`~airflow_provider_diffgram.ingest.send.decisions.refresh.Rules`.
    """

    template_fields: Sequence[str] = ("packets", "if_exists", *SendingOperator.template_fields)

    def __init__(
        self,
        *,
        packets: Packet | Mapping[str, Any] | Iterable[Packet | Mapping[str, Any]] | str,
        if_exists: str = "skip",
        refresh: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.packets = packets
        self.if_exists = if_exists
        self.refresh = refresh

    def execute(self, context: Context) -> dict[str, Any]:
        """Send and return the handle."""
        self._stop = threading.Event()
        from ..ingest.send.push import push
        from ..models.problems import NOTHING, telling

        with failing_for_good(), counting_failures(context), telling(NOTHING):
            hook = self._hook()
            if_exists = cast("IfExists", self.if_exists)
            options = self._options(hook, context, if_exists=if_exists, refresh=self.refresh)
            packets = self._candidates(context, options["path_of"])
            client = hook.get_conn()
            handle = push(client, packets, if_exists=if_exists, refresh=self.refresh, **options)
        return self._finish(context, handle)

    def _candidates(self, context: Context, path_of: PathOpener) -> Packets:
        """Return what to send."""
        from ..ingest.read.jsonlines import candidates

        return candidates(self.packets, "packet", path_of)

    def _document(self) -> str | None:
        return name_of_packets(self.packets)

    def _sources(self) -> Iterable[Any]:
        from ..lineage.sources import named

        return named(self.packets, "packet", self._hook().path_opener())


class DiffgramCreateCompoundFileOperator(DiffgramOperator):
    """Create a compound file, or find the one with that name.

    Returns ``{"file_id", "name", "directory_id", "created", "url"}``. Each is also a separate XCom, so that
    ``create.output["file_id"]`` can be passed on.

    :param name: unique in the dataset.
    :param file_type: ``compound``, or another type that begins with ``compound``.
    :param instance_list: instances of the compound itself, usually ``global``.
    :param if_exists: what to do if the name exists: ``reuse`` the file, or ``fail``.
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
        """Find or create the compound file, and return it."""
        from ..ingest.send.compound import create_compound_file

        with failing_for_good():
            compound, hook = self._compound(), self._hook()
            client = self._connect(context)
            parent = create_compound_file(client, compound, if_exists=self.if_exists, **self._targets(hook))
        self.log.info(
            "%s compound file %r: file %s",
            "Created" if parent.created else "Found",
            parent.name,
            parent.file_id,
        )
        dataset, counts = self._targets(hook)["dataset"], {"created": int(parent.created)}
        self._announce(
            context, parent.directory_id, dataset=dataset, counts=counts, file_ids=[parent.file_id]
        )
        return {
            "file_id": parent.file_id,
            "name": parent.name,
            "directory_id": parent.directory_id,
            "created": parent.created,
            "url": client.settings.file_url(parent.file_id),
        }

    def _document(self) -> str | None:
        return str(self.name)

    def _compound(self) -> CompoundFile:
        from pydantic import ValidationError

        from ..ingest.send.compound import check_if_exists
        from ..models import CompoundFile, InvalidValueError
        from ..models.problems import NOTHING, all_problems, describe

        fields = {"name": self.name, "type": self.file_type, "instance_list": self.instance_list or []}
        problems = all_problems([lambda: check_if_exists(self.if_exists)])
        try:
            compound = CompoundFile.model_validate(fields)
        except ValidationError as error:
            problems += describe(error)
        if problems:
            raise InvalidValueError("compound file", problems, sent=NOTHING)
        return compound


class DiffgramUploadChildrenOperator(SendingOperator):
    """Send the children of a compound file that are missing: its pages, or its cameras.

    Returns a handle, as :class:`DiffgramSendPacketOperator` does.

    :param parent_file_id: file id of the compound file, or the output of the operator that creates it, so
        that ``.expand(parent_file_id=create.output)`` maps over compound files.
    :param children: a child, a folder of media, the pages of a document, a list of these, or the path of a
        JSON Lines file with one of them per line. Each is a ``Child``, ``ChildFolder``, ``ChildPages``, or a
        mapping of its fields.
    :param repair: whether to archive children that failed before, with anything they left behind, and send
        them again.
    """

    template_fields: Sequence[str] = ("parent_file_id", "children", *SendingOperator.template_fields)

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
        self._stop = threading.Event()
        from ..ingest.read.children import children_of
        from ..ingest.send.compound import upload_children
        from ..models.problems import NOTHING, telling

        with failing_for_good(), counting_failures(context), telling(NOTHING):
            check_flag("repair", self.repair)
            hook = self._hook()
            options = self._options(hook, context, also=self._parent)
            handle = upload_children(
                hook.get_conn(),
                self._parent(),
                children_of(self.children, options["path_of"]),
                repair=self.repair,
                **options,
            )
        return self._finish(context, handle)

    def _sources(self) -> Iterable[Any]:
        from ..lineage.sources import named

        return named(self.children, "child", self._hook().path_opener())

    def _file_ids(self) -> Sequence[int]:
        return [self._parent()]

    def _document(self) -> str | None:
        if isinstance(self.parent_file_id, Mapping) and self.parent_file_id.get("name"):
            return str(self.parent_file_id["name"])
        return f"children of file {self.parent_file_id}"

    def _parent(self) -> int:
        from ..models import InvalidValueError

        given = self.parent_file_id
        # A rendered template is text; an XCom of the create operator is a mapping.
        text = str(given.get("file_id") if isinstance(given, Mapping) else given).strip()
        if not text.isdecimal():
            told = f"parent_file_id must be a file id, not {self.parent_file_id!r}"
            raise InvalidValueError("parent_file_id", [told])
        return int(text)
