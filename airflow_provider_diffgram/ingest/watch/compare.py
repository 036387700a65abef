"""Compares sent predictions with stored ones. No I/O."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_PROVENANCE = frozenset(
    {
        "client_created_time",
        "creation_ref_id",
        "frame_number",
        "id",
        "machine_made",
        "model_id",
        "model_ref",
        "model_run_id",
        "model_run_ref",
        "number",
        "name",
        "score",
        "sequence_id",
    }
)
"""Fields in which predictions may differ and still be equal for the server (server.md 5.3)."""

_COMPUTED = {"box": frozenset({"width", "height"}), "global": frozenset({"label_file_id"})}
"""Keys that the server computes itself, by type (server.md 5.2, 5.3)."""

_PLACE = ("x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True, slots=True)
class Compared:
    """Which of the predictions sent to a file are missing there.

    :param missing: descriptions of the predictions that are not stored.
    :param references: their references, in the same order; None for one without.
    :param kept: how many are stored under the reference of an earlier push.
    """

    missing: list[str]
    references: list[str | None]
    kept: int

    def without(self, removed: Container[str]) -> list[str]:
        """Return what is missing, except what somebody removed.

        :param removed: references that were removed.
        """
        told = zip(self.missing, self.references, strict=True)
        return [words for words, reference in told if reference is None or reference not in removed]


def compare(sent: Iterable[Any], stored: Iterable[Mapping[str, Any]], *, older_count: bool) -> Compared:
    """Look for each sent prediction among the stored ones, by its reference.

    A prediction without a reference is found by its geometry.

    :param older_count: whether an equal prediction that was stored earlier under another reference counts.
        It does after ``update_with_existing``, which keeps it (server.md 2.7).
    """
    references = set()
    alike: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for each in stored:
        references.add(each.get("creation_ref_id"))
        alike[_sorted_under(each)].append(each)
    missing: list[str] = []
    lacking: list[str | None] = []
    kept = 0
    for each in sent:
        if not isinstance(each, Mapping):
            continue
        reference = each.get("creation_ref_id")
        if reference is not None and reference in references:
            continue
        if (reference is None or older_count) and any(
            _is_same(each, other) for other in alike[_sorted_under(each)]
        ):
            kept += reference is not None
        else:
            missing.append(instance_in_words(each))
            lacking.append(None if reference is None else str(reference))
    return Compared(missing, lacking, kept)


def distinct(instances: Iterable[Any]) -> int:
    """Return how many instances the server counts: equal ones count once (server.md 5.3)."""
    return len(
        {
            json.dumps({key: value for key, value in each.items() if key not in _PROVENANCE}, sort_keys=True)
            if isinstance(each, Mapping)
            else repr(each)
            for each in instances
        }
    )


def instance_in_words(instance: Mapping[str, Any]) -> str:
    """Describe a prediction in a few words: type, label, position, reference."""
    shown = ("label_file_id", *_PLACE, "creation_ref_id")
    told = [f"{key} {str(instance[key])[:60]}" for key in shown if instance.get(key) is not None]
    return f"{instance.get('type')} ({', '.join(told)})"


def _sorted_under(instance: Mapping[str, Any]) -> Any:
    kind = instance.get("type")
    if kind != "box":
        return kind, None if kind == "global" else instance.get("label_file_id")
    return kind, instance.get("label_file_id"), *(instance.get(key) for key in _PLACE)


def _is_same(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    left_out = _PROVENANCE | _COMPUTED.get(str(sent.get("type")), frozenset())
    return all(
        _holds(value, stored.get(key)) for key, value in sent.items() if key not in left_out and key in stored
    )


def _holds(sent: Any, stored: Any) -> bool:
    """Whether ``stored`` is what was sent. Null counts as not sent, and stored objects may have more keys."""
    if sent is None:
        return True
    if isinstance(sent, Mapping):
        held = isinstance(stored, Mapping)
        return (held or not sent) and all(_holds(value, stored.get(key)) for key, value in sent.items())
    if isinstance(sent, list):
        same_length = isinstance(stored, list) and len(sent) == len(stored)
        return same_length and all(map(_holds, sent, stored))
    if isinstance(sent, float) and isinstance(stored, int | float):
        return math.isclose(sent, stored, rel_tol=1e-6, abs_tol=1e-6)
    return bool(sent == stored)
