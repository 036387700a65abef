"""What the pipelines of Hugging Face's transformers return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..core.raw import Edges, RawImage, RawPrediction
from ..core.reading import SizeXY, of_images, outlined, read_all, with_names
from ..core.tokens import Words, character_spans, tokens_between, words_of

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_LAYOUT_SCALE = 1000
"""Boxes of words are in thousandths of the page, as LayoutLM wants them."""

Answer = Mapping[str, Any]
WordBoxes = Sequence[tuple[str, Sequence[float]]]
"""Each word of a page with its box ``x_min, y_min, x_max, y_max`` in thousandths of width and height."""


def from_detection_pipeline(
    outputs: Iterable[Iterable[Answer]], names: Iterable[str], *, sizes: Iterable[SizeXY] | None = None
) -> Iterator[RawImage]:
    """Read ``object-detection`` and ``zero-shot-object-detection``, LayoutLM's words with boxes included.

    :param outputs: one list of ``{"label", "score", "box"}`` for each image.
    :param names: of the images.
    :param sizes: width and height of the images in pixels.
    :raises InvalidValueError: from the iterator, with all that is wrong with an image.
    """

    def read(each: Answer) -> list[RawPrediction]:
        edges: Any = tuple(each["box"][edge] for edge in _EDGES)
        return [RawPrediction(each["label"], each["score"], box=edges)]

    for output, name, size in with_names(outputs, names, sizes):
        yield RawImage(name, *size, read_all(name, of_images(output), read))


def from_segmentation_pipeline(
    outputs: Iterable[Sequence[Answer]],
    names: Iterable[str],
    *,
    sizes: Iterable[SizeXY] | None = None,
    tolerance: float = 1.0,
) -> Iterator[RawImage]:
    """Read ``image-segmentation`` (semantic, instance and panoptic): masks become polygons.

    :param outputs: one list of ``{"label", "score", "mask"}`` for each image; masks are Pillow images.
    :param names: of the images.
    :param sizes: width and height of the images in pixels; known without, where there are masks.
    :param tolerance: how far a polygon may be from its mask, in pixels.
    :raises InvalidValueError: from the iterator, with all that is wrong with an image.
    """

    def read(each: Answer) -> list[RawPrediction]:
        return [RawPrediction(each["label"], each["score"], **outlined(each["mask"], tolerance))]

    for output, name, size in with_names(outputs, names, sizes):
        found = list(of_images(output))
        width, height = found[0]["mask"].size if found and size[0] is None else size
        yield RawImage(name, width, height, read_all(name, found, read))


def from_classification_pipeline(
    outputs: Iterable[Iterable[Answer]], names: Iterable[str]
) -> Iterator[RawImage]:
    """Read ``image-classification`` and ``text-classification``: each class becomes a tag of the file.

    The pipeline gives several classes; its ``top_k=1`` gives the best one only.

    :param outputs: one list of ``{"label", "score"}`` for each file.
    :param names: of the files.
    :raises InvalidValueError: from the iterator, with all that is wrong with a file.
    """

    def read(each: Answer) -> list[RawPrediction]:
        return [RawPrediction(each["label"], each["score"], tag=True)]

    for output, name, size in with_names(outputs, names, None):
        yield RawImage(name, *size, read_all(name, of_images(output), read))


def from_document_question_answering(
    outputs: Iterable[Iterable[Answer]],
    names: Iterable[str],
    *,
    label: str,
    word_boxes: Iterable[WordBoxes],
    sizes: Iterable[SizeXY],
) -> Iterator[RawImage]:
    """Read ``document-question-answering``: the smallest box around the words of each answer.

    The answers name words by number only, so the words that the pipeline was given are needed.

    :param outputs: one list of ``{"answer", "score", "start", "end"}`` for each page.
    :param names: of the pages.
    :param label: what the question asks for, such as ``total``.
    :param word_boxes: what the pipeline was given as ``word_boxes``, for each page.
    :param sizes: width and height of the pages in pixels.
    :raises InvalidValueError: from the iterator, with all that is wrong with a page.
    """
    pages = iter(word_boxes)
    for output, name, size in with_names(outputs, names, sizes):
        words = next(pages, None)
        if words is None:
            raise ValueError(f"word_boxes end before {name}: give those of each page")

        def read(answer: Answer, words: WordBoxes = words, size: Any = size) -> list[RawPrediction]:
            # An answer that the pipeline holds for impossible is empty, and names word 0.
            box = _around(words, answer["start"], answer["end"], size) if answer["answer"] else None
            return [RawPrediction(label, answer["score"], box=box)] if box else []

        yield RawImage(name, *size, read_all(name, of_images(output), read, "answer"))


def _around(words: WordBoxes, start: int, end: int, size: SizeXY) -> Edges:
    if not 0 <= start <= end < len(words):
        raise ValueError(
            f"names words {start} to {end}; the page has {len(words)}: are word_boxes the pipeline's?"
        )
    boxes = [box for _, box in words[start : end + 1]]
    across, down = size[0] / _LAYOUT_SCALE, size[1] / _LAYOUT_SCALE
    return (
        min(box[0] for box in boxes) * across,
        min(box[1] for box in boxes) * down,
        max(box[2] for box in boxes) * across,
        max(box[3] for box in boxes) * down,
    )


def from_token_classification(
    outputs: Iterable[Iterable[Mapping[str, Any]]],
    names: Iterable[str],
    *,
    texts: Iterable[str],
    words: Words = words_of,
) -> Iterator[RawImage]:
    """Read ``token-classification`` pipelines that aggregate: each entity becomes a span of tokens.

    A span covers every token that it touches.

    :param outputs: one list of ``{"entity_group", "score", "start", "end"}`` for each text.
    :param names: of the files in Diffgram.
    :param texts: what the pipeline was given, and what Diffgram gets.
    :param words: splits a text as Diffgram does.
    :raises InvalidValueError: from the iterator, with all that is wrong with a text.
    """
    each_text = iter(texts)
    for output, name, size in with_names(outputs, names, None):
        text = next(each_text, None)
        if text is None:
            raise ValueError(f"texts end before {name}: give each text that the pipeline was given")
        spans = character_spans(words(text), text)

        def read(entity: Mapping[str, Any], spans: list[tuple[int, int]] = spans) -> list[RawPrediction]:
            if "entity_group" not in entity:
                raise ValueError("is a piece of a word: give the pipeline aggregation_strategy='simple'")
            tokens = tokens_between(entity["start"], entity["end"], spans)
            return [RawPrediction(entity["entity_group"], float(entity["score"]), tokens=tokens)]

        yield RawImage(name, *size, read_all(name, of_images(output), read, "entity"))
