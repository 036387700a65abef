"""Predictions on a video, by frame or by track, become the map that Diffgram reads (server.md 5.6)."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.models import InvalidValueError, Packet
from airflow_provider_diffgram.predictions import Options, Provenance, RawPrediction
from airflow_provider_diffgram.predictions.core.video import (
    ConvertedVideo,
    in_frames,
    in_tracks,
    video_frames,
)

SIZE = {"width": 640, "height": 480}


def seen(
    frame: int | None = None, track: Any = None, label: str = "cat", left: float = 10.2
) -> RawPrediction:
    return RawPrediction(label, 0.9, box=(left, 20.0, left + 30, 60.0), track=track, frame=frame)


def converted(*predictions: RawPrediction, **more: Any) -> ConvertedVideo:
    return video_frames(predictions, **{**SIZE, **more})


def numbers(found: ConvertedVideo) -> dict[int, list[tuple[str | None, int | None]]]:
    return {frame: [(each.label, each.number) for each in held] for frame, held in found.frames.items()}


def test_by_frame_and_by_track_are_the_same_video():
    by_frame = in_frames([(0, [seen(track=1), seen(track=7, label="dog")]), (5, [seen(track=1, left=12)])])
    by_track = in_tracks([(1, [seen(0), seen(5, left=12)]), (7, [seen(0, label="dog")])])
    one, other = video_frames(by_frame, **SIZE), video_frames(by_track, **SIZE)
    assert one.frames == other.frames
    assert numbers(one) == {0: [("cat", 1), ("dog", 7)], 5: [("cat", 1)]}


def test_the_map_is_a_packets():
    found = converted(seen(0, 1), seen(24, 1), provenance=Provenance("tracker", "run-1"))
    packet = Packet(
        media={"url": "http://media.test/v.mp4", "type": "video"},
        original_filename="v.mp4",
        frame_packet_map=found.frames,
    )
    assert packet.frame_packet_map == found.frames
    (box,) = found.frames[24]
    assert (box.score, box.machine_made, box.model_ref, box.model_run_ref) == (0.9, True, "tracker", "run-1")
    assert found.summary().startswith("2 instances from 2 predictions on 2 images")


def test_tracks_named_by_words_are_numbered_as_they_appear():
    found = converted(seen(3, "b"), seen(1, "a"), seen(1, 4, left=80), seen(2, "c"))
    assert found.tracks == {"a": 1, 4: 2, "c": 3, "b": 4}
    assert numbers(found) == {1: [("cat", 1), ("cat", 2)], 2: [("cat", 3)], 3: [("cat", 4)]}


def test_numbers_of_the_model_stay():
    found = converted(seen(0, 900), seen(1, 3))
    assert numbers(found) == {0: [("cat", 900)], 1: [("cat", 3)]}
    assert found.tracks == {}


@pytest.mark.parametrize("none", [None, -1, -1.0, np.int64(-1), float("nan")])
def test_what_has_no_track_shares_none_with_anything(none: Any):
    found = converted(
        seen(0, 5),
        seen(0, none, left=100),
        seen(0, none, left=200),
        seen(0, none, left=300, label="dog"),
        seen(1, none),
    )
    assert numbers(found) == {0: [("cat", 5), ("cat", 6), ("cat", 7), ("dog", 6)], 1: [("cat", 8)]}
    assert found.tracks == {}


@pytest.mark.parametrize("track", [np.int64(900), 900.0])
def test_a_track_of_an_array_or_a_table_is_its_number(track: Any):
    assert numbers(converted(seen(0, track))) == {0: [("cat", 900)]}


@pytest.mark.parametrize(
    "frame, track, words",
    [
        (0, -2, "track is -2; tracks count from 0"),
        (0, 1.5, "track is 1.5, not a whole number"),
        (0, [7], r"track is \[7\], neither a number nor a name"),
        (1.5, 1, "frame is 1.5, not a whole number"),
        ("a", 1, "frame is 'a', not a whole number"),
        (float("nan"), 1, "has no frame"),
    ],
)
def test_a_frame_or_a_track_that_is_none_is_refused(frame: Any, track: Any, words: str):
    with pytest.raises(InvalidValueError, match=rf"prediction 0 \('cat'\): {words}"):
        converted(seen(frame, track))


def test_a_frame_of_a_table_with_gaps_is_its_number():
    assert set(converted(seen(3.0, 1)).frames) == {3}


def test_equal_boxes_of_two_tracks_are_two():
    assert len(converted(seen(0, 1), seen(0, 2)).frames[0]) == 2


@pytest.mark.parametrize(
    "frame, words", [(None, "no frame"), (-1, "from 0"), (20, "frames 0 to 19"), (10**9, "frames 0 to 19")]
)
def test_a_frame_that_the_video_has_not_is_refused_5_6(frame: int | None, words: str):
    with pytest.raises(InvalidValueError, match=words):
        converted(seen(0), seen(frame), frame_count=20)
    assert set(converted(seen(0), seen(19), frame_count=20).frames) == {0, 19}


def test_all_problems_are_told_at_once():
    with pytest.raises(InvalidValueError) as caught:
        converted(
            seen(), seen(30), seen(2, 1), seen(2, 1, left=50), seen(3, left=float("nan")), frame_count=20
        )
    told = "\n".join(caught.value.problems)
    for words in ("prediction 0", "prediction 1", "frame 2: track 1 of 'cat' is there twice", "frame 3"):
        assert words in told
    assert len(caught.value.problems) == 4


def test_one_number_under_two_labels_is_two_tracks_5_6():
    assert numbers(converted(seen(0, 1), seen(0, 1, label="dog")))[0] == [("cat", 1), ("dog", 1)]


def test_frames_that_lose_all_are_left_out_and_the_loss_is_counted():
    found = converted(
        seen(0, 1), seen(1, 1, label="dog"), options=Options(labels={"cat": "Cat"}, unknown="drop")
    )
    assert numbers(found) == {0: [("Cat", 1)]}
    assert found.account.unmapped == 1


tracked = st.builds(
    seen,
    frame=st.integers(0, 50),
    track=st.none() | st.integers(1, 9) | st.sampled_from(["a", "b"]),
    label=st.sampled_from(["cat", "dog"]),
    left=st.floats(0, 500),
)


@settings(max_examples=60)
@given(
    st.lists(tracked, max_size=30, unique_by=lambda each: (each.frame, each.track, each.label)), st.randoms()
)
def test_no_two_instances_of_a_frame_share_label_and_number(
    predictions: list[RawPrediction], order: random.Random
):
    found = converted(*predictions)
    for held in found.frames.values():
        places = [(each.label, each.number) for each in held]
        assert len(places) == len(set(places))
    assert sum(map(len, found.frames.values())) == len(predictions)
    shuffled = list(predictions)
    order.shuffle(shuffled)
    again = converted(*shuffled)
    assert {f: len(h) for f, h in again.frames.items()} == {f: len(h) for f, h in found.frames.items()}
