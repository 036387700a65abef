"""What OpenLineage is told of a comparison."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.lineage.diffgram import Outcome
from airflow_provider_diffgram.lineage.quality import assertions_of, quality_facets_of
from airflow_provider_diffgram.review.comparison import Comparison

SHARE = {"number": 3, "of": 4, "share": None, "low": 0.3, "high": 0.95}
FIGURES = {"all": {"predictions": 5, "judged": 4, "acceptance": SHARE}}


@pytest.mark.parametrize(
    "found, told",
    [
        (Comparison(FIGURES), [("the predictions reach their limits", True)]),
        (Comparison(FIGURES, missed=("too bad", "worse")), [("too bad", False), ("worse", False)]),
        (Comparison(FIGURES, too_few="nobody looked"), [("nobody looked", False)]),
    ],
)
def test_each_missed_limit_is_an_assertion(found: Comparison, told: list[tuple[str, bool]]):
    assert assertions_of(found) == told


def test_the_dataset_is_told_with_its_metrics():
    pytest.importorskip(
        "airflow.providers.openlineage.extractors", reason="OpenLineage is an extra that nothing here needs"
    )
    outcome = Outcome("h.test", "p", 7, "night", {})
    (dataset,) = quality_facets_of(outcome, Comparison(FIGURES, missed=("too bad",))).inputs
    assert (dataset.namespace, dataset.name) == ("diffgram://h.test", "p/night")
    metrics = dataset.inputFacets["dataQualityMetrics"]
    assert metrics.rowCount == 5
    assert (metrics.columnMetrics["predictions"].count, metrics.columnMetrics["predictions"].sum) == (4, 3)
    (assertion,) = dataset.inputFacets["dataQualityAssertions"].assertions
    assert (assertion.assertion, assertion.success) == ("too bad", False)
    assert quality_facets_of(None, None).inputs == []
