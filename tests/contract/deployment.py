"""Which Diffgram the suite runs against, and what that one has.

``DIFFGRAM_URL``, ``DIFFGRAM_PROJECT``, ``DIFFGRAM_CLIENT_ID`` and ``DIFFGRAM_CLIENT_SECRET`` (an admin) name
a server; without them the emulator is started. The project must not be a public one, into which everybody is
let. More, if given, makes more tests possible:

==============================================  ==========================================================
``DIFFGRAM_EDITOR_ID``, ``.._EDITOR_SECRET``    a credential of the level Editor
``DIFFGRAM_VIEWER_ID``, ``.._VIEWER_SECRET``    a credential of the level Viewer
``DIFFGRAM_OTHER_PROJECT``,                     a second project and an admin credential of it
``.._OTHER_CLIENT_ID``, ``.._OTHER_SECRET``
``DIFFGRAM_CA_BUNDLE``                          file with the authorities that the server's certificate is of
``DIFFGRAM_MEDIA_HOST``                         address at which the server reaches this machine: 127.0.0.1
``DIFFGRAM_PATIENCE``                           seconds to wait for one input, and thrice for the first: 60
``DIFFGRAM_ATTRIBUTE_GROUPS``                   attribute groups a run may create (10 a day in all): 1
==============================================  ==========================================================
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
import requests

from .media_server import MediaServer

PACKET = "/api/walrus/v1/project/{p}/input/packet"
HTTP_TIMEOUT = 60.0
"""Seconds; the first look at a file after a start of the server takes about ten (server.md 2.6)."""

UNKNOWN_ID = 2_000_000_000
"""An id of nothing: within 32 bit, and beyond what a server will ever have counted to."""

DEFAULT_LABEL = "contract_suite"

_session = requests.Session()
_session.trust_env = False


def body_of(answer: requests.Response) -> Any:
    """Return the JSON of an answer that is 200."""
    request = f"{answer.request.method} {answer.url}"
    assert answer.status_code == 200, f"{request} is {answer.status_code}: {answer.text[:500]}"
    return answer.json()


def status_of(send: Callable[[], requests.Response]) -> int:
    """Send a request and return its status: 503 for a malformed status line, by whatever way (quirk 7)."""
    try:
        status = send().status_code
    except requests.ConnectionError:
        return 503
    return 503 if status == 502 else status


def until(
    condition: Callable[[], Any],
    what: str,
    patience: float = 60.0,
    seen: Callable[[], Any] | None = None,
    longest: float = 0.4,
) -> Any:
    """Return the first true value of a condition, asked often at first and then less.

    :param longest: seconds between two looks, at most.
    :param seen: returns what there is instead, for the message of a failure.
    """
    deadline, wait = time.monotonic() + patience, 0.01
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            there = "" if seen is None else f"; there is {seen()}"
            raise AssertionError(f"waited {patience:.0f} s in vain for: {what}{there}")
        time.sleep(wait)
        wait = min(longest, wait * 1.4)


@dataclass(frozen=True)
class Access:
    """A project and a credential of it."""

    project: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Place:
    """Where a Diffgram is, and who may do what there.

    :param url: base URL, without a slash at its end.
    :param levels: accesses to the project by level: ``admin`` always, ``Editor`` and ``Viewer`` if given.
    :param other: an admin of another project, if given.
    :param groups: attribute groups that this run may create.
    :param person: email and password of somebody who belongs to the project, if given.
    :param verify: check TLS certificates; or the path of a file with the authorities to trust.
    """

    url: str
    levels: Mapping[str, Access]
    other: Access | None
    groups: int
    patience: float
    verify: bool | str = True
    person: tuple[str, str] | None = field(default=None, repr=False)


def place_of_environment(environment: Mapping[str, str] = os.environ) -> Place | None:
    """Return the place that the environment names, or None if it names none."""
    if not environment.get("DIFFGRAM_URL"):
        return None

    def access(project: str, client_id: str, secret: str) -> Access | None:
        found = [environment.get(f"DIFFGRAM_{name}", "") for name in (project, client_id, secret)]
        return Access(*found) if all(found) else None

    admin = access("PROJECT", "CLIENT_ID", "CLIENT_SECRET")
    if admin is None:
        raise pytest.UsageError(
            "DIFFGRAM_URL needs DIFFGRAM_PROJECT, DIFFGRAM_CLIENT_ID and DIFFGRAM_CLIENT_SECRET beside it"
        )
    levels = {
        "admin": admin,
        "Editor": access("PROJECT", "EDITOR_ID", "EDITOR_SECRET"),
        "Viewer": access("PROJECT", "VIEWER_ID", "VIEWER_SECRET"),
    }
    return Place(
        environment["DIFFGRAM_URL"].rstrip("/"),
        {level: one for level, one in levels.items() if one is not None},
        access("OTHER_PROJECT", "OTHER_CLIENT_ID", "OTHER_SECRET"),
        int(environment.get("DIFFGRAM_ATTRIBUTE_GROUPS", "1")),
        float(environment.get("DIFFGRAM_PATIENCE", "60")),
        environment.get("DIFFGRAM_CA_BUNDLE") or True,
        (environment["DIFFGRAM_PERSON_EMAIL"], environment["DIFFGRAM_PERSON_PASSWORD"])
        if environment.get("DIFFGRAM_PERSON_EMAIL") and environment.get("DIFFGRAM_PERSON_PASSWORD")
        else None,
    )


class Deployment:
    """A Diffgram under test: requests to it, and what is made once for the whole run.

    :param place: where it is.
    :param media: pictures that it can fetch.
    :param prefix: begins the name of everything that this run creates.
    """

    def __init__(self, place: Place, media: MediaServer, prefix: str) -> None:
        self.place = place
        self.media = media
        self.prefix = prefix
        self.project = place.levels["admin"].project
        self.inputs: set[int] = set()
        self.waiting: set[int] = set()
        self.batches: set[int] = set()
        self.parents: set[int] = set()

    def access(self, level: str) -> Access:
        """Return an access of a level, or of ``other``, the other project; skip the test without one."""
        found = self.place.other if level == "other" else self.place.levels.get(level)
        if found is None:
            pytest.skip(f"needs a credential of {level}: see tests/contract/deployment.py")
        return found

    def send(self, method: str, path: str, level: str | None = "admin", **options: Any) -> requests.Response:
        """Send a request; ``{p}`` in the path is the project. A redirect is not followed.

        :param level: whose credential; None for no credential at all.
        """
        if level is not None and "auth" not in options:
            one = self.access(level)
            options["auth"] = (one.client_id, one.client_secret)
        options.setdefault("timeout", HTTP_TIMEOUT)
        options.setdefault("verify", self.place.verify)
        url = self.place.url + path.replace("{p}", self.project)
        return _session.request(method, url, allow_redirects=False, **options)

    def post(self, path: str, body: Any = None, level: str | None = "admin", **options: Any) -> Any:
        """POST a JSON body, an empty object unless told."""
        return self.send("POST", path, level, json={} if body is None else body, **options)

    def is_refused_by_database(self, method: str, path: str, **options: Any) -> bool:
        """Tell whether the answer is that of an id the database refuses: permanent, and no 400 (quirk 6).

        The service answers with a malformed status line (quirk 7). Behind Diffgram's own dispatcher that is
        503, behind another proxy 502 or a broken connection.
        """
        return status_of(lambda: self.send(method, path, **options)) == 503

    @cached_property
    def has_limiter(self) -> bool:
        """Whether the server counts requests; in development mode it does not (server.md 1.5)."""
        answer = self.send("GET", "/api/v1/project/{p}/labels-schema")
        return "x-ratelimit-limit" in answer.headers

    @cached_property
    def schema(self) -> int:
        """Id of this run's label schema."""
        return int(body_of(self.post("/api/v1/project/{p}/labels-schema/new", {"name": self.prefix}))["id"])

    @cached_property
    def labels(self) -> list[int]:
        """Label file ids of cat, dog and person in this run's schema."""
        return [self.new_label(name) for name in ("cat", "dog", "person")]

    def new_label(self, name: str, **more: Any) -> int:
        """Create a label in this run's schema and return its file id."""
        return self._new_label({"name": name, "schema_id": self.schema, **more})

    def _new_label(self, body: dict[str, Any]) -> int:
        return int(body_of(self.post("/api/v1/project/{p}/label/new", body))["label"]["id"])

    @cached_property
    def default_label(self) -> int:
        """File id of the label ``DEFAULT_LABEL`` of the default schema, left by one run to the next.

        For labels that a server looks up by name: in which schemas it does is nowhere stated.
        """
        names = body_of(self.send("GET", "/api/v1/project/{p}/labels/view/name_to_file_id"))[
            "name_to_file_id"
        ]
        return int(names.get(DEFAULT_LABEL) or self._new_label({"name": DEFAULT_LABEL}))

    def new_dataset(self, name: str) -> int:
        """Create a dataset and return its id; the prefix is put before the name."""
        body = {"nickname": f"{self.prefix} {name}", "access_type": "project"}
        return int(body_of(self.post("/api/v1/project/{p}/directory/new", body))["new_directory"]["id"])

    @cached_property
    def patience(self) -> float:
        """Seconds to wait for one input, by how long the first one took; skip if that never ends.

        Somebody else's backlog in the queue, or a server whose ingest threads are gone, is found out here
        once, not by each test anew.
        """
        started = time.monotonic()
        reason = self._first_input()
        if reason is not None:
            pytest.skip(reason)
        longest = self.first_patience
        return max(self.place.patience, min(longest, 10 * (time.monotonic() - started)))

    @property
    def first_patience(self) -> float:
        """Seconds to wait for the first input of all, which somebody else's backlog may hold up."""
        return 3 * self.place.patience

    @property
    def queue_patience(self) -> float:
        """Seconds to wait for one of the inputs that wait now; which one is next, nobody knows (quirk 50)."""
        return self.patience + 3 * len(self.waiting)

    def _first_input(self) -> str | None:
        """Return why nothing is ingested here, or None if it is."""
        if self._stopped is None:
            self._stopped = self._ingest_one()
        return self._stopped or None

    _stopped: str | None = None

    def _ingest_one(self) -> str:
        batch = int(body_of(self.post("/api/v1/project/{p}/input-batch/new"))["input_batch"]["id"])
        self.batches.add(batch)
        packet = {
            "directory_id": self.new_dataset("first"),
            "original_filename": "first.png",
            "media": {"url": f"{self.media.url}/tiny.png", "type": "image"},
            "batch_id": batch,
        }

        def accepted() -> bool:
            answer = self.post(PACKET, packet)
            return answer.status_code != 429 and bool(body_of(answer))

        until(accepted, "the first packet to be accepted")
        row: dict[str, Any] = {"status": None}

        def ended() -> bool:
            listing = self.post("/api/walrus/v1/project/{p}/input/view/list", {"batch_id": batch})
            row.update(*body_of(listing)["input_list"])
            return row["status"] in ("success", "failed")

        try:
            until(ended, "the first input", self.first_patience)
        except AssertionError:
            return (
                f"not one picture was ingested in {self.first_patience:.0f} s (status {row['status']!r}): "
                "the queue holds somebody else's backlog, or the server's ingest threads are gone; "
                "DIFFGRAM_PATIENCE allows more seconds"
            )
        if row["status"] == "failed":
            return (
                f"the server cannot fetch {self.media.url}: {str(row['status_text'])[:200]}. "
                "DIFFGRAM_MEDIA_HOST is the address at which it reaches this machine"
            )
        return ""

    def check(self) -> str | None:
        """Return why there is no use in a test here, or None."""
        try:
            answer = self.send("GET", "/api/v1/project/{p}/labels-schema")
        except requests.RequestException as error:
            return f"{self.place.url} is not to be reached: {type(error).__name__}"
        if answer.status_code == 200:
            return None
        if answer.is_redirect:
            return f"{self.place.url} redirects to {answer.headers['location']}: is DIFFGRAM_URL right?"
        return f"{answer.url} is {answer.status_code}: {answer.text[:300]}"

    def archive_everything(self) -> None:
        """Archive, in one call, every input that this run made; warn if that does not work."""
        try:
            self._archive_everything()
        except (requests.RequestException, AssertionError) as error:
            text = f"{len(self.inputs)} inputs of {self.prefix} are not archived"
            warnings.warn(f"{text}: {error}"[:500], stacklevel=2)

    def _archive_everything(self) -> None:
        listing = "/api/walrus/v1/project/{p}/input/view/list"
        for key, ids in (("batch_id", self.batches), ("parent_file_id", self.parents)):
            for one in ids:
                rows = body_of(self.post(listing, {key: one, "limit": 1000}))["input_list"]
                self.inputs.update(row["id"] for row in rows)
        if self.inputs:
            body = {"id_list": sorted(self.inputs), "mode": "ARCHIVE"}
            body_of(self.post("/api/walrus/v1/project/{p}/input/update", body, timeout=300))
