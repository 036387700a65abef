"""``python browser.py < plan.json``: what a person does in a browser, one JSON line per step on stdout.

Needs nothing but Playwright and a Chromium; run in an environment of its own. The credential comes by stdin,
since arguments and environments of processes are for all to see.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect, sync_playwright

OPTIONS = [
    "--no-sandbox",  # root has none
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
CONNECTION = "diffgram_default"

_PATIENCE = 180_000
_TOAST = 30_000
_RUN_PATIENCE = 900_000


class Person:
    """Somebody in front of a browser.

    :param plan: ``airflow``, ``diffgram`` (base URLs), ``project``, ``client_id``, ``client_secret``,
        ``dag``, ``run`` (id to give it), ``media``, ``output``, ``dataset``, ``photo`` (name of
        one in it), ``pictures`` (folder for screenshots), ``chromium``, ``comparison`` (path of a page).
    """

    def __init__(self, page: Page, plan: Mapping[str, str]) -> None:
        self.page, self.plan = page, plan
        self._pictures = Path(plan["pictures"])

    def look(self, name: str) -> None:
        """Keep what is on the screen."""
        self.page.screenshot(path=self._pictures / f"{name}.png")

    def make_connection(self) -> None:
        """Fill in the form and save it."""
        self.page.goto(f"{self.plan['airflow']}/connections")
        self.page.get_by_role("button", name="Add Connection").click()
        form = self.page.get_by_role("dialog")
        form.locator("input[name=connection_id]").fill(CONNECTION)
        form.get_by_role("combobox").click()
        self.page.keyboard.type("diffgram")
        self.page.get_by_role("option", name="Diffgram").click()
        address = urlsplit(self.plan["diffgram"])
        for label, value in {
            "Host": f"{address.scheme}://{address.hostname}",
            "Client ID": self.plan["client_id"],
            "Client secret": self.plan["client_secret"],
            # Without it Airflow 3.3.2 refuses to test a connection that it has: its page asks for port 0.
            "Port": str(address.port),
            "Project": self.plan["project"],
        }.items():
            field = {"Client ID": "login", "Client secret": "password", "Project": "schema"}.get(label, label)
            expect(form.get_by_text(label, exact=True)).to_be_visible()
            form.locator(f"input[name={field.lower()}]").fill(value)
        self.look("1-connection")
        form.get_by_role("button", name="Save").click()
        expect(self.page.get_by_role("cell", name=CONNECTION)).to_be_visible()

    def test_connection(self) -> None:
        """Press the test button and read what comes up."""
        with self.page.expect_response(lambda answer: answer.url.endswith("/connections/test")) as awaited:
            self.page.get_by_role("button", name="Test Connection").click()
        answer = awaited.value.text()
        try:
            shown = self.page.get_by_text(f"project '{self.plan['project']}', with permission to write")
            expect(shown).to_be_visible(timeout=_TOAST)
        except AssertionError as error:
            raise AssertionError(f"Airflow answered {answer}") from error
        self.look("2-tested")

    def trigger(self) -> None:
        """Start the DAG with the form that its params make."""
        self.page.goto(f"{self.plan['airflow']}/dags/{self.plan['dag']}")
        self.page.get_by_test_id("trigger-dag-button").click()
        form = self.page.get_by_role("dialog")
        for name, value in {
            "dataset": self.plan["dataset"],
            "media": self.plan["media"],
            "output": self.plan["output"],
        }.items():
            form.locator(f"#element_{name}").fill(value)
        self.look("3-trigger")
        form.get_by_role("button", name="Advanced Options").click()
        form.locator("input[name=dagRunId]").fill(self.plan["run"])
        form.get_by_role("button", name="Trigger", exact=True).click()
        expect(form).to_be_hidden()

    def watch(self) -> None:
        """Look at the run until it and all its tasks have succeeded."""
        self.page.goto(f"{self.plan['airflow']}/dags/{self.plan['dag']}/runs/{self.plan['run']}")
        ended = self.page.get_by_test_id("state-badge").filter(has_text="Success")
        failed = self.page.get_by_test_id("state-badge").filter(has_text="Failed")
        expect(ended.or_(failed).nth(4)).to_be_visible(timeout=_RUN_PATIENCE)
        self.look("4-run")
        assert failed.count() == 0, f"{failed.count()} of the run and its tasks failed"

    def follow_link(self) -> None:
        """Go from the task to the dataset in Diffgram."""
        self.page.goto(f"{self.plan['airflow']}/dags/{self.plan['dag']}/runs/{self.plan['run']}/tasks/send")
        self.page.get_by_text("Details", exact=True).click()
        link = self.page.get_by_role("link", name="Diffgram dataset")
        expect(link).to_be_visible()
        self.look("5-link")
        with self.page.expect_popup() as awaited:
            link.click()
        self.page = awaited.value
        self.page.wait_for_load_state("networkidle")
        where = self.page.url
        assert where.startswith(f"{self.plan['diffgram']}/studio/annotate/{self.plan['project']}/"), where
        self.look("6-dataset")

    def see_boxes(self) -> None:
        """Open a photograph and see boxes in it."""
        self.page.locator("a.card", has_text=self.plan["photo"]).click()
        boxes = self.page.locator("figure.canvas svg g[data-instance] rect")
        expect(boxes.first).to_be_visible()
        self.page.wait_for_load_state("networkidle")
        self.look("7-boxes")
        image = self.page.locator("figure.canvas img")
        assert image.evaluate("image => image.complete && image.naturalWidth > 0"), (
            "the photograph is not shown"
        )
        frame = image.bounding_box()
        assert frame, "the photograph takes no room"
        for number in range(boxes.count()):
            box = boxes.nth(number).bounding_box()
            assert box, "a box takes no room"
            assert box["width"] > 4, box
            assert box["height"] > 4, box
            assert frame["x"] - 2 <= box["x"] <= frame["x"] + frame["width"], (box, frame)
            assert frame["y"] - 2 <= box["y"] <= frame["y"] + frame["height"], (box, frame)

    def see_comparison(self) -> None:
        """Open the page of a comparison by day and by night, and let it show one kind of correction."""
        chromium = self.page.context.browser
        assert chromium is not None
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        loaded: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: loaded.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        address = Path(self.plan["comparison"]).as_uri()
        backs = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address)
            backs.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            page.screenshot(path=self._pictures / f"8-comparison-{scheme}.png", full_page=True)
        figures = page.locator("figure")
        every = figures.count()
        page.get_by_text("deleted", exact=True).last.click()
        shown = sum(figures.nth(number).is_visible() for number in range(every))
        page.close()
        assert 0 < shown < every, f"the filter shows {shown} of {every} pictures"
        assert backs[0] != backs[1], f"the page is {backs[0]} by day and by night"
        others = [url for url in loaded if url != address and not url.startswith("data:")]
        assert not others, f"the page loads {others}"
        assert not said, f"the browser says {said}"


STEPS = {
    "make a connection in the form": Person.make_connection,
    "press Test": Person.test_connection,
    "trigger the DAG with its form": Person.trigger,
    "watch it succeed": Person.watch,
    "follow the link into Diffgram": Person.follow_link,
    "see the boxes": Person.see_boxes,
    "see a comparison": Person.see_comparison,
}
"""What is done, in order."""


def main() -> int:
    """Do everything until a step fails; the steps after it are not ok either."""
    plan = json.load(sys.stdin)
    reason = ""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=plan["chromium"], args=OPTIONS)
        person = Person(chromium.new_page(viewport={"width": 1400, "height": 1000}), plan)
        person.page.context.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        for name, act in STEPS.items():
            if not reason:
                reason = _problem(person, act)
                told = reason
            else:
                told = "not reached"
            print(json.dumps({"name": name, "ok": not told, "reason": told}), flush=True)
        chromium.close()
    return 1 if reason else 0


def _problem(person: Person, act: Callable[[Person], None]) -> str:
    try:
        act(person)
    except Exception as error:  # noqa: BLE001  # whatever it is, the step is not ok
        person.look("failed")
        told = f"{type(error).__name__}: {error}".replace(person.plan["client_secret"], "***")
        return told.partition("Aria snapshot")[0][:600]
    return ""


if __name__ == "__main__":
    sys.exit(main())
