"""Draws packets over their pictures before anything is sent, so that a wrong conversion is obvious."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from airflow_provider_diffgram.drawing import Picture, Sample, colour, figure, head, instances_in, small
from airflow_provider_diffgram.drawing.pictures import MOST_BYTES
from airflow_provider_diffgram.models import InvalidValueError, Packet, PathMedia
from airflow_provider_diffgram.models.problems import count_of, describe

from .files import opened

_log = logging.getLogger(__name__)

_NAME = "index.html"


def preview(
    packets: Iterable[Packet | Mapping[str, Any]], folder: str | PathLike[str], *, most: int = 100
) -> Path:
    """Draw what will be sent over the pictures, as reviewers will see it.

    Pictures are read from the packets' paths, local or in object storage, and turned as EXIF says. Those at a
    URL and videos are only named. Invalid packets are drawn as far as possible, with their problems. Needs
    Pillow.

    :param packets: from ``packets_of``, or mappings of their fields. An iterator is used up.
    :param folder: where to write ``index.html``, which contains the pictures and loads nothing. The folder is
        created if it is missing.
    :param most: how many packets are read and drawn.
    :return: the page that was written.
    :raises InvalidValueError: if packets cannot be read at all.
    """
    samples: list[Sample] = []
    failure: list[str] = []
    try:
        for number, value in enumerate(islice(packets, most)):
            samples.append(_sample(value, number))
    except InvalidValueError as error:
        failure = str(error).splitlines()
    labels = Counter(_label_of(each) for sample in samples for each in sample.instances)
    account = getattr(packets, "account", None)
    notes = [*failure, *([account.summary()] if account is not None else [])]
    notes += [", ".join(f"{count:,} {label}" for label, count in labels.most_common(20))] if labels else []
    wrong = sum(bool(sample.problems) for sample in samples)
    instances = count_of(labels.total(), "instance")
    heading = f"{count_of(len(samples), 'packet')}, {wrong:,} of them invalid, {instances}"
    _log.log(logging.WARNING if failure or wrong else logging.INFO, "%s", "\n".join([heading, *failure]))
    colours = {label: colour(rank) for rank, (label, _) in enumerate(labels.most_common())}
    page = Path(folder) / _NAME
    page.parent.mkdir(parents=True, exist_ok=True)
    with page.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(head("Preview of predictions", heading, "fails" if failure or wrong else "passes", notes))
        file.write('<section><div class="samples">')
        for sample in samples:
            file.write(figure(sample, _label_of, colours))
        file.write("</div></section></body></html>\n")
    return page


def _sample(value: Packet | Mapping[str, Any], number: int) -> Sample:
    try:
        packet = Packet.model_validate(value)
    except ValidationError as error:
        name = value.get("original_filename") if isinstance(value, Mapping) else None
        picture = _picture(value.get("media") if isinstance(value, Mapping) else None)
        return Sample(str(name or f"packet {number}"), picture, instances_in(value), describe(error))
    frames = packet.frame_packet_map
    notes = [f"{sum(map(len, frames.values())):,} on {count_of(len(frames), 'frame')}"] if frames else []
    name = packet.original_filename or _file_name(packet) or f"packet {number}"
    return Sample(name, _picture(packet.media), packet.instance_list, notes=notes)


def _file_name(packet: Packet) -> str | None:
    return packet.media.path.rpartition("/")[2] if isinstance(packet.media, PathMedia) else None


def _picture(media: Any) -> Picture:
    """Return the picture of a medium that is a path, of a packet or of fields."""
    path = media.get("path") if isinstance(media, Mapping) else getattr(media, "path", None)
    if not isinstance(path, str | PathLike):
        return Picture(reason="no picture: it is not at a path")
    try:
        with opened(str(path)) as file:
            return small(file.read(MOST_BYTES + 1))
    except InvalidValueError as error:
        return Picture(reason=f"no picture: {error.problems[0]}")


def _label_of(instance: Any) -> str:
    label = instance.get("label") if isinstance(instance, Mapping) else instance.label
    return "(no label)" if label is None else str(label)
