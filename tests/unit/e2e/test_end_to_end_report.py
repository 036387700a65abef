"""The exit status and the summary of ``make e2e`` tell what failed, what was skipped and what leaked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from chaos.judge import Row
from e2e.__main__ import EndToEnd, Report, Step
from e2e.browsing import browse
from e2e.distributed import Outcome
from e2e.programs import CannotRunError
from e2e.visit import problem_of_lineage

GOOD = Step("it works", True)
BAD = Step("it works", False, "it does not")
SECRET = "not-for-logs-1234"


@pytest.mark.parametrize(
    "report, status",
    [
        (Report([GOOD], {"lost": 0, "duplicated": 0}, [], 0), 0),
        (Report([GOOD, BAD], {"lost": 0, "duplicated": 0}, [], 0), 1),
        (Report([GOOD], {"lost": 1, "duplicated": 0}, [], 0), 1),
        (Report([GOOD], {"lost": 0, "duplicated": 1}, [], 0), 1),
        (Report([GOOD], {"lost": 0, "duplicated": 0}, [], 1), 1),
        (Report([GOOD], {}, [BAD], 0), 3),
        (Report([GOOD, BAD], {}, [BAD], 0), 1),
    ],
)
def test_the_exit_status(report, status):
    assert report.status == status


@pytest.mark.parametrize(
    "row, state, killed, told",
    [
        (Row("d"), "success", 3, ""),
        (Row("d", lost=2), "success", 3, "{'lost': 2}"),
        (Row("d", unknown=1), "success", 3, "{'unknown': 1}"),
        (Row("d"), "failed", 3, "the run ended as failed; {}"),
        (Row("d"), "success", 0, "the worker that was killed was at no task"),
    ],
)
def test_a_distributed_run_is_ok_only_if_it_proves_something(row, state, killed, told):
    assert Outcome(row, state, killed, 0, "", ()).problem == told


def test_a_part_that_breaks_fails_and_one_that_cannot_run_is_skipped(tmp_path):
    everything = EndToEnd(tmp_path)

    def breaks() -> None:
        raise ValueError("out of order")

    def cannot() -> None:
        raise CannotRunError("there is no chromium on this machine")

    everything.part("one", breaks)
    everything.part("two", cannot)
    everything.write()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["steps"] == [{"name": "one", "ok": False, "reason": "ValueError: out of order"}]
    assert [each["name"] for each in summary["skipped"]] == ["two"]
    assert (summary["distributed"], summary["secrets_found"]) == ({}, None)


def test_a_browser_that_breaks_down_is_a_step_that_failed(tmp_path):
    log = tmp_path / "browser.log"
    (step,) = browse(Path(sys.executable), "no_such_module", {"chromium": "none"}, log)
    assert step == {"name": "the browser comes to its end", "ok": False, "reason": f"see {log}"}
    assert "no_such_module" in log.read_text()


def test_a_secret_that_was_left_is_counted(tmp_path):
    everything = EndToEnd(tmp_path)
    everything.hide(SECRET)
    log = tmp_path / "distributed" / "airflow" / "scheduler.log"
    log.parent.mkdir(parents=True)
    log.write_text("all is well\n")
    everything.search()
    assert everything.report.secrets_found == 0
    log.write_text(f"connecting with {SECRET}\n")
    everything.search()
    assert everything.report.secrets_found == 1
    assert SECRET not in (tmp_path / "secrets.txt").read_text()


DATASET = ("diffgram://127.0.0.1:80", "p/photos")


def event(**more: object) -> dict[str, object]:
    facets = {"outputStatistics": {"fileCount": 3}}
    return {
        "eventType": "COMPLETE",
        "job": {"name": "diffgram_push_predictions.send"},
        "inputs": [{"namespace": "file", "name": "/media"}],
        "outputs": [{"namespace": DATASET[0], "name": DATASET[1], "outputFacets": facets}],
        **more,
    }


@pytest.mark.parametrize(
    "events, is_right",
    [
        ([event(), event(eventType="START", outputs=[]), event(job={"name": "d.other"}, outputs=[])], True),
        ([], False),
        ([event(eventType="START")], False),
        ([event(inputs=[])], False),
        ([event(outputs=[])], False),
        ([event(), event()], False),
    ],
)
def test_lineage_has_to_name_what_was_read_and_what_was_written(tmp_path, events, is_right):
    for number, each in enumerate(events):
        (tmp_path / f"event-{number}.json").write_text(json.dumps(each))
    assert (problem_of_lineage(tmp_path, DATASET) == "") is is_right
