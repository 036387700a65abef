"""What is wrong between the instances of a packet, and between them and their file."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from ...models import Instance, Packet
from ...models.problems import count_of, first_of
from ...models.repeats import twice

_OF_ANY_FILE = frozenset({"tag", "global", "relation"})
_OF_TEXTS, _OF_AUDIO = frozenset({"text_token"}), frozenset({"audio"})
_SHOWN = 5

_log = logging.getLogger(__name__)


class Unseen:
    """Packets with instances that Diffgram stores, and that nobody sees there.

    They are told, not refused: the server accepts them, and one box beside its picture is to stop no night's
    push.
    """

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = self._told = self._problems = 0

    def note(self, where: str, problems: Sequence[str]) -> None:
        """Take note of what nobody sees of a packet; nothing if there is nothing.

        :param where: the packet is, as messages say it.
        """
        if problems:
            self._count += 1
            self._problems += len(problems)
            self._first += [f"{where}: {problem}" for problem in problems][: _SHOWN - len(self._first)]

    def tell(self) -> None:
        """Tell in the log how many packets have such instances, unless that is told."""
        if self._count != self._told:
            self._told = self._count
            more = self._problems - len(self._first)
            _log.warning(
                "nobody will see some instances of %s, although Diffgram stores them: %s",
                count_of(self._count, "packet"),
                "; ".join(self._first) + (f"; and {more:,} more" if more else ""),
            )


def misplaced(instances: Iterable[Instance], file_type: str) -> list[str]:
    """Return which instances nobody would see on a file: Diffgram stores a box on a text.

    :param file_type: ``image``, ``video``, ``text`` or ``audio``; of any other nothing is told.
    """
    found = dict.fromkeys(each.type for each in instances if not _fits(each.type, file_type))
    if not found:
        return []
    return [
        f"instances of type {first_of(list(found), _SHOWN)} cannot be shown on a file of type {file_type}"
    ]


def _fits(kind: str, file_type: str) -> bool:
    match file_type:
        case "text":
            return kind in _OF_TEXTS | _OF_ANY_FILE
        case "audio":
            return kind in _OF_AUDIO | _OF_ANY_FILE
        case "image" | "video":
            return kind not in _OF_TEXTS | _OF_AUDIO
    return True


def repeated_references(packet: Packet) -> list[str]:
    """Return which of the user's own references several instances have, of a video in one frame.

    A reference tells whether its instance is there already: a second one with it would never be sent to a
    file that has the first.
    """
    repeated: dict[str, None] = {}
    for instances in (packet.instance_list, *(packet.frame_packet_map or {}).values()):
        own = (each.creation_ref_id for each in instances if each.creation_ref_id is not None)
        repeated |= dict.fromkeys(twice(own))
    if not repeated:
        return []
    shown = first_of([repr(each) for each in repeated], _SHOWN)
    return [f"creation_ref_id {shown} is given to several instances: give each its own, or none"]
