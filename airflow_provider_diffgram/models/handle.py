"""The results of a push and a wait: small values that fit into an XCom."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from .problems import count_of, first_of
from .recorded import Delivery

SHOWN_FAILURES = 20
MOST_FILE_IDS = 1000
"""Most file ids in an XCom; if there are more, it has none."""
_SHOWN_BATCHES = 10


class SentBatch(BaseModel):
    """An input batch, and how many of its inputs to wait for.

    :param id: id of the input batch; None if the inputs are found by their parent or by their ids only.
    :param inputs: number of inputs to wait for; None for all that the server lists, and at least one.
    :param parent_file_id: compound file whose children the inputs are: a listing shows the children of one
        parent, or root inputs (quirk 12).
    :param only: ids of the inputs to wait for, if an earlier attempt sent others in the same batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int | None
    inputs: int | None
    parent_file_id: int | None = None
    only: list[int] | None = None


class Handle(BaseModel):
    """What was sent, for the wait.

    If every batch has a number of inputs, ``expected`` is ``skipped`` + ``done_at_send`` + ``not_sent`` +
    those inputs.

    :param project: project_string_id.
    :param directory_id: id of the dataset; None if each input has its own.
    :param batches: input batches to wait for.
    :param expected: number of packets.
    :param skipped: how many were already in Diffgram, with their predictions.
    :param done_at_send: how many were ingested, with their predictions, before the push returned.
    :param not_sent: how many were refused, within the limit of ``max_failed``.
    :param unchecked: how many blobs the worker could not read; the server does not check them (quirk 57).
    :param delivered: how many packets were delivered by ``upload``, ``update`` (written into an existing
        file) or ``queue``, for which the wait is needed.
    :param refreshed: what ``if_exists="refresh"`` did, in predictions and files: ``added``, ``taken_back``,
        ``unchanged``, ``touched``, ``settled``, ``reviewed``, ``waiting``, ``outdated``; zeros are left out.
    :param file_ids: files that held the predictions of their packets when the push returned, whether it
        delivered or found them; empty if there are more than 1000. A record or report has all of them.
    :param record: path of the record of what was sent, if one was written.
    :param uploaded_bytes: bytes of media that the worker read and sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    directory_id: int | None
    batches: list[SentBatch] = []
    expected: int = 0
    skipped: int = 0
    done_at_send: int = 0
    not_sent: int = 0
    unchecked: int = 0
    delivered: dict[Delivery, int] = {}
    refreshed: dict[str, int] = {}
    file_ids: list[int] = []
    record: str | None = None
    uploaded_bytes: int = 0

    @property
    def counts_more_files_than_it_tells(self) -> bool:
        """Whether files are left out of ``file_ids`` because they are too many."""
        return not self.file_ids and self.done_at_send + self.skipped > MOST_FILE_IDS

    def counts(self) -> dict[str, int]:
        """Return how many packets were sent, skipped, done or not sent."""
        return {
            "expected": self.expected,
            "skipped": self.skipped,
            "done_at_send": self.done_at_send,
            "sent": sum(batch.inputs or 0 for batch in self.batches),
            "not_sent": self.not_sent,
            **self.refreshed,
        }

    def summary(self) -> str:
        """Return one line with the counts that are not zero."""
        words = {
            "skipped": "there already",
            "done_at_send": "in Diffgram at once",
            "sent": "on their way",
            "not_sent": "not sent",
        }
        counts = self.counts()
        told = [f"{counts[name]:,} {said}" for name, said in words.items() if counts[name]]
        ids = [f"{batch.id}" for batch in self.batches if batch.id is not None]
        named = f", in batch {first_of(ids, _SHOWN_BATCHES)}" if ids else ""
        return f"{count_of(self.expected, 'packet')}: {', '.join(told) or 'nothing to send'}{named}"

    def to_xcom(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


class ReceiptFailure(BaseModel):
    """One input that did not arrive, and why.

    :param name: name of the file; None if the server does not return it.
    :param input_id: id of the input; None if there is none.
    :param reason: what the server says, or what was found instead of the predictions.
    :param inputs: number of inputs that this stands for: unlisted ones have neither name nor id.
    """

    model_config = ConfigDict(frozen=True)

    name: str | None
    input_id: int | None
    reason: str
    inputs: int = 1


class Receipt(BaseModel):
    """The outcome, or the current state, of all expected inputs. Each input is counted once.

    :param project: project_string_id of the project.
    :param expected: how many packets were sent or found.
    :param failures: the first 20 that did not arrive, with the reason.
    :param succeeded: in Diffgram with all predictions.
    :param skipped: already in Diffgram.
    :param failed: refused by the server, or not stored as sent; ``failures`` names the first 20 that failed,
        are missing or stuck.
    :param archived: removed by a person meanwhile.
    :param pending: not settled yet.
    :param missing: sent, but not listed by the server for half a minute.
    :param stuck: abandoned by the server: nothing has moved for longer than the wait allows.
    :param not_sent: refused by the push, within the limit of the sending task.
    :param unchecked: blobs whose object the worker could not read, so their success proves nothing about it.
    :param waiting: name, input id and status of the first 20 that are pending.
    :param kept: predictions that kept their old score and model run, because the replacement has equal ones.
    :param delivered: how many packets were delivered in each way, from the handles.
    :param refreshed: what refreshes did, from the handles.
    :param file_ids: files that hold the predictions of their packets, if there are at most 1000.
    """

    model_config = ConfigDict(frozen=True)

    project: str
    expected: int
    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    archived: int = 0
    pending: int = 0
    missing: int = 0
    stuck: int = 0
    not_sent: int = 0
    unchecked: int = 0
    kept: int = 0
    failures: list[ReceiptFailure] = []
    waiting: list[str] = []
    delivered: dict[Delivery, int] = {}
    refreshed: dict[str, int] = {}
    file_ids: list[int] = []

    @property
    def complete(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.pending == 0

    @property
    def problems(self) -> int:
        """How many did not arrive, except those that a person archived."""
        return self.failed + self.missing + self.stuck

    def to_xcom(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")

    def counts(self) -> dict[str, int]:
        """Return only the numbers."""
        names = ("succeeded", "skipped", "failed", "archived", "pending", "missing", "stuck", "not_sent")
        return {"expected": self.expected} | {name: getattr(self, name) for name in names} | self.refreshed

    def summary(self) -> str:
        """Return one line with the counts that are not zero."""
        ended = {name: count for name, count in self.counts().items() if count and name != "expected"}
        counts = [f"{count:,} {name.replace('_', ' ')}" for name, count in ended.items()]
        kept = [f"{count_of(self.kept, 'prediction')} kept as stored"] if self.kept else []
        unchecked = f"; {count_of(self.unchecked, 'blob')} not checked" if self.unchecked else ""
        return f"{self.expected:,} expected: {', '.join([*counts, *kept]) or 'nothing sent'}{unchecked}"
