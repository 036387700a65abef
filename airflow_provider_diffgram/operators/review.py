"""Operators that create jobs, and tasks for chosen files. Imports as little as :mod:`.base`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..hooks.diffgram import failing_for_good
from .base import AnnouncingOperator, check_flag, number_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..client import DiffgramClient
    from ..review.jobs import JobPlan
    from ..review.select import Chosen

_TOLD = 1000
"""How many file ids an XCom may hold; a report has all of them."""


class DiffgramCreateJobOperator(AnnouncingOperator):
    """Create a job in which people review, or find the one with that name, and launch it.

    The same call finds the same job again, even after a kill: by its exact name, and by a tag for the schema
    and the datasets. Returns ``{"job_id", "name", "created", "launched", "url"}``. Each is also a separate
    XCom.

    :param name: unique among the jobs of this package in the project.
    :param datasets: names or ids of datasets whose files become tasks.
    :param sync: whether files added later become tasks too. Otherwise only the current ones do, which needs
        Diffgram's service ``eventhandlers``.
    :param label_schema: name or id. None means the connection's default schema, or else the project's.
    :param instance_type: what people draw by default.
    :param members: ids of the members who may annotate, or ``all``.
    :param reviewers: ids of the members who may review, or ``all``.
    :param review_share: share of the finished tasks that a second person reviews, 0 to 1.
    :param tags: further tags.
    :param launch: whether to launch the job, so that people can work in it. A draft has no tasks.
    """

    template_fields: Sequence[str] = (
        "name",
        "datasets",
        "label_schema",
        "instance_type",
        "members",
        "reviewers",
        "review_share",
        "tags",
        "diffgram_conn_id",
    )
    ui_color = "#f6e9fa"

    def __init__(
        self,
        *,
        name: str,
        datasets: str | int | Iterable[str | int] | None = None,
        sync: bool = True,
        label_schema: str | int | None = None,
        instance_type: str = "box",
        members: str | Iterable[int] = "all",
        reviewers: str | Iterable[int] = "all",
        review_share: float | str = 0.0,
        tags: Iterable[str] = (),
        launch: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"multiple_outputs": True, **kwargs})
        self.name = name
        self.datasets = datasets
        self.sync = sync
        self.label_schema = label_schema
        self.instance_type = instance_type
        self.members = members
        self.reviewers = reviewers
        self.review_share = review_share
        self.tags = tags
        self.launch = launch

    def execute(self, context: Context) -> dict[str, Any]:
        """Find or create the job, and return it."""
        from ..review.jobs import ensure_job

        with failing_for_good():
            check_flag("sync", self.sync)
            check_flag("launch", self.launch)
            client = self._connect(context)
            datasets = self._datasets(client)
            made = client.run(ensure_job(client.project, self._plan(client, datasets), launch=self.launch))
            self._remember(context, job_id=made.id)
            self.log.info("%s job %s (%r)", "Made" if made.created else "Found", made.id, made.name)
            if datasets and not self.sync and made.launched:
                self._add_what_is_there(client, made.id, list(datasets))
        return {
            "job_id": made.id,
            "name": made.name,
            "created": made.created,
            "launched": made.launched,
            "url": client.settings.job_url(made.id),
        }

    def _datasets(self, client: DiffgramClient) -> dict[int, str]:
        from ..ingest.check.lookup import find_dataset

        given = [] if self.datasets in (None, "") else self.datasets
        several = [given] if isinstance(given, str | int) else list(given or [])
        found = [find_dataset(client, each) for each in several]
        return {each.id: str(each.nickname) for each in found}

    def _plan(self, client: DiffgramClient, datasets: Mapping[int, str]) -> JobPlan:
        from ..ingest.check.lookup import find_schema
        from ..models.problems import NOTHING, telling
        from ..review.jobs import JobPlan

        schema = find_schema(client, self.label_schema or self._hook().get_defaults().label_schema)
        with telling(NOTHING):
            return JobPlan(
                name=self.name,
                schema_id=schema.id,
                datasets=datasets if self.sync else {},
                instance_type=self.instance_type,
                members=_people(self.members),
                reviewers=_people(self.reviewers),
                review_share=number_of("review_share", self.review_share),
                tags=[self.tags] if isinstance(self.tags, str) else list(self.tags),
            )

    def _add_what_is_there(self, client: DiffgramClient, job_id: int, datasets: Sequence[int]) -> None:
        from ..ingest.server.files import root_files
        from ..review.tasks import add_tasks

        files = [file.id for each in datasets for file in root_files(client, each, None)]
        added = client.run(add_tasks(client.project, job_id, files)) if files else None
        self.log.info("%s of %s files have a new task", added.created if added else 0, len(files))


def _people(given: Any) -> Any:
    """Return ``all``, or ids, which may be given as text by a template."""
    if isinstance(given, str) and given != "all":
        import json

        try:
            given = json.loads(given)
        except ValueError:
            return given
    if isinstance(given, Iterable) and not isinstance(given, str | Mapping):
        return [int(each) if isinstance(each, str) and each.isdecimal() else each for each in given]
    return given


class DiffgramAddTasksOperator(AnnouncingOperator):
    """Create one task in a job for each chosen file, and wait until the tasks exist.

    Diffgram's service ``eventhandlers`` creates the tasks. If it does not run, this fails and says so.
    Returns ``{"job_id", "requested", "created", "existing", "by_chance", "file_ids"}``; ``file_ids`` is left
    out above 1000.

    :param job: id of a launched job, or what
        :class:`~airflow_provider_diffgram.operators.review.DiffgramCreateJobOperator` returned.
    :param files: ids of files, what a push or a wait returned, or the path of a report or record.
    :param select: which of the files to take: the fields of
        :class:`~airflow_provider_diffgram.review.select.Selection`, such as ``{"amount": 100, "by": "score",
        "random_share": 0.1, "seed": "{{ run_id }}"}``. None takes all of them. Ranking by predictions needs a
        record as ``files``, or a handle that names one.
    :param other: record of another run, or a handle that names one, to select by ``disagreement``.
    :param report: path of a JSON Lines file to write: ``file_id``, ``why`` and ``value`` of each chosen file.
    :param patience: seconds without a new task after which the missing ones are requested again, and then
        given up.
    """

    template_fields: Sequence[str] = ("job", "files", "select", "other", "report", "diffgram_conn_id")
    ui_color = "#f6e9fa"

    def __init__(
        self,
        *,
        job: int | str | Mapping[str, Any],
        files: Any,
        select: Mapping[str, Any] | None = None,
        other: Any = None,
        report: str | None = None,
        patience: float = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.files = files
        self.select = select
        self.other = other
        self.report = report
        self.patience = patience

    def execute(self, context: Context) -> dict[str, Any]:
        """Choose files, request tasks, wait for them, and return the counts."""
        from ..review.chosen import job_id_of
        from ..review.select import write_chosen
        from ..review.tasks import add_tasks

        with failing_for_good():
            job_id = job_id_of(self.job)
            client = self._connect(context, job_id=job_id)
            chosen = self._chosen(client)
            if self.report is not None:
                write_chosen(chosen, self.report, self._hook().path_opener())
            files = [each.file_id for each in chosen]
            added = client.run(add_tasks(client.project, job_id, files, patience=self.patience))
        by_chance = sum(each.why == "random" for each in chosen)
        self.log.info("%s", added.summary())
        told = {
            "job_id": job_id,
            "requested": added.requested,
            "created": added.created,
            "existing": added.existing,
            "by_chance": by_chance if self.select is not None else 0,
        }
        return told | ({"file_ids": files} if len(files) <= _TOLD else {})

    def _chosen(self, client: DiffgramClient) -> list[Chosen]:
        """Return the files to review.

        :raises InvalidValueError: if there are none, or a parameter is wrong.
        """
        from ..models import InvalidValueError
        from ..review.chosen import candidates_of, file_ids_of, predictions_of
        from ..review.select import Chosen, Selection, select

        path_of = self._hook().path_opener()
        if self.select is None:
            chosen = [Chosen(each, "random") for each in file_ids_of(client, self.files, path_of)]
        else:
            selection = Selection.of(self.select)
            other = None if self.other is None else predictions_of(client, self.other, path_of)
            chosen = select(candidates_of(client, self.files, path_of), selection, other)
        if not chosen:
            raise InvalidValueError("files", ["no files are named, so nobody would have anything to review"])
        return chosen
