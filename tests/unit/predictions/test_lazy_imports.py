"""Importing the room costs no model library: each is imported when its format is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_provider_diffgram import predictions

HEAVY = {
    *(
        "airflow",
        "ijson",
        "nltk",
        "numpy",
        "pandas",
        "PIL",
        "pycocotools",
        "supervision",
        "torch",
        "torchvision",
    ),
    *("transformers", "ultralytics"),
}
LIGHT = [name for name in predictions.__all__ if name not in ("CocoResults", "from_coco", "outlines_of")]


def imported_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    )


def test_the_room_imports_no_model_library():
    assert not imported_by("import airflow_provider_diffgram.predictions") & HEAVY


def test_a_format_imports_its_own_library():
    found = imported_by("from airflow_provider_diffgram.predictions import from_coco") & HEAVY
    assert found == {"ijson", "numpy"}


def test_all_other_formats_import_no_library():
    assert not imported_by(f"from airflow_provider_diffgram.predictions import {', '.join(LIGHT)}") & HEAVY


def test_all_names_are_there():
    assert all(hasattr(predictions, name) for name in predictions.__all__)
    with pytest.raises(AttributeError, match="no attribute 'from_nothing'"):
        predictions.from_nothing  # noqa: B018
