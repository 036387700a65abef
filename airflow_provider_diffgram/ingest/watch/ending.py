"""What the end of a wait is told as: in the message of an error, and line by line in a report."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ...models import InvalidValueError, Receipt
from ...models.received import without_signatures
from ..read.paths import PathOpener
from .verdicts import Verdict


def words_of(receipt: Receipt) -> str:
    """Return the counts, and a line for each of the first that did not arrive."""
    lines = [
        f"{each.name or 'update'}{f' (input {each.input_id})' if each.input_id else ''}: {each.reason}"
        for each in receipt.failures
    ]
    more = receipt.failed + receipt.stuck - len(lines)
    return "\n".join([receipt.summary(), *lines, *([f"and {more} more"] if more > 0 else [])])


def check_report(path: str, path_of: PathOpener) -> None:
    """Raise InvalidValueError if a report cannot be written, before there is anything to write."""
    _write(path, path_of, [])


def write_report(path: str, path_of: PathOpener, verdicts: Iterable[Verdict]) -> None:
    """Write a line of JSON for each input: name, outcome, reason, ids, and the predictions that are missing.

    :param path: local or in object storage; what was there before is gone.
    :raises InvalidValueError: if it cannot be written.
    """
    _write(path, path_of, verdicts)


def _write(path: str, path_of: PathOpener, verdicts: Iterable[Verdict]) -> None:
    try:
        with path_of(path).open("w") as file:
            for each in verdicts:
                file.write(_line(each) + "\n")
    except (OSError, ImportError, ValueError) as error:
        raise InvalidValueError("report", [f"cannot write {path}: {error}"]) from error


def _line(verdict: Verdict) -> str:
    told = {
        "name": verdict.name,
        "outcome": verdict.state,
        "reason": without_signatures(verdict.reason),
        "input_id": verdict.input_id,
        "file_id": verdict.file_id,
        "missing": list(verdict.missing) or None,
        "kept": verdict.kept or None,
    }
    return json.dumps({key: value for key, value in told.items() if value is not None})
