"""``python -m e2e.browser < plan.json``: what a person does in a browser, one JSON line per step on stdout.

Needs nothing but Playwright and a Chromium; run in an environment of its own. The credential comes by stdin,
since arguments and environments of processes are for all to see.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from .window import SCHEMES, SIZE, Window, chromium

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

    def see_progress(self) -> None:
        """Read in the log of a wait how far it is, how fast it goes, and when it will be over."""
        self.page.goto(f"{self.plan['airflow']}/dags/{self.plan['queued']}/tasks/wait")
        line = self.page.get_by_text(
            re.compile(r"[1-9]\d* of \d+ in Diffgram · [\d.]+/(s|min) · about \d+ .* left")
        )
        expect(line.first).to_be_visible()
        self.look("13-progress")

    def see_failure(self) -> None:
        """See why a push was refused without looking for it."""
        self.page.goto(f"{self.plan['airflow']}/dags/{self.plan['refused']}/tasks/send")
        expect(
            self.page.get_by_text(re.compile(r"'fase' \(did you mean 'face'\?\)")).first
        ).to_be_in_viewport()
        self.look("8-failure")

    def see_comparison(self) -> None:
        """Open the page of a comparison by day and by night, and let it show one kind of correction."""
        for window in self._day_and_night(Path(self.plan["comparison"]).as_uri(), "10-comparison"):
            figures = window.page.locator("figure")
            every = figures.count()
            window.page.get_by_text("changed", exact=True).last.click()
            shown = sum(figures.nth(number).is_visible() for number in range(every))
            assert 0 < shown < every, f"the filter shows {shown} of {every} pictures"

    def _day_and_night(self, address: str, name: str) -> Iterator[Window]:
        """Open a page that is complete in itself by day and by night, and keep what it shows."""
        browser = self.page.context.browser
        assert browser is not None
        backs = []
        for scheme in SCHEMES:
            window = Window(browser, scheme)
            window.page.goto(address)
            backs.append(window.background())
            window.page.screenshot(path=self._pictures / f"{name}-{scheme}.png", full_page=True)
            yield window
            problems = window.problems(address)
            window.close()
            assert not problems, f"{scheme}: {'; '.join(problems)}"
        assert backs[0] != backs[1], f"the page is {backs[0]} by day and by night"

    def see_gate(self) -> None:
        """Open the page that a gate names in its log, by day and by night."""
        address = self._page_of(f"{self.plan['refused']}/tasks/check")
        self.look("9-gate-log")
        for window in self._day_and_night(address, "9-gate"):
            expect(window.page.get_by_text("fase").first).to_be_visible()

    def _page_of(self, task: str) -> str:
        """Return the address of the page that a task names in its log: Airflow shows no link to a file."""
        self.page.goto(f"{self.plan['airflow']}/dags/{task}")
        line = self.page.get_by_text(re.compile(r"page: /\S+\.html")).last
        expect(line).to_be_visible()
        found = re.search(r"page: (/\S+\.html)", line.inner_text())
        assert found, line.inner_text()
        return Path(found[1]).as_uri()

    def see_review(self) -> None:
        """Read in the log of a review that it waits for people."""
        self.page.goto(f"{self.plan['airflow']}/dags/{self.plan['reviewed']}/tasks/reviewed")
        expect(self.page.get_by_test_id("state-badge").filter(has_text="Deferred").first).to_be_visible()
        expect(self.page.get_by_text(re.compile(r"0 of 3 reviewed, 3 open")).first).to_be_visible()
        self.look("11-review")

    def see_reviewed(self) -> None:
        """See that the DAG goes on when all is reviewed, and open the page on how good the model was."""
        address = self._page_of(f"{self.plan['reviewed']}/tasks/compare")
        self.look("12-reviewed-log")
        for window in self._day_and_night(address, "12-reviewed"):
            expect(window.page.get_by_text("judged of 3 predictions")).to_be_visible()


STEPS = {
    "make a connection in the form": Person.make_connection,
    "press Test": Person.test_connection,
    "trigger the DAG with its form": Person.trigger,
    "watch it succeed": Person.watch,
    "follow the link into Diffgram": Person.follow_link,
    "see the boxes": Person.see_boxes,
    "see why a push failed": Person.see_failure,
    "open the page of a gate": Person.see_gate,
    "see a comparison": Person.see_comparison,
    "see a review wait for people": Person.see_review,
    "see how good the model was": Person.see_reviewed,
    "see a wait's progress in its log": Person.see_progress,
}
"""What is done, in order."""


def main() -> int:
    """Do everything until a step fails; the steps after it are not ok either."""
    plan = json.load(sys.stdin)
    reason = ""
    with chromium(plan["chromium"]) as browser:
        person = Person(browser.new_page(viewport=SIZE), plan)
        person.page.context.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        for name, act in STEPS.items():
            if not reason:
                reason = _problem(person, act)
                told = reason
            else:
                told = "not reached"
            print(json.dumps({"name": name, "ok": not told, "reason": told}), flush=True)
    return 1 if reason else 0


def _problem(person: Person, act: Callable[[Person], None]) -> str:
    try:
        act(person)
    except Exception as error:  # noqa: BLE001  # whatever it is, the step is not ok
        with contextlib.suppress(PlaywrightError):  # a browser that is stuck shows nothing either
            person.look("failed")
        told = f"{type(error).__name__}: {error}".replace(person.plan["client_secret"], "***")
        return told.partition("Aria snapshot")[0][:600]
    return ""


if __name__ == "__main__":
    sys.exit(main())
