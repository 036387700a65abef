"""The query language of the explorer (server.md 2.6).

``labels.<name> = 4``, ``dataset.id = 12`` and ``attribute.<prompt> = <option id>``, joined by ``and`` and
``or``; ``>=`` and ``>`` compare too. An attribute is found by its prompt, blanks written as ``_``.
``file.time_last_updated >= "2026-11-26"`` knows days only; other properties of files are refused, or found to
match nothing (server.md 10.6).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from .errors import ServerCrash, bad_request
from .store import Project, Store

Condition = tuple[str, list[Any]]

_COMPARISON = re.compile(r"\s*(labels|attribute|dataset)\.(.+?)\s*(>=|=|>)\s*(\d{1,9})\s*", re.IGNORECASE)
_FILE = re.compile(
    r"""\s*file\.(\w+)\s*(>=|<=|=|>|<)\s*("[^"]*"|'[^']*'|[\w.:-]+)\s*""",
    re.IGNORECASE,
)
_MATCHES_NOTHING = ("type", "count_instances_changed")
_BETWEEN = re.compile(r"(and|or)\s+", re.IGNORECASE)


def condition_of(store: Store, project: Project, query: str) -> Condition:
    """Return a query as a condition on the rows of ``file``, with its values.

    :raises Refusal: 400 for a label or attribute that does not exist, and for a broken query.
    """
    parts: list[str] = []
    values: list[Any] = []
    at = 0
    while True:
        match = _FILE.match(query, at)
        if match is not None:
            text, found = _property(*match.groups())
        else:
            match = _COMPARISON.match(query, at)
            if match is None:
                raise bad_request({"query": f"Cannot parse the query at position {at}: {query[at:]}"})
            subject, name, comparison, number = match.groups()
            text, ids = _READERS[subject.lower()](store, project, name, comparison)
            found = [*ids, int(number)]
        parts.append(text)
        values += found
        at = match.end()
        if at == len(query):
            return " ".join(parts), values
        joint = _BETWEEN.match(query, at)
        if joint is None:
            raise bad_request({"query": f"Expected 'and' or 'or' at position {at}: {query[at:]}"})
        parts.append(joint[1].upper())
        at = joint.end()


def _property(name: str, comparison: str, value: str) -> Condition:
    """Return the condition of a property of files.

    :raises Refusal: 400 for one that cannot be asked for, and for a time without quotes.
    :raises ServerCrash: for more than a day.
    """
    if name in _MATCHES_NOTHING:
        return "1 = 0", []
    if name != "time_last_updated" or value[0] not in "\"'":
        raise bad_request({"query": f"Cannot ask for file.{name} {comparison} {value}"})
    text = value[1:-1]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ServerCrash(f"unconverted data remains: {text[10:]}") from None
    return f"file.time_last_updated {comparison} ?", [day.isoformat()]


def _plain(name: str) -> str:
    return name.replace(" ", "_")


def _marks(ids: list[int]) -> str:
    return ", ".join("?" * len(ids))


def _labels(store: Store, project: Project, name: str, comparison: str) -> Condition:
    rows = store.all(
        "SELECT file.id, label.name FROM file JOIN label ON label.id = file.label_id"
        " WHERE file.project_id = ? AND file.type = 'label' AND file.state != 'removed'",
        project.id,
    )
    ids = [row["id"] for row in rows if _plain(row["name"]) == _plain(name)]
    if not ids:
        raise bad_request({"label_name": f"Label name {name} does not exist in project."})
    counted = (
        "(SELECT coalesce(sum(amount), 0) FROM label_count WHERE label_count.file_id = file.id"
        f" AND label_file_id IN ({_marks(ids)}))"
    )
    return f"{counted} {comparison} ?", ids


def _attribute(store: Store, project: Project, name: str, comparison: str) -> Condition:
    rows = store.all(
        "SELECT id, prompt FROM attribute_group WHERE project_id = ? AND archived = 0", project.id
    )
    ids = [row["id"] for row in rows if row["prompt"] and _plain(row["prompt"]) == _plain(name)]
    if not ids:
        raise bad_request({"attribute": f"Attribute {name} does not exist in project."})
    held = (
        "EXISTS (SELECT 1 FROM attribute_value JOIN instance ON instance.id = attribute_value.instance_id"
        " WHERE attribute_value.file_id = file.id AND instance.soft_delete = 0"
        f" AND group_id IN ({_marks(ids)}) AND option_id {comparison} ?)"
    )
    return held, ids


def _dataset(store: Store, project: Project, name: str, comparison: str) -> Condition:
    if name.lower() != "id":
        raise bad_request({"dataset": f"Datasets are found by id, not by {name}."})
    return f"directory_id {comparison} ?", []


_READERS = {"labels": _labels, "attribute": _attribute, "dataset": _dataset}
