"""The rows of the family import."""

from __future__ import annotations

from benchmarks.imports import MODULES, rows_of

MEDIANS = {"operators": 12.0, "http": 260.0, "dbt_cloud": 280.0, "databricks": 650.0, "dag_parse": 20.0}


def test_the_peer_is_the_cheapest_and_each_has_a_row():
    rows = {row.name: row for row in rows_of(MEDIANS)}
    assert set(rows) == {f"import.{name}_ms" for name in [*MODULES, "dag_parse"]}
    assert (rows["import.operators_ms"].ours, rows["import.operators_ms"].peer) == (12, 260)
    assert rows["import.databricks_ms"].peer == 650
    assert rows["import.dag_parse_ms"].ours == 20
    assert all(row.ok for row in rows.values())


def test_more_than_30_ms_misses_the_bar():
    rows = rows_of(MEDIANS | {"operators": 31.0})
    assert [row.name for row in rows if not row.ok] == ["import.operators_ms"]
