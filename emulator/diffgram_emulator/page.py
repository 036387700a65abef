"""The pages of the frontend, and the stored media under ``/storage``.

Whatever is not under ``/api`` is the frontend's (server.md 1.1). The paths under ``/studio`` are the
real server's; like all pages here they need no credential, since this is a tool for one's own computer.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import page_data
from .call import Emulator
from .files import find_file
from .media import blob, frame_picture
from .signing import BUCKET, is_valid
from .store import Project

HERE = Path(__file__).parent
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def application(emulator: Emulator) -> ASGIApp:
    """Return the frontend."""

    def route(path: str, answer: Callable[[Emulator, Request], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(answer, emulator, request)

        return Route(path, endpoint)

    return Starlette(
        routes=[
            route("/", _overview),
            route("/studio/annotate/{project}/explorer", _explorer),
            route("/studio/annotate/{project}", _annotate),
            route("/studio/upload/{project}", _inputs),
            route("/static/style.css", _style),
            route("/storage/{bucket}/{path:path}", _stored),
        ]
    )


def _html(template: str, code: int = 200, **values: Any) -> Response:
    return HTMLResponse(_templates.get_template(template).render(**values), code, SECURITY)


def _with_buckets(emulator: Emulator, response: Response) -> Response:
    """Allow pictures from the buckets of connections."""
    rows = emulator.store.all("SELECT DISTINCT endpoint FROM connection WHERE endpoint IS NOT NULL")
    origins = [urlsplit(row["endpoint"]) for row in rows]
    allowed = " ".join(f"{one.scheme}://{one.netloc}" for one in origins)
    if allowed:
        policy = SECURITY["Content-Security-Policy"].replace("'self' data:", f"'self' data: {allowed}", 1)
        response.headers["Content-Security-Policy"] = policy
    return response


def _missing(what: str) -> Response:
    return _html("missing.html", 404, what=what)


def _number(request: Request, key: str) -> int | None:
    text = request.query_params.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _project(emulator: Emulator, request: Request) -> Project | None:
    return emulator.store.project(request.path_params["project"])


def _overview(emulator: Emulator, request: Request) -> Response:
    return _html("overview.html", projects=page_data.projects(emulator.store))


def _explorer(emulator: Emulator, request: Request) -> Response:
    """Show the files of a dataset, of the first one unless told."""
    project = _project(emulator, request)
    if project is None:
        return _missing("project")
    datasets = page_data.datasets(emulator.store, project)
    wanted = _number(request, "dataset_id") or datasets[0]["id"]
    dataset = next((one for one in datasets if one["id"] == wanted), None)
    if dataset is None:
        return _missing("dataset")
    page = _number(request, "page") or 1
    files, more = page_data.dataset_files(emulator.store, dataset["id"], page)
    html = _html(
        "explorer.html",
        project=project.string_id,
        datasets=datasets,
        dataset=dataset,
        files=files,
        page=page,
        more=more,
    )
    return _with_buckets(emulator, html)


def _annotate(emulator: Emulator, request: Request) -> Response:
    """Show one file with its instances drawn over it; without a file, the explorer."""
    project, file_id = _project(emulator, request), _number(request, "file")
    if project is None or file_id is None:
        return _explorer(emulator, request)
    row = find_file(emulator.store, file_id)
    if row is None or row["project_id"] != project.id or row["type"] == "label":
        return _missing("file")
    parent = find_file(emulator.store, row["parent_id"]) if row["parent_id"] else None
    html = _html(
        "file.html", project=project.string_id, sheet=page_data.sheet(emulator.store, row), parent=parent
    )
    return _with_buckets(emulator, html)


def _inputs(emulator: Emulator, request: Request) -> Response:
    """Show what was sent, what became of it, and why not."""
    project = _project(emulator, request)
    if project is None:
        return _missing("project")
    status, page = request.query_params.get("status", "all"), _number(request, "page") or 1
    rows, more = page_data.inputs(emulator.store, project, status, page)
    return _html("inputs.html", project=project.string_id, inputs=rows, status=status, page=page, more=more)


def _style(emulator: Emulator, request: Request) -> Response:
    return FileResponse(HERE / "templates" / "style.css", media_type="text/css")


def _stored(emulator: Emulator, request: Request) -> Response:
    """Serve a blob to whoever has a valid signature: 403 without one, 404 for an object that is not there.

    In the server's own bucket a missing object is 403 too: names may not be listed (server.md 2.16, 5.6).
    """
    bucket, path = request.path_params["bucket"], request.path_params["path"]
    query = request.query_params
    if not is_valid(
        emulator.store.signing_key, bucket, path, query.get("expires", ""), query.get("signature", "")
    ):
        return PlainTextResponse("SignatureDoesNotMatch", 403)
    found = blob(emulator.store, bucket, path)
    if found is None and bucket == BUCKET:
        picture = frame_picture(emulator.store, path)
        if picture is None:
            return PlainTextResponse("AccessDenied", 403)
        return Response(picture, media_type="image/png", headers=SECURITY)
    if found is None:
        return PlainTextResponse("NoSuchKey", 404)
    return FileResponse(found, media_type=_media_type(emulator, path), headers=SECURITY)


def _media_type(emulator: Emulator, path: str) -> str:
    """Return the content type of a blob, by the name of its medium; never one a browser would run."""
    row = emulator.store.one(
        "SELECT original_filename FROM media WHERE blob_path = ?", path.removesuffix("_thumb")
    )
    name = row["original_filename"] if row is not None else path
    guess = mimetypes.guess_type(name or "")[0] or ""
    safe = guess.startswith(("image/", "video/", "audio/")) and guess != "image/svg+xml"
    return guess if safe or guess == "text/plain" else "application/octet-stream"
