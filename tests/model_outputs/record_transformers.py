"""Record what the pipelines of Hugging Face's transformers return with small models of random weights.

Run it where ``transformers``, ``torch`` and ``torchvision`` are installed: ``python record_transformers.py``.
Nothing is downloaded: models, processors and tokenizers are made here.
"""

from __future__ import annotations

import base64
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from transformers import pipeline

HERE = Path(__file__).parent
WIDTH, HEIGHT = 80, 60
TEXT = 'Alice Johnson flew to Paris.\n\nShe met "Bob" at Acme Corp. there.'
WORD_BOXES = [
    ["Invoice", [100, 50, 300, 90]],
    ["number", [310, 50, 480, 90]],
    ["4711", [500, 52, 590, 91]],
    ["Total", [100, 200, 220, 240]],
    ["99.50", [240, 200, 330, 241]],
]
IDS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "B-ORG", 5: "I-ORG"}


def detection(image: Image.Image) -> Any:
    config = transformers.YolosConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=[64, 64], patch_size=16, num_detection_tokens=5, num_labels=3,
    )  # fmt: skip
    torch.manual_seed(7)
    model = transformers.YolosForObjectDetection(config).eval()
    processor = transformers.YolosImageProcessor(size={"height": 64, "width": 64})
    return pipeline("object-detection", model=model, image_processor=processor)(image, threshold=0.0)


def segmentation(image: Image.Image, subtask: str) -> Any:
    torch.manual_seed(7)
    if subtask == "semantic":
        config = transformers.SegformerConfig(
            num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[8, 8],
            num_attention_heads=[1, 1], patch_sizes=[3, 3],
            strides=[2, 2], mlp_ratios=[2, 2], decoder_hidden_size=8, num_labels=3,
        )  # fmt: skip
        model: Any = transformers.SegformerForSemanticSegmentation(config).eval()
        processor: Any = transformers.SegformerImageProcessor(size={"height": 32, "width": 32})
    else:
        backbone = transformers.SwinConfig(
            image_size=128, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=2,
            out_features=["stage1", "stage2", "stage3", "stage4"],
        )  # fmt: skip
        decoder = transformers.DetrConfig(d_model=32, decoder_layers=1, encoder_layers=1, num_queries=4)
        config = transformers.MaskFormerConfig(
            backbone_config=backbone,
            decoder_config=decoder,
            fpn_feature_size=32,
            mask_feature_size=32,
            num_labels=3,
        )
        model = transformers.MaskFormerForInstanceSegmentation(config).eval()
        # Untrained, it takes every query for the class "no object", which panoptic results leave out.
        torch.nn.init.constant_(model.class_predictor.bias[-1:], -5)
        processor = transformers.MaskFormerImageProcessor(size={"height": 128, "width": 128})
    pipe = pipeline("image-segmentation", model=model, image_processor=processor)
    found = pipe(image, subtask=subtask, threshold=0.0, mask_threshold=0.1, overlap_mask_area_threshold=0.0)
    return [{**each, "mask": png(each["mask"])} for each in found]


def png(mask: Image.Image) -> dict[str, str]:
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return {"mode": mask.mode, "png": base64.b64encode(buffer.getvalue()).decode()}


def tokenizer(kind: Any, words: list[str], folder: str) -> Any:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted({letter for word in words for letter in word.lower()})
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters)]
    (Path(folder) / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)))
    return kind(vocab=str(Path(folder) / "vocab.txt"), do_lower_case=True, model_max_length=128)


def token_classification(strategy: str) -> Any:
    torch.manual_seed(5)
    with tempfile.TemporaryDirectory() as folder:
        words = tokenizer(transformers.BertTokenizerFast, TEXT.split(), folder)
        config = transformers.BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, id2label=IDS, initializer_range=1.0,
        )  # fmt: skip
        model = transformers.BertForTokenClassification(config).eval()
        return pipeline("token-classification", model=model, tokenizer=words, aggregation_strategy=strategy)(
            TEXT
        )


def document_question_answering(image: Image.Image) -> Any:
    torch.manual_seed(7)
    with tempfile.TemporaryDirectory() as folder:
        words = tokenizer(
            transformers.LayoutLMTokenizerFast,
            [*(word for word, _ in WORD_BOXES), "What is the total?"],
            folder,
        )
        config = transformers.LayoutLMConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, initializer_range=1.0,
        )  # fmt: skip
        model = transformers.LayoutLMForQuestionAnswering(config).eval()
        pipe = pipeline("document-question-answering", model=model, tokenizer=words)
        boxes = [(word, box) for word, box in WORD_BOXES]
        return pipe(image=image, question="What is the total?", word_boxes=boxes, top_k=2)


def image_classification(image: Image.Image) -> Any:
    torch.manual_seed(7)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32,
        patch_size=16, num_labels=3,
    )  # fmt: skip
    model = transformers.ViTForImageClassification(config).eval()
    processor = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    return pipeline("image-classification", model=model, image_processor=processor)(image, top_k=2)


def plain(value: Any) -> Any:
    """Return numpy's numbers, which some pipelines give, as marked ones, so that they are told apart."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return {"numpy": value.dtype.name, "value": value.item()}
    return value


def main() -> None:
    pixels = (np.random.default_rng(7).random((HEIGHT, WIDTH, 3)) * 255).astype("uint8")
    image = Image.fromarray(pixels)
    payload = {
        "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
        "size": [WIDTH, HEIGHT],
        "text": TEXT,
        "word_boxes": WORD_BOXES,
        "object-detection": detection(image),
        "image-segmentation": {
            kind: segmentation(image, kind) for kind in ("semantic", "instance", "panoptic")
        },
        "token-classification": {kind: token_classification(kind) for kind in ("none", "simple")},
        "document-question-answering": document_question_answering(image),
        "image-classification": image_classification(image),
    }
    (HERE / "transformers.json").write_text(json.dumps(plain(payload)) + "\n")


if __name__ == "__main__":
    main()
