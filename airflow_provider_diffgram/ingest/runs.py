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

INTRODUCTION_TIMEOUT = 600.0
"""Seconds to wait for the packet that introduces a model run."""

_POLL = 1.0

Ref = tuple[str, str | None]


class IntroductionError(DiffgramError):
    """The packet that introduces a model run was not ingested in time."""


class ModelRuns:
    """The model runs that the server is known to have.

    Two packets that name a run the server has not met can lose one of them for ever and cost the server
    an ingest thread.

    :param client: of the project.
    """

    def __init__(self, client: DiffgramClient) -> None:
        self._client = client
        self._known: set[Ref] = set()
        self._listed: set[str] | None = None

    def note(self, packet: Packet) -> None:
        """Remember the runs of a packet that was ingested."""
        self._known |= packet.refs

    def introduce(self, packet: Packet, name: str, place: Place) -> None:
        """Wait until the runs of a packet just sent exist, unless they did before.

        :raises IntroductionError: if that takes more than ten minutes.
        """
        if isinstance(packet.media, TextMedia):
            return  # the server does not resolve references for text (wire contract 5.1)
        new = {ref for ref in packet.refs - self._known if ref[1] is None or ref[1] not in self._runs()}
        if new:
            _log.info("%s introduces %s; the other packets wait for it", name, _words(new))
            if not self._client.run(self._until_known(packet, name, place, new)):
                return  # it failed and made no run: the next packet introduces
        self._known |= packet.refs

    def _runs(self) -> set[str]:
        if self._listed is None:
            self._listed = self._client.run(_run_names(self._client.project))
        return self._listed

    def _until_known(self, packet: Packet, name: str, place: Place, new: set[Ref]) -> Steps[bool]:
        started = time.monotonic()
        succeeded_at: float | None = None
        runs = {run for _, run in new if run is not None}
        row: Input | None = None
        while time.monotonic() - started < INTRODUCTION_TIMEOUT:
            listed = yield from _run_names(self._client.project)
            self._listed = listed
            if runs and runs <= listed:
                return True
            rows = yield from place.rows(self._client.project)
            row = next(iter(rows), None)
            if row is not None and row.failed:
                return False
            if row is not None and row.succeeded:
                succeeded_at = succeeded_at or time.monotonic()
                # A model without a run is listed nowhere: known once the instances had time to be written.
                if time.monotonic() - succeeded_at > settle_seconds(len(packet.instances)):
                    return True
            yield from pause(_POLL)
        status = row.status if row else "not listed"
        raise IntroductionError(
            f"{name} was to introduce {_words(new)}, but its input {row.id if row else ''} is still "
            f"{status!r} after {INTRODUCTION_TIMEOUT:.0f} s. The other packets were not sent, since the "
            "server may lose one of them. Is the server ingesting at all? Then archive that input and retry."
        )


def _run_names(project: str) -> Steps[set[str]]:
    runs = yield from ask(routes.list_model_runs(project))
    return {run.reference_id for run in runs if run.reference_id is not None}


def _words(refs: set[Ref]) -> str:
    return ", ".join(f"model {model!r} run {run!r}" for model, run in sorted(refs, key=str))
