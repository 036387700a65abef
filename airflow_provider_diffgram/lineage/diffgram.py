"""Reports what a task did to Airflow: links, asset events, lineage."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector
from airflow.providers.common.compat.sdk import Asset, AssetAlias

from ..assets.diffgram import SCHEME, create_asset, is_diffgram, parse_uri
from ..client import DiffgramClient, DiffgramError, routes
from ..links.diffgram import remember_place

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task did in one dataset.

    :param host: host and port of the server.
    :param dataset: name of the dataset, or its id if the name cannot be read.
    :param counts: such as ``{"expected": 3, "sent": 2, "skipped": 1}``; for a comparison, also shares.
    :param file_ids: files that it worked on, if they are few.
    """

    host: str
    project: str
    directory_id: int
    dataset: str
    counts: Mapping[str, Any] = field(default_factory=dict)
    file_ids: tuple[int, ...] = ()

    @property
    def asset(self) -> Asset:
        """The asset of the dataset."""
        return create_asset(host=self.host, project=self.project, dataset=self.dataset)

    @property
    def extra(self) -> dict[str, Any]:
        """The ``extra`` of an asset event."""
        files = {"file_ids": list(self.file_ids)} if self.file_ids else {}
        return {**self.counts, "directory_id": self.directory_id, **files}


def announce(
    task: Any,
    context: Context,
    client: DiffgramClient,
    directory_id: int | None,
    *,
    counts: Mapping[str, Any],
    file_ids: Sequence[int] = (),
    dataset: str | int | None = None,
) -> Outcome | None:
    """Report what ``task`` did to its links, its outlets and the hook lineage. Never fails the task.

    :param task: the operator, whose ``outlets`` may name the dataset as an asset, or an alias.
    :param directory_id: id of the dataset; None if unknown, so that only the links are set.
    :param counts: see :class:`Outcome`.
    :param file_ids: files that the task worked on, if they are few; the first one gets a link.
    :param dataset: name or id that the task was given for the dataset, if any.
    """
    settings = client.settings
    remember_place(context, settings, directory_id=directory_id, file_id=next(iter(file_ids), None))
    host = settings.base_url.rpartition("://")[2].lower()
    outlets = [each for each in getattr(task, "outlets", None) or [] if _may_be_diffgram(each)]
    if directory_id is None:
        for outlet in outlets:
            _log.warning("outlet %s: its event has no counts, since only a handle names the dataset", outlet)
        return None
    collector = get_hook_lineage_collector()
    name = str(dataset or directory_id)
    if name.isdecimal() and (outlets or type(collector).__name__ != "NoOpCollector"):
        name = _name(client, directory_id)
    outcome = Outcome(host, settings.project, directory_id, name, dict(counts), tuple(file_ids))
    for outlet in outlets:
        _fill_event(outlet, outcome, context)
    collector.add_output_asset(
        context=task,
        scheme=SCHEME,
        asset_kwargs={"host": host, "project": settings.project, "dataset": outcome.dataset},
        asset_extra=outcome.extra,
    )
    return outcome


def _name(client: DiffgramClient, directory_id: int) -> str:
    try:
        datasets = client.send(routes.list_datasets(client.project))
    except DiffgramError as error:
        _log.warning("cannot read the name of dataset %s, so its asset has the id: %s", directory_id, error)
        datasets = []
    return next((str(each.nickname) for each in datasets if each.id == directory_id), str(directory_id))


def _may_be_diffgram(outlet: Any) -> bool:
    return isinstance(outlet, AssetAlias) or (isinstance(outlet, Asset) and is_diffgram(outlet.uri))


def _fill_event(outlet: Any, outcome: Outcome, context: Context) -> None:
    """Add the counts to the event of an outlet; resolve an alias to the dataset."""
    if isinstance(outlet, AssetAlias):
        context["outlet_events"][outlet].add(outcome.asset, extra=outcome.extra)
    elif _is_named(outlet.uri, outcome):
        context["outlet_events"][outlet].extra = outcome.extra
    else:
        _log.warning(
            "outlet %s is not the dataset of this task, %s: its event has no counts",
            outlet.uri,
            outcome.asset.uri,
        )


def _is_named(uri: str, outcome: Outcome) -> bool:
    try:
        host, project, dataset = parse_uri(uri)
    except ValueError:
        return False
    same = {outcome.dataset, str(outcome.directory_id)}
    return (host, project) == (outcome.host, outcome.project) and dataset in same


def facets_of(outcome: Outcome | None, packets: Iterable[Any] = ()) -> Any:
    """Return an ``OperatorLineage`` from media and model runs to the dataset.

    :param outcome: None if the task reported nothing.
    :param packets: packets or mappings; the first thousand are read.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    from .sources import sources_of

    if outcome is None:
        return OperatorLineage()
    namespace = f"{SCHEME}://{outcome.host}"
    inputs = [
        Dataset(namespace=of or namespace, name=name if of else f"{outcome.project}/{name}")
        for of, name in sources_of(packets)
    ]
    statistics = OutputStatisticsOutputDatasetFacet(fileCount=outcome.counts.get("expected", 0))
    output = OutputDataset(
        namespace=namespace,
        name=f"{outcome.project}/{outcome.dataset}",
        outputFacets={"outputStatistics": statistics},
    )
    return OperatorLineage(inputs=inputs, outputs=[output])
