"""Figures of what people did: shares with bounds, precision, calibration, advice, average precision."""

from __future__ import annotations

import contextlib
import io
import json
import random
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.server.past import Fate
from airflow_provider_diffgram.review.quality.compare import FileNow, Prediction, SentFile, compare_file
from airflow_provider_diffgram.review.quality.metrics import Tally, headline
from airflow_provider_diffgram.review.quality.precision import AveragePrecision, mean_precision
from airflow_provider_diffgram.review.quality.shares import (
    bootstrap_acceptance,
    bootstrap_difference,
    share_of,
    wilson,
)
from tests.unit.review.predicted import Fields, box, by_person, drawn, now, row, sent


def test_wilson_as_the_textbook_has_it():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table 1
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_few_observations_give_bounds_and_nothing_gives_none():
    assert share_of(3, 4).share is None
    assert share_of(3, 4).low == pytest.approx(0.3006, abs=1e-4)
    assert share_of(15, 20).share == 0.75
    assert share_of(0, 0) == (0, 0, None, None, None)
    assert str(share_of(0, 0)) == "none was judged"


def test_files_that_say_one_thing_leave_no_doubt_and_others_do():
    sure = bootstrap_acceptance({(10, 10): 50})
    assert sure == (1.0, 1.0, 1.0)
    unsure = bootstrap_acceptance({(10, 10): 25, (10, 0): 25})
    assert unsure is not None
    assert unsure.value == 0.5
    assert unsure.low == pytest.approx(0.36, abs=0.03)  # as of 50 flips of a coin
    assert unsure.high == pytest.approx(0.64, abs=0.03)
    assert bootstrap_acceptance({(0, 0): 9}) is None


def test_a_rise_since_the_last_run():
    risen = bootstrap_difference({(10, 9): 200}, {(10, 10): 60, (10, 2): 140})
    assert risen is not None
    assert risen.value == pytest.approx(0.9 - 0.44)
    assert 0.3 < risen.low < risen.value < risen.high < 0.6
    assert bootstrap_difference({(10, 9): 5}, {}) is None


def tally_of(*files: tuple[SentFile, FileNow | None], precision: bool = False) -> dict[str, Any]:
    tally = Tally(AveragePrecision() if precision else None)
    for file, stored in files:
        tally.add(file, stored, compare_file(file, stored))
    return json.loads(json.dumps(tally.figures()))


def test_nothing_reviewed_is_no_full_acceptance():
    figures = tally_of((sent(box(reference="a")), None))
    assert figures["all"]["acceptance"] == {"number": 0, "of": 0, "share": None, "low": None, "high": None}
    assert figures["files"]["corrections_per_file"] is None
    assert headline(figures)["acceptance"] is None


def test_precision_and_recall_by_hand():
    file = sent(
        box(reference="kept"),
        box(200, reference="near"),  # moved by 10 of 100 pixels: IoU 90 / 110
        box(400, reference="far"),  # by 60: IoU 40 / 160
        box(600, reference="dog"),
        box(800, reference="gone"),
    )
    stored = now(
        row(10, reference="kept"),
        row(210, reference="near"),
        row(460, reference="far"),
        row(600, "dog", reference="dog"),
        drawn(1000),
        fates=by_person("gone"),
    )
    figures = tally_of((file, stored))["all"]
    assert figures["judged"] == 5
    assert figures["outcomes"] == {"added": 1, "deleted": 1, "kept": 1, "moved": 2, "relabelled": 1}
    assert {key: each["number"] for key, each in figures["precision"].items()} == {
        "0.5": 2,
        "0.75": 2,
        "0.9": 1,
    }
    assert figures["precision"]["0.5"]["of"] == 5
    assert figures["recall"]["0.5"] == share_of(2, 5).to_json()
    assert figures["moved"]["mean_iou"] == pytest.approx((90 / 110 + 40 / 160) / 2)
    assert figures["moved"]["mean_shift"] == 35


def test_what_is_gone_without_a_known_reason_counts_neither_way_but_for_the_worst():
    file = sent(*(box(10 + 200 * n, reference=str(n), score=0.95) for n in range(40)))
    rows = [row(10 + 200 * n, reference=str(n)) for n in range(30)]
    figures = tally_of((file, now(*rows, fates=by_person("30", "31"))))["all"]
    assert figures["outcomes"] == {"deleted": 2, "kept": 30, "unknown": 8}
    assert figures["judged"] == 32
    assert figures["acceptance"] == share_of(30, 32).to_json()
    assert figures["deleted"] == share_of(2, 32).to_json()
    worst = figures["at_worst"]
    assert worst["acceptance"] == share_of(30, 40).to_json()
    assert worst["deleted"] == share_of(10, 40).to_json()
    assert worst["precision"]["0.5"] == share_of(30, 40).to_json()
    assert figures["calibration"][0]["acceptance"]["of"] == 32


