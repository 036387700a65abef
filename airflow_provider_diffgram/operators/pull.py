"""An operator that writes annotations to files. Imports as little as :mod:`.base`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import AirflowSkipException, Asset

from ..hooks.diffgram import failing_for_good
from .base import AnnouncingOperator, check_flag
from .metrics import count_pull

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..client import DiffgramClient
    from ..hooks.diffgram import DiffgramHook
    from ..review.pull import Only, Options, Pulled


class DiffgramPullAnnotationsOperator(AnnouncingOperator):
    """Write the annotations of files to a folder, as a new version unless nothing changed.

    With a folder that it has written before, it reads only what has changed since then. Give at most one of
    ``dataset``, ``job``, ``handle`` and ``file_ids``; without any, the connection's default dataset is
    pulled.

    Returns ``{"version", "previous", "is_new", "path", "manifest", "files", "instances", "added", "changed",
    "kept", "removed", "moved", "left_out", "clipped", "dataset", "directory_id"}``. The events of outlets
    have the same fields.

    :param path: a folder for this set alone, local or in object storage. Each version is a folder in it that
        never changes again; the returned ``path`` is that of the version.
    :param dataset: name or id of a dataset.
    :param job: id of a job, or the output of the operator that creates jobs.
    :param handle: what a push returned, or several of these; the files must have arrived.
    :param file_ids: ids of files of the project.
    :param only: ``complete`` takes files whose tasks people have completed; ``all`` takes every file.
    :param format: ``packets``, ``coco``, ``yolo``, ``yolo-segment``, ``yolo-obb``, ``yolo-pose``, ``voc`` or
        ``parquet``.
    :param split: for YOLO: part -> share of the pictures. None means 80 % ``train`` and 20 % ``val``.
    :param unsupported: what to do with annotations that the format cannot hold: ``drop`` and count them, or
        ``fail``.
    :param media: ``none``; ``link`` writes the address of each medium; ``copy`` downloads them.
    :param skip_unchanged: whether the task, and the tasks after it, are skipped if there is no new version or
        nothing to pull yet.
    """

    template_fields: Sequence[str] = (
        "path",
        "dataset",
        "job",
        "handle",
        "file_ids",
        "only",
        "format",
        "split",
        "unsupported",
        "media",
        "diffgram_conn_id",
    )
    ui_color = "#f6e9fa"
    _lineage: tuple[str, str, str | None, Pulled] | None = None

    def __init__(
        self,
        *,
        path: str,
        dataset: str | int | None = None,
        job: int | str | Mapping[str, Any] | None = None,
        handle: Mapping[str, Any] | Iterable[Mapping[str, Any]] | str | None = None,
        file_ids: Iterable[int] | str | None = None,
        only: str = "complete",
        format: str = "packets",
        split: Mapping[str, float] | None = None,
        unsupported: str = "drop",
        media: str = "none",
        skip_unchanged: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.dataset = dataset
        self.job = job
        self.handle = handle
        self.file_ids = file_ids
        self.only = only
        self.format = format
        self.split = split
        self.unsupported = unsupported
        self.media = media
        self.skip_unchanged = skip_unchanged

    def execute(self, context: Context) -> dict[str, Any]:
        """Pull, and return the newest version."""
        from ..review.pull import pull

        with failing_for_good():
            check_flag("skip_unchanged", self.skip_unchanged)
            hook = self._hook()
            client = self._connect(context)
            found = pull(
                client,
                self.path,
                **self._source(hook),
                only=cast("Only", self.only),
                options=self._options(),
                path_of=hook.path_opener(),
            )
        self.log.info("%s", found.summary())
        count_pull(context, found)
        if self.skip_unchanged and not (found.is_new and (found.files or found.previous)):
            raise AirflowSkipException(f"skipped: {found.summary()}")
        self._tell(context, client, found)
        return found.to_xcom()

    def _document(self) -> str | None:
        return str(self.path).rstrip("/").rpartition("/")[2] or None

    def _source(self, hook: DiffgramHook) -> dict[str, Any]:
        """Return what to pull; a rendered template is text, and may be empty.

        :raises InvalidValueError: if a parameter is wrong.
        """
        from ..ingest.watch.targets import handles_of, ids_of
        from ..review.chosen import job_id_of

        given = {name: getattr(self, name) for name in ("dataset", "job", "handle", "file_ids")}
        given = {name: value for name, value in given.items() if value not in (None, "")}
        if not given:
            return {"dataset": hook.get_defaults().dataset}
        if "job" in given:
            given["job"] = job_id_of(given["job"])
        if "file_ids" in given:
            given["file_ids"] = ids_of("file_ids", given["file_ids"])
        if "handle" in given:
            given["handle"] = handles_of(given["handle"])
        return given

    def _options(self) -> Options:
        from ..review.pull import Options

        return Options(
            format=cast("Any", self.format),
            split={name: float(share) for name, share in self.split.items()} if self.split else None,
            unsupported=cast("Any", self.unsupported),
            media=cast("Any", self.media),
        )

    def _tell(self, context: Context, client: DiffgramClient, found: Pulled) -> None:
        """Put the version and the counts into the events of outlets; report to links and lineage."""
        from ..lineage.pulled import note_pull

        self._remember(context, directory_id=found.directory_id)
        host = client.settings.base_url.rpartition("://")[2].lower()
        self._lineage = (host, client.project, found.dataset, found)
        note_pull(self, *self._lineage)
        for outlet in self.outlets or []:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = found.to_xcom()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the OpenLineage facets: the dataset, and the folder with the annotations."""
        from ..lineage.pulled import facets_of_pull

        return facets_of_pull(*self._lineage) if self._lineage else facets_of_pull("", "", None, None)
