"""What importing operators adds to a process that has Airflow's own SDK, ours beside those of others.

Every parse of a DAG file pays it, in a fresh process. The others are published providers that send work to a
service by HTTP, in an environment of their own that holds this package as well.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from .process import ROOT
from .rows import Bar, Row, row

PYTHON = ROOT / "build" / "imports" / "bin" / "python"
"""The environment, as ``make bench`` sets it up."""

ROUNDS = 7
BAR = Bar(most=30)

OURS = "operators"
MODULES = {
    OURS: "airflow_provider_diffgram.operators.diffgram",
    "http": "airflow.providers.http.operators.http",
    "dbt_cloud": "airflow.providers.dbt.cloud.operators.dbt",
    "databricks": "airflow.providers.databricks.operators.databricks",
}
DAG = ROOT / "dags" / "diffgram_push_files.py"

_LOADED = """
import time
import airflow.sdk, airflow.triggers.base
import airflow.providers.common.compat.connection, airflow.providers.common.compat.triggers
import airflow.providers.common.compat.sdk as compat
for name in (
    "Asset", "BaseHook", "BaseOperator", "BaseOperatorLink", "BaseSensorOperator", "ObjectStoragePath",
    "Param", "TaskGroup", "XCom", "conf", "dag", "mask_secret", "task", "AirflowException",
    "AirflowFailException", "AirflowSensorTimeout", "AirflowSkipException", "PokeReturnValue",
):
    getattr(compat, name)
"""
_IMPORT = (
    _LOADED
    + """
started = time.perf_counter()
import {module}
print("took", time.perf_counter() - started)
"""
)
_PARSE = (
    _LOADED
    + """
import runpy
started = time.perf_counter()
runpy.run_path({path!r})
print("took", time.perf_counter() - started)
"""
)


def measure(tell: Callable[[str], None]) -> list[Row]:
    """Return the rows of the family ``import``: milliseconds, each the median of fresh processes."""
    programs = {name: _IMPORT.format(module=module) for name, module in MODULES.items()}
    programs["dag_parse"] = _PARSE.format(path=str(DAG))
    tell(f"import: {len(programs)} programs, {ROUNDS} times each")
    for program in programs.values():
        _milliseconds(program)  # compiles what is not compiled yet
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            taken[name].append(_milliseconds(program))
    return rows_of({name: median(times) for name, times in taken.items()})


def rows_of(medians: Mapping[str, float]) -> list[Row]:
    """Return the rows of medians in milliseconds; the peer is the cheapest of the others."""
    others = {name: medians[name] for name in MODULES if name != OURS}
    ours = medians[OURS]
    return [
        row("import.operators_ms", ours, min(others.values()), "ms", BAR),
        *(row(f"import.{name}_ms", ours, theirs, "ms") for name, theirs in others.items()),
        row("import.dag_parse_ms", medians["dag_parse"], None, "ms"),
    ]


def _milliseconds(program: str) -> float:
    done = subprocess.run(
        [PYTHON, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT, env=_environment()
    )
    took = [line for line in done.stdout.splitlines() if line.startswith("took ")]
    if done.returncode or not took:
        raise RuntimeError(f"{PYTHON} could not import: {done.stderr[-2000:]}")
    return float(took[-1].split()[1]) * 1000


def _environment() -> dict[str, Any]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "AIRFLOW_HOME": str(PYTHON.parents[1] / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
