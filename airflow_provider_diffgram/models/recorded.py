"""One line of a record: what a push sent for one packet. The baseline that corrections are compared with."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .packet import Packet

Delivery = Literal["upload", "update", "queue"]
"""How predictions went to the server: with their medium in one request that ingests them; written into a file
that was there; or by the server's queue, which ingests them later."""


class Recorded(BaseModel):
    """What a push sent for one packet, and to which file.

    :param name: of the file.
    :param file_id: of the file; None while only the server's queue knows it.
    :param parent_file_id: of the compound file whose child it is.
    :param directory_id: id of the dataset; None for a packet that names its file.
    :param delivery: how it went; None if the file had these predictions already.
    :param sent_at: when, with its time zone.
    :param packet: as it was sent, and can be pushed again: without instances that were dropped, and each with
        its ``creation_ref_id``, ``model_ref`` and ``model_run_ref``. Labels are given by name.
    :param label_file_ids: name of each of these labels -> its id: names may change in Diffgram, ids do not.
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
