"""What is wrong between the instances of a packet, and between them and their file."""

from __future__ import annotations

from collections.abc import Iterable

from ...models import Instance
from ...models.problems import first_of
from ...models.repeats import twice

_OF_ANY_FILE = frozenset({"tag", "global", "relation"})
_OF_TEXTS, _OF_AUDIO = frozenset({"text_token"}), frozenset({"audio"})
_SHOWN = 5


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


def repeated_references(instances: Iterable[Instance]) -> list[str]:
    """Return which of the user's own references several instances have.

    A reference tells whether its instance is there already: a second one with it would never be sent to a
    file that has the first.
    """
    repeated = twice(each.creation_ref_id for each in instances if each.creation_ref_id is not None)
    if not repeated:
        return []
    shown = first_of([repr(each) for each in repeated], _SHOWN)
    return [f"creation_ref_id {shown} is given to several instances: give each its own, or none"]
