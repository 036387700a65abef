"""Processing one Input row, as an ingest thread of the server does (server.md 3.2 to 3.6)."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from typing import Any

from . import media, naming
from .batches import note_success
from .clock import Clock
from .errors import DatabaseRefused, ThreadDied
from .events import note_event
from .files import UPDATABLE_TYPES, find_file, new_file, note_stored_instances, root_with_name
from .ingest_rows import NO_UNIT, instances_of, project_of, unhandled, with_log
from .ingest_video import VideoIngest
from .inputs import FRESH_LOG, find_input, save_input, set_input
from .instances import Outcome, count_labels, soft_delete, store_instances
from .media import NoMedium
from .model_runs import resolve
from .options import Options
from .store import Store, insert

logger = logging.getLogger(__name__)

UPDATE_MODES = ("update", "update_with_existing")


class Ingest:
    """Processes rows.

    :param clock: lets waiting end with the emulator.
    """

    def __init__(self, store: Store, options: Options, clock: Clock) -> None:
        self.store = store
        self.options = options
        self.clock = clock

    def run(self, input_id: int) -> None:
        """Process a row up to its end.

        :raises ThreadDied: if the real thread would not survive it.
        """
        row = find_input(self.store, input_id)
        if row is None or row["archived"]:
            return
        if row["update_log"] == "{}":
            save_input(self.store, input_id, update_log=FRESH_LOG)
        save_input(self.store, input_id, status="processing", time_last_attempted=int(time.time()))
        try:
            self._dispatch(row)
        except NoMedium as failure:
            self.fail(row, failure.values)
        except DatabaseRefused as refused:
            save_input(self.store, input_id, status_text=None)
            raise ThreadDied(str(refused)) from refused

    def fail(self, row: sqlite3.Row, values: dict[str, Any]) -> None:
        """End a row as failed."""
        values = {**values, "status": "failed"}
        if "update_log" in values:
            values["update_log"] = json.dumps(values["update_log"])
        save_input(self.store, row["id"], **values)

    def _dispatch(self, row: sqlite3.Row) -> None:
        if row["mode"] in UPDATE_MODES:
            self._update(row)
            return
        project = project_of(self.store, row)
        owner = self.store.one("SELECT project_id FROM directory WHERE id = ?", row["directory_id"])
        if owner is None or owner["project_id"] != project.id:
            raise NoMedium({"status_text": "Invalid directory permission."})
        self.refuse_full(row)
        if row["local_path"] is not None:
            self._from_upload(row)
        elif row["source"] == "from_url":
            self._from_url(row)
        elif row["source"] == "from_text_data":
            self._from_text(row)
        elif row["source"] == "from_blob_path":
            self._from_blob(row)
        else:
            raise NoMedium(unhandled("expected str, bytes or os.PathLike object, not NoneType"))

    def _from_url(self, row: sqlite3.Row) -> None:
        url = row["url"]
        if row["sent_file_id"] is not None or url is None:
            raise NoMedium(with_log("Invalid url (None provided)"))
        if not url.startswith("http"):
            raise NoMedium(with_log("Invalid url (Did not start with http)"))
        name = row["original_filename"] or naming.name_from_url(url)
        if name is None:
            raise NoMedium(with_log("Invalid extension, check filename"))
        save_input(self.store, row["id"], original_filename=name)
        if row["media_type"] not in ("image", "video"):
            raise NoMedium(with_log(f"Invalid media type: {naming.extension(name)}"))
        self.refuse_duplicate(row, name)
        content = media.download(url, self.options.media_timeout)
        self._take(row, row["media_type"], name, content)

    def _from_upload(self, row: sqlite3.Row) -> None:
        self.refuse_duplicate(row, row["original_filename"])
        try:
            content = (self.store.folder / row["local_path"]).read_bytes()
        except OSError:
            raise NoMedium({"status_text": "Could not open file"}) from None
        self._take(row, row["media_type"], row["original_filename"], content)

    def _from_text(self, row: sqlite3.Row) -> None:
        self.refuse_duplicate(row, row["original_filename"])
        self._take(row, "text", row["original_filename"], (row["text_data"] or "").encode())

    def _from_blob(self, row: sqlite3.Row) -> None:
        """Register an object of a connection's bucket without ever touching it (quirks 46 and 57)."""
        kind, name = row["media_type"], row["original_filename"]
        if kind == "video":
            raise NoMedium({"status_text": VideoIngest.UNREADABLE})
        if kind == "text":
            trace = "Traceback (most recent call last):\n  ...\nFileNotFoundError: no such blob\n"
            log = {"error": {"text_file_upload": trace}, "info": {}, "success": False}
            raise NoMedium({"description": trace, "update_log": log})
        if kind != "image":
            return
        self.refuse_duplicate(row, name)
        self.clock.about(self.options.image_seconds)
        sent = self.resolved(row)
        with self.store.write() as connection:
            media_id = insert(
                connection,
                "media",
                kind="image",
                original_filename=name,
                bucket=row["bucket_name"],
                blob_path=row["raw_data_blob_path"],
                created_time=row["created_time"],
            )
            file_id = self._new_file(connection, row, "image", media_id)
        self._finish(row, file_id, sent)

    def _video(self) -> VideoIngest:
        return VideoIngest(self.store, self.clock, self.options.image_seconds, self.video_fault)

    def video_fault(self, row: sqlite3.Row) -> str | None:
        """Return the kind of fault that a video meets when its frames are pushed."""
        return None

    def refuse_full(self, row: sqlite3.Row) -> None:
        """End a row whose dataset holds as many files as it may."""
        cap = self.options.dataset_cap
        newest = self.store.one("SELECT max(id) AS id FROM file")
        if newest is None or (newest["id"] or 0) < cap:
            return
        held = self.store.one(
            "SELECT count(*) AS amount FROM file WHERE directory_id = ? AND state != 'removed'"
            " AND type NOT IN ('frame', 'label')",
            row["directory_id"],
        )
        if held is not None and held["amount"] >= cap:
            raise NoMedium({"status_text": f"Reached a per directory limit of {cap} files."})

    def refuse_duplicate(self, row: sqlite3.Row, name: str | None) -> None:
        """End a row whose name is taken; the shape of the log depends on the source (server.md 3.3)."""
        existing = root_with_name(self.store, row["directory_id"], name)
        if existing is None:
            return
        text = f"Filename {name} Already Exists in Dir. Existing ID is:{existing}"
        error = {"status_text": text} if row["source"] == "from_url" else {"existing_file_id": existing}
        raise NoMedium({"status_text": text, "update_log": {"error": error}})

    def _take(self, row: sqlite3.Row, kind: str, name: str | None, content: bytes) -> None:
        self.clock.about(self.options.image_seconds)
        save_input(self.store, row["id"], status="downloaded")
        if kind == "video":
            self._video().run(row, name, content)
            return
        sent = self.resolved(row) if kind == "image" else instances_of(row)
        file_id = self.store_medium(row, kind, name, content)
        self._finish(row, file_id, sent)

    def store_medium(self, row: sqlite3.Row, kind: str, name: str | None, content: bytes) -> int:
        """Keep a medium's bytes and create its File.

        :raises NoMedium: if they are not what the kind says.
        """
        size: tuple[int, int] | None = None
        if kind == "image":
            if naming.extension(name) not in naming.IMAGE:
                text = f"Extension: {naming.extension(name)} not supported yet. Supported: {naming.IMAGE}"
                raise NoMedium({"status_text": text})
            size = media.image_size(content)
            if size is None:
                raise NoMedium({"status_text": "Could not open file"})
            size = media.noted_size(*size)
            content = media.stored_image(content, naming.extension(name), size)
        elif kind not in UPDATABLE_TYPES:
            raise NoMedium({"status_text": f"The emulator does not ingest {kind}."})
        width, height = size or (None, None)
        with self.store.write() as connection:
            media_id = media.keep(
                self.store, connection, kind, row["project_id"], name, content, width=width, height=height
            )
            return self._new_file(connection, row, kind, media_id)

    def _new_file(self, connection: sqlite3.Connection, row: sqlite3.Row, kind: str, media_id: int) -> int:
        name = connection.execute("SELECT original_filename FROM media WHERE id = ?", (media_id,)).fetchone()
        file_id = new_file(
            connection,
            project_id=row["project_id"],
            directory_id=row["directory_id"],
            type=kind,
            original_filename=name["original_filename"],
            parent_id=row["parent_file_id"],
            ordinal=row["ordinal"] or 0,
            media_id=media_id,
            connection_id=row["connection_id"],
            bucket_name=row["bucket_name"],
        )
        note_stored_instances(connection, file_id, 0)
        note_event(connection, row["project_id"], "input_file_uploaded", file_id=file_id)
        set_input(connection, row["id"], file_id=file_id)
        return file_id

    def resolved(self, row: sqlite3.Row) -> list[Any]:
        """Return the row's instances with model ids, and echo them into the row.

        :raises DatabaseRefused: if another thread creates the same model or run at this moment (quirk 48).
        """
        project = project_of(self.store, row)
        sent = [
            resolve(self.store, project, one, lambda: self.clock.pause(self.options.model_race_seconds))
            if isinstance(one, dict)
            else one
            for one in instances_of(row)
        ]
        if sent and None not in sent:
            save_input(self.store, row["id"], instance_list=json.dumps({"list": sent}))
        return sent

    def _finish(self, row: sqlite3.Row, file_id: int, sent: list[Any]) -> None:
        """Write success first and the instances afterwards: the success may turn into failed (quirk 3)."""
        if None in sent:
            raise NoMedium({**unhandled(NO_UNIT), "instance_list": "{}"})
        self.succeed(row)
        if sent:
            self.clock.work(self.options.settle_seconds + self.options.settle_per_instance * len(sent))
            self.write_instances(row, file_id, sent)

    def succeed(self, row: sqlite3.Row) -> None:
        """End a row as success, and its batch with it, maybe."""
        with self.store.write() as connection:
            set_input(connection, row["id"], status="success", percent_complete=100.0)
            if row["media_type"] != "audio":
                note_success(connection, row["batch_id"])

    def write_instances(
        self, row: sqlite3.Row, file_id: int, sent: list[Any], member_id: int | None = None
    ) -> Outcome:
        """Store a row's instances in one transaction; a refused one turns the row to failed.

        :param member_id: who creates them; the queue does so for nobody (server.md 10.1).
        :raises ThreadDied: for a value only the database refuses: nothing is stored, the row stays as it is.
        """
        project = project_of(self.store, row)
        try:
            with self.store.write() as connection:
                outcome = store_instances(self.store, connection, project, file_id, sent, member_id=member_id)
                if not outcome.is_good:
                    set_input(connection, row["id"], status="failed", status_text=outcome.status_text)
        except DatabaseRefused as refused:
            raise ThreadDied(str(refused)) from refused
        return outcome

    def _update(self, row: sqlite3.Row) -> None:
        """Add to a file's instances or replace them (server.md 2.7, modes)."""
        file = find_file(self.store, row["sent_file_id"])
        if file is None:
            return
        if file["type"] == "video":
            self.clock.about(self.options.image_seconds)
            self._video().update(row, file)
            return
        if file["type"] not in UPDATABLE_TYPES:
            return
        save_input(self.store, row["id"], media_type=file["type"])
        self.clock.about(self.options.image_seconds)
        sent = self.resolved(row)
        if None in sent:
            raise NoMedium({**unhandled(NO_UNIT), "instance_list": "{}"})
        self.clock.work(self.options.settle_per_instance * len(sent))
        replace = row["mode"] == "update_with_existing"
        try:
            outcome = self._apply_update(row, file["id"], sent, replace)
        except DatabaseRefused as refused:
            self.succeed(row)
            raise ThreadDied(str(refused)) from refused
        if not outcome.is_good:
            raise NoMedium({"status_text": outcome.status_text})
        self.succeed(row)

    def _apply_update(self, row: sqlite3.Row, file_id: int, sent: list[Any], replace: bool) -> Outcome:
        project = project_of(self.store, row)
        with self.store.write() as connection:
            outcome = store_instances(self.store, connection, project, file_id, sent, keep_identical=replace)
            if replace and sent and outcome.is_good:
                live = connection.execute(
                    "SELECT id FROM instance WHERE file_id = ? AND soft_delete = 0", (file_id,)
                ).fetchall()
                gone = [one["id"] for one in live if one["id"] not in outcome.kept]
                soft_delete(connection, gone, "system_deletion")
                count_labels(connection, file_id)
                note_stored_instances(connection, file_id, 0)
        return outcome
