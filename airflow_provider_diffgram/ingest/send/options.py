"""The options of a push."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Required, TypedDict, get_args

from ...client.sync import MOST_AT_ONCE
from ...models import InvalidValueError
from ...models.problems import is_count, not_one_of
from ...pulse import Progress
from ..check.labels import UNKNOWN_LABELS, Ref, UnknownLabels
from ..defaults import CONCURRENCY
from ..limits import LIMITS, Limits, allowed
from ..read.paths import PathOpener, universal_path
from .decisions.decide import DeliverBy, IfExists
from .decisions.refresh import Rules, rules_of
from .queue.batches import Memory
from .queue.turns import Turns


class Sending(TypedDict, total=False):
    """The options that a push of packets and a push of children share; :class:`Options` explains them."""

    dataset: Required[str | int | None]
    label_schema: str | int | None
    unknown_labels: UnknownLabels
    origin: Ref | None
    max_failed: float
    report: str | None
    record: str | None
    delivery: DeliverBy
    concurrency: int
    memory: Memory | None
    stop: threading.Event | None
    turns: Turns | None
    path_of: PathOpener


class Pushing(Sending, total=False):
    """The options of a push."""

    if_exists: IfExists
    refresh: Rules | Mapping[str, Any] | None
    limits: Limits
    progress: Progress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a push.

    :param dataset: name or id of the dataset to send to.
    :param label_schema: name or id of the label schema. None means the project's default.
    :param unknown_labels: what to do with labels that are missing from the schema: ``fail``, and name all of
        them; ``drop`` their instances, and log how many; ``create`` the labels, once everything else is
        checked.
    :param origin: model and run (or None) for predictions that name no model.
    :param if_exists: what to do with media whose name is already in the dataset: ``skip`` them; ``fail``
        before anything is sent; ``append`` the missing predictions; ``replace`` all instances, even those
        that people corrected; ``refresh`` those that earlier runs of the model predicted and nobody touched.
    :param refresh: how ``refresh`` decides: the fields of :class:`~.decisions.refresh.Rules`.
    :param max_failed: how many packets may be refused. A number below 1 is a share.
    :param report: path of a JSON Lines file to write with the outcome of each packet.
    :param record: path of a JSON Lines file to write with each packet as it was sent, and its file: a line is
        a :class:`~airflow_provider_diffgram.models.recorded.Recorded`.
    :param delivery: how media by URL, blobs and texts travel. ``upload``: the worker reads and uploads them,
        so they are stored before the push returns. ``queue``: Diffgram fetches them later. ``auto``: images
        that the worker can read are uploaded. Changes of existing files are written or queued in the same
        way; ``auto`` queues those of files that somebody is working on.
    :param concurrency: how many requests at once, at most 32. Uploads and writes into files start with two,
        and add more only while the server does not get slower.
    :param memory: remembers batches between attempts.
    :param stop: once set, nothing more is sent, and the push ends with an error.
    :param turns: lets tasks that may introduce the same model run take turns.
    :param path_of: opens the paths of media, report and record.
    :param limits: how much is sent together, and how long to wait.
    :param progress: called after each packet with how many are done, of how many (None if unknown), and how
        many of the done failed. The threads that send call it, one at a time, so it should be quick.
    :raises InvalidValueError: with everything that is wrong.
    """

    dataset: str | int | None
    label_schema: str | int | None = None
    unknown_labels: UnknownLabels = "fail"
    origin: Ref | None = None
    if_exists: IfExists = "skip"
    refresh: Rules | Mapping[str, Any] | None = None
    max_failed: float = 0
    report: str | None = None
    record: str | None = None
    delivery: DeliverBy = "auto"
    concurrency: int = CONCURRENCY
    memory: Memory | None = None
    stop: threading.Event | None = None
    turns: Turns | None = None
    path_of: PathOpener = universal_path
    limits: Limits = LIMITS
    progress: Progress | None = None

    def __post_init__(self) -> None:
        origin = [each for each in self.origin or () if "\x00" in (each or "")]
        problems = [f"origin: {each!r} contains a NUL character" for each in origin]
        chosen = (
            ("unknown_labels", self.unknown_labels, UNKNOWN_LABELS),
            ("if_exists", self.if_exists, get_args(IfExists)),
            ("delivery", self.delivery, get_args(DeliverBy)),
        )
        for name, value, known in chosen:
            problems += not_one_of(name, value, known)
        if self.record and self.record == self.report:
            problems.append(f"record and report are both {self.record!r}: give each a path of its own")
        if not is_count(self.max_failed):
            problems.append(f"max_failed must be 0 or more, not {self.max_failed!r}")
        if type(self.concurrency) is not int or not 1 <= self.concurrency <= MOST_AT_ONCE:
            problems.append(f"concurrency must be 1 to {MOST_AT_ONCE}, not {self.concurrency!r}")
        problems += self._refresh_problems()
        if problems:
            raise InvalidValueError("push", problems)

    def _refresh_problems(self) -> list[str]:
        problems = []
        try:
            rules_of(self.refresh)
        except ValueError as error:
            problems = [f"refresh: {line}" for line in str(error).splitlines()]
        if self.refresh is not None and self.if_exists != "refresh":
            problems.append("refresh is used with if_exists='refresh' only: leave it out")
        if self.if_exists == "refresh" and self.delivery == "queue":
            problems.append(
                "if_exists='refresh' changes files, which the queue cannot do: leave out delivery='queue'"
            )
        return problems

    @property
    def rules(self) -> Rules:
        """How a refresh decides."""
        return rules_of(self.refresh)

    def too_many(self, failed: int, expected: int) -> bool:
        """Whether more of ``expected`` packets failed than are allowed."""
        return failed > allowed(self.max_failed, expected)
