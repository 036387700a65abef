"""The packets of a case, and what is right once they are in."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.media.chunks import chunk_size

from .pictures import picture
from .reader import Prediction, child_place, prediction

MEDIA = ("image", "text", "audio")
"""Modes with media of one type, beside ``video``."""

FAST = "fast_"
"""What modes begin with whose packets are delivered at once: uploaded, or written into their files."""

MODES = (
    *("url", "local", "append", "replace", "wait", "compound", "video", "pull"),
    *MEDIA,
    *(f"{FAST}{mode}" for mode in ("url", "append", "replace", "refresh", "children")),
)
UPDATES = ("append", "replace")
NEW = 2
"""So many media of append and replace are new; the others are there before."""

Packet = dict[str, Any]


def instances(number: int, salt: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Return three predictions, like no others of this case.

    :param number: of the packet.
    :param salt: makes others for the same packet.
    :param more: keys of every one.
    """
    x, y = 1 + number % 200, 1 + salt + number // 200
    box: dict[str, Any] = {
        "type": "box",
        "label": "cat",
        "x_min": x,
        "y_min": y,
        "x_max": x + 40,
        "y_max": y + 30,
    }
    corners = [{"x": x, "y": y}, {"x": x + 20.5, "y": y}, {"x": x + 20, "y": y + 20}]
    kinds = [box, {**box, "label": "dog"}, {"type": "polygon", "label": "dog", "points": corners}]
    return [{**each, **more} for each in kinds]


def seeds(number: int) -> list[dict[str, Any]]:
    """Return two predictions that somebody else brought for the same packet."""
    others = instances(number, salt=100)[:2]
    return [{**each, "creation_ref_id": f"seed-{number}-{at}"} for at, each in enumerate(others)]


def predictions(packet: Packet) -> Counter[Prediction]:
    """Return the predictions of a packet, those of frames with the frame."""
    held = Counter(prediction(each, each["label"]) for each in packet.get("instance_list", []))
    for frame, instances_of_frame in packet.get("frame_packet_map", {}).items():
        held.update(prediction(each, each["label"], int(frame)) for each in instances_of_frame)
    return held


def names(amount: int) -> list[str]:
    """Return names of media."""
    return [f"image-{number:04}.png" for number in range(amount)]


def make(mode: str, amount: int, pictures: str, folder: Path, *, salt: int = 0, **more: Any) -> list[Packet]:
    """Return packets; one of those that bring new media has no predictions.

    :param pictures: base URL of the media.
    :param folder: where media of ``local`` are put.
    :param more: keys of every prediction.
    """
    if mode == "compound":
        return local_children(amount, folder)
    if mode == "children":
        return children(amount, pictures)
    if mode == "video":
        images = make("url", amount, pictures, folder)
        return [video(number, pictures) if number % 3 == 0 else each for number, each in enumerate(images)]
    if mode in MEDIA:
        return [_OF_TYPE[mode](number, pictures, folder) for number in range(amount)]
    packets = []
    for number, name in enumerate(names(amount)):
        media: dict[str, Any] = {"url": f"{pictures}/{name}", "type": "image"}
        if mode == "local":
            path = folder / name
            path.write_bytes(picture())
            media = {"path": str(path)}
        packet: Packet = {"media": media, "original_filename": name}
        if number != 3 or mode in ("append", "replace"):
            packet["instance_list"] = instances(number, salt, **more)
        packets.append(packet)
    return packets


def video(number: int, pictures: str) -> Packet:
    """Return a video with predictions in three of its frames."""
    name = f"video-{number:04}.mp4"
    frames = {
        str(frame): [{**each, "number": 1} for each in instances(number, frame)[:2]] for frame in (0, 4, 9)
    }
    media = {"url": f"{pictures}/{name}", "type": "video"}
    return {"media": media, "original_filename": name, "frame_packet_map": frames}


def children_with_videos(amount: int, pictures: str) -> list[Packet]:
    """Return the children of a compound file, of which every third is a video."""
    mixed = [
        video(each, pictures) if each % 3 == 0 else child
        for each, child in enumerate(children(amount, pictures))
    ]
    return [{**each, "ordinal": ordinal} for ordinal, each in enumerate(mixed)]


_SOUND = 250 * 2**20
"""Bytes of a sound: too many for one request."""

AUDIO_REQUESTS = math.ceil(_SOUND / chunk_size(_SOUND, LIMITS.upload_chunk))
"""Chunks that it is sent in."""


def _image(number: int, pictures: str, folder: Path) -> Packet:
    name = f"image-{number:04}.png"
    media = {"url": f"{pictures}/{name}", "type": "image"}
    return {"media": media, "original_filename": name, "instance_list": instances(number)}


def _text(number: int, pictures: str, folder: Path) -> Packet:
    tag = {"type": "tag", "label": "cat"}
    media = {"text_data": f"Cat number {number}."}
    return {"media": media, "original_filename": f"text-{number:04}.txt", "instance_list": [tag]}


def _sound(number: int, pictures: str, folder: Path) -> Packet:
    """Return a packet with a WAV of 250 MiB, which is sent in chunks and waits in the queue then."""
    path = folder / f"sound-{number:04}.wav"
    with path.open("wb") as file:
        file.write(b"RIFF" + (_SOUND - 8).to_bytes(4, "little") + b"WAVE")
        file.truncate(_SOUND)
    return {"media": {"path": str(path)}, "original_filename": path.name}


_OF_TYPE: Mapping[str, Callable[[int, str, Path], Packet]] = {
    "image": _image,
    "text": _text,
    "audio": _sound,
}


def children(amount: int, pictures: str) -> list[Packet]:
    """Return the children of a compound file, two of which have one name."""
    return [
        {
            "media": {"url": f"{pictures}/{number}.png", "type": "image"},
            "original_filename": f"page-{max(number, 1)}.png",
            "ordinal": number,
            "instance_list": instances(number),
        }
        for number in range(amount)
    ]


def local_children(amount: int, folder: Path) -> list[Packet]:
    """Return the children of a compound file, each a picture on disk; one of them has no predictions."""
    packets = []
    for number in range(amount):
        path = folder / f"page-{number}.png"
        path.write_bytes(picture())
        packet: Packet = {"media": {"path": str(path)}, "original_filename": path.name, "ordinal": number}
        if number != 3:
            packet["instance_list"] = instances(number)
        packets.append(packet)
    return packets


def place_of(packet: Packet, parent: str | None = None) -> str:
    """Return the place of the file that a packet makes or changes."""
    name = str(packet["original_filename"])
    return name if parent is None else child_place(parent, name, packet["ordinal"])


def after(
    mode: str, packets: Iterable[Packet], before: Mapping[str, Counter[Prediction]], parent: str | None = None
) -> dict[str, Counter[Prediction]]:
    """Return what is to be there after a push: what was there before, and what the packets do to it."""
    right = dict(before)
    for packet in packets:
        place = place_of(packet, parent)
        held = right.get(place)
        if held is None or mode == "replace":
            right[place] = predictions(packet)
        elif mode == "append":
            right[place] = held | predictions(packet)
    return right


def write(packets: Iterable[Packet], path: Path) -> str:
    """Write packets as JSON Lines, and return the path."""
    path.write_text("".join(json.dumps(packet) + "\n" for packet in packets))
    return str(path)
