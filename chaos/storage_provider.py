"""What makes Airflow know the storage of chaos: a provider of its own, found as any other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .store import ADDRESS, SCHEME

schemes = [SCHEME]

_NAME = "chaos-storage"
_FILES = {
    "METADATA": f"Metadata-Version: 2.1\nName: {_NAME}\nVersion: 1.0\n",
    "entry_points.txt": f"[apache_airflow_provider]\nprovider_info = {__name__}:get_provider_info\n",
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, as Airflow reads it."""
    return {"package-name": _NAME, "name": "Chaos", "description": "A storage.", "filesystems": [__name__]}


def get_fs(conn_id: str | None) -> Any:
    """Return the filesystem, as Airflow asks for it."""
    from fsspec import filesystem

    host, _, port = os.environ[ADDRESS].partition(":")
    return filesystem(SCHEME, host=host, port=int(port))


def install(folder: Path) -> None:
    """Let a folder hold what makes Python find the provider, if it is on the path."""
    info = folder / f"{_NAME.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    for name, content in _FILES.items():
        (info / name).write_text(content)
