"""What is stored of a video's predictions: only its own endpoint tells (server.md 5.6, quirk 54)."""

from __future__ import annotations

from collections.abc import Iterable

from ...client import routes
from ...client.request import Steps, ask, ask_together
from ...models import InputRow
from .compare import compare

_WINDOW = routes.MAX_BUFFER - 1


def missing_in_frames(project: str, row: InputRow, directory_id: int | None) -> Steps[list[str]]:
    """Return the predictions of a video's input that its frames do not hold, in words.

    A listing leaves frames out, so the input is read; where its dataset is not told, nothing is proved.
    """
    full = yield from ask(routes.view_input(project, row.id))
    sent = {int(frame): instances for frame, instances in (full.frame_packet_map or {}).items()}
    sent = {frame: instances for frame, instances in sent.items() if instances}
    if not sent or row.file_id is None or directory_id is None:
        return []
    buffers = yield from ask_together(
        routes.list_frame_instances(project, row.file_id, directory_id, start, end)
        for start, end in _windows(sorted(sent))
    )
    stored = {frame: instances for buffer in buffers for frame, instances in buffer.items() if frame in sent}
    missing = []
    for frame, instances in sorted(sent.items()):
        compared = compare(instances, stored.get(frame, []), older_count=row.mode == "update_with_existing")
        missing += [f"frame {frame}: {each}" for each in compared.missing]
    return missing


def _windows(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Return ranges that hold all ``frames``, each as long as the server answers at once."""
    windows: list[tuple[int, int]] = []
    for frame in frames:
        if windows and frame < windows[-1][0] + _WINDOW:
            windows[-1] = windows[-1][0], frame + 1
        else:
            windows.append((frame, frame + 1))
    return windows
