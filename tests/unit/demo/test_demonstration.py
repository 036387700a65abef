"""The demo's verdict: nothing that is missing passes."""

from __future__ import annotations

from pathlib import Path

from demo.demonstration import Outcome, verdict
from demo.media import DOCUMENT
from demo.project import Snapshot
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
