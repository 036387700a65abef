"""What to do about refusals that name the wrong cause or hide what the server did. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a refusal really means.

    :param words: pattern of the server's words.
    :param remedy: what to do.
    :param processed: whether the server executed the request anyway.
    """

    words: re.Pattern[str]
    remedy: str
    processed: bool = False


def _remedy(words: str, remedy: str, processed: bool = False) -> Remedy:
    return Remedy(re.compile(words, re.IGNORECASE), remedy, processed)


_REMEDIES = (
    _remedy(
        "instance_list_compound",
        "The compound file was created nevertheless: look up its name before you send it again",
        processed=True,
    ),
    _remedy(
        "already exists in dataset",
        "The name is taken in the dataset by a compound file, a file or a child: look it up",
    ),
    _remedy(
        "Provide file_name along",
        "The server says this of any incomplete medium: give media.url and media.type",
    ),
    _remedy("correct label_file_id", "Give the label_file_id of a label of this project"),
    _remedy("Job already launched", "The job is active: go on"),
    _remedy("does not belong to project|Bad directory_id", "Name a dataset of this project"),
    _remedy("'directory_id' not supplied", "Give directory_id in the body"),
    _remedy("List must not be empty", "Leave an empty list out of the request"),
    _remedy("Must be an int", "Send whole numbers, neither texts nor fractions"),
    _remedy("Expecting a key 'json'", "The upload has no part named json, or is larger than 250 MiB"),
    _remedy("Connection ID does not exist|Unsupported connect", "Name a connection of amazon_aws or azure"),
    _remedy("Existing with same name", "Use the dataset of that name"),
    _remedy("None found", "Name inputs of this project"),
)


def remedy_for(text: str) -> Remedy | None:
    """Return what the refusal ``text`` really means; None if that is unknown."""
    return next((each for each in _REMEDIES if each.words.search(text)), None)
