"""HTML from templates, with the headers that keep it harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from ..call import Emulator
from .login import may_log_in

_HERE = Path(__file__).parent
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self';"
    " script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATIC = {path.name: path for path in (_HERE / "static").iterdir()}
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}


def _query(values: dict[str, Any], **changes: Any) -> str:
    """Return a query string; what is None or empty is left out."""
    merged = {**values, **changes}
    return "?" + urlencode({key: value for key, value in merged.items() if value not in (None, "")})


_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_templates.globals["query"] = _query
_templates.filters["amount"] = lambda number: f"{number:,}"


def html(emulator: Emulator, request: Request, template: str, **values: Any) -> Response:
    """Return a page. Pictures from the buckets of storage connections may be shown on it."""
    values.setdefault("project", None)
    text = _templates.get_template(template).render(may_write=may_log_in(request), **values)
    return HTMLResponse(text, headers={**SECURITY, "Content-Security-Policy": _policy(emulator)})


def _policy(emulator: Emulator) -> str:
    rows = emulator.store.all("SELECT DISTINCT endpoint FROM connection WHERE endpoint IS NOT NULL")
    origins = [urlsplit(row["endpoint"]) for row in rows]
    sources = " ".join(["'self' data:", *(f"{one.scheme}://{one.netloc}" for one in origins)])
    return SECURITY["Content-Security-Policy"].replace("'self' data:", sources, 1)


def missing(emulator: Emulator, request: Request, what: str) -> Response:
    """Return the page that says that there is no such thing."""
    page = html(emulator, request, "missing.html", what=what)
    page.status_code = 404
    return page


def static(emulator: Emulator, request: Request) -> Response:
    """Serve a style sheet or a script of the pages."""
    path = _STATIC.get(request.path_params["name"])
    if path is None:
        return PlainTextResponse("Not found.", 404)
    return FileResponse(
        path,
        media_type=_MEDIA_TYPES[path.suffix],
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"},
    )
