"""Packets that are in at once: uploaded by the worker, or written into their files, with people beside."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from diffgram_emulator.people import Page, SaveRefused

from ..airflow import DagRun, until
from ..annotator import Annotator, boxes
from ..packets import Packet, names, place_of
from ..stage import AMEND, PACKET, READ, UPLOAD, Stage

_PARENT = "scan"


# People


def saved_before_read(stage: Stage) -> None:
    """People save while files are about to be read."""
    _saved_while_held(stage, READ, names(stage.case.amount - 2))


def saved_between(stage: Stage) -> None:
    """People save after a file was read and before it is written, which undoes it: it is given back."""
    run = _saved_while_written(stage)
    stage.insist("given back" in run.log(), "nothing was to be given back")


def saved_between_and_answer_lost(stage: Stage) -> None:
    """The same, and the answer that would tell is lost."""
    _saved_while_written(stage, "reset_after", held=True)


def saved_between_and_server_silent(stage: Stage) -> None:
    """The same, and the server does not answer at all until the worker has lost patience."""
    _saved_while_written(stage, "timeout_after", held=True, seconds=3)


def saved_after_write(stage: Stage) -> None:
    """People change what was just written, before its answer is lost: it is not written again."""
    someone = stage.person()
    stage.emulator.fault(AMEND, "timeout_after", by="program", seconds=3)
    run = stage.push()
    stage.struck()
    name = until(lambda: _written(stage), "a file was written", 30, 0.05)
    page = someone.open(stage.file_of(name))
    mine = [index for index in boxes(page) if "seed" not in page.rows[index]["creation_ref_id"]]
    page.delete(mine[0])
    someone.move(page, mine[1])
    someone.draw(page)
    stage.saves(someone, name, page)
    stage.ended()
    insist_on_one_attempt(stage, run)


def saved_while_repairing(stage: Stage) -> None:
    """People save between a read and its write, and again between the repair's read and its write."""
    someone, name = stage.person(), names(1)[0]
    stage.emulator.fault(write_of(stage, name), "held", by="program", times=2)
    run = stage.push()
    until(lambda: stage.emulator.control("state")["faults"] == 1, "the write is held", 90)
    stage.saves(someone, name, edited(stage, someone, name))
    stage.emulator.release()
    stage.struck()  # the repair's write is held
    again = someone.open(stage.file_of(name))
    someone.draw(again)
    stage.saves(someone, name, again)
    stage.forget_faults()
    stage.ended()
    insist_on_one_attempt(stage, run)


def killed_before_repair(stage: Stage) -> None:
    """Killed when the write had undone what a person saved, and the answer was not read yet.

    Somebody had been at work on the file, so that the attempt remembered it before it wrote.
    """
    someone, name = stage.person(), names(1)[0]
    page = someone.open(stage.file_of(name))
    someone.draw(page)
    stage.saves(someone, name, page)
    if stage.mode == "replace":  # what was there before the read goes: that is what it is for
        someone.give_up(stage.file_of(name))
    stage.emulator.fault(write_of(stage, name), "held", by="program")
    run = stage.push(delivery="upload")
    stage.struck()
    stage.saves(someone, name, edited(stage, someone, name))
    pid = run.freeze()
    stage.forget_faults()
    stage.quiet()
    stage.insist(someone.undone() > 0, "the write undid nothing")
    os.kill(pid, signal.SIGKILL)
    stage.ended()


def busy_person(stage: Stage) -> None:
    """People open and save all the time, also from pages that are older than what was written.

    What somebody has just saved goes by the queue.
    """
    stage.push()
    with busy(stage):
        stage.ended()


def busy_person_beside_uploads(stage: Stage) -> None:
    """The same, and everything is written at once whoever is at work."""
    stage.push(delivery="upload")
    with busy(stage):
        stage.ended()


def busy_person_and_kills(stage: Stage) -> None:
    """The same in files with tasks, and the worker is killed three times."""
    job_with_tasks(stage)
    run = stage.push(delivery="upload")
    with busy(stage):
        for _ in range(3):
            stage.hold(stage.send, "timeout_after", skip=2)
            stage.kill(run, is_alone=False)
        stage.ended()


def locked_for_long(stage: Stage) -> None:
    """Somebody holds the row of a file for longer than the push is patient: a later attempt writes it."""
    file_id = stage.file_of(names(2)[1])
    stage.emulator.lock(file_id)
    run = stage.push()
    stage.until_retried(run)
    stage.emulator.lock(file_id, locked=False)
    stage.ended()


def locked_for_a_while(stage: Stage) -> None:
    """Somebody holds it for some seconds: the push waits."""
    file_id = stage.file_of(names(2)[1])
    stage.emulator.lock(file_id)
    run = stage.push()
    until(lambda: stage.count(503) >= 3, "the write was refused", 90, 0.1)
    stage.emulator.lock(file_id, locked=False)
    stage.ended()
    insist_on_one_attempt(stage, run)


