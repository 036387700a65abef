"""The demo's verdict: nothing that is missing passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.airflow_runs import Run
from demo.demonstration import Outcome, verdict, write_summary
from demo.media import DOCUMENT
from demo.project import Snapshot
from demo.show import table
from demo.stored import Comparison, Intended, Stored

BOX = {"id": 11, "type": "box"}
PHOTO = Stored(1, "photo-a.png", "image", 0, (BOX,))
DOCUMENT_FILE = Stored(2, DOCUMENT, "compound", 0, ())
PAGE = Stored(3, "page-0.png", "image", 0, (BOX | {"id": 12},))
EMPTY = Snapshot((), ())
FULL = Snapshot((PHOTO, DOCUMENT_FILE), (PAGE,))


def outcome(before: Snapshot, after: Snapshot, missing: int = 0) -> Outcome:
    photo = Comparison(Intended("photo-a.png", Path("a.png")), (PHOTO,), missing, 0)
    page = Comparison(Intended("page-0.png", Path("b.png")), (PAGE,), 0, 0)
    return Outcome(before, after, (photo,), (page,))


def test_all_stored(capsys):
    assert verdict(outcome(EMPTY, FULL)) == 0
    assert capsys.readouterr().out == "stored as predicted: 3 files, 2 instances (3 and 2 of them new)\n"


def test_nothing_new(capsys):
    assert verdict(outcome(FULL, FULL)) == 0
    assert capsys.readouterr().out == "nothing new: 3 files, 2 instances were already there\n"


def test_an_instance_replaced_by_another_is_new():
    other = Stored(1, "photo-a.png", "image", 0, (BOX | {"id": 99},))
    assert not outcome(FULL, Snapshot((other, DOCUMENT_FILE), (PAGE,))).added_nothing


def test_something_missing(capsys):
    assert verdict(outcome(EMPTY, FULL, missing=2)) == 1
    assert "photo-a.png: 2 predictions are not stored" in capsys.readouterr().out


def test_no_document_or_two_of_them():
    without = Snapshot((PHOTO,), (PAGE,))
    twice = Snapshot((PHOTO, DOCUMENT_FILE, DOCUMENT_FILE), (PAGE,))
    assert outcome(EMPTY, without).problems == [f"{DOCUMENT}: 0 files of this name on the server"]
    assert outcome(EMPTY, twice).problems == [f"{DOCUMENT}: 2 files of this name on the server"]


@pytest.mark.parametrize("created,succeeded,skipped", [(True, 6, 5), (False, 5, 6)])
def test_the_summary_adds_up_the_receipts_and_the_compound_file(tmp_path, created, succeeded, skipped):
    receipts = [{"succeeded": 3, "failed": 0, "skipped": 1}, {"succeeded": 2, "failed": 1, "skipped": 4}]
    runs = [
        Run("push", "run", "success", 1.0, {}, {"wait": receipts[0]}),
        Run("compound", "run", "success", 1.0, {}, {"wait": receipts[1], "create": {"created": created}}),
    ]
    write_summary(tmp_path / "summary.json", "http://127.0.0.1:1", FULL, runs)
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "server": "http://127.0.0.1:1",
        "files": 3,
        "instances": 2,
        "succeeded": succeeded,
        "failed": 1,
        "skipped": skipped,
    }


def test_the_table_is_aligned():
    assert table([("photo-a.png", 12, "new"), ("b", 0, "was there already")]) == [
        "file         instances  status",
        "photo-a.png         12  new",
        "b                    0  was there already",
    ]
