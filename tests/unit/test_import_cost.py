"""What every parse of a DAG imports stays cheap: no models, no client, no HTTP library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys
import airflow.providers.common.compat.sdk as compat
for name in ("BaseOperator", "BaseSensorOperator", "BaseHook", "TaskGroup", "Asset", "Param", "dag"):
    getattr(compat, name)
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""
NOT_YET = (
    "airflow_provider_diffgram.models",
    "airflow_provider_diffgram.client",
    "airflow_provider_diffgram.hooks.connection",
    "airflow_provider_diffgram.lineage.",
    "airflow_provider_diffgram.triggers",
    "requests",
    "urllib3",
    "numpy",
    "PIL",
)


@pytest.mark.parametrize(
    "module",
    [
        "airflow_provider_diffgram.operators.compare",
        "airflow_provider_diffgram.operators.retract",
        "airflow_provider_diffgram.operators.diffgram",
        "airflow_provider_diffgram.operators.pull",
        "airflow_provider_diffgram.operators.setup",
        "airflow_provider_diffgram.operators.review",
        "airflow_provider_diffgram.sensors.diffgram",
        "airflow_provider_diffgram.sensors.review",
        "airflow_provider_diffgram.decorators.diffgram",
        "airflow_provider_diffgram.task_groups.diffgram",
        "airflow_provider_diffgram.links.diffgram",
        "airflow_provider_diffgram.assets.diffgram",
        "airflow_provider_diffgram.retries",
    ],
)
def test_what_a_dag_file_imports_leaves_the_work_to_the_task(module):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(module=module)], capture_output=True, text=True, check=True
    )
    imported = json.loads(done.stdout.splitlines()[-1])
    assert module in imported
    assert [each for each in imported if each.startswith(NOT_YET)] == []


def test_a_dag_with_a_watched_asset_imports_its_trigger_and_no_more():
    code = CODE.format(module="airflow_provider_diffgram.triggers.review_events")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout.splitlines()[-1])
    ours = {each for each in imported if each.startswith("airflow_provider_diffgram.")}
    triggers = "airflow_provider_diffgram.triggers"
    assert ours == {triggers, f"{triggers}.review_events"}
