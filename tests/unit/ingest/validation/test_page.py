"""The page of a prediction set: what it shows, and that nothing in it comes alive."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.drawing import Words, extent_of
from airflow_provider_diffgram.ingest.check.check import validated
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.read.pictures import Pictures
from airflow_provider_diffgram.ingest.validation.counts import BINS, OTHERS, Counts
from airflow_provider_diffgram.ingest.validation.limits import Limits
from airflow_provider_diffgram.ingest.validation.page import write_page
from airflow_provider_diffgram.models import Ellipse, Packet

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


def packet(*instances: dict[str, Any], **more: Any) -> Packet:
    fields = {
        "media": {"url": "http://127.0.0.1:9/a.png?X-Amz-Signature=s3cret"},
        "original_filename": "a.png",
    }
    return Packet.model_validate({**fields, "instance_list": list(instances), **more})


def box(left: int = 10, label: str = "cat", **more: Any) -> dict[str, Any]:
    return {
        "type": "box",
        "label": label,
        "x_min": left,
        "y_min": 20,
        "x_max": left + 30,
        "y_max": 60,
        **more,
    }


def page_of(counts: Counts, failures: list[str] | None = None, **more: Any) -> str:
    file = io.BytesIO()
    client = DiffgramClient(Settings("https://diffgram.example.com", "zoo", "id", "a-long-secret"))
    with closing(Pictures(client, universal_path)) as pictures:
        write_page(
            file, project="zoo", counts=counts, failures=failures or [], picture_of=pictures.of, **more
        )
    return file.getvalue().decode()


class Elements(HTMLParser):
    """What a browser finds on the page: each element, with its attributes, and all texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_what_comes_with_the_packets_stays_text():
    counts = Counts({}, 5)
    named = HOSTILE.replace("/", "") + ".png"
    hostile = packet(box(label=HOSTILE), {"type": "tag", "label": HOSTILE}, original_filename=named)
    counts.note(HOSTILE, hostile, [])
    counts.note(HOSTILE, None, [f"packet 1: {HOSTILE}"])
    page = Elements(page_of(counts, [HOSTILE]))
    assert page.named("script") == page.named("img") == []
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert sum(HOSTILE in text for text in page.texts) >= 5
    (policy,) = [each["content"] for each in page.named("meta") if "http-equiv" in each]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_addresses_of_media_are_left_out():
    counts = Counts({}, 5)
    counts.note("a.png", packet(box()), [])
    page = page_of(counts)
    assert "127.0.0.1" not in page
    assert "s3cret" not in page
    assert "cannot be fetched from here (is the worker&#x27;s own machine)" in page


def test_pictures_are_made_small_and_keep_the_coordinates_of_the_original(tmp_path: Path):
    Image.new("RGB", (3000, 2000), "teal").save(tmp_path / "a.png")
    counts = Counts({}, 5)
    counts.note("a.png", packet(box(2990), media={"path": tmp_path / "a.png"}), [])
    page = Elements(page_of(counts))
    assert [each["viewbox"] for each in page.named("svg")] == ["0 0 3000 2000"]
    (image,) = page.named("image")
    assert (image["width"], image["height"]) == ("3000", "2000")
    assert str(image["href"]).startswith("data:image/jpeg;base64,")
    assert len(str(image["href"])) < 40_000
    (shape,) = [each for each in page.named("rect") if each.get("x") == "2990"]
    assert (shape["y"], shape["width"], shape["height"]) == ("20", "30", "40")
    assert any("1 beyond the edge of the picture (3000 x 2000)" in text for text in page.texts)


@pytest.mark.parametrize(
    "media, words",
    [
        ({"path": "/no/such/picture.png"}, "cannot be read"),
        ({"connection_id": 1, "bucket_name": "b", "raw_data_blob_path": "a.png"}, "no picture"),
    ],
)
def test_without_a_picture_the_instances_are_drawn_all_the_same(media: dict[str, Any], words: str):
    counts = Counts({}, 5)
    counts.note("a.png", packet(box(), media=media), [])
    page = Elements(page_of(counts))
    assert page.named("image") == []
    assert [each["width"] for each in page.named("rect") if each.get("x") == "10"] == ["30"]
    assert any(words in text for text in page.texts)


