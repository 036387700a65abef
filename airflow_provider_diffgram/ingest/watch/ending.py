"""Describes the end of a wait: in the message of an error, and line by line in a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...client import DiffgramError, StorageRefusedError
from ...models import InvalidValueError, Receipt
from ...models.failures import Failures
from ...models.received import without_signatures
from ...storage_faults import words_of_fault
from ..read.paths import PathOpener, universal_path
from ..read.storage import patient
from .verdicts import Verdict


def describe_receipt(receipt: Receipt) -> str:
    """Return the counts, the first inputs that did not arrive, and a line for each cause."""
    failures = Failures()
    for each in receipt.failures:
        name = f"{each.name or 'update'}{f' (input {each.input_id})' if each.input_id else ''}"
        failures.add(name, each.reason, each.inputs)
    first = failures.sentence()
    more = max(0, receipt.problems - failures.total)
    return "\n".join([f"{receipt.summary()}{'.' if first else ''}{first}", *failures.lines(more)])


def describe_timeout(receipt: Receipt) -> str:
    """Return the same for a wait that ran out of time, with a line for each of the first pending inputs."""
    left = receipt.pending - len(receipt.waiting)
    more = [f"and {left:,} more"] if receipt.waiting and left > 0 else []
    return "\n".join([f"not settled in time: {describe_receipt(receipt)}", *receipt.waiting, *more])


@dataclass(frozen=True, slots=True)
class Report:
    """A file with one line of JSON per input: name, outcome, reason, ids and missing predictions.

    :param path: local or in object storage; an existing file is overwritten.
    :param path_of: opens the path.
    """

    path: str
    path_of: PathOpener = universal_path

    def check(self) -> None:
        """Check that the file can be written, before there is anything to write.

        :raises InvalidValueError: if it cannot.
        :raises StorageError: if its storage fails, which may pass.
        """
        try:
            self._write(list)
        except (OSError, ImportError, ValueError) as error:
            raise InvalidValueError("report", [f"cannot write {self.path}: {error}"]) from error

    def write(self, verdicts: Callable[[], Iterable[Verdict]]) -> DiffgramError | None:
        """Write the file. A failure is returned, not raised, so that the wait's outcome is reported anyway.

        :param verdicts: returns the verdicts; called again after a storage fault has passed.
        :return: why it could not be written, a StorageError if that may pass; None if it was written.
        """
        try:
            self._write(verdicts)
        except DiffgramError as error:
            return error
        except (OSError, ImportError, ValueError) as error:
            return StorageRefusedError(f"cannot write the report {self.path}: {words_of_fault(error)}")
        return None

    def _write(self, verdicts: Callable[[], Iterable[Verdict]]) -> None:
        there = patient(self.path_of)(self.path)

        def write() -> None:
            with there.open_once("w") as file:
                for each in verdicts():
                    file.write(_line(each) + "\n")

        there.attempt("write", write)


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
