"""Rows of the people who can log in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from .store import Project, Store


@dataclass(frozen=True)
class PersonRow:
    """Somebody, and the member of one project that they are."""

    id: int
    email: str
    password: str = field(repr=False)
    member_id: int


def ensure_person(store: Store, project: Project, email: str, first_name: str, last_name: str) -> PersonRow:
    """Return the person of an email as a member of a project, both made if they are not there."""
    with store.write() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO person (email, password, first_name, last_name) VALUES (?, ?, ?, ?)",
            (email, secrets.token_urlsafe(12), first_name, last_name),
        )
        person = connection.execute("SELECT * FROM person WHERE email = ?", (email,)).fetchone()
        connection.execute(
            "INSERT OR IGNORE INTO member (project_id, person_id) VALUES (?, ?)", (project.id, person["id"])
        )
        member = connection.execute(
            "SELECT id FROM member WHERE project_id = ? AND person_id = ?", (project.id, person["id"])
        ).fetchone()
    return PersonRow(person["id"], email, person["password"], member["id"])