def people_at_work(stage: Stage) -> None:
    """Files with tasks in progress go by the queue, and what people save in them stays."""
    someone = stage.person()
    tasks = job_with_tasks(stage)
    for name in names(4)[1:]:
        body = {"project": stage.diffgram.project, "task_id": tasks[name], "status": "in_progress"}
        stage.emulator.control("tasks", body)
    pages = {name: edited(stage, someone, name) for name in names(4)[1:]}
    sent = stage.accepted_by(PACKET)
    stage.emulator.pause_queue()
    stage.push()
    until(lambda: stage.accepted_by(PACKET) - sent == len(pages), "files at work go by the queue", 90, 0.1)
    for name, page in pages.items():
        stage.saves(someone, name, page)
    stage.emulator.pause_queue(False)
    stage.ended()


# One attempt one way, the next the other


def queued_then_delivered(stage: Stage) -> None:
    """An attempt puts packets into the queue and is killed; the next delivers the others itself."""
    stage.emulator.pause_queue()
    stage.hold(PACKET, "timeout_after", skip=4)
    run = stage.push(delivery=["queue", "auto"])
    stage.kill(run)
    stage.emulator.pause_queue(False)
    stage.ended()


def delivered_then_queued(stage: Stage) -> None:
    """An attempt delivers packets and is killed; the next puts the others into the queue."""
    stage.hold(stage.send, "timeout_after", skip=4)
    run = stage.push(delivery=["auto", "queue"])
    stage.kill(run)
    stage.ended()


def queued_meanwhile(stage: Stage) -> None:
    """The queue still holds an attempt's packets when the next one comes to the same media and files."""
    stage.emulator.pause_queue()
    run = stage.push(delivery=["queue", "auto"])
    until(lambda: stage.accepted_by(PACKET) == stage.case.amount + stage.seeded, "all is queued", 90, 0.1)
    until(lambda: run.task("send")["state"] == "success", "the push has ended", 60, 0.2)
    with stage.sending_only(0):
        run.clear()
        until(lambda: run.task("send")["try_number"] > 1, "the push is tried again", 60, 0.2)
        stage.emulator.pause_queue(False)
        stage.ended()


# Media


def media_cut_off(stage: Stage) -> None:
    """Media are cut off half way, twice each: nothing of them is sent."""
    _from(stage, "cut/2")
    stage.push()
    stage.ended()


def media_change(stage: Stage) -> None:
    """Media are other pictures each time they are read, and answers are lost: each is there once."""
    _from(stage, "other")
    stage.emulator.fault(UPLOAD, "reset_after", times=4, skip=1)
    stage.push()
    stage.ended()


def media_for_diffgram_alone(stage: Stage) -> None:
    """Some media cannot be read by the worker: the queue takes those."""
    _from(stage, "inside", slice(3, 8))
    stage.push()
    stage.ended()
    stage.insist(stage.accepted_by(PACKET) == 5, "the queue did not take those that cannot be read")


def media_unreadable(stage: Stage) -> None:
    """The same where all are to be uploaded: those fail, with their names."""
    _from(stage, "inside", slice(3, 8))
    stage.planted.update(names(8)[3:])
    stage.push(delivery="upload", max_failed=5)
    stage.ended()
    stage.insist(stage.accepted_by(PACKET) == 0, "something went by the queue")


def _from(stage: Stage, folder: str, which: slice = slice(None)) -> None:
    for packet in stage.packets[which]:
        packet["media"]["url"] = f"{stage.pictures}/{folder}/{packet['original_filename']}"


# Runs, children


def new_run_at_once(stage: Stage) -> None:
    """Two runs name a model run that is new, at the same moment: both bring all they have."""
    half = len(stage.packets) // 2
    stage.emulator.fault(UPLOAD, "held", times=2)
    for part in (stage.packets[:half], stage.packets[half:]):
        stage.push(packets=part)
    stage.struck()
    stage.forget_faults()
    stage.ended()
    threads = stage.threads()
    stage.insist(set(threads) == {4}, f"the server lost ingest threads: {threads}")


def both_at_once(stage: Stage) -> None:
    """Two runs bring the same predictions to the same files at the same moment: they are there once."""
    stage.emulator.fault(stage.send, "held", times=2, by="program")
    right = dict(stage.expected)
    for _ in range(2):
        stage.expected = dict(right)
        stage.push()
    stage.struck()
    stage.emulator.fault(stage.send, "latency", seconds=0.2, times=None, by="program")
    stage.emulator.release()
    stage.ended()


def after_each_child(stage: Stage) -> None:
    """Killed with a child stored and not answered, four times."""
    run = _push_children(stage)
    for _ in range(4):
        stage.hold(UPLOAD, "timeout_after", skip=1)
        stage.kill(run)
    stage.ended()


