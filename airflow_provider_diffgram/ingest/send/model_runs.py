"""A new model run is introduced by one packet; the others wait until the server knows it (quirk 48)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ...client import DiffgramClient, DiffgramError, routes
from ...client.request import Steps, ask, ask_together, pause
from ...models import Input, InputStatus, Packet, TextMedia
from ..check.check import Plan
from ..check.labels import Ref
from ..server.files import settle_seconds
from ..server.rows import is_under_way, progress_of, runs_named, runs_resolved
from .batches import Place
from .turns import Turns

_log = logging.getLogger(__name__)

INTRODUCTION_TIMEOUT = 3600.0
"""Seconds to wait for the packet that introduces a model run."""

_POLL = 1.0
_RECENT = 100
_COMPOUNDS = 20
_CHILDREN = 10
_REPAIRS = 2


class IntroductionError(DiffgramError):
    """The packet that introduces a model run was not ingested in time."""


class ModelRuns:
    """The models and runs that the server is known to have.

    Two packets that name a run the server has not met can lose one of them for ever and cost the server
    an ingest thread. That a run of that name is listed proves nothing: it may be another model's. What
    proves it is an input that the server has given the ids of both.

    :param client: of the project.
    :param plan: its labels know the model and the run of predictions that name none.
    :param turns: of tasks that may introduce the same run at the same moment.
    """

    def __init__(self, client: DiffgramClient, plan: Plan, turns: Turns | None = None) -> None:
        self._client = client
        self._labels = plan.labels
        self._stuck_after = plan.limits.stuck_after
        self._turns = turns
        self._known: set[Ref] = set()
        self._looked_for: set[Ref] = set()
        self._lost: set[int | None] = set()

    def note(self, packet: Packet) -> None:
        """Remember the runs of a packet that was ingested."""
        new = self._refs(packet) - self._known
        if new:
            self._know(new)

    def close(self) -> None:
        """Let others introduce what this push did not."""
        if self._turns is not None:
            self._turns.leave(self._known)

    def is_new(self, packet: Packet) -> bool:
        """Return whether the server is not known to have the runs of a packet."""
        if isinstance(packet.media, TextMedia):
            return False  # the server does not resolve references for text (server.md 5.1)
        new = self._refs(packet) - self._known
        if new - self._looked_for:
            self._looked_for |= new
            self._client.run(self._look_for(new, packet.parent_file_id))
        return bool(new - self._known)

    def _look_for(self, new: frozenset[Ref], parent_file_id: int | None) -> Steps[None]:
        """Learn which of ``new`` runs the server has; of the others it is this push's turn then."""
        yield from self._look_at_inputs(parent_file_id)
        if new - self._known and self._turns is not None:
            self._known |= yield from self._turns.take(new - self._known)
            if new - self._known:  # while others had their turn it may have come
                yield from self._look_at_inputs(parent_file_id)
        yield from self._until_others_have(new - self._known)
        if new <= self._known:
            self.close()

    def _know(self, refs: frozenset[Ref]) -> None:
        self._known |= refs
        self.close()

    def _until_others_have(self, new: frozenset[Ref]) -> Steps[None]:
        """Wait while somebody else's input introduces ``new`` runs; not for one that the server has lost."""
        project = self._client.project
        seen, seen_at = None, self._client.clock.monotonic()
        deadline, told = seen_at + INTRODUCTION_TIMEOUT, False
        while new - self._known and self._client.clock.monotonic() < deadline:
            rows = yield from ask(routes.list_inputs(project, status="Processing", limit=_RECENT))
            under_way = [row for row in rows if new & runs_named(row)]
            state = [(row.id, progress_of(row)) for row in under_way]
            if state != seen:
                seen, seen_at = state, self._client.clock.monotonic()
            if self._client.clock.monotonic() - seen_at > self._stuck_after:
                self._lost = {row.id for row in under_way if is_under_way(row)}
            if self._lost or not under_way:
                break
            if not told:
                told = True
                ids = [row.id for row in under_way]
                _log.info("waiting for input(s) %s of others, which introduce %s", ids, _words(new))
            self._renew_turn()
            yield from pause(_POLL)
            ended = yield from ask(routes.list_inputs(project, status="Success", limit=_RECENT))
            self._known |= {ref for row in ended for ref in runs_resolved(row)}

    def _refs(self, packet: Packet) -> frozenset[Ref]:
        return self._labels.refs_of(packet.instances)

    def introduce(self, packet: Packet, name: str, place: Place, again: Callable[[Input], Place]) -> None:
        """Wait until the new runs of a packet on its way exist.

        An input that the server has lost, as it may if somebody else introduces the same run at the same
        moment, is repaired.

        :param place: where the packet's input is listed.
        :param again: sends a packet again whose input is stuck, and returns where the new one is listed.
        :raises IntroductionError: if it takes more than an hour, or the input gets stuck again and again.
        """
        new = self._refs(packet) - self._known
        _log.info("%s introduces %s; the other packets wait for it", name, _words(new))
        deadline = self._client.clock.monotonic() + INTRODUCTION_TIMEOUT
        for attempt in range(_REPAIRS + 1):
            found = self._client.run(self._until_known(packet, place, new, deadline))
            if found is True:
                self._know(new)
            if isinstance(found, bool):
                return  # if it failed and made no run, the next packet introduces
            if attempt == _REPAIRS or found is None or self._client.clock.monotonic() > deadline:
                raise _not_introduced(name, new, found)
            _log.warning(
                "%s: input %s is stuck as %s; the server has lost it: repairing it",
                name,
                found.id,
                found.status,
            )
            place = again(found)

    def _look_at_inputs(self, parent_file_id: int | None) -> Steps[None]:
        """Learn the runs of recent inputs; for a child, of its parent's and of the newest compounds' too.

        A listing of inputs hides children (quirk 12), and lists the parents of compounds among the pending.
        """
        project = self._client.project
        listings = [routes.list_inputs(project, status="Success", limit=_RECENT)]
        if parent_file_id is not None:
            pending = yield from ask(routes.list_inputs(project, status="Processing", limit=_RECENT))
            compounds = [row.file_id for row in pending if row.status == InputStatus.BASE_OBJECT_CREATED]
            newest = sorted({each for each in compounds if each is not None}, reverse=True)[:_COMPOUNDS]
            listings += [
                routes.list_inputs(project, parent_file_id=each, status="Success", limit=_CHILDREN)
                for each in {parent_file_id, *newest}
            ]
        listed = yield from ask_together(listings)
        self._known |= {ref for rows in listed for row in rows for ref in runs_resolved(row)}

    def _renew_turn(self) -> None:
        if self._turns is not None:
            self._turns.renew()

    def _until_known(
        self, packet: Packet, place: Place, new: frozenset[Ref], deadline: float
    ) -> Steps[bool | Input | None]:
        """Return True once the runs exist, False if the input failed, or what is stuck or not listed."""
        project = self._client.project
        succeeded_at: float | None = None
        listed_before = yield from _run_names(project)
        row: Input | None = None
        seen, seen_at = None, self._client.clock.monotonic()
        while self._client.clock.monotonic() < deadline:
            rows = yield from place.rows(project)
            row = next(iter(rows), None)
            if row is not None and new <= runs_resolved(row):
                return True
            listed = yield from _run_names(project)
            if all(run in listed - listed_before for _, run in new):
                return True
            if row is not None and row.failed:
                return False
            if row is not None and row.hangs:
                return row
            if row is not None and row.succeeded:
                succeeded_at = succeeded_at or self._client.clock.monotonic()
                if self._client.clock.monotonic() - succeeded_at > settle_seconds(len(packet.instances)):
                    return True
            if row is not None and row.id in self._lost and is_under_way(row):
                self._lost.discard(row.id)  # a retry may bring this one back to life
                return row
            state = progress_of(row) if row else None
            if state != seen:
                seen, seen_at = state, self._client.clock.monotonic()
            elif (
                row is not None
                and is_under_way(row)
                and self._client.clock.monotonic() - seen_at > self._stuck_after
            ):
                return row
            self._renew_turn()
            yield from pause(_POLL)
        return row


def _not_introduced(name: str, new: frozenset[Ref], row: Input | None) -> IntroductionError:
    which = f"input {row.id} is still {row.status!r}" if row else "input is not listed"
    return IntroductionError(
        f"{name} was to introduce {_words(new)}, but its {which}. The other packets were not sent, since the "
        "server may lose one of them. Is the server ingesting at all? Then archive that input and retry."
    )


def _run_names(project: str) -> Steps[set[str]]:
    runs = yield from ask(routes.list_model_runs(project))
    return {run.reference_id for run in runs if run.reference_id is not None}


def _words(refs: frozenset[Ref]) -> str:
    return ", ".join(f"model {model!r} run {run!r}" for model, run in sorted(refs, key=str))
