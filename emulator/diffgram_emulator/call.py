"""One request as an endpoint sees it, and the table of endpoints."""

from __future__ import annotations

import functools
import io
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .auth import EVERYONE, authenticate, member_of, person_member_of
from .errors import Refusal, Reply, bad_request, http_error
from .limits import DEFAULT, Limit
from .locks import LockedFiles
from .options import TUNABLE, Options, tune
from .store import Project, Store
from .validation import Field, validated

if TYPE_CHECKING:
    from .counters import Requests
    from .faults import Faults, RowFaults
    from .limits import Limiter
    from .transport import Listener
    from .workers import Workers

NOBODY = Project(0, "")


@dataclass
class Emulator:
    """What lives as long as the process.

    :param compound_turns: as many requests create compound files at once as there are server processes, so
        that as many of one name may be created (quirk 55).
    :ivar started: its options as they were at the start; ``options`` may change.
    """

    options: Options
    store: Store
    workers: Workers
    limiter: Limiter
    faults: Faults
    compound_turns: threading.Semaphore
    requests: Requests
    row_faults: RowFaults
    listener: Listener
    locked_files: LockedFiles = field(default_factory=LockedFiles)
    started: Options = field(init=False)

    def __post_init__(self) -> None:
        self.started = replace(self.options)

    def tune(self, values: Mapping[str, Any]) -> None:
        """Change options while running; another number of workers also replaces those that died.

        :raises ValueError: for one that may not change, or a value of the wrong kind.
        """
        tune(self.options, values)
        self.limiter.enabled = self.options.rate_limit
        self.limiter.processes = self.options.limiter_processes
        if "workers" in values:
            self.compound_turns = threading.Semaphore(self.options.workers)
            self.workers.revive()

    def reset(self) -> None:
        """Be as just started, but for what is stored."""
        self.faults.clear()
        self.row_faults.clear()
        self.requests.clear()
        self.limiter.reset()
        self.tune({name: getattr(self.started, name) for name in TUNABLE})
        self.workers.revive()
        self.workers.pause(False)


@dataclass(frozen=True)
class Part:
    """One part of a multipart body."""

    content: bytes
    filename: str | None = None

    @property
    def text(self) -> str:
        """The part's content as text."""
        return self.content.decode("utf-8", "replace")


@dataclass
class Call:
    """One request.

    :param query: the dispatcher keeps only the last value of a repeated key (server.md 1.1).
    """

    emulator: Emulator
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    project: Project = field(default=NOBODY)

    @property
    def store(self) -> Store:
        """The emulator's memory."""
        return self.emulator.store

    @property
    def member_id(self) -> int | None:
        """The member that the request's credential or login stands for."""
        person = self.person_member_id
        return member_of(self.store, self.headers) if person is None else person

    @property
    def person_member_id(self) -> int | None:
        """The member of the project that the person logged in is; None for a Basic credential."""
        return person_member_of(self.store, self.headers, self.project)

    def authenticate(self, project_string_id: str, roles: Sequence[str]) -> None:
        """Set the project, or end the request with 401 or 403."""
        self.project = authenticate(self.store, project_string_id, self.headers, roles)

    def json(self) -> dict[str, Any]:
        """Return the JSON object of the body, whatever its content type (server.md 1.3).

        :raises Refusal: 400 for no body, no JSON, or JSON of another kind (quirk 40).
        """
        try:
            value = json.loads(self.body)
        except ValueError:
            raise bad_request({"input": "Expecting json in request"}) from None
        if not isinstance(value, dict):
            raise bad_request({"input": "Expecting dict"})
        return value

    def fields(self, *fields: Field) -> dict[str, Any]:
        """Return the declared values of the JSON body, or end the request with all its errors."""
        return validated(fields, self.json())

    def parts(self) -> dict[str, Part]:
        """Return the parts of a multipart body by name; empty for another kind of body."""
        from python_multipart import create_form_parser
        from python_multipart.exceptions import FormParserError

        found: dict[str, Part] = {}

        def on_field(one: Any) -> None:
            found[one.field_name.decode()] = Part(one.value or b"")

        def on_file(one: Any) -> None:
            one.file_object.seek(0)
            name = (one.file_name or b"").decode("utf-8", "replace")
            found[one.field_name.decode()] = Part(one.file_object.read(), name)

        content_type = self.headers.get("content-type", "")
        if not content_type.startswith("multipart/"):
            return {}
        try:
            parser = create_form_parser({"Content-Type": content_type.encode()}, on_field, on_file)
            stream = io.BytesIO(self.body)
            while chunk := stream.read(1 << 20):
                parser.write(chunk)
            parser.finalize()
        except FormParserError:
            return {}
        return found


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Endpoint:
    """A path and what answers there.

    :param roles: None for an endpoint that authenticates itself or needs no credential.
    """

    method: str
    path: str
    handler: Handler
    roles: Sequence[str] | None
    limit: Limit
    pattern: re.Pattern[str]


ENDPOINTS: list[Endpoint] = []


def endpoint(
    method: str, path: str, roles: Sequence[str] | None = EVERYONE, limit: Limit = DEFAULT
) -> Callable[[Handler], Handler]:
    """Enter a function into the table of endpoints.

    :param path: exact path with ``{name}`` for one segment (server.md 1.1).
    :param roles: the levels allowed (server.md 1.2).
    :param limit: its rate limit (server.md 1.5).
    """
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def enter(handler: Handler) -> Handler:
        ENDPOINTS.append(Endpoint(method, path, handler, roles, limit, pattern))
        return handler

    return enter


@functools.lru_cache(maxsize=4096)
def find(method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
    """Return the endpoint of a request and the values in its path.

    :raises Refusal: for a path that does not exist or not with this method (server.md 1.4).
    """
    known = False
    for one in ENDPOINTS:
        match = one.pattern.fullmatch(path)
        if match is None:
            continue
        if one.method == method:
            return one, match.groupdict()
        known = True
    raise _no_endpoint(method, path, known)


def _no_endpoint(method: str, path: str, known: bool) -> Refusal:
    """Return E10, E11 or E14: each service has its own way to say that there is nothing."""
    if path.startswith("/api/walrus"):
        if known:
            return http_error(405, "405 Method Not Allowed: The method is not allowed for the requested URL.")
        return http_error(
            404,
            "404 Not Found: The requested URL was not found on the server. If you entered the URL "
            "manually please check your spelling and try again.",
        )
    if method == "GET":
        return http_error(500, "index.html")
    return Refusal(Reply("Not found.", 405, raw=True))
