"""People who clear, run again, remove and correct."""

from __future__ import annotations

from ..annotator import boxes
from ..packets import names, predictions
from ..stage import Stage


def cleared(stage: Stage) -> None:
    """A finished run is cleared: nothing is sent twice."""
    run = stage.push()
    stage.ended()
    with stage.sending_only(0):
        run.clear()
        stage.ended()


def rerun(stage: Stage) -> None:
    """The DAG runs again with the same packets: nothing is sent twice."""
    stage.push()
    stage.ended()
    with stage.sending_only(0):
        stage.push()
        stage.ended()


def removed(stage: Stage) -> None:
    """Files were removed before a clear, one with its input and one without: both are sent again."""
    run = stage.push()
    stage.ended()
    first, second = stage.packets[0], stage.packets[1]
    file_id = stage.file_of(first["original_filename"])
    inputs = [each["id"] for each in stage.diffgram.inputs(file_id=file_id)]
    stage.diffgram.call("POST", "walrus/v1/project/{p}/input/update", {"id_list": inputs, "mode": "ARCHIVE"})
    body = {"project": stage.diffgram.project, "file_id": stage.file_of(second["original_filename"])}
    stage.emulator.control("files", {**body, "state": "removed"})
    for packet in (first, second):
        stage.expected[packet["original_filename"]] = predictions(packet)
    with stage.sending_only(2):
        run.clear()
        stage.ended()


def corrected(stage: Stage) -> None:
    """Predictions were deleted, moved, relabelled and redrawn before a clear and another run: all stays."""
    run = stage.push()
    stage.ended()
    _correct(stage)
    with stage.sending_only(0):
        run.clear()
        stage.ended()
        stage.push_again()
        stage.ended()


def corrected_from_an_old_page(stage: Stage) -> None:
    """The same with a page that was opened before the predictions came, where there was one to open."""
    someone, name = stage.person(), names(1)[0]
    page = someone.open(stage.file_of(name))
    run = stage.push()
    stage.ended()
    page.move(boxes(page)[0], 7)
    someone.draw(page)
    stage.saves(someone, name, page)
    with stage.sending_only(0):
        run.clear()
        stage.ended()
        stage.push_again()
        stage.ended()


def _correct(stage: Stage) -> None:
    someone = stage.person()
    first, second, third, fifth = (names(6)[number] for number in (0, 1, 2, 5))
    page = someone.open(stage.file_of(first))
    page.delete(boxes(page)[0])
    stage.saves(someone, first, page)
    page = someone.open(stage.file_of(second))
    for index in range(len(page.rows)):
        page.delete(index)
    stage.saves(someone, second, page)
    page = someone.open(stage.file_of(third))
    at = boxes(page)
    page.move(at[0], 50)
    someone.relabel(page, at[1], "fish")
    stage.saves(someone, third, page)
    page = someone.open(stage.file_of(fifth))
    page.delete(boxes(page)[0])
    someone.draw(page)
    stage.saves(someone, fifth, page)
    stage.insist(someone.edits >= 8, "the person did less than they were to")
