"""What is stored of a video's predictions: only its own endpoint tells (server.md 5.6, quirk 54)."""

from __future__ import annotations

from ...client import routes
from ...client.request import Steps, ask
from ...models import InputRow
from ..server.frames import instances_of_frames
from .compare import compare


def missing_in_frames(project: str, row: InputRow, directory_id: int | None) -> Steps[list[str]]:
    """Return the predictions of a video's input that its frames do not hold, in words.

    A listing leaves frames out, so the input is read; where its dataset is not told, nothing is proved.
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
