"""What is left out is counted by its own reason, and too much of it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import (
    Account,
    Options,
    RawImage,
    RawPrediction,
    packets_of,
    video_frames,
)

GOOD = (1, 1, 9, 9)
OUTSIDE = (200, 1, 210, 9)


def boxes(*edges: tuple[float, ...]) -> list[RawPrediction]:
    """Boxes, each with a label of its own, so that none are equal."""
    return [RawPrediction(f"c{number}", 0.5, box=each) for number, each in enumerate(edges)]


def push(images: list[RawImage], **options: object) -> Account:
    packets = packets_of(images, media=lambda image: {"path": image.name}, options=Options(**options))
    list(packets)
    return packets.account


def test_a_box_in_shares_of_the_size_is_told_as_that():
    image = RawImage("a.jpg", 640, 480, [RawPrediction("cat", 0.9, box=(0.125, 0.25, 0.5, 1))])
    packets = packets_of([image], media=lambda image: {"path": "/d/a.jpg"})
    with pytest.raises(InvalidValueError) as caught:
        list(packets)
    told = "a.jpg: prediction 0 ('cat') at 0.125, 0.25, 0.5, 1, shares of the size?: less than a pixel"
    assert told in caught.value.problems


def test_a_tenth_may_be_wrong_and_more_is_refused_by_name():
    assert push([RawImage("a.jpg", 100, 60, boxes(OUTSIDE, *[GOOD] * 9))]).outside == 1
    with pytest.raises(InvalidValueError) as caught:
        push([RawImage("a.jpg", 100, 60, boxes(OUTSIDE, (9, 9, 1, 1), *[GOOD] * 8))])
    assert str(caught.value).startswith("conversion of 1 image: ")
    head, first, second = caught.value.problems
    assert head == (
        "2 of 10 predictions are wrong (20%), max_wrong allows 10%: 1 outside the image, 1 with a right edge "
        "left of the left one, or a lower edge above the upper one"
    )
    assert first == "a.jpg: prediction 0 ('c0') at 200, 1, 210, 9: outside the image"
    assert second.startswith(
        "a.jpg: prediction 1 ('c1') at 9, 9, 1, 1: with a right edge left of the left one"
    )


def test_how_much_may_be_wrong_is_the_users_choice():
    image = RawImage("a.jpg", 100, 60, boxes(OUTSIDE, GOOD))
    assert push([image], max_wrong=0.5).wrong == 1
    with pytest.raises(InvalidValueError, match=r"1 of 2 predictions are wrong \(50%\), max_wrong allows 0%"):
        push([image], max_wrong=0)
    with pytest.raises(ValueError, match="max_wrong is 30; it is a share"):
        Options(max_wrong=30)


def test_what_is_left_out_by_choice_is_not_wrong_and_does_not_dilute_what_is():
    low = [RawPrediction("low", 0.1, box=OUTSIDE), RawPrediction("skipped", 0.9, box=OUTSIDE)]
    labels = {"low": "low", "skipped": None, "c0": "c0", "c1": "c1"}
    options = {"min_score": 0.3, "labels": labels}
    account = push([RawImage("a.jpg", 100, 60, [*low, *boxes(GOOD)])], **options)
    assert (account.below_score, account.unmapped, account.wrong) == (1, 1, 0)
    with pytest.raises(InvalidValueError, match="1 of 2 predictions are wrong"):
        push([RawImage("a.jpg", 100, 60, [*low * 9, *boxes(GOOD, OUTSIDE)])], **options)


def test_a_part_of_a_mask_that_is_too_small_beside_another_is_not_wrong():
    speck, good = [(1, 1), (1.2, 1), (1.2, 1.2)], [(10, 10), (50, 10), (50, 50)]
    mask = RawPrediction("cat", polygons=[speck, good, speck])
    account = push([RawImage("a.jpg", 100, 60, [mask])])
    assert (account.instances, account.parts, account.lost_parts, account.wrong) == (1, 2, 2, 0)
    account = push([RawImage("a.jpg", 100, 60, [RawPrediction("cat", polygons=[speck] * 3)])], max_wrong=1)
    assert (account.instances, account.parts, account.lost_parts, account.too_small) == (0, 2, 2, 1)


def test_nothing_at_all_is_refused_only_where_something_was_wrong():
    assert push([RawImage("a.jpg", 100, 60)]).images == 1
    assert push([]).images == 0


def test_frames_of_a_video_count_together():
    for wrong, told in ((1, None), (2, "2 of 11 predictions are wrong")):
        good, bad = boxes(GOOD), boxes(OUTSIDE)
        predictions = good * (11 - wrong) + bad * wrong
        for number, each in enumerate(predictions):
            predictions[number] = RawPrediction(each.label, box=each.box, frame=number)
        if told is None:
            assert video_frames(predictions, width=100, height=60).account.wrong == wrong
        else:
            with pytest.raises(InvalidValueError, match=told):
                video_frames(predictions, width=100, height=60)


def test_what_is_certain_is_refused_before_the_end():
    account = Account(images=3, predictions=30, outside=9)
    account.check(0.1, of_all=90)
    with pytest.raises(InvalidValueError, match="9 of 80 predictions"):
        account.check(0.1, of_all=80)


def test_an_outline_that_crosses_itself_stays_as_a_drawing_tool_keeps_it():
    crossed = [(10, 10), (50, 50), (50, 10), (10, 50)]
    packets = packets_of(
        [RawImage("a.jpg", 100, 60, [RawPrediction("cat", polygons=[crossed])])],
        media=lambda image: {"path": image.name},
    )
    (packet,) = packets
    assert [(point.x, point.y) for point in packet.instance_list[0].points] == crossed


# The picture at hand


def test_predictions_for_another_size_than_that_of_the_picture_at_hand_are_refused(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    assert push([RawImage(str(path), 20, 40, boxes(GOOD))]).instances == 1
    assert push([RawImage(str(path), None, None, boxes(GOOD))]).instances == 1
    with pytest.raises(InvalidValueError) as caught:
        push([RawImage(str(path), 40, 20, boxes(GOOD))])
    assert f"they are for 40 x 20 pixels; {path} has 20 x 40 once it is turned" in str(caught.value)


def test_a_picture_at_hand_that_is_none_is_refused(tmp_path: Path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0nothing")
    with pytest.raises(InvalidValueError, match="is not a picture that Pillow can read"):
        push([RawImage(str(path), 40, 20, boxes(GOOD))])
