"""An operator that takes back predictions. Imports as little as :mod:`.base`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..hooks.diffgram import failing_for_good
from .base import AnnouncingOperator
from .memory import memory_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.send.retract import Reviewed


class DiffgramRetractPredictionsOperator(AnnouncingOperator):
    """Take back the predictions of a model run that nobody touched.

    Each is deleted by its id, so that its history shows that a program did it. What people made, moved,
    relabelled or deleted stays as it is. A file that somebody works on is left for another run of the task. A
    second run continues where the first one ended. Returns ``{"files", "predictions", "retracted", "touched",
    "restored", "reviewed", "at_work", "not_possible", "gone", "refused"}``; with ``dry_run``, ``retracted``
    counts what would be taken back.

    :param model_ref: the model, as in the predictions.
    :param model_run_ref: the run, as in the predictions.
    :param dataset: name or id of the dataset to search. None means the connection's default dataset.
    :param file_ids: the files to search, instead of a dataset.
    :param reviewed: what to do with files that people have completed: ``leave`` them, or ``retract`` from
        them as well.
    :param dry_run: whether to count only.
    :param report: path of a JSON Lines file to write with the outcome of each file.
    """

    template_fields: Sequence[str] = (
        "model_ref",
        "model_run_ref",
        "dataset",
        "file_ids",
        "reviewed",
        "only_counts",
        "report",
        "diffgram_conn_id",
    )
    ui_color = "#f6e9fa"

    def __init__(
        self,
        *,
        model_ref: str,
        model_run_ref: str,
        dataset: str | int | None = None,
        file_ids: Iterable[int] | str | None = None,
        reviewed: str = "leave",
        dry_run: bool | str = True,
        report: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model_ref = model_ref
        self.model_run_ref = model_run_ref
        self.dataset = dataset
        self.file_ids = file_ids
        self.reviewed = reviewed
        self.only_counts = dry_run  # BaseOperator has a method named dry_run
        self.report = report

    def execute(self, context: Context) -> dict[str, Any]:
        """Take the predictions back, or count them, and return the counts."""
        from ..ingest.send.retract import retract_predictions

        with failing_for_good():
            hook = self._hook()
            client = self._connect(context)
            dry_run = self._is_dry()
            dataset = self.dataset or hook.get_defaults().dataset
            done = retract_predictions(
                client,
                str(self.model_ref),
                str(self.model_run_ref),
                dataset=dataset,
                file_ids=self._given_files(),
                reviewed=cast("Reviewed", self.reviewed),
                dry_run=dry_run,
                report=self.report,
                memory=memory_of(context),
                path_of=hook.path_opener(),
            )
            self.log.info("%s", done.summary(dry_run))
            told = done.to_xcom()
            if not dry_run:
                self._announce(context, done.directory_id, dataset=dataset, counts=told)
        return told

    def _given_files(self) -> list[int] | None:
        from ..ingest.watch.targets import ids_of

        return None if self.file_ids in (None, "") else ids_of("file_ids", self.file_ids)

    def _is_dry(self) -> bool:
        """Return whether to count only; a rendered template is text.

        :raises InvalidValueError: if the text is neither true nor false.
        """
        from ..models import InvalidValueError

        told = str(self.only_counts).strip().lower()
        if told not in ("true", "false"):
            raise InvalidValueError(
                "retraction", [f"dry_run must be true or false, not {self.only_counts!r}"]
            )
        return told == "true"
