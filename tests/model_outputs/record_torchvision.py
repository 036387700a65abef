"""Record what torchvision's detectors return with random weights, as arrays.

Run it where ``torchvision`` is installed: ``python record_torchvision.py``. No weights are downloaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torchvision
from torchvision.models.detection import (
    fasterrcnn_mobilenet_v3_large_320_fpn,
    keypointrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn,
)

HERE = Path(__file__).parent
HEIGHT, WIDTH = 64, 96
MODELS = {
    "box": (fasterrcnn_mobilenet_v3_large_320_fpn, {"num_classes": 4}),
    "mask": (maskrcnn_resnet50_fpn, {"num_classes": 4}),
    "keypoint": (keypointrcnn_resnet50_fpn, {"num_classes": 2, "num_keypoints": 5}),
}


def main() -> None:
    arrays = {"versions": np.array([f"torch {torch.__version__}", f"torchvision {torchvision.__version__}"])}
    for kind, (make, options) in MODELS.items():
        torch.manual_seed(7)
        model = make(
            weights=None, weights_backbone=None, box_detections_per_img=3, box_score_thresh=0.0, **options
        ).eval()
        # Without weights the regression heads shrink every box to a line; zero leaves the anchors.
        for head in (model.rpn.head.bbox_pred, model.roi_heads.box_predictor.bbox_pred):
            torch.nn.init.zeros_(head.weight)
            torch.nn.init.zeros_(head.bias)
        with torch.no_grad():
            (output,) = model([torch.rand(3, HEIGHT, WIDTH)])
        arrays |= {f"{kind}.{name}": tensor.numpy() for name, tensor in output.items()}
    np.savez_compressed(HERE / "torchvision.npz", **arrays)


if __name__ == "__main__":
    main()
