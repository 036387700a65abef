"""Who may do what: Basic credentials of one project and role (server.md 1.2)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence

from .errors import Refusal, http_error
from .store import Project, Store

WRITERS = ("admin", "Editor")
EVERYONE = ("admin", "Editor", "Viewer")
PUBLIC = "allow_if_project_is_public"
READERS = (*EVERYONE, PUBLIC)
"""Levels of what anybody may read in a public project."""

SESSION = "session"
"""Name of the cookie that a login sets."""
PAGE_SESSION = "diffgram_emulator_login"
"""Name of the cookie of whoever corrects on the emulator's own page, which the real server lacks."""
_SCOPE = "(Project Scope) No access. "


def authenticate(
    store: Store, project_string_id: str, headers: Mapping[str, str], roles: Sequence[str]
) -> Project:
    """Return the project if the request may act on it.

    :raises Refusal: 401 or 403 in the words of the server (quirks 26 and 27).
    """
    project = store.project(project_string_id)
    if project is None:
        raise _forbidden("Can't find project")
    if PUBLIC in roles and store.one("SELECT 1 FROM project WHERE id = ? AND is_public = 1", project.id):
        return project
    header = headers.get("authorization", "")
    if not header and person_of(store, headers) is not None:
        if person_member_of(store, headers, project) is None:
            raise _forbidden(f"{_SCOPE}[Human User Based] Not a member of the project.")
        return project
    if not header:
        raise _nobody(headers.get("user-agent", ""))
    client_id, client_secret = _basic(header)
    if not client_id:
        raise _forbidden(f"{_SCOPE}[Basic Auth Based] No username. (client_id)")
    if not client_secret:
        raise _forbidden(f"{_SCOPE}[Basic Auth Based] No password. (client_secret)")
    row = store.one("SELECT * FROM credential WHERE client_id = ? AND project_id = ?", client_id, project.id)
    known = row is not None and hmac.compare_digest(row["client_secret"].encode(), client_secret.encode())
    if row is None or not known or row["role"] not in roles:
        allowed = [one for one in roles if one != PUBLIC]
        raise _forbidden(
            f"{_SCOPE}[Basic Auth Based] Failed API Permissions. Allowed roles are only: {allowed}"
        )
    return project


def member_of(store: Store, headers: Mapping[str, str]) -> int | None:
    """Return the member that a credential stands for."""
    client_id, _ = _basic(headers.get("authorization", ""))
    row = store.one("SELECT member_id FROM credential WHERE client_id = ?", client_id)
    return None if row is None else row["member_id"]


def person_of(store: Store, headers: Mapping[str, str]) -> int | None:
    """Return the person that is logged in, by the cookie of a login (server.md 10.3)."""
    token = login_token(headers)
    row = None if token is None else store.one("SELECT person_id FROM login WHERE token = ?", token)
    return None if row is None else int(row["person_id"])


def login_token(headers: Mapping[str, str]) -> str | None:
    """Return what stands in the cookie of a login, valid or not; None for a program's request."""
    if headers.get("authorization"):
        return None
    pairs = (one.strip().partition("=") for one in headers.get("cookie", "").split(";"))
    cookies = {name: value for name, _, value in pairs}
    return cookies.get(PAGE_SESSION, cookies.get(SESSION))


def person_member_of(store: Store, headers: Mapping[str, str], project: Project) -> int | None:
    """Return the member of a project that the person logged in is."""
    row = store.one(
        "SELECT id FROM member WHERE project_id = ? AND person_id = ?", project.id, person_of(store, headers)
    )
    return None if row is None else int(row["id"])


def human_only(text: str = "No access, please login.") -> Refusal:
    """Return the answer of endpoints that want a logged-in human."""
    return http_error(401, f"401 Unauthorized: {text}")


def _forbidden(text: str) -> Refusal:
    return http_error(403, f"403 Forbidden: {text}")


def _nobody(user_agent: str) -> Refusal:
    if user_agent.startswith("python"):
        return _forbidden(
            "Check client_id client_secret - Missing sending basic auth while using python SDK."
        )
    return http_error(401, f"401 Unauthorized: {_SCOPE}[Human User Based]  Failed LoggedIn ")


def _basic(header: str) -> tuple[str, str]:
    """Return user name and password of a header; both empty if it is not Basic."""
    scheme, _, payload = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(payload, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
