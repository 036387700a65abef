"""A real Airflow with its database, and DAG runs in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from diffgram_emulator.process import EmulatorProcess

DAGS = Path(__file__).parent / "dags"


@dataclass
class Ran:
    """A finished DAG run.

    :param states: task id -> states of its task instances.
    :param results: task id -> what it returned; a list if it was mapped.
    :param tries: task id -> number of attempts of its first instance.
    """

    state: str
    states: dict[str, set[str]]
    results: dict[str, Any]
    tries: dict[str, int]


@pytest.fixture(scope="session")
def dag_bag() -> Any:
    """The DAGs of these tests in a database that is up to date."""
    from airflow.utils import db

    db.upgradedb()
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before Airflow 3.1
        from airflow.models.dagbag import DagBag
    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    return bag


@pytest.fixture
def client(diffgram_emulator: EmulatorProcess) -> DiffgramClient:
    """A client of the test's project, which has the labels ``cat`` and ``dog``."""
    client = DiffgramClient(
        Settings(
            diffgram_emulator.url,
            diffgram_emulator.project,
            diffgram_emulator.client_id,
            diffgram_emulator.client_secret,
        )
    )
    schema = client.send(routes.list_schemas(client.project))[0]
    for name in ("cat", "dog"):
        client.send(routes.create_label(client.project, name, schema.id))
    return client


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """The path of a picture."""
    path = tmp_path / "one.png"
    Image.new("RGB", (64, 48), "navy").save(path)
    return str(path)


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch, diffgram_emulator: EmulatorProcess) -> Callable[..., None]:
    """Sets the connection ``diffgram_default``, with changes to its fields."""

    def set_connection(**changes: Any) -> None:
        fields = {
            "conn_type": "diffgram",
            "host": diffgram_emulator.url,
            "schema": diffgram_emulator.project,
            "login": diffgram_emulator.client_id,
            "password": diffgram_emulator.client_secret,
            "extra": {"retry_timeout": 2},
        }
        monkeypatch.setenv("AIRFLOW_CONN_DIFFGRAM_DEFAULT", json.dumps(fields | changes))

    set_connection()
    return set_connection


@pytest.fixture
def run_dag(dag_bag: Any, connection: Callable[..., None]) -> Callable[..., Ran]:
    """Runs one of the DAGs with a configuration."""

    def run(dag_id: str, **conf: Any) -> Ran:
        dag_run = dag_bag.dags[dag_id].test(run_conf=conf)
        instances: dict[str, list[Any]] = {}
        for each in dag_run.get_task_instances():
            instances.setdefault(each.task_id, []).append(each)
        return Ran(
            state=str(dag_run.state),
            states={task_id: {str(each.state) for each in of_task} for task_id, of_task in instances.items()},
            results={task_id: _result(of_task) for task_id, of_task in instances.items()},
            tries={task_id: of_task[0].try_number for task_id, of_task in instances.items()},
        )

    return run


def _result(instances: list[Any]) -> Any:
    mapped = sorted(instances, key=lambda each: each.map_index)
    values = [each.xcom_pull(task_ids=each.task_id, map_indexes=each.map_index) for each in mapped]
    return values[0] if mapped[0].map_index == -1 else values
