"""One line of a record: what a push sent for one packet. Corrections are later compared with it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .packet import Packet

Delivery = Literal["upload", "update", "queue"]
"""How predictions were delivered: with their medium in one request that ingests them; written into an
existing file; or through the server's queue, which ingests them later."""


class Recorded(BaseModel):
    """What a push sent for one packet, and to which file.

    :param name: name of the file.
    :param file_id: id of the file; None while it is only in the server's queue.
    :param parent_file_id: id of its compound file, if it is a child.
    :param directory_id: id of the dataset; None for a packet that names its file.
    :param delivery: how it was delivered; None if the file already had these predictions.
    :param sent_at: when it was sent, with a time zone.
    :param packet: the packet as sent, which can be pushed again: without dropped instances, and each instance
        with its ``creation_ref_id``, ``model_ref`` and ``model_run_ref``. Labels are given by name.
    :param label_file_ids: label name -> id, for these labels: names may change in Diffgram, ids do not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file_id: int | None = None
    parent_file_id: int | None = None
    directory_id: int | None = None
    delivery: Delivery | None = None
    sent_at: datetime
    packet: Packet
    label_file_ids: dict[str, int] | None = None