def test_what_is_no_picture_is_told(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"this is no picture")
    counts = Counts({}, 5)
    counts.note("a.png", packet(box(), media={"path": tmp_path / "a.png"}), [])
    assert "not a readable picture" in page_of(counts)


CORNERS = {"top_left": (1, 1), "top_right": (9, 1), "bot_left": (1, 9), "bot_right": (9, 9)}
FACE = {name: {"x": x, "y": y} for name, (x, y) in CORNERS.items()}


@pytest.mark.parametrize(
    "instance, element",
    [
        ({"type": "polygon", "points": [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 5, "y": 9}]}, "polygon"),
        ({"type": "line", "points": [{"x": 1, "y": 1}, {"x": 9, "y": 9}]}, "polyline"),
        ({"type": "point", "points": [{"x": 1, "y": 1}]}, "circle"),
        ({"type": "ellipse", "center_x": 50, "center_y": 50, "width": 9, "height": 5}, "ellipse"),
        ({"type": "curve", "p1": {"x": 1, "y": 1}, "p2": {"x": 9, "y": 1}, "cp": {"x": 5, "y": 9}}, "path"),
        ({"type": "cuboid", "front_face": FACE, "rear_face": FACE}, "polygon"),
        (
            {
                "type": "keypoints",
                "nodes": [{"id": 1, "x": 1, "y": 1}, {"id": 2, "x": 9, "y": 9}],
                "edges": [{"from": 1, "to": 2}],
            },
            "circle",
        ),
    ],
    ids=lambda each: each["type"] if isinstance(each, dict) else "",
)
def test_each_kind_with_a_place_is_drawn(instance: dict[str, Any], element: str):
    counts = Counts({}, 5)
    counts.note("a.png", packet({**instance, "label": "cat"}), [])
    page = Elements(page_of(counts))
    assert page.named(element)
    assert any(f"cat ({instance['type']})" in text for text in page.texts)


def test_the_angle_of_an_ellipse_is_radians_clockwise_as_in_diffgram():
    ellipse = {"type": "ellipse", "center_x": 50, "center_y": 50, "width": 30, "height": 5, "angle": 0.785398}
    counts = Counts({}, 5)
    counts.note("a.png", packet({**ellipse, "label": "cat"}), [])
    assert "rotate(45 50 50)" in page_of(counts)
    found = Ellipse(label="cat", **{**ellipse, "angle": math.pi / 2})
    assert extent_of(found) == pytest.approx((45, 20, 55, 80))


WRONG = {
    "backwards": ({"type": "box", "x_min": 40, "y_min": 20, "x_max": 10, "y_max": 60}, "rect"),
    "beyond": ({"type": "box", "x_min": -5, "y_min": 20, "x_max": 10, "y_max": 60}, "rect"),
    "two corners": ({"type": "polygon", "points": [{"x": 1, "y": 1}, {"x": 9, "y": 1}]}, "polygon"),
    "no size": ({"type": "ellipse", "center_x": 50, "center_y": 50, "width": 0, "height": 5}, "ellipse"),
}


@pytest.mark.parametrize("fields, element", WRONG.values(), ids=WRONG)
def test_what_is_invalid_is_drawn_with_what_is_wrong(tmp_path: Path, fields: dict[str, Any], element: str):
    Image.new("RGB", (100, 80), "teal").save(tmp_path / "a.png")
    instances = [box(label="good"), {**fields, "label": "bad"}]
    value = {"media": {"path": str(tmp_path / "a.png")}, "instance_list": instances}
    (problems,) = validated(Packet, [value], "packet", 0)
    assert isinstance(problems, list)
    counts = Counts({}, 5)
    counts.note("a.png", None, problems, value)
    page = Elements(page_of(counts, ["1 of 1 packets is invalid"]))
    assert "Invalid" in page.texts
    groups = [attributes for tag, attributes in page.found if tag == "g"]
    assert [each.get("class") for each in groups] == [None, "wrong"]
    assert page.named(element)
    assert page.named("image")
    assert any("instance_list.1" in text for text in page.texts)


