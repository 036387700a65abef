"""A Chromium without a screen, and what its pages say and load. Needs nothing but Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

SCHEMES = ("light", "dark")
SIZE = {"width": 1400, "height": 1000}

_OPTIONS = [
    "--no-sandbox",  # root has none
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """Open a browser for the length of a block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_OPTIONS)
        yield browser
        browser.close()


class Window:
    """One page, by day or by night, with all that it says on its console and all that it loads.

    :param scheme: ``light`` or ``dark``, which the page is told that the person prefers.
    """

    def __init__(self, browser: Browser, scheme: str, width: int = SIZE["width"]) -> None:
        context = browser.new_context(color_scheme=scheme, viewport=SIZE | {"width": width})
        self.page = context.new_page()
        self.said: list[str] = []
        self.loaded: list[str] = []
        self.page.on("request", lambda request: self.loaded.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def background(self) -> str:
        """Return the colour behind the page."""
        return str(self.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    def problems(self, own: str) -> list[str]:
        """Return what is wrong: it speaks, loads from elsewhere, lacks pictures, is too wide.

        :param own: how the addresses begin that it may load.
        """
        elsewhere = [url for url in self.loaded if not url.startswith((own, "data:", "blob:"))]
        broken = self.page.evaluate(
            "[...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src)"
        )
        too_wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found = {
            "the console says": self.said,
            "it loads from elsewhere": elsewhere,
            "these pictures are not shown:": broken,
            "it is too wide by": [f"{too_wide} pixels"] if too_wide > 0 else [],
        }
        return [f"{what} {'; '.join(map(str, told[:3]))}" for what, told in found.items() if told]

    def close(self) -> None:
        """Close it, and forget what it stored."""
        self.page.context.close()
