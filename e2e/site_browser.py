"""``python -m e2e.site_browser < plan.json``: open every page of the site, one JSON line per step on stdout.

Needs nothing but Playwright and a Chromium; run in an environment of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser

from .window import SCHEMES, SIZE, Window, chromium

SHOWN = ("index", "tutorial-loop", "compare", "push", "troubleshooting")
"""Pages that are kept as pictures."""
REFERENCE = "DiffgramSendPacketOperator"
"""One of the reference is, too."""
NARROW = 400
"""Width of a telephone in pixels."""

_LINKS = "each => each.map(link => link.href.split('#')[0])"


def all_pages(window: Window, site: str) -> list[str]:
    """Return the addresses in the site's menu, each once, in order."""
    window.page.goto(f"{site}index.html")
    found = window.page.eval_on_selector_all("nav.md-nav a.md-nav__link[href]", _LINKS)
    return list(dict.fromkeys(each for each in found if each.startswith(site)))


def problems_of(window: Window, site: str, address: str) -> list[str]:
    """Open a page and return what is wrong with it, named by it."""
    window.said.clear()
    window.loaded.clear()
    answer = window.page.goto(address)
    found = window.problems(site)
    if answer is None or not answer.ok:
        found.append(f"the server answers {answer and answer.status}")
    if not window.page.locator("h1").count():
        found.append("it has no title")
    return [f"{address.removeprefix(site)}: {each}" for each in found]


def walk(browser: Browser, plan: Mapping[str, str], scheme: str, width: int) -> tuple[str, str]:
    """Open the pages of the menu, and return what is wrong, and the colour behind the last one.

    Of the reference, whose pages are made alike, all are opened only by day.
    """
    window = Window(browser, scheme, width)
    addresses = all_pages(window, plan["site"])
    found = [] if len(addresses) > len(SHOWN) else [f"the menu leads to {addresses}"]
    for address in addresses:
        name = address.rpartition("/")[2].removesuffix(".html")
        is_one_of_many = "/reference/" in address and not name.endswith(f".{REFERENCE}")
        if is_one_of_many and (scheme, width) != (SCHEMES[0], SIZE["width"]):
            continue
        found += problems_of(window, plan["site"], address)
        if name in SHOWN or name.endswith(f".{REFERENCE}"):
            path = Path(plan["pictures"], f"site-{name}-{scheme}-{width}.png")
            window.page.screenshot(path=path, full_page=True)
    background = window.background()
    window.close()
    return _told(found), background


def _told(problems: list[str]) -> str:
    if not problems:
        return ""
    return f"{len(problems)} faults: {' | '.join(problems[:8])}"


def main() -> int:
    """Open everything; the exit status is 1 if something is wrong."""
    plan = json.load(sys.stdin)
    status = 0

    def tell(name: str, reason: str) -> None:
        nonlocal status
        status = status or int(bool(reason))
        print(json.dumps({"name": name, "ok": not reason, "reason": reason}), flush=True)

    with chromium(plan["chromium"]) as browser:
        backs = []
        for scheme, when in zip(SCHEMES, ("day", "night"), strict=True):
            reason, back = walk(browser, plan, scheme, SIZE["width"])
            backs.append(back)
            if not reason and backs.count(back) > 1:
                reason = f"it is {back} by day and by night"
            tell(f"open the site of the guides by {when}", reason)
        tell("open the site of the guides on a telephone", walk(browser, plan, SCHEMES[0], NARROW)[0])
    return status


if __name__ == "__main__":
    sys.exit(main())
