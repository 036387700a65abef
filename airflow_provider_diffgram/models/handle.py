"""What a push leaves behind and what a wait returns: small values that fit in an XCom."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

SHOWN_FAILURES = 20
SHOWN_FILE_IDS = 100


class SentBatch(BaseModel):
    """An input batch and how many inputs of it are ours to wait for.

    :param id: id of the input batch; None for inputs that are found by parent, or by their ids alone.
    :param inputs: number of inputs to wait for; None for all that the server lists, at least one.
    :param parent_file_id: compound file of the inputs, since a listing shows the children of one parent or
        none (quirk 12).
    :param only: ids of these inputs, where an earlier attempt of the task sent others in the same batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int | None
    inputs: int | None
    parent_file_id: int | None = None
    only: list[int] | None = None


class Handle(BaseModel):
    """What was sent, for the wait.

    ``expected`` is ``skipped`` plus ``done_at_send`` plus ``not_sent`` plus the inputs in ``batches``, as far
    as their number is known.

    :param project: project_string_id.
    :param directory_id: dataset that was sent to; None to go by what each input says.
    :param batches: input batches to wait for.
    :param expected: number of packets.
    :param skipped: how many were in Diffgram already, with their predictions.
    :param done_at_send: how many were ingested, with their predictions, before the send returned.
    :param not_sent: how many were refused, where the task was told to put up with that.
    :param unchecked: how many blobs could not be looked at; the server proves nothing of them (quirk 57).
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

    def counts(self) -> dict[str, int]:
        """Return what became of the packets so far, in numbers."""
        return {
            "expected": self.expected,
            "skipped": self.skipped,
            "done_at_send": self.done_at_send,
            "sent": sum(batch.inputs or 0 for batch in self.batches),
            "not_sent": self.not_sent,
        }

    def to_xcom(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


class ReceiptFailure(BaseModel):
    """One input that did not arrive, and why.

    :param inputs: how many inputs this is about: what the server does not list has neither name nor id.
    """

    model_config = ConfigDict(frozen=True)

    name: str | None
    input_id: int | None
    reason: str
    inputs: int = 1


class Receipt(BaseModel):
    """How everything that was expected ended, or where it stands. Nothing is counted twice.

    :param succeeded: in Diffgram with all predictions.
    :param skipped: there before.
    :param failed: refused by the server, or not stored as sent; ``failures`` names the first 20 that failed,
        are missing or stuck.
    :param archived: removed by a person meanwhile.
    :param pending: not settled yet.
    :param missing: sent, but the server has not listed it for half a minute.
    :param stuck: left by the server: nothing has moved for longer than is put up with.
    :param not_sent: refused when it was sent, which the sending task put up with.
    :param unchecked: blobs whose object could not be looked at, so that success proves nothing of it.
    :param waiting: name, input and status of the first 20 that are pending.
    :param kept: predictions that the server kept with their old score and model run, since those of a
        replacement are equal to them.
    :param file_ids: files of the inputs that succeeded, where they are at most 100.
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
    file_ids: list[int] = []

    @property
    def complete(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.pending == 0

    @property
    def problems(self) -> int:
        """How many did not arrive, by no person's will."""
        return self.failed + self.missing + self.stuck

    def to_xcom(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")

    def counts(self) -> dict[str, int]:
        """Return the numbers alone."""
        names = ("succeeded", "skipped", "failed", "archived", "pending", "missing", "stuck", "not_sent")
        return {"expected": self.expected} | {name: getattr(self, name) for name in names}

    def summary(self) -> str:
        """Return one line with the counts that are not zero."""
        ended = {name: count for name, count in self.counts().items() if count and name != "expected"}
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in ended.items()]
        kept = [f"{self.kept} predictions kept as they were before"] if self.kept else []
        unchecked = f"; blobs not looked at: {self.unchecked}" if self.unchecked else ""
        return f"{self.expected} expected: {', '.join([*counts, *kept]) or 'nothing sent'}{unchecked}"
