"""Introduces new model runs: one packet goes first, the others wait until the server knows it (quirk 48)."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ....client import DiffgramClient, DiffgramError, routes
from ....client.request import Steps, ask, ask_together, now, poll
from ....models import Input, InputStatus, Packet, TextMedia
from ....models.problems import named
from ...check.check import Plan
from ...check.labels import Ref
from ...server.files import settle_seconds
from ...server.rows import is_under_way, runs_named, runs_resolved
from .batches import Place
from .liveness import Liveness
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


@dataclass(slots=True)
class Introduction:
    """A packet under way that introduces model runs.

    :param name: the packet's name.
    :param new: the runs that it introduces.
    :param settles_in: seconds from its success until its instances, and so its runs, are stored.
    :param until: when it must have ended, by the client's clock.
    :param repairs: how often its input was stuck and repaired.
    :param seen: its input as last listed.
    """

    name: str
    new: frozenset[Ref]
    settles_in: float
    until: float
    repairs: int = 0
    seen: Input | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """How an introduction ended. If neither field is set, the input failed.

    :param has_run: whether the server has the runs.
    :param stuck: the input, if the server has lost it.
    """

    has_run: bool = False
    stuck: Input | None = None


class ModelRuns:
    """The models and runs that the server is known to have.

    If two packets name a run that the server does not know, one of them can be lost forever, and the server
    loses an ingest thread. A listed run with that name proves nothing, because it may be another model's. An
    input to which the server has given the ids of both model and run proves it.

    :param plan: its labels hold the default model and run, for predictions that name none.
    :param turns: coordinates tasks that may introduce the same run at the same moment.
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
        """Let other tasks introduce the runs that this push did not."""
        if self._turns is not None:
            self._turns.leave(self._known)

    def names_new(self, packet: Packet) -> bool:
        """Return whether a packet names runs that this push does not know; sends no request."""
        if isinstance(packet.media, TextMedia):
            return False  # the server does not resolve references for text (server.md 5.1)
        return bool(self._refs(packet) - self._known)

    def is_new(self, packet: Packet) -> bool:
        """Ask the server for the runs of a packet; return whether one is still missing.

        If so, it is now this push's turn to introduce it.
        """
        if not self.names_new(packet):
            return False
        new = self._refs(packet) - self._known
        if new - self._looked_for:
            self._looked_for |= new
            self._client.run(self._look_for(new, packet.parent_file_id))
        return bool(new - self._known)

    def _look_for(self, new: frozenset[Ref], parent_file_id: int | None) -> Steps[None]:
        """Find out which of ``new`` runs the server has, and wait for this push's turn with the others."""
        yield from self._look_at_inputs(parent_file_id)
        if new - self._known and self._turns is not None:
            self._known |= yield from self._turns.take(new - self._known)
            if new - self._known:  # it may have arrived while others had their turn
                yield from self._look_at_inputs(parent_file_id)
        yield from self._until_others_have(new - self._known)
        if new <= self._known:
            self.close()

    def _know(self, refs: frozenset[Ref]) -> None:
        self._known |= refs
        self.close()

    def _until_others_have(self, new: frozenset[Ref]) -> Steps[None]:
        """Wait while somebody else's input introduces ``new`` runs, unless the server has lost that input."""
        project = self._client.project
        movement = Liveness((yield from now()))
        told = False

        def look() -> Steps[bool | None]:
            nonlocal told
            if told:
                ended = yield from ask(routes.list_inputs(project, status="Success", limit=_RECENT))
                self._known |= {ref for row in ended for ref in runs_resolved(row)}
            if not new - self._known:
                return True
            rows = yield from ask(routes.list_inputs(project, status="Processing", limit=_RECENT))
            under_way = [row for row in rows if new & runs_named(row)]
            moment = yield from now()
            movement.note(under_way, moment)
            if moment - movement.moved_at > self._stuck_after:
                self._lost = {row.id for row in under_way if is_under_way(row)}
            if self._lost or not under_way:
                return True
            if not told:
                told = True
                ids = [row.id for row in under_way]
                _log.info("waiting for others to introduce %s: %s", _words(new), named("input", ids))
            self._renew_turn()
            return None

        yield from poll(look, every=_POLL, patience=INTRODUCTION_TIMEOUT)

    def _refs(self, packet: Packet) -> frozenset[Ref]:
        return self._labels.refs_of(packet.instances)

    def introduction(self, packet: Packet, name: str) -> Introduction:
        """Begin to introduce the new runs of a packet under way.

        :param name: the packet's name in messages.
        """
        new = self._refs(packet) - self._known
        _log.info("%s introduces %s; the other packets wait for it", name, _words(new))
        until = self._client.clock.monotonic() + INTRODUCTION_TIMEOUT
        return Introduction(name, new, settle_seconds(len(packet.instances)), until)

    def wait_for(self, introduction: Introduction, place: Place) -> Input | None:
        """Wait until the server has the runs, or the packet that introduces them has failed.

        :param place: where the packet's input is listed.
        :return: an input that the server has lost, which the caller must repair and wait for again; this may
            happen if somebody else introduces the same run at the same moment. Otherwise None.
        :raises IntroductionError: if it takes more than an hour, or the input gets stuck again and again.
        """
        left = introduction.until - self._client.clock.monotonic()
        end = self._client.run(self._until_ended(introduction, place, left))
        if end is None or (end.stuck and introduction.repairs == _REPAIRS):
            raise _not_introduced(introduction)
        if end.has_run:
            self._know(introduction.new)
        if end.stuck is None:
            return None  # if it failed and made no run, the next packet introduces
        introduction.repairs += 1
        words = "%s: input %s is stuck as %s; the server has lost it: repairing it"
        _log.warning(words, introduction.name, end.stuck.id, end.stuck.status)
        return end.stuck

    def _look_at_inputs(self, parent_file_id: int | None) -> Steps[None]:
        """Record the runs of recent inputs; for a child, also of its parent's and the newest compounds'.

        A listing of inputs hides children (quirk 12), and lists parents of compound files as pending.
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

    def _until_ended(self, introduction: Introduction, place: Place, patience: float) -> Steps[_End | None]:
        """Return how the introduction ended; None if it is still under way when ``patience`` ends."""
        project, new = self._client.project, introduction.new
        before = yield from _run_names(project)
        movement = Liveness((yield from now()))
        succeeded_at: float | None = None

        def look() -> Steps[_End | None]:
            nonlocal succeeded_at
            rows = yield from place.rows(project)
            introduction.seen = row = next(iter(rows), None)
            if row is not None and new <= runs_resolved(row):
                return _End(has_run=True)
            listed = yield from _run_names(project)
            if all(run in listed - before for _, run in new):
                return _End(has_run=True)
            self._renew_turn()
            if row is None:
                return None
            if row.failed:
                return _End()
            moment = yield from now()
            if row.succeeded:
                succeeded_at = moment if succeeded_at is None else succeeded_at
                return _End(has_run=True) if moment - succeeded_at > introduction.settles_in else None
            movement.note([row], moment)
            is_lost = row.id in self._lost or movement.stood(row, moment) > self._stuck_after
            if row.hangs or (is_lost and is_under_way(row)):
                self._lost.discard(row.id)  # a retry may bring this one back to life
                return _End(stuck=row)
            return None

        return (yield from poll(look, every=_POLL, patience=patience))


def _not_introduced(introduction: Introduction) -> IntroductionError:
    row = introduction.seen
    which = f"input {row.id} is still {row.status!r}" if row else "input is not listed"
    return IntroductionError(
        f"{introduction.name} was to introduce {_words(introduction.new)}, but its {which}. The other "
        "packets were not sent, since the server may lose one of them. Is the server ingesting at all? Then "
        "archive that input and retry."
    )


def _run_names(project: str) -> Steps[set[str]]:
    runs = yield from ask(routes.list_model_runs(project))
    return {run.reference_id for run in runs if run.reference_id is not None}


def _words(refs: frozenset[Ref]) -> str:
    return ", ".join(f"model {model!r} run {run!r}" for model, run in sorted(refs, key=str))
