"""Somebody who uses the web page (server.md 10.3)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .deployment import Deployment, body_of


class Person:
    """A login, which sends what the web page sends.

    :param cookie: of the login.
    """

    def __init__(self, deployment: Deployment, cookie: str) -> None:
        self._deployment = deployment
        self._headers = {"Cookie": cookie, "User-Agent": "Mozilla/5.0"}

    def post(self, path: str, body: Any = None) -> requests.Response:
        """POST a JSON body, an empty object unless told."""
        answer: requests.Response = self._deployment.post(path, body, level=None, headers=self._headers)
        return answer

    def save(self, file_id: int, page: list[dict[str, Any]], **body: Any) -> dict[str, Any]:
        """Save the list of a page."""
        path = f"/api/project/{{p}}/file/{file_id}/annotation/update"
        found: dict[str, Any] = body_of(self.post(path, {"instance_list": page, **body}))
        return found


def logged_in(deployment: Deployment) -> Person:
    """Log the person in, or skip where nobody is named."""
    if deployment.place.person is None:
        pytest.skip("nobody to log in: set DIFFGRAM_PERSON_EMAIL and DIFFGRAM_PERSON_PASSWORD")
    email, password = deployment.place.person
    body = {"mode": "password", "email": email, "password": password}
    answer = deployment.post("/api/user/login", body, level=None, headers={"User-Agent": "Mozilla/5.0"})
    assert answer.status_code == 200, answer.text
    # The cookie is for https alone; over plain http no cookie jar would send it.
    return Person(deployment, answer.headers["set-cookie"].partition(";")[0])