def test_advice_on_a_threshold_counts_what_is_unknown_as_deleted():
    file = sent(*(box(10 + 200 * n, reference=str(n), score=0.95) for n in range(200)))
    known = [row(10 + 200 * n, reference=str(n)) for n in range(200)]
    assert tally_of((file, now(*known)))["all"]["advice"][0]["target"] == 0.9
    assert tally_of((file, now(*known[:160])))["all"]["advice"] == []


def test_labels_runs_and_datasets_add_up():
    one = sent(box(reference="a"), box(200, "dog", reference="b"))
    other = SentFile(2, "b.png", 6, [Prediction("c", None, box(reference="c"), "model/older")])
    figures = tally_of(
        (one, now(row(reference="a"), row(200, reference="b"))), (other, now(row(reference="c")))
    )
    assert {name: each["judged"] for name, each in figures["labels"].items()} == {"cat": 2, "dog": 1}
    assert {name: each["judged"] for name, each in figures["runs"].items()} == {
        "model/run": 2,
        "model/older": 1,
    }
    assert {name: each["judged"] for name, each in figures["datasets"].items()} == {"5": 2, "6": 1}
    assert figures["confusion"] == [{"from": "dog", "to": "cat", "count": 1}]
    assert figures["labels"]["cat"]["recall"]["0.5"]["of"] == 3  # the dog that is a cat now among them


def test_types_without_a_measure_are_counted_by_name():
    line = {"type": "line", "label": "edge", "points": [{"x": 1, "y": 1}, {"x": 9, "y": 9}]}
    moved = line | {"points": [{"x": 2, "y": 1}, {"x": 9, "y": 9}]}
    file = sent(line | {"creation_ref_id": "a"}, line | {"creation_ref_id": "b", "label": "rim"})
    stored = now(moved | {"creation_ref_id": "a"}, line | {"creation_ref_id": "b", "label": "rim"})
    figures = tally_of((file, stored))
    assert figures["not_measured"] == {"line": 2}
    assert figures["all"]["acceptance"]["number"] == 1
    assert figures["all"]["precision"]["0.5"]["of"] == 0
    assert figures["all"]["recall"]["0.5"]["of"] == 0


def test_the_threshold_that_people_would_agree_with():
    files = []
    for number in range(2000):
        score = (number % 100) / 100
        keeps = score >= 0.6 or number % 3 == 0
        file = sent(box(reference="a", score=score))
        files.append((file, now(*([row()] if keeps else []), fates=by_person("a"))))
    figures = tally_of(*files)["all"]
    advice = {each["target"]: each for each in figures["advice"]}
    assert advice[0.99]["threshold"] >= 0.6
    assert advice[0.99]["acceptance"]["low"] >= 0.99
    assert 0.5 < advice[0.9]["threshold"] < 0.6
    assert [each["from"] for each in figures["calibration"]] == [bar / 20 for bar in range(20)]
    assert sum(each["acceptance"]["of"] for each in figures["calibration"]) == 2000
    assert figures["calibration"][15]["acceptance"]["share"] == 1.0


@pytest.mark.parametrize("score, bar", [(0.0, 0.0), (0.29, 0.25), (0.3, 0.3), (0.95, 0.95), (1.0, 0.95)])
def test_a_score_on_the_edge_of_a_bar(score: float, bar: float):
    figures = tally_of((sent(box(reference="a", score=score)), now(row())))["all"]
    assert [each["from"] for each in figures["calibration"]] == [bar]


def test_corrections_a_file_and_time_a_task():
    corrected = sent(box(reference="a"), box(300, reference="b"))
    figures = tally_of(
        (corrected, now(row(12), drawn(700), seconds=60.0, fates=by_person("b"))),
        (sent(box(reference="a")), now(row(), seconds=20.0)),
        (sent(box(reference="a")), now(row(), reviewed=False, seconds=5.0)),
    )
    assert figures["files"] == {
        "recorded": 3,
        "reviewed": 2,
        "corrected": 1,
        "corrections": 3,
        "corrections_per_file": 1.5,
    }
    assert figures["task_seconds"]["tasks"] == 2


def shape(kind: str, x: int, y: int, width: int, height: int) -> Fields:
    if kind == "box":
        return {"type": "box", "x_min": x, "y_min": y, "x_max": x + width, "y_max": y + height}
    corners = [(x, y), (x + width, y + 3), (x + width - 2, y + height), (x + 1.5, y + height)]
    return {"type": "polygon", "points": [{"x": one, "y": other} for one, other in corners]}


