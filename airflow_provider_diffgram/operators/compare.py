"""Operators that compare predictions with people's corrections. They import as little as :mod:`.base`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from ..hooks.diffgram import failing_for_good
from ..links.diffgram import PAGE_LINKS, remember_page
from .base import AnnouncingOperator, number_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..review.comparison import Outputs
    from ..review.quality.limits import QualityLimits
    from ..review.quality.verdict import Comparison

_ENDINGS = ("fail", "skip", "warn")
_GAUGES = ("acceptance", "judged", "reviewed", "deleted", "changed", "added")


class DiffgramCompareOperator(AnnouncingOperator):
    """Measure predictions by what people did with them.

    Only files whose task is complete count. Report, figures and page are written before ``limits`` decide how
    the task ends. Returns ``{"files", "reviewed", "predictions", "judged", "kept", "changed", "deleted",
    "redrawn", "lost", "unknown", "not_reviewed", "added", "acceptance", "acceptance_low",
    "acceptance_high", "ap50", "missed", "enough"}``; the events of outlets and Airflow's
    gauges ``diffgram.compare.*`` get the same.

    :param record: path of the record of a push, or several of them, oldest first.
    :param job: the job whose tasks count: its id, or the output of the operator that creates jobs. None
        counts all tasks of a file.
    :param review: path of a pulled version: its folder, or its ``files.jsonl.gz``. None reads the current
        annotations from Diffgram.
    :param limits: what predictions must reach: the fields of
        :class:`~airflow_provider_diffgram.review.quality.limits.QualityLimits`.
    :param on_missed: how the task ends if a limit is missed: ``fail`` fails it without a retry, ``skip``
        skips it and the tasks after it, ``warn`` logs a warning.
    :param on_too_few: how it ends if people have reviewed fewer files than ``min_reviewed``, one by default.
    :param metrics: path of a JSON file to write with all figures (docs/compare.md).
    :param report: path of a JSON Lines file to write with one line for each prediction.
    :param table: path of a Parquet file to write with the same content; needs the extra ``[parquet]``.
    :param page: path of an HTML page to write.
    :param history: path of a JSON Lines file to which each comparison adds a line. The page then shows
        acceptance by run, and the figures include the change.
    :param run_name: name of the comparison; a retry replaces its own line in the history.
    :param redrawn_iou: how much a drawn instance must overlap a deleted one to count as the same object.
    :param proofs: for how many files to read histories, to distinguish deletions from losses. In further
        files, missing predictions are ``unknown``.
    :param samples: how many pictures the page shows, 0 to 100: those that people corrected most.
    """

    operator_extra_links = PAGE_LINKS
    template_fields: Sequence[str] = (
        "record",
        "job",
        "review",
        "limits",
        "on_missed",
        "on_too_few",
        "metrics",
        "report",
        "table",
        "page",
        "history",
        "run_name",
        "redrawn_iou",
        "diffgram_conn_id",
    )
    ui_color = "#f6e9fa"
    _found: Comparison | None = None

    def __init__(
        self,
        *,
        record: str | Iterable[str],
        job: int | str | Mapping[str, Any] | None = None,
        review: str | None = None,
        limits: Mapping[str, Any] | None = None,
        on_missed: str = "fail",
        on_too_few: str = "skip",
        metrics: str | None = None,
        report: str | None = None,
        table: str | None = None,
        page: str | None = None,
        history: str | None = None,
        run_name: str = "{{ run_id }}",
        redrawn_iou: float | str = 0.5,
        proofs: int = 2000,
        samples: int = 24,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.record = record
        self.job = job
        self.review = review
        self.limits = limits
        self.on_missed = on_missed
        self.on_too_few = on_too_few
        self.metrics = metrics
        self.report = report
        self.table = table
        self.page = page
        self.history = history
        self.run_name = run_name
        self.redrawn_iou = redrawn_iou
        self.proofs = proofs
        self.samples = samples

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, write what was requested, and return the main figures."""
        from ..review.chosen import job_id_of
        from ..review.comparison import compare_in

        with failing_for_good():
            limits = self._limits()
            self._found = found = compare_in(
                self._connect(context),
                [self.record] if isinstance(self.record, str) else list(self.record),
                run=self.run_name,
                job_id=None if self.job in (None, "") else job_id_of(self.job),
                review=self.review,
                proofs=self.proofs,
                limits=limits,
                outputs=self._outputs(),
                redrawn_iou=number_of("redrawn_iou", self.redrawn_iou),
                path_of=self._hook().path_opener(),
            )
            self.log.info("%s", found.summary())
            if self.page:
                self.log.info("page: %s", self.page)
                remember_page(context, self.page)
            self._tell(context, found)
            self._end(found)
        return found.to_xcom()

    def _outputs(self) -> Outputs:
        from ..review.comparison import Outputs

        names = ("metrics", "report", "table", "page", "history")
        return Outputs(**{name: getattr(self, name) or None for name in names}, samples=self.samples)

    def _limits(self) -> QualityLimits:
        """Return the limits as numbers; a rendered template is text, and may be empty.

        :raises InvalidValueError: with everything that is wrong with the parameters.
        """
        from ..models import InvalidValueError
        from ..models.problems import not_one_of
        from ..review.quality.limits import QualityLimits

        problems = not_one_of("on_missed", self.on_missed, _ENDINGS)
        problems += not_one_of("on_too_few", self.on_too_few, _ENDINGS)
        if self.job not in (None, "") and self.review:
            problems.append("job and review are both given: a pulled set says itself what is reviewed")
        try:
            limits = QualityLimits.of(self.limits or {})
        except InvalidValueError as error:
            problems += error.problems
            limits = QualityLimits()
        if problems:
            raise InvalidValueError("comparison", problems)
        return limits

    def _tell(self, context: Context, found: Comparison) -> None:
        """Report to outlets, lineage and Airflow's metrics."""
        from airflow.providers.common.compat.sdk import Stats

        told = found.to_xcom()
        for name in _GAUGES:
            if told[name] is not None:
                Stats.gauge(f"diffgram.compare.{self.dag_id}.{self.task_id}.{name}", told[name])
        known = [int(each) for each in found.figures["datasets"] if each.isdecimal()]
        counts = {name: value for name, value in told.items() if name != "missed"}
        self._announce(context, known[0] if len(known) == 1 else None, counts=counts)

    def _end(self, found: Comparison) -> None:
        """End the task as requested if people have reviewed too little, or limits are missed."""
        if found.too_few is not None:
            self._end_by(self.on_too_few, found.too_few)
        elif found.missed:
            self._end_by(self.on_missed, "; ".join(found.missed))

    def _end_by(self, ending: str, why: str) -> None:
        from ..review.quality.verdict import QualityError

        if ending == "warn":
            self.log.warning("%s", why)
        elif ending == "skip":
            raise AirflowSkipException(why)
        else:
            raise QualityError(why)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the OpenLineage facets: the dataset, its acceptance, and which limits are met."""
        from ..lineage.quality import quality_facets_of

        return quality_facets_of(self._outcome, self._found)
