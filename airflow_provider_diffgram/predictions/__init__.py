"""Model output -> checked instances. Imports no Airflow and no model library before it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .account import Account, Converted
from .boxes import box_instances, polygon_instances
from .convert import Packets, instances_of, packets_of
from .mapping import Options, Provenance
from .raw import (
    RawEllipse,
    RawImage,
    RawKeypoint,
    RawPrediction,
    RawSkeleton,
    RawTokens,
)

if TYPE_CHECKING:
    from .coco import CocoResults, from_coco
    from .dataframe import from_dataframe
    from .detections import from_supervision, from_supervision_key_points
    from .detectors import from_torchvision
    from .label_studio import from_label_studio
    from .masks import outlines_of
    from .pipelines import (
        from_classification_pipeline,
        from_detection_pipeline,
        from_document_question_answering,
        from_segmentation_pipeline,
    )
    from .tokens import from_token_classification, words_of
    from .video import ConvertedVideo, in_frames, in_tracks, video_frames
    from .voc import from_voc
    from .yolo import from_ultralytics, from_yolo_text, read_classes

_LAZY = {
    "CocoResults": "coco",
    "from_coco": "coco",
    "outlines_of": "masks",
    "from_dataframe": "dataframe",
    "from_supervision": "detections",
    "from_supervision_key_points": "detections",
    "from_torchvision": "detectors",
    "from_label_studio": "label_studio",
    "from_classification_pipeline": "pipelines",
    "from_detection_pipeline": "pipelines",
    "from_document_question_answering": "pipelines",
    "from_segmentation_pipeline": "pipelines",
    "from_token_classification": "tokens",
    "words_of": "tokens",
    "ConvertedVideo": "video",
    "in_frames": "video",
    "in_tracks": "video",
    "video_frames": "video",
    "from_voc": "voc",
    "from_ultralytics": "yolo",
    "from_yolo_text": "yolo",
    "read_classes": "yolo",
}
"""What is imported when it is asked for, and the module that it is in."""

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
    "read_classes",
    "video_frames",
    "words_of",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
