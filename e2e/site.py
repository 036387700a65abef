"""The site of the guides, built and served to a browser that opens every page of it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from compat.environment import ROOT, problem_of

from .browsing import browse
from .programs import program

SITE = ROOT / "build" / "site"


def visit(folder: Path, browser_python: Path) -> Iterator[dict[str, Any]]:
    """Yield each step, ``{"name", "ok", "reason"}``.

    :param browser_python: of the environment that has Playwright.
    :raises CannotRunError: if there is no Chromium.
    """
    folder.mkdir(parents=True)
    chromium = program("chromium", folder / "apt.log")
    pictures = folder.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    problem = problem_of(["make", "docs"], folder / "docs.log", "make docs", 900.0, ROOT)
    yield {"name": "build the site of the guides", "ok": not problem, "reason": problem}
    if problem:
        return
    with _served(SITE) as address:
        plan = {"chromium": str(chromium), "pictures": str(pictures), "site": address}
        yield from browse(browser_python, "site_browser", plan, folder / "browser.log")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
