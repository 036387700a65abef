"""Which cases there are, and what is read of a run's report and logs."""

from __future__ import annotations

import json

import pytest

from airflow_provider_diffgram.models.media import MEDIA_TYPES
from chaos.__main__ import chosen
from chaos.cases import PLAN, all_cases
from chaos.packets import MEDIA, MODES
from chaos.stage import errors_of, outcomes_of


def test_each_mode_is_struck_and_no_case_hides_another():
    cases = all_cases()
    assert {case.mode for case in cases.values()} == set(MODES)
    assert len(cases) == sum(len(modes) for _, modes, _ in PLAN) >= 25


def test_each_media_type_waits_in_the_queue_of_a_retried_generator():
    assert {f"{media_type}.retried_while_pending" for media_type in MEDIA_TYPES} <= set(all_cases())
    assert {*MEDIA, "video"} == set(MEDIA_TYPES)


def test_cases_are_chosen_by_patterns():
    cases = all_cases()
    assert [case.name for case in chosen(cases, "")] == list(cases)
    assert [case.name for case in chosen(cases, "url.cleared, append.cleared")] == [
        "url.cleared",
        "append.cleared",
    ]
    assert {case.mode for case in chosen(cases, "local.*")} == {"local"}


def test_a_pattern_that_names_no_case_is_refused():
    with pytest.raises(SystemExit, match=r"no case is named 'url\.nothing'"):
        chosen(all_cases(), "url.cleared,url.nothing")


def test_of_a_report_the_last_line_of_a_name_counts_and_half_a_line_does_not(tmp_path):
    lines = [("a.png", "sent"), ("b.png", "sent"), ("a.png", "failed")]
    report = tmp_path / "report.jsonl"
    whole = "".join(json.dumps({"name": name, "outcome": outcome}) + "\n" for name, outcome in lines)
    report.write_text(whole + '{"name": "c.png", "outc')
    assert outcomes_of(report) == {"a.png": "failed", "b.png": "sent"}
    assert outcomes_of(tmp_path / "none.jsonl") == {}


def test_of_a_log_only_errors_count():
    lines = [
        {"level": "info", "event": "a.png went well"},
        {"level": "error", "event": "failed", "error_detail": [{"exc_value": "b.png: gone"}]},
    ]
    log = "\n".join(map(json.dumps, lines)) + "\nnot JSON: c.png\n"
    assert "b.png" in errors_of(log)
    assert "a.png" not in errors_of(log)
    assert "c.png" not in errors_of(log)
