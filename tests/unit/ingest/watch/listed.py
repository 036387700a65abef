"""Answers the steps of a wait from plain values: rows, files, and a clock that passes when told to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from airflow_provider_diffgram.client import DiffgramError
from airflow_provider_diffgram.client.request import Pause, Request, Steps, Together
from airflow_provider_diffgram.models import Handle, InputRow, SentBatch

T = TypeVar("T")

_ENDED = ("success", "failed", "base_object_created")


def row(row_id: int, status: str = "success", **more: Any) -> dict[str, Any]:
    """Return an input of batch 1 as the server lists it; its file has ten times its id."""
    named = {"original_filename": f"{row_id}.txt", "media_type": "text", "source": "from_text_data"}
    file_id = row_id * 10 if status == "success" else None
    return {"id": row_id, "status": status, "batch_id": 1, "file_id": file_id, **named, **more}


def read(row_id: int, status: str = "success", **more: Any) -> InputRow:
    """Return an input as the wait reads it."""
    return InputRow.of(row(row_id, status, **more))


def box(left: int = 1, **more: Any) -> dict[str, Any]:
    """Return a prediction as it is sent and listed."""
    place = {"x_min": left, "y_min": 2, "x_max": left + 9, "y_max": 11}
    return {"type": "box", "label_file_id": 3, "creation_ref_id": f"r{left}", **place, **more}


def collision(row_id: int, existing: int, **more: Any) -> dict[str, Any]:
    """Return an input that failed because its name is there."""
    words = f"File: a Already Exists in Dir. Existing ID is: {existing}"
    return row(row_id, "failed", status_text=words, **more)


def handle(*inputs: int | None, **sent: Any) -> Handle:
    """Return a handle to batches 1, 2, ... of so many inputs."""
    batches = [SentBatch(**{"id": number, "inputs": count, **sent}) for number, count in enumerate(inputs, 1)]
    return Handle(project="p", directory_id=5, batches=batches, expected=sum(each or 0 for each in inputs))


class Listed:
    """What the server holds.

    :ivar rows: inputs, oldest first.
    :ivar counters: number of instances by file; None for a file that never held any.
    :ivar stored: instances by file, or by video and frame.
    :ivar removed: files that a person removed, or moved elsewhere if False.
    :ivar now: the clock.
    :ivar asked: the requests so far, by what they ask for.
    :ivar faults: errors that the next requests end with.
    """

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = [dict(each) for each in rows]
        self.counters: dict[int, int | None] = {}
        self.stored: dict[Any, list[dict[str, Any]]] = {}
        self.removed: dict[int, bool] = {}
        self.now = 0.0
        self.asked: Counter[str] = Counter()
        self.faults: list[DiffgramError] = []

    def run(self, steps: Steps[T]) -> T:
        """Run ``steps`` to their end."""
        answer: Any = None
        error: DiffgramError | None = None
        while True:
            try:
                step = steps.throw(error) if error else steps.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            answer, error = None, None
            if isinstance(step, Pause):
                self.now += step.seconds
                answer = self.now
            elif self.faults:
                error = self.faults.pop(0)
            elif isinstance(step, Together):
                answer = [self._answer(each) for each in step.requests]
            else:
                answer = self._answer(step)

    def asked_by(self, steps: Steps[T]) -> tuple[T, dict[str, int]]:
        """Run ``steps``; return their result and what was asked meanwhile."""
        before = self.asked.copy()
        result = self.run(steps)
        return result, dict(self.asked - before)

    def set(self, row_id: int, **change: Any) -> None:
        """Change a row."""
        (found,) = [each for each in self.rows if each["id"] == row_id]
        found.update(change)

    def _answer(self, request: Request[Any]) -> Any:
        what = next(what for what in _ANSWERS if re.search(what, request.path))
        name, answer = _ANSWERS[what]
        status = (request.json or {}).get("status_filter")
        self.asked[f"{name} {status}" if status else name] += 1
        ids = [int(each) for each in re.findall(r"(?<=/)\d+(?=/|$)", request.path)]
        return request.read(answer(self, request.json or {}, ids))

    def _list_inputs(self, asked: dict[str, Any], _: list[int]) -> Any:
        listed = [each for each in reversed(self.rows) if _is_listed(each, asked)]
        return {"input_list": listed[: asked["limit"]]}

    def _view_input(self, _: dict[str, Any], ids: list[int]) -> Any:
        return {"input": next(each for each in self.rows if each["id"] == ids[0])}

    def _list_files(self, _: dict[str, Any], __: list[int]) -> Any:
        ids = [each for each in sorted(self.counters, reverse=True) if each not in self.removed]
        return {"file_list": [self._file(each) for each in ids], "metadata": {}}

    def _list_children(self, _: dict[str, Any], __: list[int]) -> Any:
        return {"child_files": [self._file(each) for each in self.counters]}

    def _view_file(self, asked: dict[str, Any], _: list[int]) -> Any:
        return {"file": self._file(asked["file_id"])}

    def _list_annotations(self, _: dict[str, Any], ids: list[int]) -> Any:
        rows = [{"id": number, **each} for number, each in enumerate(self.stored.get(ids[0], []), 1)]
        return {"file_serialized": {"id": ids[0], "instance_list": rows}}

    def _list_frames(self, _: dict[str, Any], ids: list[int]) -> Any:
        video, start, end = ids
        return {
            "instance_buffer_dict": {
                str(frame): self.stored.get((video, frame), []) for frame in range(start, end)
            }
        }

    def _file(self, file_id: int) -> dict[str, Any]:
        state = "removed" if self.removed.get(file_id) else "added"
        return {"id": file_id, "state": state, "count_instances_changed": self.counters.get(file_id)}


_ANSWERS = {
    "input/view/list$": ("list", Listed._list_inputs),
    r"input/view/\d+$": ("view input", Listed._view_input),
    "file/list$": ("list files", Listed._list_files),
    "child-files$": ("list children", Listed._list_children),
    "file/view$": ("view file", Listed._view_file),
    "annotation/list$": ("read annotations", Listed._list_annotations),
    "buffer/": ("read frames", Listed._list_frames),
}


def _is_listed(one: dict[str, Any], asked: dict[str, Any]) -> bool:
    status = one["status"]
    wanted = {
        "All": True,
        "Success": status == "success",
        "Failed": status == "failed",
        "Processing": status not in _ENDED,
    }[asked["status_filter"]]
    of_batch = asked.get("batch_id") in (None, one["batch_id"])
    of_parent = asked.get("parent_file_id") == one.get("parent_file_id")
    deferred = asked.get("show_deferred") is not False or not one.get("processing_deferred")
    return (
        wanted and of_batch and of_parent and deferred and (asked["show_archived"] or not one.get("archived"))
    )


def rows_of(numbers: Iterable[int], status: str, **more: Any) -> list[dict[str, Any]]:
    """Return rows alike."""
    return [row(number, status, **more) for number in numbers]
