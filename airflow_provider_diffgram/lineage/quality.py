"""Reports a comparison to OpenLineage: how good the predictions of a dataset are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..assets.diffgram import SCHEME

if TYPE_CHECKING:
    from ..review.quality.verdict import Comparison
    from .diffgram import Outcome


def quality_facets_of(outcome: Outcome | None, found: Comparison | None) -> Any:
    """Return an ``OperatorLineage`` with the dataset as input: its metrics, and its limits as assertions.

    :param outcome: None if the task reported nothing, or compared several datasets.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.facet_v2 import (
        data_quality_assertions_dataset,
        data_quality_metrics_input_dataset,
    )

    if outcome is None or found is None:
        return OperatorLineage()
    figures = found.figures["all"]
    columns = {
        "predictions": data_quality_metrics_input_dataset.ColumnMetrics(
            count=figures["judged"], sum=figures["acceptance"]["number"]
        )
    }
    metrics = data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
        rowCount=figures["predictions"], columnMetrics=columns
    )
    assertions = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(assertion=words, success=success)
            for words, success in assertions_of(found)
        ]
    )
    dataset = InputDataset(
        namespace=f"{SCHEME}://{outcome.host}",
        name=f"{outcome.project}/{outcome.dataset}",
        inputFacets={"dataQualityMetrics": metrics, "dataQualityAssertions": assertions},
    )
    return OperatorLineage(inputs=[dataset])


def assertions_of(found: Comparison) -> list[tuple[str, bool]]:
    """Return the limits in words, and whether each is met."""
    told = [(words, False) for words in found.missed]
    if found.too_few is not None:
        return [(found.too_few, False)]
    return told or [("the predictions reach their limits", True)]
