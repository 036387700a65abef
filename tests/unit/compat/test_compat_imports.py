"""What a row imports is the wheel, on the Airflow that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from airflow import __version__

ROOT = Path(__file__).parents[3]
THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize(
    "version, python, told",
    [
        ("9.9.9", THIS, "not 9.9.9 on"),
        (__version__, "3.99", "on 3.99"),
        (__version__, THIS, "is not the installed package"),
    ],
)
def test_anything_else_is_refused(version, python, told, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "compat" / "imports.py", version, python],
        env={"PYTHONPATH": str(ROOT), "AIRFLOW_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert told in done.stderr
