"""Reports a pull to OpenLineage and the hook lineage: from the dataset to the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector

from ..assets.diffgram import SCHEME
from .sources import source_of_path

if TYPE_CHECKING:
    from ..review.pull import Pulled


def note_pull(task: Any, host: str, project: str, dataset: str | None, found: Pulled) -> None:
    """Report to the hook lineage what a task read and wrote.

    :param host: host and port of the server.
    :param dataset: name of the dataset; None if files of several were pulled.
    """
    collector = get_hook_lineage_collector()
    if dataset is not None:
        place = {"host": host, "project": project, "dataset": dataset}
        collector.add_input_asset(context=task, scheme=SCHEME, asset_kwargs=place)
    uri = found.path if "://" in found.path else f"file://{found.path}"
    collector.add_output_asset(context=task, uri=uri, asset_extra=found.to_xcom())


def facets_of_pull(host: str, project: str, dataset: str | None, found: Pulled | None) -> Any:
    """Return an ``OperatorLineage`` from the dataset, or the project, to the folder of the set.

    :param found: None if the task pulled nothing.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    if found is None:
        return OperatorLineage()
    name = project if dataset is None else f"{project}/{dataset}"
    namespace, folder = source_of_path(found.path.rpartition("/")[0])
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=found.instances, fileCount=found.files)
    return OperatorLineage(
        inputs=[Dataset(namespace=f"{SCHEME}://{host}", name=name)],
        outputs=[
            OutputDataset(namespace=namespace, name=folder, outputFacets={"outputStatistics": statistics})
        ],
    )
