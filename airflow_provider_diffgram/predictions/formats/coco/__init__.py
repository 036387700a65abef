"""COCO results and datasets."""

from .results import CocoResults, from_coco

__all__ = ["CocoResults", "from_coco"]
