"""The ``creation_ref_id`` of instances: what they are told apart by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...models import Input, Packet
from ..check.labels import Labels
from ..check.wire import instance_keys, instances_of_body


def references(instances: Iterable[Any]) -> set[str]:
    """Return the references that instances have."""
    return {
        each["creation_ref_id"]
        for each in instances
        if isinstance(each, dict) and each.get("creation_ref_id")
    }


def references_of_row(row: Input) -> set[str]:
    """Return the references of the instances that an input brings, those of its frames included."""
    frames = (row.frame_packet_map or {}).values()
    return references([*row.instance_list, *(instance for frame in frames for instance in frame)])


def references_of_packet(packet: Packet, labels: Labels, name: str) -> set[str]:
    """Return the references of the instances that a packet of that name brings."""
    return references(instances_of_body(instance_keys(packet, labels, name)))