HOPELESS: list[Any] = [
    *(None, "packet", [], {}, {"instance_list": None}, {"media": {"path": 3}, "instance_list": [None]}),
    *(
        {"media": {"path": "/no/a.png"}, "instance_list": [each]}
        for each in ({}, {"type": []}, {"type": "box"})
    ),
    {"media": {"path": "/no/a.png"}, "instance_list": [{"type": "box", "x_min": "<script>", "label": {}}]},
]


@pytest.mark.parametrize("value", HOPELESS, ids=repr)
def test_what_cannot_be_drawn_is_listed(value: Any):
    counts = Counts({}, 5)
    counts.note("a.png", None, ["packet 0: is wrong"], value)
    page = Elements(page_of(counts))
    assert "packet 0: is wrong" in page.texts
    assert page.named("script") == page.named("g") == []


def test_a_packet_that_the_project_refuses_is_drawn_too():
    counts = Counts({}, 5)
    counts.note("a.png", packet(box()), ["packet 0: label 'cat' is missing from the schema"])
    page = Elements(page_of(counts))
    assert page.named("rect")
    assert counts.samples.drawn == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_people_see_them(tmp_path: Path, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (400, 200), "teal").save(tmp_path / "a.jpg", exif=exif)
    counts = Counts({}, 5)
    counts.note("a.jpg", packet(box(), media={"path": tmp_path / "a.jpg"}), [])
    (svg,) = Elements(page_of(counts)).named("svg")
    assert svg["viewbox"] == ("0 0 200 400" if orientation > 4 else "0 0 400 200")


def test_scores_are_in_their_bins():
    counts = Counts({}, 0)
    scores = [0, 0.04, 0.05, 0.5, 0.999, 1]
    counts.note("a.png", packet(*[box(number, score=score) for number, score in enumerate(scores)]), [])
    (label,) = counts.labels.values()
    assert {place: count for place, count in enumerate(label.bins) if count} == {
        0: 2,
        1: 1,
        10: 1,
        BINS - 1: 2,
    }
    assert label.mean_score == pytest.approx(sum(scores) / 6)
    bars = [each for each in Elements(page_of(counts)).named("rect") if float(str(each["height"])) > 0]
    assert len(bars) == 4


def test_memory_holds_some_samples_labels_and_problems_whatever_the_number_of_packets():
    counts = Counts({}, 12)
    for number in range(3000):
        one = packet(box(label=f"label {number}"), original_filename=f"{number}.png")
        counts.note(f"{number}.png", one, [f"packet {number}: odd {number}th"] if number % 2 else [])
    assert (counts.packets, counts.invalid, counts.instances) == (3000, 1500, 3000)
    assert len(counts.samples.drawn) == 12
    assert sorted(name for name, _ in counts.samples.drawn) != [f"{number}.png" for number in range(0, 24, 2)]
    assert len(counts.labels) == len(counts.problems) == 501
    assert counts.labels[OTHERS].instances == 2500
    assert len(counts.wrong.drawn) == 12
    assert len(re.findall("<figure>", page_of(counts))) == 24


def test_alike_problems_are_told_once_with_their_number():
    counts = Counts({}, 0)
    for number in range(9):
        where = f"packet {number}: instance_list.{number}.box.x_max"
        counts.note("a.png", None, [f"{where}: must be greater than x_min ({number}) (value: {number})"])
    (problem,) = counts.problems.values()
    assert problem.packets == 9
    assert problem.example.startswith("packet 0: instance_list.0")


def test_the_same_set_gives_the_same_page():
    def page() -> str:
        counts = Counts({1: "dog"}, 3)
        for number in range(50):
            by_id = {**box(number, score=number / 50), "label": None, "label_file_id": number % 2 + 1}
            media = {"path": f"/no/{number}.png"}
            counts.note(f"{number}.png", packet(by_id, media=media), [])
        return page_of(counts)

    assert page() == page()
    assert "dog" in page()
    assert "label_file_id 2" in page()


