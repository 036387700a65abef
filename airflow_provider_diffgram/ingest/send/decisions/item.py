"""A packet to send, with everything derived from it, computed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ....models import Packet, PathMedia
from ...check.labels import Labels
from ...check.names import name_of
from ...check.wire import instance_keys, instances_of_body
from ...server.rows import references

ChildPlace = tuple[str, int]
"""The name and ordinal of a child."""


@dataclass(frozen=True)
class Item:
    """A checked packet, its name, and its predictions as the server reads them.

    :param packet: the checked packet.
    :param labels: turns labels, attributes and the origin of predictions into ids and references.
    :param is_large: whether its medium is too large for one request, and is sent in chunks.
    """

    packet: Packet
    labels: Labels = field(repr=False)
    is_large: bool = False

    @cached_property
    def name(self) -> str:
        """The name of the file that it makes; for an update, ``file`` and the id of the changed file."""
        if self.packet.file_id is not None:
            return f"file {self.packet.file_id}"
        return name_of(self.packet)

    @property
    def parent_file_id(self) -> int | None:
        """The compound file that it becomes a child of."""
        return self.packet.parent_file_id

    @property
    def place(self) -> ChildPlace:
        """The name and ordinal that identify a child."""
        return self.name, self.packet.ordinal or 0

    @property
    def is_update(self) -> bool:
        """Whether it changes an existing file instead of making one."""
        return self.packet.file_id is not None

    @property
    def is_local(self) -> bool:
        """Whether its medium is read here and uploaded, not fetched by the server."""
        return isinstance(self.packet.media, PathMedia)

    @property
    def is_video(self) -> bool:
        """Whether the server reads or changes a video for it."""
        media = self.packet.media
        return bool(self.packet.frame_packet_map) if media is None else media.type == "video"

    @cached_property
    def keys(self) -> dict[str, Any]:
        """The keys of a request's body that hold its predictions; empty for media without predictions."""
        return instance_keys(self.packet, self.labels, self.name)

    @cached_property
    def references(self) -> frozenset[str]:
        """The references (``creation_ref_id``) of its predictions."""
        return frozenset(references(instances_of_body(self.keys)))

    @cached_property
    def expected(self) -> int:
        """The number of instances that its file should hold: equal ones count once, as on the server."""
        return len(instances_of_body(self.keys))
