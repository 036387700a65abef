"""An operator that checks predictions before they are sent. Imports as little as :mod:`.base`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..hooks.diffgram import failing_for_good
from ..links.diffgram import PAGE_LINKS, remember_page
from .base import DiffgramOperator, name_of_packets

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.check.check import Candidate
    from ..ingest.check.labels import UnknownLabels
    from ..ingest.read.paths import PathOpener
    from ..ingest.validation import Limits
    from ..models import Packet


def _run_of(context: Context) -> str:
    """Return the DAG id and run id of a task, for its page."""
    return f"{context['ti'].dag_id} {context['run_id']}"


class DiffgramValidatePacketsOperator(DiffgramOperator):
    """Check a whole prediction set as a push would, without sending it. Fail if it misses a limit.

    Returns ``{"packets", "invalid", "instances", "mean_score", "labels"}``; ``labels`` maps each label to its
    number of instances.

    :param packets: as in :class:`~airflow_provider_diffgram.operators.diffgram.DiffgramSendPacketOperator`.
    :param max_invalid: how many packets may be invalid. A number below 1 is a share. By default none.
    :param min_instances: an image, text or audio file with fewer instances is invalid.
    :param max_instances: one with more instances is invalid.
    :param min_mean_score: the smallest mean of all scores.
    :param unknown_labels: as for the push that follows: only ``fail`` makes a packet invalid.
    :param report: path of a JSON Lines file to write, local or in object storage: ``packet``, ``name``,
        ``valid``, ``instances`` and ``problems`` of each packet.
    :param page: path of an HTML page to write: counts, scores, problems, pictures with their instances.
    :param valid_packets: path of a JSON Lines file to write the valid packets to, for the task that sends.
    :param samples: how many pictures the page shows, 0 to 100.
    """

    operator_extra_links = PAGE_LINKS
    template_fields: Sequence[str] = (
        "packets",
        "max_invalid",
        "min_instances",
        "max_instances",
        "min_mean_score",
        "unknown_labels",
        "report",
        "page",
        "valid_packets",
        *DiffgramOperator.template_fields,
    )

    def __init__(
        self,
        *,
        packets: Packet | Mapping[str, Any] | Iterable[Packet | Mapping[str, Any]] | str,
        max_invalid: float | str = 0,
        min_instances: int | str | None = None,
        max_instances: int | str | None = None,
        min_mean_score: float | str | None = None,
        unknown_labels: str = "fail",
        report: str | None = None,
        page: str | None = None,
        valid_packets: str | None = None,
        samples: int = 12,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.packets = packets
        self.max_invalid = max_invalid
        self.min_instances = min_instances
        self.max_instances = max_instances
        self.min_mean_score = min_mean_score
        self.unknown_labels = unknown_labels
        self.report = report
        self.page = page
        self.valid_packets = valid_packets
        self.samples = samples

    def execute(self, context: Context) -> dict[str, Any]:
        """Check, write what was requested, and return the counts, or fail with the reasons."""
        from ..ingest.read.jsonlines import candidates
        from ..ingest.validation import validate_packets

        with failing_for_good():
            hook = self._hook()
            path_of = hook.path_opener()
            limits = self._limits(path_of)
            found = validate_packets(
                self._connect(context),
                cast("Iterable[Candidate]", candidates(self.packets, "packet", path_of)),
                **self._targets(hook),
                unknown_labels=cast("UnknownLabels", self.unknown_labels),
                limits=limits,
                report=self.report,
                page=self.page,
                valid_packets=self.valid_packets,
                samples=self.samples,
                run=_run_of(context),
                path_of=path_of,
            )
            self.log.info("%s", found.summary())
            for cause in () if found.failures else found.causes:
                self.log.warning("%s", cause)
            if self.page:
                self.log.info("page: %s", self.page)
                remember_page(context, self.page)
            found.raise_if_failed()
        return found.to_xcom()

    def _document(self) -> str | None:
        return name_of_packets(self.packets)

    def _limits(self, path_of: PathOpener) -> Limits:
        """Return the limits as numbers; a rendered template is text, and may be empty.

        :raises InvalidValueError: with everything that is wrong with the parameters.
        """
        from ..ingest.validation import Limits
        from ..ingest.validation.validate import check_arguments
        from ..models import InvalidValueError
        from ..models.problems import all_problems

        numbers: dict[str, Any] = {}
        problems = []
        for name in ("max_invalid", "min_instances", "max_instances", "min_mean_score"):
            given = getattr(self, name)
            if given is None or given == "":
                continue
            try:
                numbers[name] = (int if name.endswith("instances") else float)(given)
            except (TypeError, ValueError):
                problems.append(f"{name} must be a number, not {given!r}")
        limits = Limits(**numbers)
        written = (self.report, self.page, self.valid_packets)
        given = (limits, self.unknown_labels, self.samples, written, path_of)
        problems += all_problems([lambda: check_arguments(*given)])
        if problems:
            raise InvalidValueError("validation", problems)
        return limits
