"""Each rule of server.md 5 by which Diffgram refuses or loses instances: told here, and nothing is sent.

The table names the rule, the mistake, and words of what the user reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import TypeAdapter

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.instances import Unseen, misplaced, repeated_references
from airflow_provider_diffgram.ingest.send.compound import create_compound_file, upload_children
from airflow_provider_diffgram.models import CompoundFile, Instance, InvalidValueError, Packet
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box

NAN, INFINITY, BIG = float("nan"), float("inf"), 2**31
MP4 = Path(__file__).parents[2] / "contract" / "media" / "clip.mp4"
CLIP_FRAMES = 20


def shape(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "label": "cat", **fields}


def points(*pairs: Any) -> list[dict[str, Any]]:
    return [{"x": x, "y": y} for x, y in pairs]


def nodes(*ids: Any) -> list[dict[str, Any]]:
    return [{"id": each, "x": 5, "y": 6} for each in ids]


FACE = {corner: {"x": 5, "y": 5} for corner in ("top_left", "top_right", "bot_left", "bot_right")}
HALF_FACE = FACE | {"top_left": None}
ELLIPSE = shape("ellipse", center_x=9, center_y=9, width=4, height=3, angle=0)
OUTLINE = points((1, 1), (9, 1), (5, 9))


def without(instance: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in instance.items() if name != key}


INSTANCES: list[tuple[str, Any, str]] = [
    # 5.1 common fields
    ("5.1 type is required", without(box(), "type"), "type"),
    ("5.1 type is one of a closed list", box() | {"type": "square"}, "box"),
    ("5.1 a label is required", without(box(), "label"), "needs a label"),
    ("5.1 a label is not told by name alone on the wire", without(box(), "label") | {"name": "cat"}, "name"),
    ("5.1 an unknown label name", box(label="bird"), "missing from schema 'Default Schema': 'bird'"),
    (
        "5.1 names are case-sensitive",
        box(label="Cat"),
        "missing from schema 'Default Schema': 'Cat' (did you mean 'cat'?)",
    ),
    ("5.3 an unknown label_file_id", without(box(), "label") | {"label_file_id": 99999}, "99999"),
    ("5.3 a label_file_id as text", without(box(), "label") | {"label_file_id": "1"}, "whole number"),
    ("quirks 4, 49: score as text", box(score="high"), "score"),
    ("quirks 4, 49: score as text of a number", box(score="0.5"), "score"),
    ("quirk 59: NaN as score", box(score=NAN), "finite"),
    ("quirk 59: Infinity as score", box(score=INFINITY), "finite"),
    ("quirk 49: score beyond range", box(score=1e300), "32 bit"),
    ("quirk 49: number beyond 32 bit", box(number=BIG), "number"),
    ("quirk 53: number as text", box(number="3"), "number"),
    ("quirk 49: NUL in creation_ref_id", box(creation_ref_id="a\x00b"), "NUL"),
    ("5.1 creation_ref_id is a text", box(creation_ref_id=7), "creation_ref_id"),
    ("quirk 49: NUL in model_ref", box(model_ref="a\x00"), "NUL"),
    ("1.3 an empty text", box(model_ref=""), "model_ref"),
    ("5.1 a run without its model is ignored", box(model_run_ref="r"), "needs model_ref"),
    ("5.1 model_id is not looked up by reference", box(model_id=1), "model_id"),
    ("5.1 attribute_groups as a list", box(attribute_groups=[{"id": 1}]), "list"),
    ("5.1 soft_delete removes nothing", box(soft_delete=True, id=1), "soft_delete"),
    ("quirk 30: null among the instances", None, "instance_list"),
    ("5.1 an instance that is no object", "box", "instance_list"),
    # 5.2 by type
    *[(f"5.3 a box without {key}", without(box(), key), key) for key in ("x_min", "y_min", "x_max", "y_max")],
    ("5.2 polygon without points", shape("polygon"), "points"),
    ("5.2 polygon of one point", shape("polygon", points=points((1, 1))), "at least 2"),
    ("5.2 flat polygon", shape("polygon", points=points((1, 5), (9, 5))), "height"),
    ("5.2 polygon whose bounds round to nothing", shape("polygon", points=points((1, 1), (1.4, 9))), "width"),
    ("5.3 polygon beyond the edge", shape("polygon", points=points((-9, 1), (-1, 9))), "outside"),
    ("quirk 59: NaN in a polygon", shape("polygon", points=points((1, NAN), (9, 9))), "finite"),
    ("quirk 49: polygon beyond 32 bit", shape("polygon", points=points((1, BIG), (9, 9))), "32 bit"),
    ("5.2 a point that is a pair", shape("polygon", points=[[1, 1], [9, 9]]), "points"),
    ("5.2 a point without y", shape("polygon", points=[{"x": 1}, {"x": 9, "y": 9}]), "y"),
    ("5.2 point of two points", shape("point", points=points((1, 1), (2, 2))), "at most 1"),
    ("5.2 line of one point", shape("line", points=points((1, 1))), "at least 2"),
    *[
        (f"5.2 ellipse without {key}", without(ELLIPSE, key), key)
        for key in ("center_x", "center_y", "width", "height")
    ],
    ("5.2 ellipse with a fraction", ELLIPSE | {"center_x": 1.5}, "center_x"),
    ("quirk 59: angle that is no number", ELLIPSE | {"angle": NAN}, "finite"),
    ("5.2 curve without cp", shape("curve", p1={"x": 1, "y": 1}, p2={"x": 2, "y": 2}), "cp"),
    ("5.2 cuboid without a face", shape("cuboid", front_face=FACE), "rear_face"),
    ("5.2 cuboid with half a face", shape("cuboid", front_face=FACE, rear_face=HALF_FACE), "top_left"),
    ("5.2 keypoints without nodes", shape("keypoints", edges=[]), "nodes"),
    ("5.2 keypoints with no node", shape("keypoints", nodes=[]), "nodes"),
    ("5.2 an edge to nowhere", shape("keypoints", nodes=nodes(1), edges=[{"from": 1, "to": 9}]), "'9'"),
    ("quirk 49: node id beyond 32 bit", shape("keypoints", nodes=nodes(BIG)), "nodes"),
    ("5.2 text_token without start_token", shape("text_token", end_token=1), "start_token"),
    ("5.2 text_token without end_token", shape("text_token", start_token=0), "end_token"),
    ("5.2 relation without ends", {"type": "relation"}, "from_instance_id"),
    ("5.2 audio without its end", shape("audio", start_time=0), "end_time"),
    ("5.2 cuboid_3d without its centre", shape("cuboid_3d"), "center_3d"),
    ("quirk 59: NaN on a map", shape("geo_point", lonlat=[1, NAN]), "finite"),
    ("quirk 59: NaN in bounds on a map", shape("geo_box", bounds_lonlat=[[1, NAN]]), "finite"),
    ("quirk 49: NUL in bounds on a map", shape("geo_polygon", bounds_lonlat=["\x00"]), "NUL"),
    ("quirk 49: bounds on a map beyond 32 bit", shape("geo_box", bounds_lonlat=[], bounds=[BIG]), "32 bit"),
    # 5.3 values
    ("5.3 a fraction", box() | {"x_min": 1.7}, "whole number"),
    ("5.3 a float without a fraction", box() | {"x_max": 50.0}, "whole number"),
    ("5.3 a coordinate as text", box() | {"y_max": "50"}, "whole number"),
    ("5.3 true as a coordinate", box() | {"x_min": True}, "whole number"),
    ("5.3 a negative minimum is moved", box() | {"x_min": -1}, "greater than or equal to 0"),
    ("5.3 a negative maximum", box() | {"x_max": -1}, "x_max"),
    ("5.3 x_min above x_max", box() | {"x_min": 500}, "greater than x_min"),
    ("5.3 no height", box() | {"y_max": 2}, "greater than y_min"),
    ("5.3, quirk 49: a coordinate beyond 32 bit", box() | {"x_max": BIG}, "x_max"),
    ("5.3 a width of a box is not what counts", box(width=9), "width"),
]

FRAMES: list[tuple[str, dict[Any, Any], str]] = [
    ("5.6 a frame that is no number", {"first": [box()]}, "frame number"),
    ("5.6 a frame before the first", {-1: [box()]}, "frame number"),
    ("5.6 a fraction of a frame", {1.5: [box()]}, "frame number"),
    ("5.6 a frame beyond what Diffgram keeps", {36000: [box()]}, "36000"),
    ("5.6 a frame that is there twice loses one", {5: [box()], "5": [box(30)]}, "frame 5 given twice"),
    ("5.6 a frame beyond the end", {CLIP_FRAMES: [box()]}, "0 to 19"),
    ("5.6 an unknown label fails the whole video", {5: [box(label="bird")]}, "'bird'"),
    ("quirk 52: a bad box loses its frame", {5: [box() | {"x_max": 0}]}, "greater than x_min"),
    ("quirk 53: a track number as text", {5: [box(number="3")]}, "number"),
    ("quirk 30: null in a frame", {5: [None]}, "5"),
    ("5.6 a frame that holds no list", {5: box()}, "list"),
]

ATTRIBUTES: list[tuple[str, Any, Any, str]] = [
    ("5.4 an attribute that does not exist", "shape", "x", "'shape' not in schema"),
    ("5.4 a group that does not exist", 99999, "x", "99999"),
    ("5.4 a key that is no number is not shown", "colour", "x", "'colour' not in schema"),
    ("5.4, quirk 49: an option that does not exist, select", "a select", {"id": 999999}, "does not exist"),
    ("5.4, quirk 49: an option that does not exist, radio", "a radio", 999999, "does not exist"),
    ("5.4, quirk 49: an option that does not exist, many", "a multiple_select", [999999], "does not exist"),
    ("5.4, quirk 49: an option that does not exist, tree", "a tree", {"999999": {"selected": True}}, "exist"),
    ("5.4 an option by a word that is none", "a select", "mauve", "'mauve' does not exist"),
    ("quirk 51: an id that is a word", "a select", {"id": "red"}, "'red'"),
    ("5.4 a list where one is wanted", "a select", ["red"], "name or id"),
    ("5.4 nothing under an id", "#a select", None, "name or id"),
    ("quirk 51: a tree of true", "a tree", {"1": True}, "selected"),
    ("quirk 51: a slider of a word", "a slider", "high", "whole number"),
    ("5.4 a slider of a fraction is cut", "a slider", 3.7, "whole number"),
    ("quirk 49: a slider beyond 32 bit", "a slider", BIG, "32 bit"),
    ("quirk 51: a date of another order", "a date", "06/05/2024", "YYYY-MM-DD"),
    ("quirk 51: a date with a time", "a date", "2024-05-06T10:00", "YYYY-MM-DD"),
    ("5.4 a date as a number", "a date", 20240506, "YYYY-MM-DD"),
    ("quirk 51: a time with seconds", "a time", "13:45:10", "HH:MM"),
    ("quirk 51: a time as a number", "a time", 1345, "HH:MM"),
    ("5.4 a text of nothing", "#a text", None, "text"),
    ("quirk 49: NUL in a text", "a text", "a\x00", "NUL"),
    ("quirk 59: NaN", "a text", NAN, "finite"),
]

KINDS = ("select", "radio", "multiple_select", "tree", "text", "slider", "date", "time")


@dataclass
class World:
    """A project with an attribute of each kind, called after its kind."""

    diffgram: LiveDiffgram
    groups: dict[str, int]


@pytest.fixture(scope="module")
def world(unlimited_emulator: EmulatorProcess) -> World:
    unlimited_emulator.reset()
    diffgram = LiveDiffgram.of(unlimited_emulator.with_project("rules-of-instances"))
    groups = {}
    for kind in KINDS:
        group = diffgram.ask(routes.create_attribute_group)
        diffgram.ask(
            routes.update_attribute_group, group.id, name=f"a {kind}", prompt=f"Which {kind}?", kind=kind
        )
        if kind in KINDS[:4]:
            for option in ("red", "green"):
                diffgram.ask(routes.create_attribute_option, group.id, option)
        groups[f"a {kind}"] = group.id
    return World(diffgram, groups)


def refused(world: World, packet: dict[str, Any]) -> str:
    """Push, expect a refusal, prove that nothing was sent; return what was told."""
    diffgram = world.diffgram
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push([packet])
    assert diffgram.content() == ([], [], [])
    return "\n".join(caught.value.problems)


def named(rows: list[Any]) -> list[Any]:
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


IMAGE = {"media": {"url": "http://media.test/a.png"}, "original_filename": "a.png"}


@pytest.mark.parametrize("instance, words", named(INSTANCES))
def test_an_instance_is_refused_before_anything_is_sent(world: World, instance: Any, words: str):
    told = refused(world, {**IMAGE, "instance_list": [box(30), instance]})
    assert words in told
    assert "instance_list.0" not in told, "the good one is not blamed"


@pytest.mark.parametrize("frames, words", named(FRAMES))
def test_a_frame_is_refused_before_anything_is_sent(world: World, frames: Any, words: str):
    told = refused(world, {"media": {"path": str(MP4)}, "frame_packet_map": frames})
    assert words in told


@pytest.mark.parametrize("attribute, value, words", named(ATTRIBUTES))
def test_an_attribute_is_refused_before_anything_is_sent(
    world: World, attribute: Any, value: Any, words: str
):
    keyed: dict[str, Any] = {"attributes": {attribute: value}}
    if isinstance(attribute, int) or attribute.startswith("#"):
        group = world.groups.get(str(attribute).lstrip("#"), attribute)
        keyed = {"attribute_groups": {group: value}}
    told = refused(world, {**IMAGE, "instance_list": [box(30), box(**keyed)]})
    assert words in told


TOKEN = shape("text_token", start_token=0, end_token=1)
SPAN = shape("audio", start_time=0, end_time=1)
TEXT = {"media": {"text_data": "A cat sat."}, "original_filename": "t.txt"}


@pytest.mark.parametrize(
    "instance, kind, file_type",
    [
        (TOKEN, "text_token", "image"),
        (SPAN, "audio", "image"),
        (box(), "box", "text"),
        (SPAN, "audio", "text"),
        (ELLIPSE, "ellipse", "audio"),
        (TOKEN, "text_token", "audio"),
    ],
)
def test_what_a_file_cannot_show_is_named(instance: Any, kind: str, file_type: str):
    instances = TypeAdapter(list[Instance]).validate_python([shape("tag"), instance, instance])
    assert misplaced(instances, file_type) == [
        f"instances of type {kind} cannot be shown on a file of type {file_type}"
    ]


def test_what_nobody_will_see_is_sent_and_told(
    diffgram: LiveDiffgram, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    beside = {"media": {"path": str(tmp_path / "a.png")}, "instance_list": [box(), box(700)]}
    Image.new("RGB", (640, 480)).save(tmp_path / "a.png")
    diffgram.pushed([beside, {**TEXT, "instance_list": [box()]}])
    diffgram.pushed([{"file_id": diffgram.file("t.txt").id, "mode": "update", "instance_list": [box(300)]}])
    first, second = (record.message for record in caplog.records if "nobody will see" in record.message)
    assert first.startswith("nobody will see some instances of 2 packets, although Diffgram stores them: ")
    assert "packet 0 (a.png): instance_list.1 (box 'cat'): is at 700, " in first
    assert "packet 1 (t.txt): instances of type box cannot be shown on a file of type text" in first
    assert "of 1 packet," in second


def test_of_many_that_nobody_will_see_the_first_are_named_and_the_others_counted(
    caplog: pytest.LogCaptureFixture,
):
    unseen = Unseen()
    for number in range(7):
        unseen.note(f"packet {number}", ["is at 700", "is at 800"])
    unseen.tell()
    assert caplog.text.count("is at") == 5
    assert "some instances of 7 packets" in caplog.text
    assert "; and 9 more" in caplog.text


def test_a_reference_of_several_instances_is_refused():
    """A file that has the first of them would never be sent the second."""
    own = [box(left, creation_ref_id=name) for left, name in ((1, "a"), (20, "b"), (40, "a"))]
    told = ["creation_ref_id 'a' is given to several instances: give each its own, or none"]
    assert repeated_references(Packet.model_validate({**IMAGE, "instance_list": own})) == told
    assert repeated_references(Packet.model_validate({**IMAGE, "instance_list": own[:2]})) == []
    video = {"media": {"path": str(MP4)}}
    tracked = {0: own[:1], 5: own[:2]}
    assert repeated_references(Packet.model_validate({**video, "frame_packet_map": tracked})) == []
    assert repeated_references(Packet.model_validate({**video, "frame_packet_map": {5: own}})) == told


def test_the_shapes_that_the_table_spoils_are_fine_as_they_are(world: World):
    """So that each row of the tables is refused for its mistake alone."""
    whole = [
        box(),
        ELLIPSE,
        shape("polygon", points=OUTLINE),
        shape("point", points=points((1, 1))),
        shape("line", points=points((1, 1), (2, 2))),
        shape("curve", p1={"x": 1, "y": 1}, p2={"x": 2, "y": 2}, cp={"x": 3, "y": 3}),
        shape("cuboid", front_face=FACE, rear_face=FACE),
        shape("keypoints", nodes=nodes(1, 9), edges=[{"from": 1, "to": 9}]),
        shape("geo_point", lonlat=[1, 2]),
        shape("geo_box", bounds_lonlat=[[1, 2]], bounds=[1]),
        {"type": "relation", "from_creation_ref": "a", "to_creation_ref": "b"},
    ]
    values = ["red", "red", ["red"], "red", "words", 3, "2024-05-06", "13:45"]
    full = box(40, attributes=dict(zip(world.groups, values, strict=True)))
    packets: list[Any] = [
        {**IMAGE, "instance_list": [*whole, full]},
        {"media": {"path": str(MP4)}, "frame_packet_map": {0: [box()], CLIP_FRAMES - 1: [box()]}},
        {**TEXT, "instance_list": [TOKEN]},
        {"media": {"text_data": "the only one that is wrong: it has no name"}},
    ]
    with pytest.raises(InvalidValueError) as caught:
        world.diffgram.push(packets)
    assert {problem.split(":")[0] for problem in caught.value.problems} == {"packet 3"}


@pytest.mark.parametrize("instance, words", named(INSTANCES[4:30:5]))
def test_instances_of_compounds_and_children_follow_the_same_rules(world: World, instance: Any, words: str):
    client = world.diffgram.client

    def create() -> None:
        compound = CompoundFile.model_validate({"name": "pages", "instance_list": [instance]})
        create_compound_file(client, compound, dataset=DATASET)

    with pytest.raises(ValueError, match=re.escape(words)):
        create()
    child = {"media": {"url": "http://media.test/a.png"}, "ordinal": 0, "instance_list": [instance]}
    with pytest.raises(InvalidValueError) as refused_child:
        upload_children(client, 1, [child], dataset=DATASET)
    assert words in str(refused_child.value)
    assert world.diffgram.content() == ([], [], [])
