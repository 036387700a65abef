"""Predictions, and rows that became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from airflow_provider_diffgram.ingest.server.past import Fate
from airflow_provider_diffgram.review.quality.compare import FileNow, Prediction, SentFile

Fields = dict[str, Any]


def box(left: int = 10, label: str = "cat", reference: str | None = None, **more: Any) -> Fields:
    fields = {"type": "box", "label": label, "x_min": left, "y_min": 20, "x_max": left + 100, "y_max": 120}
    return fields | ({} if reference is None else {"creation_ref_id": reference}) | more


def row(left: int = 10, label: str = "cat", reference: str = "a", **more: Any) -> Fields:
    told = {"id": 1, "version": 1, "machine_made": True, "label_file_id": 308, "score": 0.5}
    return told | box(left, label, reference) | more


def drawn(left: int, label: str = "cat", **more: Any) -> Fields:
    return row(left, label, f"drawn-{left}", **{"machine_made": False, "score": None, **more})


def sent(*predicted: Fields, **more: Any) -> SentFile:
    of = [Prediction(each.get("creation_ref_id"), None, each, "model/run") for each in predicted]
    return SentFile(1, "a.png", 5, of, **more)


def by_person(*references: str) -> dict[tuple[None, str], Fate]:
    """Return that a person deleted these."""
    return {(None, each): Fate.DELETED_BY_PERSON for each in references}


def deleted_by_people(
    pulled: Iterable[tuple[SentFile, FileNow | None]],
) -> Iterator[tuple[SentFile, FileNow | None]]:
    """Tell of all that is gone that a person deleted it."""
    for file, left in pulled:
        if left is not None:
            left.fates = by_person(*(str(each.reference) for each in file.predictions))
        yield file, left


def now(*rows: Fields, reviewed: bool = True, **more: Any) -> FileNow:
    return FileNow(1, reviewed, {None: rows}, **more)
