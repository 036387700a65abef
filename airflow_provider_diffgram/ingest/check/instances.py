"""Finds instances of a packet that do not fit each other, or their file."""

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
    """Packets with instances that Diffgram stores but nobody will see.

    They are logged, not refused: the server accepts them, and one box outside its picture must not stop a
    night's push.
    """

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = self._told = self._problems = 0

    def note(self, where: str, problems: Sequence[str]) -> None:
        """Record the instances of a packet that nobody will see.

        :param where: how messages name the packet.
        :param problems: one line for each kind of problem; may be empty.
        """
        if problems:
            self._count += 1
            self._problems += len(problems)
            self._first += [f"{where}: {problem}" for problem in problems][: _SHOWN - len(self._first)]

    def tell(self) -> None:
        """Log how many packets have such instances, if the number has changed."""
        if self._count != self._told:
            self._told = self._count
            more = self._problems - len(self._first)
            _log.warning(
                "nobody will see some instances of %s, although Diffgram stores them: %s",
                count_of(self._count, "packet"),
                "; ".join(self._first) + (f"; and {more:,} more" if more else ""),
            )


def misplaced(instances: Iterable[Instance], file_type: str) -> list[str]:
    """Return which types of instances a file cannot show: Diffgram stores even a box on a text.

    :param file_type: ``image``, ``video``, ``text`` or ``audio``; for any other type the result is empty.
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
    """Return which of the user's own references are repeated; in a video, within one frame.

    A reference shows whether its instance is already stored. A second instance with it would never be sent to
    a file that has the first.
    """
    repeated: dict[str, None] = {}
    for instances in (packet.instance_list, *(packet.frame_packet_map or {}).values()):
        own = (each.creation_ref_id for each in instances if each.creation_ref_id is not None)
        repeated |= dict.fromkeys(twice(own))
    if not repeated:
        return []
    shown = first_of([repr(each) for each in repeated], _SHOWN)
    return [f"creation_ref_id {shown} is given to several instances: give each its own, or none"]
