"""The emulator's memory: one SQLite file (WAL) and a folder of media."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .tables import ADDED, AFTERWARDS, TABLES
from .times import now_iso

ROLES = ("admin", "Editor", "Viewer")
DEFAULT_DATASET = "Default"
DEFAULT_SCHEMA = "Default Schema"


@dataclass(frozen=True)
class Credential:
    """One Basic credential: it belongs to one project and has one role (server.md 1.2)."""

    client_id: str
    client_secret: str
    role: str

    def __repr__(self) -> str:
        return f"Credential(client_id={self.client_id!r}, role={self.role!r})"


@dataclass(frozen=True)
class Project:
    """A project, by its number and by the text that stands in URLs."""

    id: int
    string_id: str


class Store:
    """Thread-safe access to the data folder.

    Every thread has its own connection; one lock orders the writers, so that a write never meets a busy
    database.

    :param folder: made if missing; a folder used before is continued.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "media"
        self.media.mkdir(parents=True, exist_ok=True)
        self._path = folder / "emulator.sqlite"
        self._local = threading.local()
        self._write_lock = threading.Lock()
        self._make_tables()
        self._path.chmod(0o600)
        self.signing_key = self._secret("signing_key")

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA journal_mode=WAL")
            found.execute("PRAGMA synchronous=OFF")
            self._local.connection = found
        return found

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside a transaction, committed at the end, rolled back on an exception."""
        connection = self.connection()
        with self._write_lock:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query."""
        row: sqlite3.Row | None = self.connection().execute(query, values).fetchone()
        return row

    def all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        return self.connection().execute(query, values).fetchall()

    def _make_tables(self) -> None:
        connection = self.connection()
        connection.executescript(TABLES)
        for table, column, kind in ADDED:
            if all(row["name"] != column for row in connection.execute(f"PRAGMA table_info({table})")):
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
                if column == "root_id":
                    connection.execute(AFTERWARDS)

    def _secret(self, key: str) -> str:
        with self.write() as connection:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, secrets.token_urlsafe(32)))
        row = self.one("SELECT value FROM meta WHERE key = ?", key)
        assert row is not None
        return str(row["value"])

    def project(self, string_id: str) -> Project | None:
        """Return the project of that ``project_string_id``."""
        row = self.one("SELECT id, string_id FROM project WHERE string_id = ?", string_id)
        return None if row is None else Project(row["id"], row["string_id"])

    def credentials(self, project: Project) -> dict[str, Credential]:
        """Return the project's credentials by role."""
        rows = self.all("SELECT * FROM credential WHERE project_id = ?", project.id)
        return {row["role"]: Credential(row["client_id"], row["client_secret"], row["role"]) for row in rows}

    def ensure_project(self, string_id: str) -> Project:
        """Return the project, made with its dataset, schema and credentials if it is not there."""
        found = self.project(string_id)
        if found is not None:
            return found
        now = now_iso()
        with self.write() as connection:
            project_id = insert(connection, "project", string_id=string_id, created_time=now)
            insert(
                connection,
                "directory",
                project_id=project_id,
                nickname=DEFAULT_DATASET,
                access_type="project",
                created_time=now,
            )
            insert(
                connection,
                "label_schema",
                project_id=project_id,
                name=DEFAULT_SCHEMA,
                is_default=1,
                time_created=now,
            )
            for role in ROLES:
                insert(
                    connection,
                    "credential",
                    client_id=f"LIVE__{secrets.token_hex(10)}",
                    client_secret=secrets.token_urlsafe(24),
                    project_id=project_id,
                    role=role,
                    member_id=insert(connection, "member", project_id=project_id),
                )
        return Project(project_id, string_id)


def insert(connection: sqlite3.Connection, table: str, **values: Any) -> int:
    """Insert a row and return its id; table and column names are the emulator's own."""
    columns = ", ".join(values)
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update(connection: sqlite3.Connection, table: str, row_id: int, **values: Any) -> None:
    """Set columns of one row."""
    columns = ", ".join(f"{column} = ?" for column in values)
    connection.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*values.values(), row_id))


def to_json(value: Any) -> str | None:
    """Return a value as stored text; None stays NULL. NaN and Infinity are kept (quirk 59)."""
    return None if value is None else json.dumps(value)


def from_json(text: str | None) -> Any:
    """Return a stored value."""
    return None if text is None else json.loads(text)
