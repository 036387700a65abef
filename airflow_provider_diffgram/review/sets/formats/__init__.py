"""Writers of pulled sets, one module for each format: the inverse of the readers in ``predictions``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, get_args

from .core import Format

FormatName = Literal["packets", "coco", "yolo", "yolo-segment", "yolo-obb", "yolo-pose", "voc", "parquet"]
"""``yolo`` is ``detect`` in Ultralytics' words."""

FORMATS: tuple[str, ...] = get_args(FormatName)

WITH_SPLITS = tuple(name for name in FORMATS if name.startswith("yolo"))


def writer(name: str, split: Mapping[str, float] | None = None) -> Format:
    """Return the writer of a format.

    :param name: one of :data:`FORMATS`.
    :param split: part -> share of the pictures, for YOLO.
    :raises ImportError: if it needs a library that is not installed.
    """
    if name in WITH_SPLITS:
        from .yolo import SPLIT, Yolo

        task = name.partition("-")[2] or "detect"
        return Yolo(task, dict(split or SPLIT))  # type: ignore[arg-type]  # one of FORMATS
    if name == "parquet" and find_spec("pyarrow") is None:
        raise ImportError("format 'parquet' needs pyarrow: pip install airflow-provider-diffgram[parquet]")
    written: Format = getattr(import_module(f".{name}", __package__), f"write_{name}")
    return written
