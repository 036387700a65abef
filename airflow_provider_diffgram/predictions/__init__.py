"""Model output -> checked instances. Imports no Airflow, and libraries only when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .core.account import Account, Converted
from .core.convert import Packets, instances_of, packets_of
from .core.mapping import Options, Provenance
from .core.raw import (
    RawEllipse,
    RawImage,
    RawKeypoint,
    RawPrediction,
    RawSkeleton,
    RawTokens,
)
from .formats.arrays import box_instances, polygon_instances

if TYPE_CHECKING:
    from .core.masks import outlines_of
    from .core.preview import preview
    from .core.tokens import words_of
    from .core.video import ConvertedVideo, in_frames, in_tracks, video_frames
    from .formats.coco import CocoResults, from_coco
    from .formats.dataframe import from_dataframe
    from .formats.huggingface import (
        from_classification_pipeline,
        from_detection_pipeline,
        from_document_question_answering,
        from_segmentation_pipeline,
        from_token_classification,
    )
    from .formats.label_studio import from_label_studio
    from .formats.supervision import from_supervision, from_supervision_key_points
    from .formats.torchvision import from_torchvision
    from .formats.ultralytics import from_ultralytics
    from .formats.voc import from_voc
    from .formats.yolo import from_yolo_text, read_classes

_LAZY = {
    "CocoResults": "formats.coco",
    "from_coco": "formats.coco",
    "outlines_of": "core.masks",
    "preview": "core.preview",
    "from_dataframe": "formats.dataframe",
    "from_supervision": "formats.supervision",
    "from_supervision_key_points": "formats.supervision",
    "from_torchvision": "formats.torchvision",
    "from_label_studio": "formats.label_studio",
    "from_classification_pipeline": "formats.huggingface",
    "from_detection_pipeline": "formats.huggingface",
    "from_document_question_answering": "formats.huggingface",
    "from_segmentation_pipeline": "formats.huggingface",
    "from_token_classification": "formats.huggingface",
    "words_of": "core.tokens",
    "ConvertedVideo": "core.video",
    "in_frames": "core.video",
    "in_tracks": "core.video",
    "video_frames": "core.video",
    "from_voc": "formats.voc",
    "from_ultralytics": "formats.ultralytics",
    "from_yolo_text": "formats.yolo",
    "read_classes": "formats.yolo",
}
"""Names that are imported on first use, and their modules."""

__all__ = [
    "Account",
    "CocoResults",
    "Converted",
    "ConvertedVideo",
    "Options",
    "Packets",
    "Provenance",
    "RawEllipse",
    "RawImage",
    "RawKeypoint",
    "RawPrediction",
    "RawSkeleton",
    "RawTokens",
    "box_instances",
    "from_classification_pipeline",
    "from_coco",
    "from_dataframe",
    "from_detection_pipeline",
    "from_document_question_answering",
    "from_label_studio",
    "from_segmentation_pipeline",
    "from_supervision",
    "from_supervision_key_points",
    "from_token_classification",
    "from_torchvision",
    "from_ultralytics",
    "from_voc",
    "from_yolo_text",
    "in_frames",
    "in_tracks",
    "instances_of",
    "outlines_of",
    "packets_of",
    "polygon_instances",
    "preview",
    "read_classes",
    "video_frames",
    "words_of",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
