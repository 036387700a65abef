"""The operator that makes model runs known before tasks of a map send at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .diffgram import DiffgramSendPacketOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.check.labels import Ref
    from ..ingest.read.paths import PathOpener
    from ..models import Packet

Chunk = Mapping[str, Any] | Iterable[Any] | str


class DiffgramIntroduceRunsOperator(DiffgramSendPacketOperator):
    """Send one packet of each model run that chunks of packets name, and wait until the server knows the run.

    If several tasks introduce the same run at the same moment, the server loses an input and a thread (quirk
    48). The tasks that send the chunks find these packets there, and do not send them again.

    :param chunks: what each of the tasks is to send: paths of JSON Lines files, or lists of packets. Of each
        chunk the first packet that names a run counts.
    """

    template_fields: Sequence[str] = (
        "chunks",
        *(field for field in DiffgramSendPacketOperator.template_fields if field != "packets"),
    )

    def __init__(self, *, chunks: Iterable[Chunk] | str, **kwargs: Any) -> None:
        super().__init__(packets=[], **kwargs)
        self.chunks = chunks

    def execute(self, context: Context) -> dict[str, Any]:
        """Pick the packets, send them and return the handle."""
        from ..hooks.diffgram import failing_for_good

        with failing_for_good():
            self.packets = first_of_each_run(self.chunks, self._hook().path_opener(), self._origin())
        self.log.info("%s packet(s) introduce the model runs", len(self.packets))
        return super().execute(context)


def first_of_each_run(
    chunks: Iterable[Chunk] | str, path_of: PathOpener, origin: Ref | None = None
) -> list[Packet]:
    """Return of each chunk the first packet that names a model run, if no earlier chunk has named it.

    Texts are passed over: the server keeps no model for them (server.md 5.1).

    :param path_of: opens the paths of chunks.
    :param origin: model and run of predictions that name none.
    :raises InvalidValueError: if a chunk cannot be read.
    """
    from ..ingest.check.check import validated
    from ..ingest.check.labels import refs_of
    from ..ingest.read.jsonlines import candidates
    from ..models import Packet, TextMedia

    known: set[Ref] = set()
    found = []
    for chunk in [chunks] if isinstance(chunks, str) else chunks:
        packets = validated(Packet, candidates(chunk, "packet", path_of), "packet")
        named = (
            (packet, refs)
            for packet in packets
            if isinstance(packet, Packet) and not isinstance(packet.media, TextMedia)
            for refs in [refs_of(packet.instances, origin)]
            if refs
        )
        first, refs = next(named, (None, frozenset()))
        if first is not None and not refs <= known:
            known |= refs
            found.append(first)
    return found
