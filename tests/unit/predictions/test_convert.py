"""Raw predictions of every geometry become instances and packets, and each one is accounted for."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.models import InvalidValueError, Packet
from airflow_provider_diffgram.predictions import (
    Account,
    Converted,
    Options,
    Provenance,
    RawEllipse,
    RawImage,
    RawKeypoint,
    RawPrediction,
    RawSkeleton,
    RawTokens,
    instances_of,
    packets_of,
)
from diffgram_emulator.geometry import SHAPES

WIDTH, HEIGHT = 100, 60
numbers = st.one_of(st.floats(-50, 150, allow_nan=False), st.integers(-100, 300).map(lambda n: n / 2))
points = st.tuples(numbers, numbers)
geometries = st.one_of(
    st.fixed_dictionaries({"box": st.tuples(numbers, numbers, numbers, numbers)}),
    st.fixed_dictionaries({"polygons": st.lists(st.lists(points, min_size=3, max_size=6), max_size=3)}),
    st.fixed_dictionaries({"point": points}),
    st.fixed_dictionaries({"line": st.tuples(points, points)}),
    st.fixed_dictionaries({"ellipse": st.builds(RawEllipse, points, points, st.floats(-360, 360))}),
    st.fixed_dictionaries(
        {
            "keypoints": st.builds(
                RawSkeleton,
                st.lists(st.none() | st.builds(RawKeypoint, numbers, numbers), min_size=2, max_size=4),
                st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=2),
            )
        }
    ),
    st.just({"tag": True}),
    st.just({"tokens": RawTokens(0, 3)}),
)
scores = st.none() | st.floats(0, 1)
predictions = st.lists(
    st.builds(
        lambda label, score, geometry: RawPrediction(label, score, **geometry),
        st.sampled_from(["cat", "dog", "cow"]),
        scores,
        geometries,
    ),
    max_size=8,
)
options = st.builds(
    Options,
    labels=st.sampled_from([None, {"cat": "animal", "dog": "animal", "cow": None}, str.upper]),
    min_score=st.sampled_from([0, 0.5, {"cat": 0.25}]),
    max_per_image=st.none() | st.integers(1, 3),
)


def convert(*raw: RawPrediction, **settings: Any) -> Converted[Any]:
    return instances_of(raw, width=WIDTH, height=HEIGHT, **settings)


def one(**geometry: Any) -> dict[str, Any]:
    """The wire fields of the instance of a single prediction, without what all have."""
    (instance,) = convert(RawPrediction("cat", **geometry)).instances
    fields = instance.model_dump(mode="json", exclude_none=True, by_alias=True)
    return {key: value for key, value in fields.items() if key not in ("label", "machine_made")}


# Every geometry


def test_a_box_goes_to_whole_pixels_5_3():
    assert one(box=(1.5, 2.4, 30.5, 60.9)) == {
        "type": "box",
        "x_min": 2,
        "y_min": 2,
        "x_max": 31,
        "y_max": 60,
    }


def test_each_part_of_a_mask_is_a_polygon_of_its_own():
    parts = [
        [(0, 0), (10, 0), (10, 10.123)],
        [(20, 20), (30, 20), (30, 30)],
        [(40, 40), (40.2, 40), (40, 40.2)],
    ]
    converted = convert(RawPrediction("cat", 0.5, polygons=parts, holes=2))
    assert [len(polygon.points) for polygon in converted.instances] == [3, 3]
    assert converted.instances[0].points[2].y == 10.12
    assert converted.account == Account(1, 1, 2, lost_parts=1, parts=2, holes=2)


def test_a_mask_without_pixels_has_no_shape():
    assert convert(RawPrediction("cat", polygons=[])).account == Account(1, 1, 0, empty=1)


def test_a_point_outside_the_image_is_dropped():
    assert one(point=(3.14159, 2))["points"] == [{"x": 3.14, "y": 2.0}]
    account = convert(RawPrediction("cat", point=(WIDTH + 1, 2))).account
    assert (account.outside, account.clipped) == (1, 1)


def test_a_line_is_cut_at_the_edges():
    assert one(line=((-10, -10), (20, 20)))["points"] == [{"x": 0.0, "y": 0.0}, {"x": 20.0, "y": 20.0}]
    account = convert(
        RawPrediction("cat", line=((-10, 5), (5, -10.1))), RawPrediction("cat", line=((5, 5), (5, 5)))
    )
    account = account.account
    assert (account.outside, account.too_small, account.clipped) == (1, 1, 1)


def test_an_ellipse_stays_whole_unless_all_of_it_is_outside():
    assert one(ellipse=RawEllipse((10.2, 11.7), (30.4, -5.5), 0.78539816)) == {
        "type": "ellipse",
        "center_x": 10,
        "center_y": 12,
        "width": 30,
        "height": 6,
        "angle": 0.785398,
    }
    outside = RawPrediction("cat", ellipse=RawEllipse((-10, 30), (9, 20)))
    assert convert(outside).account.outside == 1
    assert (
        convert(RawPrediction("cat", ellipse=RawEllipse((-10, 30), (9, 20), math.pi / 2))).account.wrong == 0
    )
    assert convert(RawPrediction("cat", ellipse=RawEllipse((10, 30), (0.4, 20)))).account.too_small == 1


def test_keypoints_keep_the_joints_inside_and_their_bones():
    joints = [
        RawKeypoint(5, 6, "nose", True),
        None,
        RawKeypoint(WIDTH + 1, 6, "ear"),
        RawKeypoint(7, 8, "eye", False),
    ]
    found = one(keypoints=RawSkeleton(joints, [(0, 3), (0, 1), (2, 3)]))
    assert found["nodes"] == [
        {"id": 1, "x": 5.0, "y": 6.0, "name": "nose", "ordinal": 0, "occluded": False},
        {"id": 4, "x": 7.0, "y": 8.0, "name": "eye", "ordinal": 3, "occluded": True},
    ]
    assert found["edges"] == [{"from": 1, "to": 4}]


def test_a_joint_at_0_is_never_the_first_node_5_2():
    joints = [RawKeypoint(0, 6), RawKeypoint(7, 0), RawKeypoint(7, 8)]
    assert [node["id"] for node in one(keypoints=RawSkeleton(joints))["nodes"]] == [3, 1, 2]


def test_a_skeleton_without_joints_is_dropped_and_a_bone_without_its_joint_refused():
    assert convert(RawPrediction("cat", keypoints=RawSkeleton([None, None]))).account.empty == 1
    with pytest.raises(InvalidValueError, match=r"bones name joints \[2\]; there are 2"):
        convert(RawPrediction("cat", keypoints=RawSkeleton([None, None], [(0, 2)])))


def test_a_tag_and_a_span_need_no_image():
    tag, span = RawPrediction("cat", 0.5, tag=True), RawPrediction("cat", tokens=RawTokens(2, 4, 10, 20))
    found = instances_of([tag, span], width=None, height=None).instances
    assert [each.type for each in found] == ["tag", "text_token"]
    assert (found[1].start_token, found[1].end_token, found[1].start_char, found[1].end_char) == (
        2,
        4,
        10,
        20,
    )


def test_track_and_attributes_travel():
    raw = RawPrediction("cat", box=(1, 1, 5, 5), track=7, attributes={"colour": "red"})
    (box,) = convert(raw).instances
    assert (box.number, box.attributes) == (7, {"colour": "red"})


def test_all_instances_say_where_they_come_from():
    (box,) = convert(RawPrediction("cat", 0.25, tag=True), provenance=Provenance("model", "run")).instances
    assert (box.machine_made, box.score, box.model_ref, box.model_run_ref) == (True, 0.25, "model", "run")
    with pytest.raises(ValueError, match="needs a model_ref"):
        Provenance(model_run_ref="run")


# What is wanted


@given(predictions, options)
def test_every_prediction_is_accounted_for(raw, chosen):
    converted = convert(*raw, options=chosen)
    account = converted.account
    by_choice = account.below_score + account.over_max + account.unmapped
    left_out = account.wrong + by_choice + account.duplicates + account.lost_parts
    assert account.instances + left_out == account.predictions + account.parts
    assert len(account.examples) == min(account.wrong, 10)
    assert (account.instances, account.predictions) == (len(converted.instances), len(raw))


@given(predictions, options)
def test_what_is_unwanted_is_not_there(raw, chosen):
    instances = convert(*raw, options=chosen).instances
    allowed = {None: {"cat", "dog", "cow"}, str.upper: {"CAT", "DOG", "COW"}}
    labels = allowed[chosen.labels] if not isinstance(chosen.labels, dict) else {"animal"}
    assert {each.label for each in instances} <= labels
    assert len(instances) <= (chosen.max_per_image or math.inf)
    if chosen.min_score == 0.5:
        assert all(each.score is None or each.score >= 0.5 for each in instances)


@given(predictions)
def test_no_two_instances_are_one_to_the_server(raw):
    known = [each.model_dump_json(exclude={"score", "machine_made"}) for each in convert(*raw).instances]
    assert len(set(known)) == len(known)


@given(predictions)
def test_the_server_takes_every_instance_as_it_is_5_2(raw):
    for instance in convert(*raw).instances:
        sent = instance.model_dump(mode="json", exclude_none=True, by_alias=True)
        stored = SHAPES[instance.type](sent)
        assert {key: stored[key] for key in sent.keys() & stored.keys() - {"points"}} == {
            key: sent[key] for key in sent.keys() & stored.keys() - {"points"}
        }
        if instance.type == "polygon":
            assert min(stored["width"], stored["height"]) >= 1
        if instance.type == "keypoints" and all(node["x"] >= 1 and node["y"] >= 1 for node in sent["nodes"]):
            assert min(stored["x_min"], stored["y_min"]) >= 1


def test_classes_are_mapped_and_one_without_a_label_is_left_out_and_counted():
    raw = [RawPrediction(name, tag=True) for name in ("cat", "dog", "cow")]
    converted = convert(*raw, options=Options({"cat": "animal", "dog": None}, unknown="drop"))
    assert ([each.label for each in converted.instances], converted.account.unmapped) == (["animal"], 2)
    upper = convert(*raw, options=Options(lambda name: None if name == "cow" else name.upper()))
    assert [each.label for each in upper.instances] == ["CAT", "DOG"]


def test_two_classes_of_one_label_can_be_equal():
    raw = [RawPrediction("cat", 0.5, box=(1, 1, 5, 5)), RawPrediction("dog", 0.6, box=(1, 1, 5, 5))]
    converted = convert(*raw, options=Options(lambda name: "animal"))
    assert ([each.score for each in converted.instances], converted.account.duplicates) == ([0.6], 1)


def test_equal_boxes_of_two_tracks_are_equal_in_an_image_but_not_in_a_frame():
    def tracked(frame: int | None) -> list[RawPrediction]:
        return [RawPrediction("cat", box=(1, 1, 5, 5), track=track, frame=frame) for track in (1, 2)]

    assert len(convert(*tracked(None)).instances) == 1
    assert len(convert(*tracked(0)).instances) == 2


def test_the_least_score_can_differ_by_class():
    raw = [RawPrediction(name, 0.5, tag=True) for name in ("cat", "dog")] + [RawPrediction("cow", tag=True)]
    converted = convert(*raw, options=Options(min_score={"dog": 0.6, "cow": 1}))
    assert ([each.label for each in converted.instances], converted.account.below_score) == (
        ["cat", "cow"],
        1,
    )


def test_the_best_stay_in_their_order_and_those_without_a_score_go_first():
    raw = [RawPrediction(str(score), score, tag=True) for score in (0.2, 0.9, None, 0.5)]
    converted = convert(*raw, options=Options(max_per_image=2))
    assert ([each.score for each in converted.instances], converted.account.over_max) == ([0.9, 0.5], 2)


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"unknown": "ignore"}, "unknown is 'ignore'; it can be 'fail' or 'drop'"),
        ({"max_per_image": 0}, "max_per_image is 0"),
        ({"min_score": 30}, "min_score is 30; scores are between 0 and 1"),
        ({"min_score": {"cat": 0.5, "dog": math.nan}}, "min_score is nan"),
        ({"min_score": True}, "min_score is True"),
        ({"min_score": "0.5"}, "min_score is '0.5'"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any], told: str):
    with pytest.raises(ValueError, match=told):
        Options(**wrong)


# What is wrong


def test_all_problems_of_an_image_are_told_at_once():
    raw = [
        RawPrediction("cat", 87, box=(1, 1, 5, 5)),
        RawPrediction("cow", 0.5, box=(1, 1, 5, 5)),
        RawPrediction("cat", 0.5, box=(1, 1, math.nan, 5)),
        RawPrediction("cat", 0.5),
        RawPrediction("cat", 0.5, point=(1, 1), tag=True),
        RawPrediction("cat", 0.5, polygons=[[(1, 1), (2, 2)]]),
        RawPrediction("eel", 0.5, tag=True),
    ]
    with pytest.raises(InvalidValueError) as caught:
        instances_of(raw, width=0, height=HEIGHT, options=Options({"cat": "cat"}))
    told = str(caught.value)
    assert len(caught.value.problems) == 7
    for words in (
        "width of the image is 0",
        "prediction 0 ('cat'): score is 87.0, not between 0 and 1",
        "prediction 2 ('cat'): [1.0, 1.0, nan, 5.0] are not all finite",
        "prediction 3 ('cat'): has no geometry; needs one of box, polygons",
        "prediction 4 ('cat'): has point and tag; needs one of",
        "prediction 5 ('cat'): a polygon has 2 corners",
        "no label for class 'cow', 'eel': name it in labels",
    ):
        assert words in told


def test_what_the_models_refuse_is_told_with_its_label_quirk_49():
    with pytest.raises(InvalidValueError, match=r"prediction 'a\\x00b': label: .*NUL"):
        convert(RawPrediction("a\x00b", tag=True), RawPrediction("cat", tag=True))


# Packets


def images() -> list[RawImage]:
    boxes = [RawPrediction("cat", 0.5, box=(-5, 1, 20, 20)), RawPrediction("cat", 0.1, box=(1, 1, 5, 5))]
    return [RawImage("a.jpg", 100, 60, boxes), RawImage("b.jpg", predictions=[boxes[0]])]


def test_packets_are_valid_and_their_account_is_complete_at_the_end():
    packets = packets_of(
        images(),
        media=lambda image: {"url": f"https://media.example/{image.name}"},
        original_filename=lambda image: f"night-{image.name}",
        options=Options(min_score=0.3),
    )
    assert packets.account == Account()
    first, second = packets
    assert isinstance(first, Packet)
    assert [each.original_filename for each in (first, second)] == ["night-a.jpg", "night-b.jpg"]
    assert [len(each.instance_list) for each in (first, second)] == [1, 1]
    assert packets.account == Account(2, 3, 2, clipped=2, below_score=1, unknown_size=1)
    assert packets.account.summary() == (
        "2 instances from 3 predictions on 2 images "
        "(2 cut at the edge, 1 images of unknown size, 1 below min_score)"
    )


def test_packets_are_made_one_at_a_time():
    def endless():
        while True:
            yield from images()

    packets = packets_of(endless(), media=lambda image: {"path": image.name})
    assert [next(packets).original_filename for _ in range(5)] == [None] * 5
    assert packets.account.images == 5


def test_an_image_that_cannot_be_a_packet_is_named():
    packets = packets_of(images(), media=lambda image: {"url": image.name})
    with pytest.raises(InvalidValueError, match=r"packet of a.jpg: (?s:.*)http://"):
        next(packets)
    wrong = packets_of(
        [RawImage("c.jpg", predictions=[RawPrediction("x", 2, tag=True)])], media=lambda image: {}
    )
    with pytest.raises(InvalidValueError, match=r"predictions of c.jpg: (?s:.*)score is 2.0"):
        next(wrong)


def test_predictions_of_several_frames_are_not_drawn_on_one_picture():
    two = [RawPrediction("cat", 0.5, box=(1, 1, 9, 9), frame=frame) for frame in (3, 7)]
    with pytest.raises(InvalidValueError, match=r"are of the frames 3, 7 of a video: use video_frames"):
        convert(*two)
    packets = packets_of(
        [RawImage("v.png", WIDTH, HEIGHT, two[:1])], media=lambda image: {"path": "/d/v.png"}
    )
    with pytest.raises(InvalidValueError, match=r"of v\.png: one of them is of frame 3 of a video"):
        next(packets)


@pytest.mark.parametrize("score, kept", [(1 + 1e-7, 1.0), (-1e-9, 0.0), (1, 1.0)])
def test_a_score_that_rounding_put_beyond_is_the_bound(score: float, kept: float):
    (instance,) = convert(RawPrediction("cat", score, tag=True)).instances
    assert instance.score == kept


@pytest.mark.parametrize("score", [1.00001, -0.00001])
def test_what_rounding_cannot_do_is_refused(score: float):
    with pytest.raises(InvalidValueError, match=f"score is {score}, not between 0 and 1"):
        convert(RawPrediction("cat", score, tag=True))


@pytest.mark.parametrize(
    "options, told",
    [
        ({"labels": {0: "cat"}}, "labels has the class 0; write it as text, '0'"),
        ({"min_score": {0: 0.5}}, "min_score has the class 0; write it as text, '0'"),
        (
            {"labels": {"cat": "cat"}, "min_score": {"Cat": 0.5}},
            r"min_score has the class 'Cat', which labels lacks \(did you mean 'cat'\?\)",
        ),
    ],
)
def test_a_class_that_no_prediction_can_have_is_refused(options: dict[str, Any], told: str):
    with pytest.raises(ValueError, match=told):
        Options(**options)
