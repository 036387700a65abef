"""Decides what to do with one item, from what was found out about it. No request is sent here.

:func:`decide` returns either an action or the next question. The caller finds out the answer, puts it into
:class:`Found`, and calls :func:`decide` again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from ....models import File
from ....models.media import media_type_of
from ...check.names import stored_upload_name
from ...server.names import Pending
from .item import Item

if TYPE_CHECKING:
    from ...read.remote import Medium

IfExists = Literal["skip", "fail", "append", "replace", "refresh"]
"""What to do with an existing file. With ``fail``, the push was refused before anything is sent."""


DeliverBy = Literal["auto", "upload", "queue"]
"""How predictions are delivered: ``upload`` at once, proved by the answer (the worker also uploads media that
the server could fetch); by the server's ``queue``; ``auto`` chooses what is safe."""

LONG = 100
"""A write of this many rows takes seconds, in which somebody may save (server.md 10.8.5)."""


class Question(Enum):
    """A question that must be answered before the decision."""

    IS_IT_BROKEN_OFF = "whether chunks of the pending upload still come"
    WHAT_DOES_IT_BRING = "whether the pending input leaves the file as the item is to leave it"
    WHAT_DID_IT_MAKE = "wait for the pending input to end, and look at its file"
    IS_IT_LOST = "whether the server lost the video of that file while it read it; archived if so"
    CAN_IT_BE_READ = "whether the worker can read the medium, so that it can be uploaded"
    DID_IT_LOSE_SOME = "whether the input that made the file failed, or stored fewer instances than sent"


