"""A prediction set is checked as a push would check it, against the live project, and nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramError
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.validation import Limits, Validation, validate_packets
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media
from tests.storage import Fault, reset


def validated(diffgram: LiveDiffgram, packets: Any, **more: Any) -> Validation:
    """Validate, and prove that nothing was sent."""
    before = diffgram.content()
    found = validate_packets(diffgram.client, packets, **{"dataset": DATASET, **more})
    assert diffgram.content() == before
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_good_set_passes_and_is_counted(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    report, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    packets = [
        image(media, "a.png", box(1, score=0.5), box(5, label="dog", score=1)),
        image(media, "b.png", box()),
        image(media, "c.png"),
    ]
    found = validated(diffgram, packets, report=str(report), page=str(page))
    assert found.to_xcom() == {
        "packets": 3,
        "invalid": 0,
        "instances": 3,
        "mean_score": 0.75,
        "labels": {"cat": 2, "dog": 1},
    }
    assert found.failures == []
    found.raise_if_failed()
    assert [(line["name"], line["valid"], line["instances"]) for line in lines(report)] == [
        ("a.png", True, 2),
        ("b.png", True, 1),
        ("c.png", True, 0),
    ]
    shown = page.read_text()
    assert "the prediction set passes" in shown
    assert shown.count("data:image/jpeg") == 2
    assert diffgram.pushed(packets).succeeded == 3


def wrong_ones(media: Media) -> list[Any]:
    return [
        image(media, "a.png", box()),
        image(media, "b.png", box(label="bird"), box(9, attributes={"Colour": "red"})),
        image(media, "a.png", box()),
        image(media, "d.png", {**box(), "x_max": 0}),
        {"media": {"path": "/no/such.png"}, "instance_list": [box()]},
        image(media, "e.png", {**box(), "label": None, "label_file_id": 99999}),
        {"file_id": 99998, "mode": "update", "instance_list": [box()]},
        {},
    ]


WORDS = [
    [],
    ["label 'bird' is not in the schema", "attribute 'Colour' is not in the schema"],
    ["a second packet named 'a.png'"],
    ["must be greater than x_min"],
    ["no such file: /no/such.png"],
    ["label_file_id 99999 is not in the project"],
    ["no such file in project"],
    ["has neither media nor file_id"],
]


def test_each_wrong_packet_is_told_with_all_that_is_wrong(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    report = tmp_path / "report.jsonl"
    found = validated(diffgram, wrong_ones(media), report=str(report))
    assert (found.packets, found.invalid) == (8, 7)
    written = lines(report)
    assert [len(line["problems"]) for line in written] == [len(words) for words in WORDS]
    for number, (line, words) in enumerate(zip(written, WORDS, strict=True)):
        assert line["packet"] == number
        for problem, word in zip(line["problems"], words, strict=True):
            assert problem.startswith(f"packet {number}")
            assert word in problem
    with pytest.raises(InvalidValueError) as caught:
        found.raise_if_failed()
    assert "7 of 8 packets are invalid, more than max_invalid (0)" in caught.value.problems[0]
    assert "'bird'" in str(caught.value)
    with pytest.raises(InvalidValueError):
        diffgram.push(wrong_ones(media))


def test_a_cause_is_told_once_with_the_number_of_its_packets(diffgram: LiveDiffgram, media: Media):
    packets = [image(media, f"{n}.png", box(label="bird" if n % 2 else "cat")) for n in range(60)]
    packets[0] = image(media, "0.png", box(score=50))
    found = validated(diffgram, packets)
    assert found.causes == [
        "30 packets, such as packet 1 (1.png): label 'bird' is not in the schema",
        "packet 0 (0.png): instance_list.0.box.score: must be between 0 and 1: divide a percentage by 100, "
        "put a logit through a sigmoid (value: 50)",
    ]
    with pytest.raises(InvalidValueError) as caught:
        found.raise_if_failed()
    first, *others = str(caught.value).splitlines()
    assert first.endswith(f"31 of 60 packets are invalid, more than max_invalid (0). {found.causes[0]}")
    assert others == found.causes[1:]
    allowed = validated(diffgram, packets, limits=Limits(max_invalid=0.9))
    assert (allowed.failures, allowed.causes) == ([], found.causes)


def test_the_valid_ones_can_be_sent_by_themselves(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    valid = tmp_path / "valid.jsonl"
    video = {
        "media": {"url": media.url("v.mp4"), "type": "video"},
        "original_filename": "v.mp4",
        "frame_packet_map": {"2": [box(number=3)]},
    }
    skeleton = {
        "type": "keypoints",
        "label": "cat",
        "nodes": [{"id": 1, "x": 1, "y": 2}, {"id": 2, "x": 3, "y": 4}],
        "edges": [{"from": 1, "to": 2}],
    }
    packets = [*wrong_ones(media), video, image(media, "k.png", skeleton)]
    found = validated(diffgram, packets, limits=Limits(max_invalid=0.9), valid_packets=str(valid))
    assert found.failures == []
    sent = diffgram.pushed(candidates(str(valid), "packet", universal_path))
    assert sent.summary() == "3 expected: 3 succeeded"
    assert sorted(filter(None, diffgram.names())) == ["a.png", "k.png", "v.mp4"]


@pytest.mark.parametrize(
    "limits, failures",
    [
        (Limits(), ["1 of 4 packets are invalid, more than max_invalid (0)"]),
        (Limits(max_invalid=1), []),
        (Limits(max_invalid=0.25), []),
        (Limits(max_invalid=0.2), ["more than max_invalid (0.2)"]),
        (Limits(max_invalid=1, min_instances=1), ["2 of 4 packets are invalid"]),
        (Limits(max_invalid=1, max_instances=1), ["2 of 4 packets are invalid"]),
        (Limits(max_invalid=1, min_mean_score=0.5), []),
        (Limits(max_invalid=1, min_mean_score=0.6), ["the mean score is 0.500, less than min_mean_score"]),
    ],
)
def test_limits(diffgram: LiveDiffgram, media: Media, limits: Limits, failures: list[str]):
    packets = [
        image(media, "a.png", box(1, score=0.4), box(9, score=0.6)),
        image(media, "b.png", box()),
        image(media, "c.png"),
        {},
    ]
    found = validated(diffgram, packets, limits=limits).failures
    assert len(found) == len(failures)
    assert all(words in failure for words, failure in zip(failures, found, strict=True))


def test_without_any_score_a_least_mean_is_not_reached(diffgram: LiveDiffgram, media: Media):
    found = validated(diffgram, [image(media, "a.png", box())], limits=Limits(min_mean_score=0.1))
    assert "there is no score" in found.failures[0]


@pytest.mark.parametrize(
    "more, words",
    [
        ({"dataset": "no such dataset"}, "no such dataset"),
        ({"label_schema": "no such schema"}, "no such schema"),
    ],
)
def test_what_is_wrong_for_all_fails_the_set_whatever_the_limits(
    diffgram: LiveDiffgram, media: Media, more: dict[str, Any], words: str
):
    found = validated(diffgram, [image(media, "a.png", box())], limits=Limits(max_invalid=100), **more)
    assert len(found.failures) == 1
    assert words in found.failures[0]


@pytest.mark.parametrize("word, invalid", [("fail", 1), ("drop", 0), ("create", 0)])
def test_unknown_labels_are_judged_as_the_push_will(
    diffgram: LiveDiffgram, media: Media, word: Any, invalid: int
):
    labels = dict(diffgram.labels)
    found = validated(diffgram, [image(media, "a.png", box(label="bird"))], unknown_labels=word)
    assert found.invalid == invalid
    assert found.labels == {"bird": 1}
    fresh = validated(diffgram, [image(media, "a.png", box(label="bird"))])
    assert (fresh.invalid, labels) == (1, diffgram.labels)


@pytest.mark.parametrize(
    "more, words",
    [
        ({"limits": Limits(max_invalid=-1)}, "max_invalid must be 0 or more"),
        ({"limits": Limits(max_invalid=float("nan"))}, "max_invalid must be 0 or more"),
        ({"limits": Limits(min_instances=3, max_instances=2)}, "min_instances (3) is more than"),
        (
            {"limits": Limits(max_invalid=-1, min_instances=3, max_instances=2)},
            "min_instances (3) is more than",
        ),
        (
            {"limits": Limits(min_mean_score=87)},
            "min_mean_score must be between 0 and 1, as scores are, not 87",
        ),
        ({"limits": Limits(min_mean_score=True)}, "min_mean_score must be 0 or more, not True"),
        ({"limits": Limits(min_mean_score="0.5")}, "min_mean_score must be 0 or more, not '0.5'"),
        ({"samples": 1000}, "samples must be 0 to 100"),
        ({"unknown_labels": "ignore"}, "unknown_labels must be one of"),
        ({"report": "/no/such/folder/report.jsonl"}, "cannot write /no/such/folder/report.jsonl"),
    ],
)
def test_arguments_that_make_no_sense(diffgram: LiveDiffgram, more: dict[str, Any], words: str):
    with pytest.raises(InvalidValueError) as caught:
        validated(diffgram, [], **more)
    assert words in str(caught.value)


@pytest.mark.parametrize("error", [reset, lambda: PermissionError(13, "denied")], ids=["passing", "final"])
@pytest.mark.parametrize("what", ["report", "page", "valid_packets"])
def test_a_file_that_cannot_be_written_in_the_end_hides_no_verdict(
    diffgram: LiveDiffgram, media: Media, faults: list[Fault], what: str, error: Callable[[], Exception]
):
    faults.append(Fault("write", error, name="out"))
    packets = [image(media, "a.png", box()), image(media, "b.png", box(label="bird"))]
    with pytest.raises((DiffgramError, OSError)) as caught:
        validated(diffgram, packets, **{what: "flaky://out"})
    told = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert "The set itself fails: 1 of 2 packets are invalid, more than max_invalid (0)" in told
    assert "It has 2 packets, 1 of them invalid" in told


def test_a_stream_is_read_once_and_not_kept(diffgram: LiveDiffgram, media: Media):
    alive = []

    class Marked(dict[str, Any]):
        def __init__(self, **fields: Any) -> None:
            super().__init__(fields)
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    most = 0

    def stream() -> Iterator[dict[str, Any]]:
        nonlocal most
        for number in range(500):
            most = max(most, len(alive))
            yield Marked(**image(media, f"{number}.png", box()))

    assert validated(diffgram, stream()).packets == 500
    assert most <= 3
