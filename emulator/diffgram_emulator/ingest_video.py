"""Videos: their bytes and the instances of their frames are kept, nothing is decoded (server.md 5.6).

How many frames there are, and their size, is read in the file's own tables (see :mod:`.video_file`); of a
file that does not tell, any frame is taken to exist.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from . import media
from .batches import note_success
from .clock import Clock
from .errors import ThreadDied
from .files import find_file, frame_of, new_file
from .inputs import save_input, set_input
from .instances import store_instances
from .media import NoMedium
from .options import VERSION_TEXT
from .store import Project, Store, from_json, insert
from .video_file import video_facts

SEE_LOG = "See Update Log"
_QUEUE_ERROR = "'<' not supported between instances of 'QueuedFrame' and 'QueuedFrame'"
_FAILED_FRAMES = 10
"""How many frames' time a row is seen as failed before it goes on to success (quirk 52)."""


class VideoIngest:
    """Processes the rows of videos.

    :param clock: lets waiting end with the emulator.
    :param frame_seconds: time one frame takes.
    :param fault: tells the kind of fault a row meets, if any: one of :data:`.faults.ROW_KINDS_OF_VIDEOS`.
    :param go_on: does the rest once the frames are being pushed; at once unless given.
    """

    UNREADABLE = "Could not load video. Try again, try a different format or contact us."

    def __init__(
        self,
        store: Store,
        clock: Clock,
        frame_seconds: float,
        fault: Callable[[sqlite3.Row], str | None] | None = None,
        go_on: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.frame_seconds = frame_seconds
        self._fault = fault
        self._go_on = go_on

    def run(self, row: sqlite3.Row, name: str | None, content: bytes) -> None:
        """Create a video's File and its frames."""
        if not media.is_video(content):
            raise NoMedium({"status_text": self.UNREADABLE})
        facts = video_facts(content)
        with self.store.write() as connection:
            media_id = media.keep(
                self.store,
                connection,
                "video",
                row["project_id"],
                name,
                content,
                split_duration=row["video_split_duration"],
                width=facts.width if facts else None,
                height=facts.height if facts else None,
                frame_count=facts.frame_count if facts else None,
                frame_rate=round(facts.frame_rate) if facts and facts.frame_rate else None,
            )
            file_id = new_file(
                connection,
                project_id=row["project_id"],
                directory_id=row["directory_id"],
                type="video",
                original_filename=name,
                parent_id=row["parent_file_id"],
                ordinal=row["ordinal"] or 0,
                media_id=media_id,
                connection_id=row["connection_id"],
                bucket_name=row["bucket_name"],
            )
            set_input(
                connection,
                row["id"],
                file_id=file_id,
                status="loaded_video",
                percent_complete=20.0,
                video_was_split=0,
            )
        last = facts.frame_count if facts else None
        self._frames(row, file_id, from_json(row["frame_packet_map"]) or {}, last)

    def update(self, row: sqlite3.Row, file: sqlite3.Row) -> None:
        """Add instances to the frames of a video."""
        frames = from_json(row["frame_packet_map"])
        save_input(self.store, row["id"], media_type="video")
        if not frames:
            text = "Please provide a frame packet map to update a video."
            log = {"error": {"frame_packet_map": text}, "info": {}, "success": False}
            raise NoMedium({"status_text": text, "update_log": log})
        self._frames(row, file["id"], frames, None)

    def _frames(
        self, row: sqlite3.Row, file_id: int, frames: dict[str, Any], frame_count: int | None
    ) -> None:
        """Store frame after frame; a bad box loses its frame and the row still succeeds (quirk 52).

        :param frame_count: keys from here on are ignored, though their tracks are made; None ignores none.
        """
        try:
            numbers = {key: int(key) for key in frames}
            frames = {key: [*units] for key, units in frames.items()}
        except (ValueError, TypeError, AttributeError) as error:
            log = {"error": {"process_video": str(error)}, "info": {}, "success": False}
            raise NoMedium({"status_text": VERSION_TEXT, "update_log": log}) from None
        if self._has_text_number(frames):
            return
        project = Project(row["project_id"], self._project_name(row))
        if not self._labels_known(project, frames):
            raise NoMedium({"status_text": SEE_LOG})
        frames = {key: [self._tracked(file_id, one) for one in units] for key, units in frames.items()}
        save_input(self.store, row["id"], status="finished_writing_video_file", percent_complete=30.0)
        save_input(
            self.store,
            row["id"],
            status="pushing_frames_into_processing_queue",
            percent_complete=50.0,
            frame_packet_map=json.dumps(frames),
        )
        rest = functools.partial(self._process, row, project, file_id, frames, numbers, frame_count)
        if self._go_on is None:
            rest()
        else:
            self._go_on(rest)

    def _process(
        self,
        row: sqlite3.Row,
        project: Project,
        file_id: int,
        frames: dict[str, Any],
        numbers: dict[str, int],
        frame_count: int | None,
    ) -> None:
        """Store the frames that were pushed, and end the row."""
        fault = None if self._fault is None else self._fault(row)
        if fault == "hang":
            self._hang(row)
        errors: dict[str, Any] = {}
        ordered = sorted(
            (number, key) for key, number in numbers.items() if frame_count is None or number < frame_count
        )
        for done, (number, key) in enumerate(ordered):
            if not errors:
                self._note_progress(row, done / len(ordered))
            lost = self._one_frame(row, project, file_id, number, frames[key])
            if lost is not None:
                errors[f"Frame {number}"] = lost
                self._note_errors(row, errors)
                self.clock.pause(_FAILED_FRAMES * self.frame_seconds)
        if errors and fault == "stay_failed":
            return
        with self.store.write() as connection:
            set_input(connection, row["id"], status="success", percent_complete=100.0)
            note_success(connection, row["batch_id"])

    def _hang(self, row: sqlite3.Row) -> None:
        """Leave a row as one whose frames could not be queued beside another row (quirk 62).

        :raises ThreadDied: always.
        """
        self._note_errors(row, {"process_video": _QUEUE_ERROR})
        self.clock.pause(_FAILED_FRAMES * self.frame_seconds)
        save_input(self.store, row["id"], status="processing_frames_in_queue", percent_complete=90.0)
        raise ThreadDied(_QUEUE_ERROR)

    def _note_progress(self, row: sqlite3.Row, part: float) -> None:
        save_input(
            self.store,
            row["id"],
            status="processing_frames_in_queue",
            percent_complete=round(44.0 + 40.0 * part, 1),
        )

    def _note_errors(self, row: sqlite3.Row, errors: dict[str, Any]) -> None:
        log = {"error": errors, "info": {}, "last_updated": str(time.time()), "success": False}
        save_input(self.store, row["id"], status="failed", status_text=SEE_LOG, update_log=json.dumps(log))

    def _project_name(self, row: sqlite3.Row) -> str:
        found = self.store.one("SELECT string_id FROM project WHERE id = ?", row["project_id"])
        return "" if found is None else str(found["string_id"])

    @staticmethod
    def _has_text_number(frames: dict[str, Any]) -> bool:
        """Tell whether a track number is no integer, which hangs the row for ever (quirk 53)."""
        return any(
            one.get("number") is not None and not isinstance(one["number"], int)
            for units in frames.values()
            for one in units
            if isinstance(one, dict)
        )

    def _labels_known(self, project: Project, frames: dict[str, Any]) -> bool:
        known = {
            found["id"]
            for found in self.store.all(
                "SELECT id FROM file WHERE project_id = ? AND type = 'label'", project.id
            )
        }
        return all(
            one.get("label_file_id") in known or one.get("type") == "global"
            for units in frames.values()
            for one in units
            if isinstance(one, dict)
        )

    def _tracked(self, video_file_id: int, instance: Any) -> Any:
        """Return an instance with the sequence of its track: one per label and number (default 1)."""
        if not isinstance(instance, dict):
            return instance
        number = instance.get("number") or 1
        label = instance.get("label_file_id")
        with self.store.write() as connection:
            found = connection.execute(
                "SELECT id FROM sequence WHERE video_file_id = ? AND label_file_id IS ? AND number = ?",
                (video_file_id, label, number),
            ).fetchone()
            sequence_id = (
                found["id"]
                if found
                else insert(
                    connection, "sequence", video_file_id=video_file_id, label_file_id=label, number=number
                )
            )
        return {**instance, "sequence_id": sequence_id}

    def _one_frame(
        self, row: sqlite3.Row, project: Project, video_file_id: int, number: int, units: list[Any]
    ) -> Any:
        """Store the instances of one frame; return its errors, or None."""
        self.clock.pause(self.frame_seconds)
        video = find_file(self.store, video_file_id)
        assert video is not None
        with self.store.write() as connection:
            frame_id = frame_of(connection, video, number)
        try:
            with self.store.write() as connection:
                outcome = store_instances(self.store, connection, project, frame_id, units)
                if not outcome.is_good:
                    raise _FrameLost(outcome.errors or outcome.crash)
        except _FrameLost as lost:
            return lost.errors
        return None


class _FrameLost(Exception):
    def __init__(self, errors: Any) -> None:
        super().__init__(errors)
        self.errors = errors
