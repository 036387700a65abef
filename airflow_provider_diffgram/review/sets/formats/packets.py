"""Packets as JSON Lines: lossless, and can be pushed again."""

from __future__ import annotations

from pydantic import ValidationError

from ....models.problems import describe
from ..folder import Place
from ..stored import Row, StoredFile, packet_of
from .core import FileNames, Files, LeftOut

NAME = "packets.jsonl"


def write_packets(files: Files, place: Place, names: FileNames, left_out: LeftOut) -> None:
    """Write a packet for each file: ``update_with_existing``, what it held when it was read.

    What a push would refuse is left out here; ``files.jsonl.gz`` beside it has every row as it is.
    """
    with place.open(NAME) as out:
        for file in files:
            packet = packet_of(file, lambda row, error, file=file: _leave_out(left_out, file, row, error))
            line = packet.model_dump_json(exclude_none=True, by_alias=True)
            out.write(line.encode() + b"\n")


def _leave_out(left_out: LeftOut, file: StoredFile, row: Row, error: ValueError) -> None:
    why = describe(error)[0] if isinstance(error, ValidationError) else str(error)
    left_out.add(str(row["type"]), file, why)
