"""Shared by all tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.storage import Fault, flaky_storage

# Before anything imports Airflow: it reads these once, and would otherwise settle in the user's home.
_home = tempfile.TemporaryDirectory(prefix="airflow-home-", ignore_cleanup_errors=True)
os.environ.update(
    AIRFLOW_HOME=_home.name,
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).parent / "integration" / "airflow" / "dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
)

# How long an example takes says nothing here: benchmarks/ measures that, on a quiet machine.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.fixture
def faults(tmp_path: Path) -> Iterator[list[Fault]]:
    """Serve ``tmp_path`` as ``flaky://`` too, and let the storage fail as the list says."""
    with flaky_storage(tmp_path) as planted:
        yield planted
