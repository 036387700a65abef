from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import dag

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, max_active_runs=1)
def contract():
    create = DiffgramCreateCompoundFileOperator(task_id="create", name="contract-17", dataset="night")
    upload = DiffgramUploadChildrenOperator(
        task_id="upload",
        parent_file_id=create.output["file_id"],
        children=[
            {
                "media": {"path": "/tmp/pytest-of-root/pytest-978/test_contract0/page-0.png"},
                "ordinal": 0,
                "original_filename": "contract-17-page-0.png",
            },
            {
                "media": {"path": "/tmp/pytest-of-root/pytest-978/test_contract0/page-1.png"},
                "ordinal": 1,
                "original_filename": "contract-17-page-1.png",
            },
        ],
        dataset="night",
    )
    DiffgramInputSensor(task_id="wait", handle=upload.output, deferrable=True)


contract()
