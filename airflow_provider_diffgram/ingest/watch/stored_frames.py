"""Finds predictions missing from a video, by an endpoint of its own (server.md 5.6, quirk 54)."""

from __future__ import annotations

from ...client import routes
from ...client.request import Steps, ask
from ...models import InputRow
from ..server.frames import instances_of_frames
from .compare import compare


def missing_in_frames(project: str, row: InputRow, directory_id: int | None) -> Steps[list[str]]:
    """Describe the predictions of a video's input that are missing from its frames.

    A listing leaves frames out, so the input is read. Without the id of its dataset, nothing is compared.
    """
    full = yield from ask(routes.view_input(project, row.id))
    sent = {int(frame): instances for frame, instances in (full.frame_packet_map or {}).items()}
    sent = {frame: instances for frame, instances in sent.items() if instances}
    if not sent or row.file_id is None or directory_id is None:
        return []
    stored = yield from instances_of_frames(project, row.file_id, directory_id, sent)
    missing = []
    for frame, instances in sorted(sent.items()):
        compared = compare(instances, stored.get(frame, []), older_count=row.mode == "update_with_existing")
        missing += [f"frame {frame}: {each}" for each in compared.missing]
    return missing
