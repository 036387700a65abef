"""Predictions on a video -> instances by frame, in tracks (server.md 5.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_diffgram.models import Instance, InvalidValueError
from airflow_provider_diffgram.models.repeats import twice

from .account import Account
from .convert import instances_of
from .mapping import Options, Provenance
from .raw import RawPrediction
from .reading import is_missing, plain, shown, track_of, whole

_SHOWN = 20


@dataclass(frozen=True)
class ConvertedVideo:
    """The instances of a video, and what became of the predictions.

    :param frames: 0-based frame of the original video -> its instances: the ``frame_packet_map`` of a packet.
        Frames without instances are left out.
    :param account: of all frames; each counts as an image.
    :param tracks: name of each track that the model named otherwise than by a whole number -> its number.
    """

    frames: dict[int, list[Instance]]
    account: Account
    tracks: Mapping[Hashable, int]

    def summary(self) -> str:
        """Return one line with all counts, for a log."""
        return self.account.summary()


def in_frames(per_frame: Iterable[tuple[int, Iterable[RawPrediction]]]) -> Iterator[RawPrediction]:
    """Yield predictions that come frame by frame, each with its frame.

    :param per_frame: frame and its predictions; ``enumerate(...)`` if there is an entry for every frame.
    """
    for frame, predictions in per_frame:
        for prediction in predictions:
            yield replace(prediction, frame=frame)


def in_tracks(per_track: Iterable[tuple[Any, Iterable[RawPrediction]]]) -> Iterator[RawPrediction]:
    """Yield predictions that come track by track, each with its track.

    :param per_track: number or name of a track, and its predictions, which have their ``frame``.
    """
    for track, predictions in per_track:
        for prediction in predictions:
            yield replace(prediction, track=track)


def video_frames(
    predictions: Iterable[RawPrediction],
    *,
    width: int | None,
    height: int | None,
    frame_count: int | None = None,
    options: Options | None = None,
    provenance: Provenance | None = None,
) -> ConvertedVideo:
    """Convert the predictions of a video, in any order; each has its ``frame``.

    A label and a track number are one track over all frames. Whole numbers stay as the model gives them; if
    a track is named otherwise, all are numbered from 1 in the order in which they appear. Predictions
    without a track, or with -1 as trackers mark them, are no track in the video, but Diffgram makes one of
    all that share label and number: so each gets a number of its own, above those of the tracks.

    :param predictions: of all frames, in any order.
    :param provenance: model and run that the instances name; None: they name none.
    :param width: of the video, in pixels; None if unknown.
    :param height: of the video, in pixels; None if unknown.
    :param frame_count: how many frames the video has; None if unknown. A push knows it of local MP4, MOV
        and AVI files and of videos in Diffgram, and refuses frames beyond the end.
    :param options: as of :func:`~.convert.instances_of`; ``max_per_image`` is of a frame.
    :raises InvalidValueError: with every prediction without a frame of the video, every track that is twice
        in a frame, and what :func:`~.convert.instances_of` finds wrong; and if more than ``max_wrong`` of the
        options was left out for being wrong.
    """
    problems: list[str] = []
    by_frame: dict[int, list[RawPrediction]] = defaultdict(list)
    for number, prediction in enumerate(predictions):
        try:
            frame = _frame_of(prediction.frame, frame_count)
            track = _track_of(prediction.track)
        except ValueError as error:
            problems.append(f"prediction {number} ({prediction.label!r}): {error}")
        else:
            by_frame[frame].append(replace(prediction, frame=frame, track=track))
    named = _tracks(by_frame)
    above = max(named.values(), default=0)
    free: dict[str, int] = defaultdict(lambda: above)
    account = Account()
    frames: dict[int, list[Instance]] = {}
    for frame in sorted(by_frame):
        problems += _doubled(frame, by_frame[frame])
        numbered = _numbered(by_frame[frame], named, free)
        try:
            converted = instances_of(
                numbered, width=width, height=height, options=options, provenance=provenance
            )
        except InvalidValueError as error:
            problems += [f"frame {frame}: {problem}" for problem in error.problems]
            continue
        account += converted.account
        if converted.instances:
            frames[frame] = list(converted.instances)
    if problems:
        raise InvalidValueError("predictions of a video", problems[:_SHOWN], max(0, len(problems) - _SHOWN))
    account.check((options or Options()).max_wrong)
    return ConvertedVideo(frames, account, {name: number for name, number in named.items() if name != number})


def _frame_of(value: Any, frame_count: int | None) -> int:
    if is_missing(value):
        raise ValueError("has no frame")
    frame = whole(value, "frame")
    if frame < 0:
        raise ValueError(f"frame is {frame}; frames count from 0")
    if frame_count is not None and frame >= frame_count:
        raise ValueError(f"frame is {frame}; the video has frames 0 to {frame_count - 1}")
    return frame


def _track_of(value: Any) -> Any:
    """Return the number or the name of a track; None if there is none.

    :raises ValueError: if it is a number, but not of a track; or cannot be a name.
    """
    value = plain(value)
    if not isinstance(value, Hashable):
        raise ValueError(f"track is {shown(value)}, neither a number nor a name")
    return track_of(value) if isinstance(value, int | float) or is_missing(value) else value


def _tracks(by_frame: Mapping[int, Iterable[RawPrediction]]) -> dict[Hashable, int]:
    """Return the number of each track, in the order in which they appear."""
    names: dict[Hashable, None] = {}
    for frame in sorted(by_frame):
        names |= dict.fromkeys(each.track for each in by_frame[frame] if each.track is not None)
    if all(isinstance(name, int) and not isinstance(name, bool) for name in names):
        return {name: int(str(name)) for name in names}
    return {name: number for number, name in enumerate(names, start=1)}


def _doubled(frame: int, predictions: Iterable[RawPrediction]) -> list[str]:
    """Return which tracks have two predictions of a label in a frame: a thing is once in a picture."""
    tracked = ((each.label, each.track) for each in predictions if each.track is not None)
    return [f"frame {frame}: track {track!r} of {label!r} is there twice" for label, track in twice(tracked)]


def _numbered(
    predictions: Iterable[RawPrediction], named: Mapping[Hashable, int], free: dict[str, int]
) -> list[RawPrediction]:
    """Return predictions with the numbers of their tracks; those without one are counted up by label.

    :param free: the last number of each label that is taken; counted up here.
    """
    numbered = []
    for each in predictions:
        if each.track is None:
            free[each.label] += 1
            number = free[each.label]
        else:
            number = named[each.track]
        numbered.append(replace(each, track=number))
    return numbered
