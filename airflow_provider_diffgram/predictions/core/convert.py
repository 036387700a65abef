"""Raw predictions -> checked instances and packets, with an account of what was changed or left out."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from airflow_provider_diffgram.models import Instance, InvalidValueError, Packet, PathMedia
from airflow_provider_diffgram.models.media import Media
from airflow_provider_diffgram.models.problems import describe, first_of

from .account import Account, Converted
from .mapping import Options, Provenance
from .pictures import seen_size
from .raw import Edges, RawImage, RawPrediction
from .reading import confidence, number, shown
from .shapes import Shape, Size, instance_of, shapes_of

_HELD = 100
"""How many packets are kept back while too much is wrong."""

_SHOWN = 5
_USE_VIDEO_FRAMES = "use video_frames, and frame_packet_map of the packet"

_BOUND = float(2**30 - 1)
"""Where an image of unknown size ends: the last coordinate that Diffgram can store with all sizes."""


@dataclass(slots=True)
class _Candidate:
    label: str
    score: float | None
    prediction: RawPrediction
    shape: Shape

    @property
    def rank(self) -> float:
        """Its score; without one it comes after all that have one."""
        return -1.0 if self.score is None else self.score


def instances_of(
    predictions: Iterable[RawPrediction],
    *,
    width: int | None,
    height: int | None,
    options: Options | None = None,
    provenance: Provenance | None = None,
) -> Converted[Instance]:
    """Convert the predictions of one file, or of one frame of a video.

    Wanted predictions are clipped at the edge of the image and rounded as the server requires. They are left
    out if less than a pixel remains, or if an equal one has a better score. All of this is counted. In a
    video, where ``frame`` is set, predictions of different tracks are never equal.

    :param predictions: of one image, or of one frame.
    :param options: labels, lowest score, and what happens to the rest. None means the defaults of
        ``Options``.
    :param provenance: model and run that the instances name. None means that they name none.
    :param width: of the image, in pixels. None means unknown: nothing is clipped at the right edge.
    :param height: of the image, in pixels. None means unknown: nothing is clipped at the bottom.
    :raises InvalidValueError: with every invalid prediction: numbers that are not finite, a score
        outside 0 to 1, a class that is not in the mapping; or if predictions are of several frames.
    """
    image = RawImage("", width, height, list(predictions))
    frames = dict.fromkeys(shown(each.frame) for each in image.predictions if each.frame is not None)
    if len(frames) > 1:
        told = first_of(list(frames), _SHOWN)
        raise InvalidValueError("predictions", [f"are of the frames {told} of a video: {_USE_VIDEO_FRAMES}"])
    return convert_image(image, options or Options(), provenance or Provenance())


def packets_of(
    images: Iterable[RawImage],
    *,
    media: Callable[[RawImage], Media | Mapping[str, Any]],
    original_filename: Callable[[RawImage], str | None] | None = None,
    options: Options | None = None,
    provenance: Provenance | None = None,
) -> Packets:
    """Return the packets of images, one at a time, for ``push`` and the operators.

    :param images: pictures with their predictions, as the readers of formats yield them.
    :param options: labels, lowest score, and what happens to the rest. None means the defaults of
        ``Options``.
    :param provenance: model and run that the instances name. None means that they name none.
    :param media: gives the medium of an image, as in a packet.
    :param original_filename: gives the name of an image in the dataset. None derives it from the medium.
    :return: an iterator, whose ``account`` is complete when it has ended.
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image, such as a local
        picture of another size than its predictions are for, or predictions of the frames of a video. Also if
        more than ``max_wrong`` of the options was left out as wrong, as soon as that is certain; until then
        some packets are held back.
    """
    account = Account()
    chosen = options or Options()
    converted = _each_converted(images, chosen, provenance or Provenance())
    in_all = images.count_predictions() if isinstance(images, ConvertsItself) else None
    packets = _packets(converted, account, media, original_filename)
    return Packets(_checked(packets, account, chosen.max_wrong, in_all), account)


class Packets(Iterator[Packet]):
    """Packets, one at a time.

    :param packets: what to iterate over.
    :param account: counts what becomes of the predictions.
    :ivar account: what became of the predictions so far.
    """

    def __init__(self, packets: Iterator[Packet], account: Account) -> None:
        self._packets = packets
        self.account = account

    def __next__(self) -> Packet:
        return next(self._packets)


@runtime_checkable
class ConvertsItself(Protocol):
    """Images that know a faster way, and all classes of their predictions beforehand."""

    def converted(
        self, options: Options, provenance: Provenance
    ) -> Iterator[tuple[RawImage, Converted[Any]]]:
        """Yield each image, without its predictions, and what :func:`convert_image` would return."""

    def count_predictions(self) -> int:
        """Return how many predictions there are, wanted or not."""


def _each_converted(
    images: Iterable[RawImage], options: Options, provenance: Provenance
) -> Iterator[tuple[RawImage, Converted[Any]]]:
    if isinstance(images, ConvertsItself):
        yield from images.converted(options, provenance)
        return
    for image in images:
        frame = next((each.frame for each in image.predictions if each.frame is not None), None)
        if frame is not None:
            cause = f"one of them is of frame {shown(frame)} of a video: {_USE_VIDEO_FRAMES}"
            raise InvalidValueError(_what(image), [cause])
        yield image, convert_image(image, options, provenance)


def _packets(
    each_converted: Iterable[tuple[RawImage, Converted[Any]]],
    account: Account,
    media: Callable[[RawImage], Media | Mapping[str, Any]],
    original_filename: Callable[[RawImage], str | None] | None,
) -> Iterator[Packet]:
    for image, converted in each_converted:
        account += converted.account
        name = original_filename(image) if original_filename else None
        try:
            packet = Packet(
                media=media(image),
                original_filename=name,
                instance_list=list(converted.instances),
            )
        except ValidationError as error:
            raise InvalidValueError(f"packet of {image.name}", describe(error)) from None
        if isinstance(packet.media, PathMedia):
            _compare_sizes(image, packet.media.path)
        yield packet


def _checked(
    packets: Iterable[Packet], account: Account, max_wrong: float, in_all: int | None
) -> Iterator[Packet]:
    """Yield packets; some are held back while more of those so far are wrong than is tolerated."""
    held: deque[Packet] = deque()
    for packet in packets:
        if in_all is not None:
            account.check(max_wrong, of_all=in_all)
        held.append(packet)
        while held and (account.wrong <= max_wrong * account.wanted or len(held) > _HELD):
            yield held.popleft()
    account.check(max_wrong)
    yield from held


def _compare_sizes(image: RawImage, path: str) -> None:
    """Refuse predictions for another size than that of the local picture, as people see it."""
    if image.width is None or image.height is None:
        return
    seen = seen_size(path)
    if seen is not None and (seen.width, seen.height) != (image.width, image.height):
        turned = " once it is turned as its EXIF orientation says" if seen.turned else ""
        raise InvalidValueError(
            f"predictions of {image.name}",
            [
                f"they are for {image.width} x {image.height} pixels; {path} has {seen.width} x {seen.height}"
                f"{turned}: give sizes and coordinates as people see the picture, or push the picture that "
                "the model saw"
            ],
        )


def _what(image: RawImage) -> str:
    return f"predictions of {image.name}" if image.name else "predictions"


def convert_image(image: RawImage, options: Options, provenance: Provenance) -> Converted[Instance]:
    """Convert the predictions of an image, as :func:`instances_of` does."""
    account = Account(images=1, predictions=len(image.predictions))
    problems: list[str] = []
    size = Size(side_of(image.width, "width", problems), side_of(image.height, "height", problems))
    account.unknown_size = int((image.width is None or image.height is None) and not _is_of_no_place(image))
    candidates = list(_candidates(image, size, options, account, problems))
    chosen = _best(_distinct(candidates, account), options.max_per_image, account)
    instances = []
    for candidate in chosen:
        try:
            common = common_fields(candidate.label, candidate.score, candidate.prediction, provenance)
            instances.append(instance_of(candidate.shape, common))
        except ValidationError as error:
            problems += describe(error, f"prediction {candidate.prediction.label!r}")
    if problems:
        raise InvalidValueError(_what(image), problems)
    account.instances = len(instances)
    return Converted(tuple(instances), account)


def _is_of_no_place(image: RawImage) -> bool:
    """Return whether all predictions are tags or spans of a text, which no edge clips."""
    predictions = image.predictions
    return bool(predictions) and all(each.tag or each.tokens is not None for each in predictions)


def side_of(pixels: int | None, side: str, problems: list[str]) -> float:
    """Return where an image ends, in pixels; add to ``problems`` if the size is impossible."""
    if pixels is None:
        return _BOUND
    if not 1 <= pixels <= _BOUND:
        problems.append(f"{side} of the image is {pixels} pixels, which leaves no room for an instance")
        return _BOUND
    return pixels


def _candidates(
    image: RawImage, size: Size, options: Options, account: Account, problems: list[str]
) -> Iterator[_Candidate]:
    """Yield what is wanted and can be drawn; count the rest."""
    unknown: dict[str, None] = {}
    for place, prediction in enumerate(image.predictions):
        where = f"prediction {place} ({prediction.label!r})"
        try:
            label = options.label_of(_checked_label(prediction.label))
        except KeyError:
            unknown[prediction.label] = None
            continue
        except ValueError as error:
            problems.append(f"prediction {place}: {error}")
            continue
        try:
            score = _checked_score(prediction.score)
            shapes = shapes_of(prediction, size)
        except (ValueError, TypeError) as error:
            problems.append(f"{where}: {error}")
            continue
        if label is None:
            account.unmapped += 1
        elif score is not None and score < options.least_score(prediction.label):
            account.below_score += 1
        else:
            drawn = [shape for shape in shapes if shape.geometry is not None]
            account.parts += len(shapes) - 1
            account.holes += prediction.holes
            account.by_box += prediction.by_box
            account.clipped += any(shape.clipped for shape in shapes)
            account.lost_parts += len(shapes) - max(len(drawn), 1)
            if not drawn:
                account.count_wrong(shapes[0].wrong, f"{image.name}: {where}{told_box(prediction.box)}")
            for shape in drawn:
                yield _Candidate(label, score, prediction, shape)
    problems += options.unknown_problems(unknown)


def told_box(box: Edges | None) -> str:
    """Return where a box is, for an example of what is wrong; nothing of another geometry."""
    if box is None:
        return ""
    doubt = ", shares of the size?" if max(map(abs, box)) <= 1 else ""
    return f" at {', '.join(f'{edge:.6g}' for edge in box)}{doubt}"


def _checked_label(label: Any) -> str:
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"its class is {label!r}, and must be text")
    return label


def _checked_score(score: float | None) -> float | None:
    return None if score is None else confidence(number(score, "score"))


def _distinct(candidates: Iterable[_Candidate], account: Account) -> list[_Candidate]:
    """Of candidates that the server takes for equal, keep the one with the highest score."""
    best: dict[Any, _Candidate] = {}
    for candidate in candidates:
        identity = _identity(candidate)
        other = best.get(identity)
        if other is None:
            best[identity] = candidate
        else:
            account.duplicates += 1
            if candidate.rank > other.rank:
                best[identity] = candidate
    return list(best.values())


def _identity(candidate: _Candidate) -> Any:
    prediction, shape = candidate.prediction, candidate.shape
    track = None if prediction.frame is None else prediction.track
    attributes = prediction.attributes and json.dumps(prediction.attributes, sort_keys=True, default=str)
    return candidate.label, shape.kind, shape.geometry, track, attributes


def _best(candidates: list[_Candidate], most: int | None, account: Account) -> list[_Candidate]:
    if most is None or len(candidates) <= most:
        return candidates
    account.over_max += len(candidates) - most
    return [candidates[place] for place in best_places([each.rank for each in candidates], most)]


def best_places(ranks: Sequence[float], most: int) -> list[int]:
    """Return the places of the highest ranks in their order; of equal ones those that come first."""
    return sorted(sorted(range(len(ranks)), key=lambda place: -ranks[place])[:most])


def common_fields(
    label: str, score: float | None, prediction: RawPrediction, provenance: Provenance
) -> dict[str, Any]:
    """Return the fields that instances of all types have."""
    return {
        "label": label,
        "score": score,
        "machine_made": True,
        "model_ref": provenance.model_ref,
        "model_run_ref": provenance.model_run_ref,
        "number": prediction.track,
        "attributes": prediction.attributes or None,
    }
