"""The person who corrects on the page: they are logged in without a password, on this computer alone.

What they do goes to the endpoints that people use (server.md 10.3), so a save, a completed task and a review
leave what they leave on a real server. The cookie is another one than that of ``/api/user/login``, which
browsers would share with whatever else runs on this computer.
"""

from __future__ import annotations

import ipaddress
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..auth import PAGE_SESSION, person_member_of
from ..call import Emulator
from ..people_rows import ensure_person

REVIEWER = "reviewer@example.com"
_MARK = "x-emulator-page"
"""A header that no page of another origin can send here unasked."""


def may_log_in(request: Request) -> bool:
    """Tell whether a browser is on this computer and knows the emulator by an address of its own.

    A name that somebody else's name server tells could lead a browser here with a page of theirs.
    """
    host = request.client.host if request.client else ""
    return _is_loopback(host) and _is_own_name(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own_name(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def log_in(emulator: Emulator, request: Request) -> Response:
    """Log the reviewer of a project in, who is made if they are not there."""
    project = emulator.store.project(request.path_params["project"])
    if not may_log_in(request) or _MARK not in request.headers:
        return JSONResponse(
            {"error": "Only the emulator's own page, opened on its computer, may log in."}, 403
        )
    if project is None:
        return JSONResponse({"error": "There is no such project."}, 404)
    answer = JSONResponse({"email": REVIEWER})
    if person_member_of(emulator.store, request.headers, project) is not None:
        return answer
    person = ensure_person(emulator.store, project, REVIEWER, "Reviewer", "Page")
    token = secrets.token_urlsafe(24)
    with emulator.store.write() as connection:
        connection.execute("INSERT INTO login VALUES (?, ?)", (token, person.id))
    answer.set_cookie(PAGE_SESSION, token, path="/", httponly=True, samesite="strict")
    return answer
