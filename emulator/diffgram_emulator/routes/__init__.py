"""The endpoints, one module per subject; each enters its functions into the table of :mod:`..call`."""

from __future__ import annotations

import importlib

_MODULES = (
    "labels",
    "attributes",
    "datasets",
    "compounds",
    "files",
    "annotations",
    "file_list",
    "packet",
    "uploads",
    "batches",
    "inputs",
    "video",
    "exports",
    "jobs",
    "tasks",
    "people",
    "events",
    "other",
)


def load() -> None:
    """Import all endpoints."""
    for module in _MODULES:
        importlib.import_module(f"{__name__}.{module}")
