"""The ``creation_ref_id`` of instances: what they are told apart by."""

from __future__ import annotations

from ...models import Packet
from ..check.labels import Labels
from ..check.wire import instance_keys, instances_of_body
from ..server.rows import references


def references_of_packet(packet: Packet, labels: Labels, name: str) -> set[str]:
    """Return the references of the instances that a packet of that name brings."""
    return references(instances_of_body(instance_keys(packet, labels, name)))
