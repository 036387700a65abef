"""What a program of its own imports from ingest: each name is there, and importing the room costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_provider_diffgram import ingest

CODE = """
import sys
import airflow_provider_diffgram.ingest
print("airflow_provider_diffgram.client" in sys.modules)
"""


@pytest.mark.parametrize("name", ingest.__all__)
def test_each_name_is_there(name: str):
    assert getattr(ingest, name).__module__.startswith("airflow_provider_diffgram.ingest.")


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'pull'"):
        _ = ingest.pull


def test_importing_the_room_imports_no_client():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
