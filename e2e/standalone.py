"""``airflow standalone`` as a newcomer starts it, with the shipped DAGs and those of a visit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from chaos.airflow import ROOT, Airflow, free_port

DAGS = (
    "diffgram_compound_document",
    "diffgram_push_predictions",
    "diffgram_review",
    "e2e_queued",
    "e2e_refused",
)

_STOP_SECONDS = 40.0


class Standalone(Airflow):
    """Runs as long as the ``with`` block.

    :param home: its folder.
    :param python: interpreter of the environment that the wheel is in.
    :param secret_key: that Airflow encrypts connections with.
    :param lineage: how the files begin that OpenLineage writes, one for each event.
    """

    def __init__(self, home: Path, python: Path, secret_key: str, lineage: Path) -> None:
        (dags,) = python.parent.parent.glob(
            "lib/python*/site-packages/airflow_provider_diffgram/example_dags"
        )
        settings = {
            **of_environment(python, secret_key),
            "AIRFLOW__API__DEFAULT_WRAP": "True",  # a sentence in a log is to be seen whole
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
                [_bundle("shipped", dags), _bundle("visiting", ROOT / "e2e" / "visiting")]
            ),
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",  # no file changes
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
            "AIRFLOW__OPENLINEAGE__NAMESPACE": "e2e",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(lineage)}),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # what runs is what a person starts
            # Its log servers cannot be told an address, only a port.
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        }
        lineage.parent.mkdir(parents=True)
        super().__init__(home, 4, python, {"standalone": ["standalone"]}, DAGS, settings)

    def stop(self) -> None:
        """Stop it as Ctrl-C does, which is the only way in which it takes its components along."""
        for process in self.processes.values():
            if process.poll() is None:
                os.kill(process.pid, signal.SIGINT)
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        super().stop()


def _bundle(name: str, path: Path) -> dict[str, object]:
    kind = "airflow.dag_processing.bundles.local.LocalDagBundle"
    return {"name": name, "classpath": kind, "kwargs": {"path": str(path)}}


def of_environment(python: Path, secret_key: str) -> dict[str, str]:
    """Return the settings of any Airflow that runs the wheel and nothing else of ours."""
    return {
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",  # a busy machine is no reason to fail
        "AIRFLOW__CORE__FERNET_KEY": secret_key,
        "AIRFLOW__CORE__TASK_SUCCESS_OVERTIME": "300",  # links are stored when the state is known
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "240",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": "",
    }