@pytest.mark.parametrize("kind", ["box", "polygon"])
def test_average_precision_is_that_of_pycocotools(kind: str):
    chance = random.Random(kind)
    ours = AveragePrecision()
    images, truths, found = [], [], []
    for image in range(150):
        images.append({"id": image + 1, "width": 700, "height": 700})
        judged, left = [], []
        for number in range(chance.randrange(0, 25)):
            place = [
                chance.randrange(500),
                chance.randrange(500),
                chance.randrange(9, 90),
                chance.randrange(9, 90),
            ]
            label, score = chance.randrange(3), round(chance.random(), 2)
            predicted = shape(kind, *place) | {
                "label": str(label),
                "score": score,
                "creation_ref_id": str(number),
            }
            after = shape(kind, place[0] + chance.randrange(9), place[1] + chance.randrange(9), *place[2:])
            if chance.random() < 0.9:
                judged.append(predicted)
                found.append(
                    {"image_id": image + 1, "category_id": label + 1, "score": score, **coco_shape(predicted)}
                )
            if chance.random() < 0.8:
                left.append(after | {"label": str(label)})
                truths.append(
                    {
                        "id": len(truths) + 1,
                        "image_id": image + 1,
                        "category_id": label + 1,
                        "iscrowd": 0,
                        "area": 1000,
                        "bbox": [0, 0, 1, 1],
                        **coco_shape(after),
                    }
                )
        outcomes = [each for each in compare_file(sent(*judged), now(*left)) if each.predicted is not None]
        ours.add(outcomes, [(None, each, each["label"]) for each in left])
    precision = mean_precision(ours.end()[kind])  # type: ignore[index]
    theirs = pycocotools_says(kind, images, truths, found)
    assert precision.ap == pytest.approx(theirs[0], abs=1e-6)
    assert precision.ap50 == pytest.approx(theirs[1], abs=1e-6)
    assert 0.1 < theirs[0] < theirs[1] < 1


def coco_shape(fields: Fields) -> Fields:
    if fields["type"] == "box":
        x, y = fields["x_min"], fields["y_min"]
        return {"bbox": [x, y, fields["x_max"] - x, fields["y_max"] - y]}
    return {"segmentation": [[value for each in fields["points"] for value in (each["x"], each["y"])]]}


def pycocotools_says(
    kind: str, images: list[Any], truths: list[Any], found: list[Any]
) -> tuple[float, float]:
    from pycocotools import mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if kind == "polygon":
        for each in found:
            each["segmentation"] = mask.merge(mask.frPyObjects(each["segmentation"], 700, 700))
    with contextlib.redirect_stdout(io.StringIO()):
        people = COCO()
        categories = [{"id": number, "name": str(number)} for number in (1, 2, 3)]
        people.dataset = {"images": images, "annotations": truths, "categories": categories}
        people.createIndex()
        evaluation = COCOeval(people, people.loadRes(found), "bbox" if kind == "box" else "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def test_average_precision_without_a_score_is_told_and_lost_ones_are_no_mistakes():
    files = [
        (
            sent(box(reference="a", score=0.9), box(300, reference="b", score=0.8)),
            now(row(), row(300, reference="b")),
        ),
        (sent(box(reference="a")), now(row())),
        (sent(box(reference="a", score=0.9)), now(fates={(None, "a"): Fate.LOST})),
    ]
    figures = tally_of(*files, precision=True)
    assert figures["without_score"] == 1
    assert figures["all"]["outcomes"] == {"kept": 3, "lost": 1}
    assert figures["all"]["ap"]["box"]["ap50"] == pytest.approx(2 / 3, abs=0.01)
    assert figures["labels"]["cat"]["ap"]["box"] == figures["all"]["ap"]["box"]


def test_a_polygon_of_two_points_is_left_out_of_the_average_and_counted():
    thin = {"type": "polygon", "label": "cat", "points": [{"x": 1, "y": 1}, {"x": 9, "y": 9}]}
    whole = thin | {"points": [*thin["points"], {"x": 1, "y": 9}]}
    file = sent(thin | {"creation_ref_id": "a", "score": 0.9}, whole | {"creation_ref_id": "b", "score": 0.8})
    stored = now(
        thin | {"creation_ref_id": "a"},
        whole | {"creation_ref_id": "b"},
        thin | {"creation_ref_id": "c", "points": thin["points"][:1]},
        row(type="box", x_max=10, creation_ref_id="d"),
    )
    figures = tally_of((file, stored), precision=True)
    assert figures["without_area"] == 4
    assert figures["all"]["ap"]["polygon"]["ap50"] == pytest.approx(1)
    assert "box" not in figures["all"]["ap"]