def answers_lost(stage: Stage) -> None:
    """Children are taken, or not, and their answers lost."""
    for number, kind in enumerate(("reset_after", "reset_before", "truncate", "malformed")):
        stage.emulator.fault(UPLOAD, kind, probability=0.4, times=2, seed=number)
    _push_children(stage)
    stage.ended()


def server_killed(stage: Stage) -> None:
    """The server is killed with children stored and not answered, and started again."""
    stage.hold(UPLOAD, "timeout_after", skip=3)
    _push_children(stage)
    stage.held()
    stage.emulator.restart(kill=True)
    stage.ended()


def _push_children(stage: Stage) -> DagRun:
    return stage.push("children", below=_PARENT, parent=stage.new_compound(_PARENT))


# Parts of cases


def write_of(stage: Stage, name: str) -> str:
    """Return the path that writes a file."""
    return f"/file/{stage.file_of(name)}{AMEND}"


def _saved_while_written(stage: Stage, kind: str = "held", **values: Any) -> DagRun:
    """Let a person edit and save a file while it is about to be written."""
    name = names(3)[2]
    return _saved_while_held(stage, write_of(stage, name), [name], kind, **values)


def _saved_while_held(
    stage: Stage, path: str, of: Sequence[str], kind: str = "held", **values: Any
) -> DagRun:
    """Let a person edit and save files while a request to a path waits, and then let it go on."""
    someone = stage.person()
    stage.emulator.fault(path, kind, by="program", **values)
    run = stage.push()
    stage.struck()
    for name in of:
        stage.saves(someone, name, edited(stage, someone, name))
    stage.forget_faults()
    stage.ended()
    insist_on_one_attempt(stage, run)
    return run


def edited(stage: Stage, someone: Annotator, name: str) -> Page:
    """Return a page of a file in which a person moved a box, deleted one and drew one."""
    page = someone.open(stage.file_of(name))
    seeded = [index for index in boxes(page) if "seed" in page.rows[index]["creation_ref_id"]]
    at = seeded or boxes(page)
    if len(at) > 1:
        someone.move(page, at[0])
        page.delete(at[1])
    someone.draw(page)
    return page


def _written(stage: Stage) -> str | None:
    """Return the name of a file that a push has written to."""
    for packet in stage.packets[:-2]:
        rows = stage.diffgram.instances(stage.file_of(place_of(packet)))
        if any("seed" not in str(row["creation_ref_id"]) for row in rows):
            return place_of(packet)
    return None


def insist_on_one_attempt(stage: Stage, run: DagRun) -> None:
    tries = run.task("send")["try_number"]
    stage.insist(tries == 1, f"the push needed {tries} attempts")


def job_with_tasks(stage: Stage) -> dict[str, int]:
    """Make a job with a task for each file that is there, and return the tasks by the file's name."""
    call = stage.diffgram.call
    job = call("POST", "v1/project/{p}/job/new", {"name": "review"})["job"]["id"]
    call("POST", "v1/job/launch", {"job_id": job})
    files = {int(each["id"]): each["original_filename"] for each in stage.diffgram.files(stage.dataset_id)}
    call("POST", f"v1/job/{job}/add-files", {"file_id_list": list(files)})
    body = {"mode_data": "list", "job_id": job, "limit_count": 0}
    listed = call("POST", f"v1/job/{job}/task/list", body)["task_list"]
    return {files[task["file"]["id"]]: int(task["id"]) for task in listed}


@contextmanager
def busy(stage: Stage) -> Iterator[None]:
    """Let a person open, edit and save files at random until the end of the block."""
    someone, over = stage.person(), threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _work(stage, someone, over)
        except BaseException as failure:  # noqa: BLE001  # raised below
            failures.append(failure)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]
    stage.insist(someone.edits > 5, "the person did hardly anything")


def _work(stage: Stage, someone: Annotator, over: threading.Event) -> None:
    chance = random.Random(7)
    there: Sequence[Packet] = stage.packets[:-2]
    while not over.wait(0.02):
        name = place_of(chance.choice(there))
        page = someone.open(stage.file_of(name))
        _CHANGES[chance.randrange(len(_CHANGES))](someone, page, chance)
        over.wait(chance.uniform(0, 0.15))
        try:
            stage.saves(someone, name, page)
        except SaveRefused:
            continue


def _draw(someone: Annotator, page: Page, chance: random.Random) -> None:
    someone.draw(page)


def _move(someone: Annotator, page: Page, chance: random.Random) -> None:
    for index in chance.sample(boxes(page), min(1, len(boxes(page)))):
        someone.move(page, index)


def _relabel(someone: Annotator, page: Page, chance: random.Random) -> None:
    for index in chance.sample(boxes(page), min(1, len(boxes(page)))):
        someone.relabel(page, index, "fish")


def _delete(someone: Annotator, page: Page, chance: random.Random) -> None:
    for index in chance.sample(boxes(page), min(1, len(boxes(page)))):
        page.delete(index)


_CHANGES: Sequence[Callable[[Annotator, Page, random.Random], None]] = (_draw, _move, _relabel, _delete)
