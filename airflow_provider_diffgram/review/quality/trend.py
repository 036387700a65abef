"""Comparisons so far, one line each, with which the next one is compared. No I/O."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .shares import Files, bootstrap_difference


def entry(run: str, at: str, told: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Return what the history keeps of a comparison.

    :param run: what it is called; a later one of the same name takes its place.
    :param at: when, in ISO form.
    :param told: its headline.
    :param files: (judged, kept) of a file -> how many files have so many.
    """
    groups = [[judged, kept, n] for (judged, kept), n in sorted(files.items())]
    return {"run": run, "at": at, **told, "files_by_judged_and_kept": groups}


def read_history(text: str) -> list[dict[str, Any]]:
    """Return the entries of a history, oldest first.

    :raises ValueError: if a line is no entry of one.
    """
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        told = json.loads(line)
        if not isinstance(told, dict) or "run" not in told or "files_by_judged_and_kept" not in told:
            raise ValueError(f"line {number} is not a comparison")
        entries.append(told)
    return entries


def with_entry(entries: Iterable[Mapping[str, Any]], new: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a history with one more comparison: a task that runs again takes the place of its line."""
    return [*(each for each in entries if each["run"] != new["run"]), new]


def written(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return a history as it is kept."""
    return "".join(json.dumps(each) + "\n" for each in entries)


def files_of(told: Mapping[str, Any]) -> Files:
    """Return the files of an entry."""
    return Counter({(judged, kept): n for judged, kept, n in told["files_by_judged_and_kept"]})


def against_last(entries: Iterable[Mapping[str, Any]], run: str, files: Files) -> dict[str, Any] | None:
    """Return how acceptance changed since the last comparison of another name that judged anything.

    :raises ImportError: if numpy is not installed.
    """
    for each in reversed(list(entries)):
        if each["run"] != run:
            change = bootstrap_difference(files, files_of(each))
            if change is not None:
                return {"run": each["run"], "at": each["at"], "acceptance": change.to_json()}
    return None
