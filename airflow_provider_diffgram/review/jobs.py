"""Jobs in which people review: each is created exactly once, and found again later.

The server allows any number of jobs with the same name (server.md 10.2.1). Ours have a tag that is derived
from the plan, so a second call, a retry, or an attempt after a kill finds the job of the first one.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..client import OutcomeUnknownError, RefusedError, routes
from ..client.request import Steps, ask, now, pause
from ..ingest.server.jobs import every_job
from ..models import InvalidValueError, Job
from .errors import JobStateError
from .progress import is_share

_log = logging.getLogger(__name__)

TAG = "airflow:"
"""How our tags begin."""

_LOOKS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each lookup of a job whose creation was not answered."""
_PATIENCE = 60.0
"""Seconds in which a creation may be sent again."""

People = Sequence[int] | Literal["all"]


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job to create or find.

    :param name: unique among the jobs of this package.
    :param schema_id: label schema that people annotate with.
    :param datasets: id -> name of the datasets whose files, current and later ones, become tasks.
    :param instance_type: what people draw by default.
    :param members: ids of the members who may annotate, or ``all``.
    :param reviewers: ids of the members who may review, or ``all``.
    :param review_share: share of the finished tasks that a second person reviews, 0 to 1.
    :param tags: further tags.
    :raises InvalidValueError: with everything that is wrong.
    """

    name: str
    schema_id: int
    datasets: Mapping[int, str] = field(default_factory=dict)
    instance_type: str = "box"
    members: People = "all"
    reviewers: People = "all"
    review_share: float = 0.0
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = []
        if not isinstance(self.name, str) or not self.name or self.name != self.name.strip():
            problems.append(f"name must be a text without spaces around it, not {self.name!r}")
        if not is_share(self.review_share):
            problems.append(f"review_share must be a share from 0 to 1, not {self.review_share!r}")
        for what in ("members", "reviewers"):
            given = getattr(self, what)
            if given != "all" and not _are_ids(given):
                problems.append(f"{what} must be 'all' or ids of members, not {given!r}")
        wrong = [tag for tag in self.tags if not isinstance(tag, str) or not tag or tag.startswith(TAG)]
        problems += [f"tags must be texts that do not begin with {TAG!r}, not {tag!r}" for tag in wrong]
        if problems:
            raise InvalidValueError("job", problems)

    @property
    def tag(self) -> str:
        """The tag by which it is found: a short form of name, schema and datasets."""
        told = json.dumps([self.name, self.schema_id, sorted(self.datasets)])
        return TAG + hashlib.sha256(told.encode()).hexdigest()[:16]


def _are_ids(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in value)
    )


@dataclass(frozen=True, slots=True)
class MadeJob:
    """A job that exists.

    :param created: whether this call created it.
    :param launched: whether people can work in it.
    :param id: id of the job.
    :param name: its name.
    """

    id: int
    name: str
    created: bool
    launched: bool


def ensure_job(project: str, plan: JobPlan, *, launch: bool = True) -> Steps[MadeJob]:
    """Find the job of a plan, or create it, and launch it.

    It can be stopped at any step and called again: in the end there is one job. If two calls create one at
    the same moment, both use the older one, and the other stays a draft.

    :param project: project_string_id of the project.
    :param plan: the job to create or find.
    :param launch: whether to launch it, so that people can work in it.
    :raises InvalidValueError: if a job of ours has the name, but another schema or other datasets.
    :raises DiffgramError: if the server refused, or it is unknown whether the job was created.
    """
    ours = yield from _ours(project, plan)
    created = False
    if not ours:
        yield from _create(project, plan)
        ours, created = (yield from _ours(project, plan)), True
    if not ours:
        raise JobStateError(
            f"job {plan.name!r} was created, but project {project!r} does not list it: somebody has archived "
            "it meanwhile"
        )
    job, *twins = sorted(ours, key=lambda each: each.id)
    if twins:
        spare = ", ".join(str(each.id) for each in twins)
        _log.warning("jobs %s and %s are the same; going on with the first", job.id, spare)
    launched = job.status != "draft"
    if launch and not launched:
        yield from _launch(project, job)
        launched = True
    return MadeJob(job.id, plan.name, created, launched)


def _create(project: str, plan: JobPlan) -> Steps[None]:
    """Send the creation until the job is known to exist: after a lost answer it is looked up."""
    share = plan.review_share
    request = routes.create_job(
        project,
        plan.name,
        schema_id=plan.schema_id,
        datasets=plan.datasets,
        tags=[plan.tag, *plan.tags],
        member_ids=["all"] if plan.members == "all" else list(plan.members),
        reviewer_ids=["all"] if plan.reviewers == "all" else list(plan.reviewers),
        review_percent=round(share * 100) if share else None,
        instance_type=plan.instance_type,
    )
    end = (yield from now()) + _PATIENCE
    while True:
        try:
            yield from ask(request)
            return
        except OutcomeUnknownError as error:
            _log.debug("%s; looking whether the job was made", error)
            for seconds in _LOOKS:
                yield from pause(seconds)
                if (yield from _ours(project, plan)):
                    return
            if (yield from now()) >= end:
                raise


def _launch(project: str, job: Job) -> Steps[None]:
    try:
        yield from ask(routes.launch_job(project, job.id))
    except RefusedError:  # a launch before may have arrived without an answer
        found = yield from find_job(project, job.id)
        if found is None or found.status == "draft":
            raise


def _ours(project: str, plan: JobPlan) -> Steps[list[Job]]:
    """Return the jobs of the plan.

    :raises InvalidValueError: if a job of ours has the name, but another schema or other datasets.
    """
    named = yield from jobs_named(project, plan.name)
    ours = [job for job in named if plan.tag in job.tags]
    others = [job for job in named if job not in ours]
    foreign = [job for job in others if any(tag.startswith(TAG) for tag in job.tags)]
    if foreign and not ours:
        ids = ", ".join(str(job.id) for job in foreign)
        raise InvalidValueError(
            f"job {plan.name!r}",
            [
                f"job {ids} has this name, but was made with another label schema or other datasets: give "
                "another name, or the same schema and datasets"
            ],
        )
    if others and not ours:
        ids = ", ".join(str(job.id) for job in others)
        _log.warning("job %s has the name %r too, but was not made by this package", ids, plan.name)
    return ours


def jobs_named(project: str, name: str) -> Steps[list[Job]]:
    """Return the jobs of exactly that name, with status and tags; archived ones are not among them.

    The server's search takes a part of the name in any case, and a backslash in it for something else
    (server.md 10.2.2), so names are compared here.
    """
    found = yield from every_job(project, None if "\\" in name else name, names_only=True)
    return (yield from jobs_of(project, [job.id for job in found if job.name == name]))


def jobs_of(project: str, job_ids: Sequence[int]) -> Steps[list[Job]]:
    """Return the jobs of these ids that are not archived, with status and tags."""
    found: list[Job] = []
    for start in range(0, len(job_ids), _PAGE):
        listed = yield from ask(routes.list_jobs(project, job_ids=job_ids[start : start + _PAGE]))
        found += listed.jobs
    return found


_PAGE = 50
"""Jobs that the server lists at once."""


def find_job(project: str, job_id: int) -> Steps[Job | None]:
    """Return a job, or None if it is archived or does not exist."""
    return next(iter((yield from jobs_of(project, [job_id]))), None)


def require_launched(project: str, job_id: int) -> Steps[Job]:
    """Return a job in which people can work.

    :raises JobStateError: if they cannot, with what to do.
    """
    job = yield from find_job(project, job_id)
    if job is None:
        raise JobStateError(
            f"job {job_id} is archived, or does not exist in project {project!r}: check the id, or create "
            "another job"
        )
    if job.status == "draft":
        raise JobStateError(
            f"job {job_id} ({job.name}) is a draft, so nobody can work in it and it has no tasks: launch it "
            "in Diffgram, or by DiffgramCreateJobOperator with launch=True"
        )
    return job