class Action(Enum):
    """What to do with an item. Each item ends in one action."""

    SKIP = "the file is there, and complete or as people left it"
    ADOPT = "an earlier attempt's input is under way: wait for it instead of sending again"
    SETTLE = "the file is there without instances: look again once they had time to be stored"
    SEND = "put it into the server's queue"
    UPLOAD = "upload the medium with its predictions in one request"
    REFUSE = "it was to be uploaded in any case, and cannot be"
    UPLOAD_IN_CHUNKS = "upload the medium in chunks; its predictions follow as an update"
    APPEND = "bring the file those predictions that it lacks"
    REPLACE = "put these predictions in the place of all that the file holds"
    REFRESH = "put these predictions in the place of those of earlier runs that nobody touched"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of an item on the server; None for questions not yet asked.

    :param pending: an input under way that will make the item's file.
    :param is_broken_off: whether the chunks of that upload stopped coming.
    :param brings_all: whether that input will leave the file as the item should.
    :param file: the file that the item would make.
    :param is_lost: whether the server had lost the video of that file.
    :param has_lost_some: whether the input that made the file lost predictions.
    :param medium: the medium, if the worker has read it; the caller closes it when the item is done.
    :param unreadable: why the worker cannot read the medium.
    :param failing_storage: where the medium is stored, if that storage has a fault that may pass.
    """

    pending: Pending | None = None
    is_broken_off: bool | None = None
    brings_all: bool | None = None
    file: File | None = None
    is_lost: bool | None = None
    has_lost_some: bool | None = None
    medium: Medium | None = None
    unreadable: str | None = None
    failing_storage: str | None = None


def decide(
    item: Item, found: Found, if_exists: IfExists, deliver_by: DeliverBy = "auto"
) -> Action | Question:
    """Return what to do with an item, or what to ask first."""
    if item.is_update:
        if item.packet.mode == "update_with_existing":
            return Action.REPLACE
        return Action.REFRESH if if_exists == "refresh" else Action.APPEND
    if found.pending is not None:
        return _while_pending(item, found, if_exists)
    if found.file is not None and item.is_video and found.is_lost is None:
        return Question.IS_IT_LOST
    if found.file is not None:
        return _with_file(item, found.file, found.has_lost_some, if_exists)
    if item.is_large:
        return Action.UPLOAD_IN_CHUNKS
    if item.is_local or found.medium is not None:
        return Action.UPLOAD
    if why_not_uploaded(item, found, deliver_by) is None:
        return Question.CAN_IT_BE_READ
    return Action.REFUSE if deliver_by == "upload" else Action.SEND


def introduces_safely(action: Action, item: Item) -> bool:
    """Return whether an action is safe if others introduce the same model run at the same moment.

    If an upload of an image loses that race, it is refused as a whole and sent again (server.md 10.8). An
    input in the queue is lost, together with a thread of the server (quirk 48).
    """
    if action is Action.UPLOAD:
        return item.packet.media is not None and item.packet.media.type == "image"
    return action in (Action.SKIP, Action.SETTLE, Action.REFUSE)


def why_not_uploaded(item: Item, found: Found, deliver_by: DeliverBy) -> str | None:
    """Return why a new medium that the server could fetch is not uploaded; None if it may be.

    Its name must not change: an upload's name loses characters outside ASCII (server.md 3.6), and a later run
    would not find the file again. Media other than images the server may still be reading after its answer.
    """
    media = item.packet.media
    assert media is not None
    if deliver_by == "queue":
        return "was to go that way"
    if deliver_by == "auto" and media.type != "image":
        return f"is {media.type}"
    if stored_upload_name(item.name) != item.name or media_type_of(item.name) != media.type:
        return "would get another name as an upload"
    return None if found.unreadable is None else f"cannot be read here ({found.unreadable})"


def _while_pending(item: Item, found: Found, if_exists: IfExists) -> Action | Question:
    if item.is_large and found.is_broken_off is None:
        return Question.IS_IT_BROKEN_OFF
    if not item.is_large and if_exists in ("skip", "fail"):
        return Action.ADOPT
    if found.brings_all is None:
        return Question.WHAT_DOES_IT_BRING
    return Action.ADOPT if found.brings_all else Question.WHAT_DID_IT_MAKE


def _with_file(item: Item, file: File, has_lost_some: bool | None, if_exists: IfExists) -> Action | Question:
    """Return what to do if the file exists: skip it if it is or was complete, so deletions by people last.

    The file's counter only grows, so it shows what was stored, not what is left (server.md 4.1).
    """
    counted = file.count_instances_changed
    if item.expected and counted is None and item.packet.instance_list:
        return Action.SETTLE
    if if_exists == "replace":
        return Action.REPLACE
    if if_exists == "append":
        return Action.APPEND
    if if_exists == "refresh":
        return Action.REFRESH
    if item.expected <= (counted or 0):
        return Action.SKIP
    if has_lost_some is None:
        return Question.DID_IT_LOSE_SOME
    return Action.APPEND if has_lost_some else Action.SKIP


def decide_settled(*, holds_instances: bool, if_exists: IfExists) -> Action:
    """Return what to do with an item after its file had time to get its instances.

    :param holds_instances: whether the file's counter shows any now.
    """
    if if_exists == "replace":
        return Action.REPLACE
    if if_exists == "refresh":
        return Action.REFRESH
    if if_exists == "append" or not holds_instances:
        return Action.APPEND
    return Action.SKIP


@dataclass(frozen=True, slots=True)
class Amendable:
    """What is known of a file to which predictions are added, or whose predictions are replaced.

    :param can_be_rewritten: whether the server locks its list against two writers.
    :param task: state of its task, if somebody has begun it; None if that was not checked.
    :param has_just_been_saved: whether somebody saved it within the last minutes.
    :param is_long: whether a write takes so long that somebody may save meanwhile.
    """

    can_be_rewritten: bool
    task: str | None = None
    has_just_been_saved: bool = False
    is_long: bool = False


def why_by_queue(found: Amendable) -> str | None:
    """Return why a change of a file is left to the queue; None if it is written directly.

    In the singular: ``is of a file that somebody saved just now``.
    """
    if not found.can_be_rewritten:
        return "belongs to a file that two may write at once"
    if found.task is not None:
        return f"belongs to a file whose task is {found.task}"
    if found.has_just_been_saved:
        return "is of a file that somebody saved just now"
    return "belongs to a file with many instances and a task" if found.is_long else None
