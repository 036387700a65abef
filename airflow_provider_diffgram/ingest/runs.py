"""A new model run is introduced by one packet; the others wait until the server knows it (quirk 48)."""

from __future__ import annotations

import logging
import time

from ..client import DiffgramClient, DiffgramError, routes
from ..client.request import Steps, ask, pause
from ..models import Input, Packet, TextMedia
from .batches import Place
from .counters import settle_seconds

_log = logging.getLogger(__name__)

INTRODUCTION_TIMEOUT = 3600.0
"""Seconds to wait for the packet that introduces a model run."""

_POLL = 1.0
_RECENT = 100

Ref = tuple[str, str | None]


class IntroductionError(DiffgramError):
    """The packet that introduces a model run was not ingested in time."""


class ModelRuns:
    """The models and runs that the server is known to have.

    Two packets that name a run the server has not met can lose one of them for ever and cost the server
    an ingest thread. That a run of that name is listed proves nothing: it may be another model's. What
    proves it is an input that the server has given the ids of both.

    :param client: of the project.
    """

    def __init__(self, client: DiffgramClient) -> None:
        self._client = client
        self._known: set[Ref] = set()
        self._looked = False

    def note(self, packet: Packet) -> None:
        """Remember the runs of a packet that was ingested."""
        self._known |= packet.refs

    def is_new(self, packet: Packet) -> bool:
        """Return whether the server is not known to have the runs of a packet."""
        if isinstance(packet.media, TextMedia):
            return False  # the server does not resolve references for text (wire contract 5.1)
        if packet.refs - self._known and not self._looked:
            self._looked = True
            self._known |= self._of_recent_inputs()
        return bool(packet.refs - self._known)

    def introduce(self, packet: Packet, name: str, place: Place) -> None:
        """Wait until the new runs of a packet on its way exist.

        :param place: where the packet's input is listed.
        :raises IntroductionError: if that takes more than an hour.
        """
        new = packet.refs - self._known
        _log.info("%s introduces %s; the other packets wait for it", name, _words(new))
        if self._client.run(self._until_known(packet, name, place, new)):
            self._known |= packet.refs
        # else it failed and made no run: the next packet introduces

    def _of_recent_inputs(self) -> set[Ref]:
        rows = self._client.send(routes.list_inputs(self._client.project, status="Success", limit=_RECENT))
        return {ref for row in rows for ref in _resolved(row)}

    def _until_known(self, packet: Packet, name: str, place: Place, new: frozenset[Ref]) -> Steps[bool]:
        project = self._client.project
        started = time.monotonic()
        succeeded_at: float | None = None
        listed_before = yield from _run_names(project)
        row: Input | None = None
        while time.monotonic() - started < INTRODUCTION_TIMEOUT:
            rows = yield from place.rows(project)
            row = next(iter(rows), None)
            if row is not None and new <= _resolved(row):
                return True
            listed = yield from _run_names(project)
            if all(run in listed - listed_before for _, run in new):
                return True
            if row is not None and row.failed:
                return False
            if row is not None and row.succeeded:
                succeeded_at = succeeded_at or time.monotonic()
                if time.monotonic() - succeeded_at > settle_seconds(len(packet.instances)):
                    return True
            yield from pause(_POLL)
        status = row.status if row else "not listed"
        raise IntroductionError(
            f"{name} was to introduce {_words(new)}, but its input {row.id if row else ''} is still "
            f"{status!r} after {INTRODUCTION_TIMEOUT:.0f} s. The other packets were not sent, since the "
            "server may lose one of them. Is the server ingesting at all? Then archive that input and retry."
        )


def _resolved(row: Input) -> set[Ref]:
    """Return the references in a row's instances that the server has given ids (wire contract 3.1)."""
    instances = [each for each in row.instance_list if isinstance(each, dict) and each.get("model_id")]
    with_run = {
        (each["model_ref"], each["model_run_ref"])
        for each in instances
        if each.get("model_ref") and each.get("model_run_ref") and each.get("model_run_id")
    }
    without = {
        (each["model_ref"], None)
        for each in instances
        if each.get("model_ref") and not each.get("model_run_ref")
    }
    return with_run | without


def _run_names(project: str) -> Steps[set[str]]:
    runs = yield from ask(routes.list_model_runs(project))
    return {run.reference_id for run in runs if run.reference_id is not None}


def _words(refs: frozenset[Ref]) -> str:
    return ", ".join(f"model {model!r} run {run!r}" for model, run in sorted(refs, key=str))
