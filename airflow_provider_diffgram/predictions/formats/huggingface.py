"""Reads the output of Hugging Face's transformers pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError

from ..core.raw import Edges, RawImage, RawPrediction
from ..core.reading import (
    SizeXY,
    computed_score,
    edges_of,
    label_text,
    of_images,
    outlined,
    read_all,
    refuse_more,
    seen_with_masks,
    several,
    shown,
    told_of,
    whole,
    with_names,
)
from ..core.tokens import Words, character_spans, tokens_between, words_of

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_LAYOUT_SCALE = 1000
"""Boxes of words are in thousandths of the page, as LayoutLM needs them."""

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
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image.
    """

    def read(each: Answer) -> list[RawPrediction]:
        box = _entry(_entry(each)["box"])
        return [_prediction(each, box=edges_of([box[edge] for edge in _EDGES]))]

    for output, name, size in with_names(outputs, names, sizes):
        yield RawImage(name, *size, read_all(name, of_images(output), read))


def _entry(value: Any) -> Answer:
    """Return a dictionary of a pipeline.

    :raises ValueError: if it is none, as where the lists of several images are those of one.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"is {shown(value)}, not a dictionary: give one list for each image")
    return value


def _prediction(each: Answer, **geometry: Any) -> RawPrediction:
    return RawPrediction(label_text(each["label"]), computed_score(each["score"]), **geometry)


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
    :param sizes: width and height of the images in pixels. Masks in another size are scaled to it. Known
        without, where there are masks in the size of the image.
    :param tolerance: how far a polygon may be from its mask, in pixels.
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image.
    """

    for output, name, size in with_names(outputs, names, sizes):
        found = list(of_images(output))
        with told_of(name):
            masks = [each["mask"] for each in found if isinstance(each, Mapping) and "mask" in each]
            size = seen_with_masks(size, masks)

        def read(each: Answer, size: Any = size) -> list[RawPrediction]:
            return [_prediction(each, **outlined(_entry(each)["mask"], tolerance, size))]

        yield RawImage(name, *size, read_all(name, found, read))


def from_classification_pipeline(
    outputs: Iterable[Iterable[Answer]], names: Iterable[str]
) -> Iterator[RawImage]:
    """Read ``image-classification`` and ``text-classification``: each class becomes a tag of the file.

    The pipeline returns several classes; with ``top_k=1`` it returns only the best one.

    :param outputs: one list of ``{"label", "score"}`` for each file.
    :param names: of the files.
    :raises InvalidValueError: from the iterator, with everything that is wrong with a file.
    """

    def read(each: Answer) -> list[RawPrediction]:
        return [_prediction(_entry(each), tag=True)]

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

    The answers refer to words by number, so the words that the pipeline was given are needed.

    :param outputs: one list of ``{"answer", "score", "start", "end"}`` for each page.
    :param names: of the pages.
    :param label: what the question asks for, such as ``total``.
    :param word_boxes: the ``word_boxes`` that the pipeline was given, for each page.
    :param sizes: width and height of the pages in pixels.
    :raises InvalidValueError: from the iterator, with everything that is wrong with a page.
    """
    pages = iter(several(word_boxes, "word_boxes"))
    for output, name, size in with_names(outputs, names, sizes):
        words = next(pages, None)
        if words is None:
            raise InvalidValueError("word_boxes", [f"end before {name}: give those of each page"])
        if None in size:
            raise InvalidValueError(f"size of {name}", ["is not known, and word_boxes are parts of it"])

        def read(answer: Answer, words: WordBoxes = words, size: Any = size) -> list[RawPrediction]:
            # An answer that the pipeline holds for impossible is empty, and names word 0.
            if not _entry(answer)["answer"]:
                return []
            start, end = whole(answer["start"], "start"), whole(answer["end"], "end")
            box = _around(words, start, end, size)
            return [RawPrediction(label, computed_score(answer["score"]), box=box)]

        yield RawImage(name, *size, read_all(name, of_images(output), read, "answer"))
    refuse_more("word_boxes", pages)


def _around(words: WordBoxes, start: int, end: int, size: SizeXY) -> Edges:
    if not 0 <= start <= end < len(words):
        raise ValueError(
            f"names words {start} to {end}; the page has {len(words)}: are word_boxes the pipeline's?"
        )
    boxes = [edges_of(box) for _, box in words[start : end + 1]]
    if any(not 0 <= edge <= _LAYOUT_SCALE for box in boxes for edge in box):
        cause = f"word_boxes go from 0 to {_LAYOUT_SCALE}, in thousandths of the page: are these pixels?"
        raise ValueError(f"its words are at {shown(boxes)}; {cause}")
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
    :param texts: the texts that the pipeline was given, and that Diffgram gets.
    :param words: splits a text as Diffgram does.
    :raises InvalidValueError: from the iterator, with everything that is wrong with a text.
    """
    if isinstance(texts, str):
        raise InvalidValueError("texts", [f"are {shown(texts)}: put it into a list, one for each file"])
    each_text = iter(several(texts, "texts"))
    for output, name, size in with_names(outputs, names, None):
        text = next(each_text, None)
        if not isinstance(text, str):
            cause = f"end before {name}" if text is None else f"of {name} is {shown(text)}, not text"
            raise InvalidValueError("texts", [f"{cause}: give each text that the pipeline was given"])
        with told_of(name):
            spans = character_spans(words(text), text)

        def read(
            entity: Answer, text: str = text, spans: list[tuple[int, int]] = spans
        ) -> list[RawPrediction]:
            if "entity_group" not in _entry(entity):
                raise ValueError("is a piece of a word: give the pipeline aggregation_strategy='simple'")
            tokens = tokens_between(*_offsets(entity, text), spans)
            label = label_text(entity["entity_group"])
            return [RawPrediction(label, computed_score(entity["score"]), tokens=tokens)]

        yield RawImage(name, *size, read_all(name, of_images(output), read, "entity"))
    refuse_more("texts", each_text)


def _offsets(entity: Answer, text: str) -> tuple[int, int]:
    """Return the first character of an entity and the one after its last.

    :raises ValueError: if the pipeline gives none, or they are not of the text.
    """
    start, end = entity.get("start"), entity.get("end")
    if start is None or end is None:
        raise ValueError("has no start and end: only fast tokenizers give them, as AutoTokenizer does")
    first, after = whole(start, "start"), whole(end, "end")
    if not 0 <= first < after <= len(text):
        raise ValueError(f"goes from character {first} to {after}; the text has {len(text)}")
    return first, after
