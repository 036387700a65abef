"""``python -m e2e.correcting < plan.json``: what a reviewer does on the emulator's page, step by step.

Needs nothing but Playwright and a Chromium, as :mod:`.browser`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from .window import SCHEMES, chromium

WIDTHS = (1400, 420)

_BAD = '<img src=x onerror="alert(1)">'
_PATIENCE = 20_000


class Reviewer:
    """Somebody in front of the page.

    :param plan: ``url``, ``project``, ``dataset``, ``filled``, ``file`` and ``polygon`` (ids), ``pictures``
        (folder), ``chromium``.
    """

    def __init__(self, browser: Browser, plan: Mapping[str, Any]) -> None:
        self.plan = plan
        self._browser = browser
        self._told: list[str] = []
        self.page = self._open(1400, "light")

    def _open(self, width: int, scheme: str) -> Page:
        page = self._browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(_PATIENCE)
        page.on("console", lambda message: self._told.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._told.append(str(error)))
        page.on("request", self._note_stranger)
        page.on("dialog", self._note_dialog)
        return page

    def _note_dialog(self, dialog: Any) -> None:
        self._told.append(f"dialog: {dialog.message}")
        dialog.accept()

    def _note_stranger(self, request: Any) -> None:
        if urlsplit(request.url).scheme in ("http", "https") and not request.url.startswith(self.plan["url"]):
            self._told.append(f"loads {request.url}")

    def go(self, path: str) -> None:
        """Open a page of the project, named ``{p}``."""
        self.page.goto(self.plan["url"] + path.replace("{p}", self.plan["project"]))
        self.page.wait_for_load_state("networkidle")

    def look(self, name: str) -> None:
        """Keep what is on the screen."""
        self.page.screenshot(path=Path(self.plan["pictures"]) / f"emulator-{name}.png")

    def look_around(self) -> None:
        """See predictions on the small pictures, search, go to a file and to the next one."""
        self.go(f"/studio/annotate/{{p}}/explorer?dataset_id={self.plan['dataset']}")
        expect(self.page.locator(".card", has_text="coins.png").locator("svg rect")).to_have_count(22)
        self.look("files")
        self.page.keyboard.press("/")
        self.page.keyboard.type("COIN")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".card")).to_have_count(1)
        self.page.locator(".card").click()
        expect(self.page.get_by_role("heading", name="coins.png")).to_be_visible()
        self._says("22 instances, all saved")
        self.page.keyboard.press("n")
        expect(self.page.get_by_role("heading", name="coffee.png")).to_be_visible()
        self.go(f"/studio/annotate/{{p}}/explorer?dataset_id={self.plan['filled']}")
        expect(self.page.locator(".card")).to_have_count(60)
        self.page.get_by_role("link", name="older").click()
        expect(self.page.get_by_text("page 2 of 167")).to_be_visible()

    def create(self) -> None:
        """Make a dataset, a label and a job on the page, and see the job's tasks come."""
        self.go("/studio/annotate/{p}/explorer")
        self.page.get_by_text("New dataset").click()
        self.page.get_by_label("name of the dataset").fill("by hand")
        self.page.get_by_role("button", name="Create").click()
        expect(self.page.get_by_role("heading", name="by hand")).to_be_visible()
        self.go("/studio/labels/{p}")
        self.page.get_by_label("name of the label").fill("rocket")
        self.page.get_by_role("button", name="Create").click()
        expect(self.page.get_by_role("cell", name="rocket")).to_be_visible()
        self.go("/studio/jobs/{p}")
        self.page.get_by_label("name of the job").fill("review of the night")
        self.page.get_by_label("dataset").select_option(str(self.plan["dataset"]))
        self.page.get_by_label("with a second look").check()
        self.page.get_by_role("button", name="Create and launch").click()
        expect(self.page.locator(".card")).to_have_count(8)
        self.look("job")

    def correct(self) -> None:
        """Work on the first task: move, resize, relabel, delete and draw boxes, undo, save."""
        self.page.get_by_role("link", name="Work on the tasks").click()
        expect(self.page.get_by_role("heading", name="astronaut.png")).to_be_visible()
        rows = self.page.locator("#rows li")
        self._says("3 instances, all saved")
        self._drag((240, 138), (222, 124))  # the face, which is beside where it was predicted
        self._says("1 change is not saved")
        self._drag((272, 178), (270, 176))  # its lower right corner
        self._click((420, 70))  # a rocket is no face
        self.page.keyboard.press("5")
        self._click((175, 380))  # nor is a badge
        self.page.keyboard.press("Delete")
        expect(rows).to_have_count(2)
        self.page.keyboard.press("Control+z")
        expect(rows).to_have_count(3)
        self._click((175, 380))
        self.page.keyboard.press("Delete")
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("4")
        self.page.keyboard.press("d")
        self._drag((284, 340), (507, 510))
        self._says("4 changes are not saved")
        self.look("editor")
        self.page.keyboard.press("s")
        expect(self.page.locator("#notice")).to_have_text("Saved: 2 changed, 1 drawn, 1 deleted.")
        self._says("3 instances, all saved")
        expect(self.page.locator("#stored tbody tr")).to_have_count(3)

    def _says(self, text: str) -> None:
        expect(self.page.locator("#state")).to_have_text(text)

    def _click(self, point: tuple[int, int]) -> None:
        self._drag(point, point)

    def _drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag from one point of the picture to another."""
        size = self.page.locator("#editor")
        width, height = (int(size.get_attribute(f"data-{each}") or 0) for each in ("width", "height"))
        frame = self.page.locator("#editor figure svg").bounding_box()
        assert frame, "the picture takes no room"

        def on_screen(point: tuple[int, int]) -> tuple[float, float]:
            return frame["x"] + point[0] * frame["width"] / width, frame["y"] + point[1] * frame[
                "height"
            ] / height

        self.page.mouse.move(*on_screen(start))
        self.page.mouse.down()
        if start != end:
            self.page.mouse.move(*on_screen(end), steps=4)
        self.page.mouse.up()

    def review(self) -> None:
        """Complete the task, which goes to a second look; ask for changes; complete it again, approve."""
        mine = self.page.url
        self._work("c", "camera.png")
        self.page.goto(mine)
        expect(self.page.locator("#task .pill")).to_have_text("in review")
        self.page.keyboard.press("r")
        self.page.keyboard.type("the rocket is larger")
        self.look("review")
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("link", name="Work on the tasks")).to_be_visible()
        self.page.goto(mine)
        expect(self.page.locator("#task .pill")).to_have_text("requires changes")
        self._click((420, 70))
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("Shift+ArrowDown")
        self._work("c", "camera.png")
        self.page.goto(mine)
        expect(self.page.locator("#task .pill")).to_have_text("in review")
        self.page.get_by_role("button", name="Approve").click()
        expect(self.page.get_by_role("heading", name="review of the night")).to_be_visible()
        self.page.goto(mine)
        expect(self.page.locator("#task .pill")).to_have_text("complete")

    def _work(self, key: str, then: str) -> None:
        expect(self.page.locator("#state")).not_to_have_text("Loading …")
        self.page.keyboard.press(key)
        expect(self.page.get_by_role("heading", name=then)).to_be_visible()

    def relabel_another_shape(self) -> None:
        """Relabel a polygon, undo, relabel it again and save; then delete it and save."""
        self.go(f"/studio/annotate/{{p}}?file={self.plan['polygon']}")
        self._says("2 instances, all saved")
        outline = self.page.locator("#editor figure polygon")
        before = outline.get_attribute("points")
        self.page.locator("#rows button", has_text="polygon").click()
        for key in ("3", "Control+z", "3"):
            self.page.keyboard.press(key)
        expect(
            self.page.locator("#editor figure g", has=self.page.locator("polygon")).locator("text")
        ).to_have_text("cup")
        self.page.keyboard.press("s")
        expect(self.page.locator("#notice")).to_have_text("Saved: 1 changed.")
        expect(self.page.locator("#rows button", has_text="polygon")).to_contain_text("cup")
        assert outline.get_attribute("points") == before
        self.page.locator("#rows button", has_text="polygon").click()
        self.page.keyboard.press("Delete")
        expect(outline).to_have_count(0)
        self.page.keyboard.press("s")
        self._says("1 instance, all saved")

    def save_an_old_page(self) -> None:
        """Save a page that was opened before another one was saved: it tells what that costs."""
        self.go(f"/studio/annotate/{{p}}?file={self.plan['polygon']}")
        self._says("1 instance, all saved")
        old, self.page = self.page, self._open(1400, "light")
        self.go(f"/studio/annotate/{{p}}?file={self.plan['polygon']}")
        self._says("1 instance, all saved")
        self.page.keyboard.press("d")
        self._drag((10, 10), (60, 60))
        self.page.keyboard.press("s")
        self._says("2 instances, all saved")
        self.page.close()
        self.page = old
        self.page.keyboard.press(".")
        self.page.keyboard.press("ArrowLeft")
        self.page.keyboard.press("s")
        told = "Saved: 1 changed. This page was old: 1 instance that was added meanwhile is deleted now."
        expect(self.page.locator("#notice")).to_have_text(told)
        self._says("1 instance, all saved")

    def look_at_all(self) -> None:
        """Look at each page by day and by night, wide and narrow: nothing is wider than the window."""
        paths = {
            "overview": "/",
            "files": f"/studio/annotate/{{p}}/explorer?dataset_id={self.plan['dataset']}",
            "file": f"/studio/annotate/{{p}}?file={self.plan['file']}",
            "inputs": "/studio/upload/{p}",
            "batches": "/studio/upload/{p}?view=batches",
            "jobs": "/studio/jobs/{p}",
            "labels": "/studio/labels/{p}",
        }
        backs, first = {}, self.page
        for scheme in SCHEMES:
            for width in WIDTHS:
                self.page = self._open(width, scheme)
                for name, path in paths.items():
                    self.go(path)
                    self.look(f"{name}-{scheme}-{width}")
                    wide = self.page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{name} is {wide} pixels wide in a window of {width}"
                backs[scheme] = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
                self.page.close()
        self.page = first
        assert len(set(backs.values())) == len(SCHEMES), backs

    def name_badly(self) -> None:
        """Give names that are HTML, and find them shown as they are."""
        self.go("/studio/labels/{p}")
        self.page.get_by_label("name of the label").fill(_BAD)
        self.page.get_by_role("button", name="Create").click()
        expect(self.page.get_by_role("cell", name=_BAD)).to_be_visible()
        self.go("/studio/annotate/{p}/explorer")
        self.page.get_by_text("New dataset").click()
        self.page.get_by_label("name of the dataset").fill(_BAD)
        self.page.get_by_role("button", name="Create").click()
        expect(self.page.get_by_role("heading", name=_BAD)).to_be_visible()
        self.go(f"/studio/annotate/{{p}}?file={self.plan['file']}")
        self._click((320, 440))
        self.page.keyboard.press("6")
        self.page.keyboard.press("s")
        self._says("3 instances, all saved")
        expect(self.page.locator("#rows").get_by_text(_BAD)).to_be_visible()
        expect(self.page.locator("#editor figure").get_by_text(_BAD)).to_be_visible()

    def hear(self) -> None:
        """Find that the browser had nothing to say, and loaded nothing from elsewhere."""
        assert not self._told, self._told[:5]


STEPS: Mapping[str, Callable[[Reviewer], None]] = {
    "emulator page: look around": Reviewer.look_around,
    "emulator page: make a dataset, a label, a job": Reviewer.create,
    "emulator page: correct boxes by hand": Reviewer.correct,
    "emulator page: complete, ask for changes, approve": Reviewer.review,
    "emulator page: relabel and delete a polygon": Reviewer.relabel_another_shape,
    "emulator page: save an old page": Reviewer.save_an_old_page,
    "emulator page: by day and by night, wide and narrow": Reviewer.look_at_all,
    "emulator page: names that are HTML": Reviewer.name_badly,
    "emulator page: no word in the console": Reviewer.hear,
}
"""What is done, in order."""


def main() -> int:
    """Do everything until a step fails; the steps after it are not ok either."""
    plan = json.load(sys.stdin)
    reason = ""
    expect.set_options(timeout=_PATIENCE)
    with chromium(plan["chromium"]) as browser:
        reviewer = Reviewer(browser, plan)
        for name, act in STEPS.items():
            told = reason and "not reached"
            if not reason:
                told = reason = _problem(reviewer, act)
            print(json.dumps({"name": name, "ok": not told, "reason": told}), flush=True)
    return 1 if reason else 0


def _problem(reviewer: Reviewer, act: Callable[[Reviewer], None]) -> str:
    try:
        act(reviewer)
    except Exception as error:  # noqa: BLE001  # whatever it is, the step is not ok
        reviewer.look("failed")
        return f"{type(error).__name__}: {error}".partition("Aria snapshot")[0][:600]
    return ""


if __name__ == "__main__":
    sys.exit(main())
