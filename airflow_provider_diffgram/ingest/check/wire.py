"""Converts packets and instances to the form that the server reads. The caller's packet is never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...models import BlobMedia, Instance, Packet, TextMedia, UrlMedia
from ...models.packet import UpdateMode
from .attributes import identity_of_attributes
from .labels import Labels

_FRAME_NOT_IDENTITY = frozenset({"machine_made", "score", "model_ref", "model_run_ref", "creation_ref_id"})
_NOT_IDENTITY = _FRAME_NOT_IDENTITY | {"number"}
"""Two instances that differ only in these keys are one for the server (server.md 5.3).

In a video, ``number`` distinguishes tracks (server.md 5.6).
"""

_BY_NAME = {"label", "attributes"}
"""Our own keys, which are converted to ids."""

_TOLD = ("creation_ref_id", "machine_made", "model_ref", "model_run_ref")
"""Keys of an instance that are sent even if the caller did not set them."""


def instances_on_wire(instances: Iterable[Instance], labels: Labels, name: str) -> list[dict[str, Any]]:
    """Return ``instances`` with ids of labels and attributes, their origin, and a deterministic
    ``creation_ref_id``; equal ones only once.

    An origin that the instance does not name itself is not part of its reference, so that the next run of a
    task recognises what this one sent.

    :param name: name of the file, which is part of the reference.
    """
    return [body for _, body in _each_once(instances, labels, name, _NOT_IDENTITY)]


def _each_once(
    instances: Iterable[Instance], labels: Labels, name: str, not_identity: frozenset[str]
) -> list[tuple[Instance, dict[str, Any]]]:
    """Return the instances to send, each with its body on the wire, and equal ones only once.

    :param not_identity: keys that do not distinguish instances.
    """
    found: dict[str, tuple[Instance, dict[str, Any]]] = {}
    for instance in filter(labels.keeps, instances):
        body = instance.model_dump(mode="json", exclude_none=True, by_alias=True, exclude=_BY_NAME)
        label_file_id = labels.id_of(instance)
        if label_file_id is not None:
            body["label_file_id"] = label_file_id
        attributes = labels.attributes_of(instance)
        if attributes is not None:
            body["attribute_groups"] = attributes
        identity = _identity(body, not_identity)
        if identity not in found:
            body.setdefault("creation_ref_id", _reference(identity, name, instance))
            found[identity] = instance, body | labels.origin_of(instance)
    return list(found.values())


def _identity(body: dict[str, Any], not_identity: frozenset[str]) -> str:
    told = {key: value for key, value in body.items() if key not in not_identity}
    if "attribute_groups" in told:
        told["attribute_groups"] = identity_of_attributes(told["attribute_groups"])
    return json.dumps(told, sort_keys=True)


def _reference(identity: str, name: str, instance: Instance) -> str:
    seed = "\n".join([name, instance.model_ref or "", instance.model_run_ref or "", identity])
    return hashlib.blake2b(seed.encode(), digest_size=12).hexdigest()


def instance_keys(packet: Packet, labels: Labels, name: str) -> dict[str, Any]:
    """Return the keys of a body that hold predictions; empty if there are none.

    The server refuses an empty list (quirk 8), so the key is left out.
    """
    if packet.frame_packet_map:
        frames = {
            str(frame): [body for _, body in each]
            for frame, each in _sent_in_frames(packet.frame_packet_map, labels, name).items()
        }
        filled = {frame: instances for frame, instances in frames.items() if instances}
        return {"frame_packet_map": filled} if filled else {}
    on_wire = [body for _, body in _sent_in_list(packet, labels, name)]
    return {"instance_list": on_wire} if on_wire else {}


def packet_as_sent(packet: Packet, labels: Labels, name: str) -> Packet:
    """Return a packet with only the instances that are sent, each completed by what is sent with it.

    That is its ``creation_ref_id``, its model and run, and whether a machine made it. Labels have their names
    if they are in the schema.
    """
    if packet.frame_packet_map:
        of_frames = _sent_in_frames(packet.frame_packet_map, labels, name)
        frames = {frame: _as_sent(each, labels) for frame, each in of_frames.items()}
        return packet.model_copy(update={"frame_packet_map": frames})
    return packet.model_copy(update={"instance_list": _as_sent(_sent_in_list(packet, labels, name), labels)})


def _sent_in_frames(
    frames: Mapping[int, list[Instance]], labels: Labels, name: str
) -> dict[int, list[tuple[Instance, dict[str, Any]]]]:
    return {
        frame: _each_once(instances, labels, f"{name}#{frame}", _FRAME_NOT_IDENTITY)
        for frame, instances in sorted(frames.items())
    }


def _sent_in_list(packet: Packet, labels: Labels, name: str) -> list[tuple[Instance, dict[str, Any]]]:
    if packet.parent_file_id is not None:  # children of one parent may share a name
        name = f"{name}/{packet.ordinal or 0}"
    return _each_once(packet.instance_list, labels, name, _NOT_IDENTITY)


def _as_sent(sent: Iterable[tuple[Instance, dict[str, Any]]], labels: Labels) -> list[Instance]:
    names, told = labels.names, []
    for instance, body in sent:
        update = {key: body[key] for key in _TOLD if key in body}
        if instance.label is None and instance.label_file_id in names:
            update |= {"label": names[instance.label_file_id], "label_file_id": None}
        told.append(instance.model_copy(update=update))
    return told


def packet_body(
    packet: Packet,
    keys: Mapping[str, Any],
    *,
    name: str,
    directory_id: int,
    batch_id: int,
    connection_id: int | None = None,
) -> dict[str, Any]:
    """Return the JSON of a packet with a new medium for ``input/packet`` (server.md 2.7).

    :param keys: the keys that hold its predictions, from :func:`instance_keys`.
    :param connection_id: id of a blob's connection, because the blob may have only its name.
    """
    where = {"directory_id": directory_id, "batch_id": batch_id, "original_filename": name}
    return {**where, **_media_keys(packet, connection_id), **_place(packet), **keys}


def upload_body(packet: Packet, keys: Mapping[str, Any], *, directory_id: int) -> dict[str, Any]:
    """Return the JSON part of an upload (server.md 2.8)."""
    return {"directory_id": directory_id, **_place(packet), **keys}


def update_body(
    file_id: int, mode: UpdateMode, keys: dict[str, Any], *, directory_id: int, batch_id: int
) -> dict[str, Any]:
    """Return the JSON that sends the instances in ``keys`` to an existing file."""
    return {"directory_id": directory_id, "batch_id": batch_id, "file_id": file_id, "mode": mode} | keys


def without_known(keys: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Return instance keys without the instances whose reference is known; {} if none is left."""
    if "instance_list" in keys:
        left = [each for each in keys["instance_list"] if each["creation_ref_id"] not in known]
        return {"instance_list": left} if left else {}
    frames = {
        frame: [each for each in instances if each["creation_ref_id"] not in known]
        for frame, instances in keys.get("frame_packet_map", {}).items()
    }
    left_frames = {frame: instances for frame, instances in frames.items() if instances}
    return {"frame_packet_map": left_frames} if left_frames else {}