def groups(page: str) -> list[str]:
    """Return the shapes that are drawn, each with its words."""
    return re.findall(r"<g.*?</g>", page)


def test_which_set_it_is_and_what_to_do_stand_first():
    counts = Counts({}, 5)
    counts.note(
        "a.png", packet(box(label="brid", score=0.2)), ["packet 0: label 'brid' is not in the schema"]
    )
    limits = Limits(min_mean_score=0.5)
    page = page_of(
        counts,
        limits.problems_of_all(counts),
        facts=["dataset <night>", "run gated scheduled__2026"],
        remedies=limits.remedies(counts),
    )
    assert "dataset &lt;night&gt; &middot; run gated scheduled__2026" in page
    for words in ("are missing from the schema", "clear this task", "lower min_mean_score"):
        assert words in page
    assert page.index("run gated") < page.index("What to do") < page.index("<h2>Labels")


def test_invalid_packets_that_are_allowed_must_be_left_out_of_the_push():
    counts = Counts({}, 5)
    counts.note("a.png", packet(box()), ["packet 0: has too many"])
    (told,) = Limits(max_invalid=1).remedies(counts)
    assert "let it read the file of valid_packets" in told
    assert Limits().remedies(Counts({}, 5)) == []


def test_instances_of_an_unknown_label_or_attribute_are_dashed():
    counts = Counts({}, 5)
    mixed = packet(box(), box(99, "brid"), box(200, attributes={"hue": "red"}))
    problems = [
        "packet 0: label 'brid' is not in the schema",
        "packet 0: attribute 'hue' is not in the schema",
    ]
    counts.note("a.png", mixed, problems)
    assert ['class="wrong"' in each for each in groups(page_of(counts))] == [False, True, True]


def test_the_slider_counts_the_whole_set_and_hides_shapes_below():
    counts = Counts({}, 5)
    for left, score in ((10, 0.2), (60, 0.5), (110, 1.0)):
        counts.note("a.png", packet(box(left, score=score)), [])
    counts.note("b.png", packet(box()), [])
    page = page_of(counts)
    elements = Elements(page)
    (slider,) = [each for each in elements.named("input") if each["type"] == "range"]
    bins = json.loads(str(slider["data-bins"]))
    assert (sum(bins), sum(bins[10:]), bins[4], bins[19]) == (3, 2, 1, 1)
    assert float(str(slider["step"])) == 1 / len(bins)
    assert "1 have no score and always stay" in page
    assert 'data-score="' in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [each["content"] for each in elements.named("meta") if "http-equiv" in each]
    assert str(policy).endswith(f"; script-src 'sha256-{digest}'")


def test_without_scores_no_script_may_run():
    counts = Counts({}, 1)
    counts.note("a.png", packet(box()), [])
    assert "script" not in page_of(counts)


def test_words_do_not_cover_each_other_and_what_finds_no_place_is_folded():
    words = Words(1.0, (360.0, 200.0))
    places = [words.place("pedestrian 0.55", (100, 60, 180, 140)) for _ in range(9)]
    standing = [each for each in places if not each.is_folded]
    assert len(set(standing)) == len(standing) > 3
    assert words.folded == len(places) - len(standing) > 0
    at_the_edge = words.place("a long label at the edge", (300, 10, 355, 30))
    assert at_the_edge.is_end
    at_the_other = words.place("a long label at the other edge", (-40, 180, 20, 199))
    assert 0 <= at_the_other.x <= 360
    counts = Counts({}, 1)
    counts.note("a.png", packet(*(box(score=0.5 + n / 100) for n in range(30))), [])
    page = page_of(counts)
    folded = page.count('class="folded"')
    assert f"{folded} labels are folded: point at their shapes" in page
    assert folded > 20


def test_each_picture_opens_large():
    counts = Counts({}, 3)
    for name in ("a.png", "b.png"):
        counts.note(name, packet(box()), [])
    boxes = [each for each in Elements(page_of(counts)).named("input") if each["type"] == "checkbox"]
    assert [each["aria-label"] for each in boxes] == ["open the picture large"] * 2