def instances_of_body(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all instances of a body, including those of every frame."""
    frames = (body.get("frame_packet_map") or {}).values()
    return [*(body.get("instance_list") or []), *(instance for frame in frames for instance in frame)]


def _place(packet: Packet) -> dict[str, Any]:
    if packet.parent_file_id is None:
        return {}
    return {"parent_file_id": packet.parent_file_id, "ordinal": packet.ordinal or 0}


def _media_keys(packet: Packet, connection_id: int | None) -> dict[str, Any]:
    media = packet.media
    if isinstance(media, UrlMedia):
        keys: dict[str, Any] = {"type": "from_url", "media": {"url": media.url, "type": media.type}}
        if media.type == "video":
            # A split video loses the first frame of each clip (server.md 5.6).
            keys["video_split_duration"] = packet.video_split_duration or 0
        return keys
    if isinstance(media, TextMedia):
        return {"type": "from_text_data", "media": {"type": "text"}, "text_data": media.text_data}
    if isinstance(media, BlobMedia):
        return {
            "type": "from_blob_path",
            "media": {"type": media.type},
            "connection_id": connection_id,
            "bucket_name": media.bucket_name,
            "raw_data_blob_path": media.raw_data_blob_path,
        }
    raise TypeError("a path is uploaded, not sent as a packet")
