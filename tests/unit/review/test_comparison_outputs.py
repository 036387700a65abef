"""What a comparison writes: figures, report, table, page, history; and what it refuses."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.drawing import Picture
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.quality.finals import Past, PulledFiles
from airflow_provider_diffgram.review.quality.limits import QualityLimits
from airflow_provider_diffgram.review.quality.verdict import Comparison
from airflow_provider_diffgram.review.report.page import CANNOT_SAY
from tests.unit.review.predicted import Fields, box, deleted_by_people, drawn, row

NASTY = "<script>alert('x')</script>"


class Bench:
    """A record and a pulled set in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record: list[Fields] = []
        self.pulled: list[Fields] = []
        self.past: Past | None = deleted_by_people

    def file(self, sent: list[Fields], left: list[Fields] | None, name: str | None = None) -> None:
        """Add a file; ``left`` None: nobody has reviewed it."""
        number = len(self.record) + 1
        packet = {"media": {"url": "https://media.example/a.jpg"}, "instance_list": sent}
        name = name or f"{number}.jpg"
        self.record.append({"name": name, "file_id": number, "directory_id": 7, "packet": packet})
        status = "complete" if left is not None else "available"
        told = {"id": number, "name": name, "type": "image", "task_status": status, "instances": left or []}
        self.pulled.append(told)

    def path(self, name: str) -> str:
        """Return the path of an output."""
        return str(self.folder / name)

    def compare(self, run: str = "night", **more: Any) -> Comparison:
        """Write both, and compare them."""
        record, pulled = self.folder / "record.jsonl", self.folder / "set"
        record.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in self.record))
        pulled.mkdir(exist_ok=True)
        with gzip.open(pulled / "files.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in self.pulled)
        finals = PulledFiles(str(pulled), universal_path, self.past)
        try:
            return compare([str(record)], finals, run=run, project="street", **more)
        finally:
            finals.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for number in range(30):
        reference = str(number)
        sent = [box(reference=reference, score=0.9), box(300, "dog", reference="d", score=number / 30)]
        left = [row(reference=reference), drawn(600)] if number % 3 else [row(reference=reference)]
        bench.file(sent, left if number < 25 else None)
    return bench


def test_the_report_has_a_line_for_each_prediction_and_each_addition(bench: Bench):
    found = bench.compare(
        outputs=Outputs(report=bench.path("report.jsonl"), table=bench.path("report.parquet"))
    )
    lines = [json.loads(line) for line in Path(bench.path("report.jsonl")).read_text().splitlines()]
    assert len([line for line in lines if line["outcome"] != "added"]) == 60
    assert {line["outcome"] for line in lines} == {"kept", "deleted", "added", "not_reviewed"}
    assert (found.headline["kept"], found.headline["deleted"], found.headline["added"]) == (25, 25, 16)
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="a table is an extra of its own")
    assert pyarrow.read_table(bench.path("report.parquet")).to_pylist() == lines


def test_a_folder_that_is_missing_is_made(bench: Bench):
    bench.compare(outputs=Outputs(metrics=bench.path("a/b/metrics.json"), page=bench.path("a/c/page.html")))
    assert Path(bench.path("a/b/metrics.json")).is_file()
    assert Path(bench.path("a/c/page.html")).is_file()


def test_a_place_where_nothing_can_be_written_is_refused(bench: Bench):
    bench.compare()
    with pytest.raises(InvalidValueError, match="cannot write"):
        bench.compare(outputs=Outputs(report=bench.path("record.jsonl/report.jsonl")))


def test_metrics_are_what_is_returned_and_xcom_is_small(bench: Bench):
    found = bench.compare(outputs=Outputs(metrics=bench.path("metrics.json")))
    told = json.loads(Path(bench.path("metrics.json")).read_text())
    assert told == json.loads(json.dumps(found.figures))
    assert told["schema"] == 2
    assert told["all"]["acceptance"]["share"] == 0.5
    assert told["all"]["ap"]["box"]["ap50"] is not None
    assert len(json.dumps(found.to_xcom())) < 1000


def test_a_limit_is_missed_after_everything_is_written(bench: Bench):
    limits = QualityLimits(min_acceptance=0.9, max_deleted=0.1, min_precision={"cat": 0.9, "cow": 0.5})
    found = bench.compare(
        limits=limits, outputs=Outputs(metrics=bench.path("metrics.json"), page=bench.path("page.html"))
    )
    assert len(found.missed) == 3
    assert "acceptance is 50.0 %" in found.missed[0]
    assert "below the limit of 0.9" in found.missed[0]
    assert "people deleted 50.0 %" in found.missed[1]
    assert "'cow'" in found.missed[2]
    assert json.loads(Path(bench.path("metrics.json")).read_text())["limits"]["missed"] == list(found.missed)
    assert "below the limit of 0.9" in Path(bench.path("page.html")).read_text()


def test_of_few_observations_the_bound_decides(tmp_path: Path):
    bench = Bench(tmp_path)
    for number in range(4):
        bench.file([box(reference="a")], [row()] if number else [])
    assert bench.compare(limits=QualityLimits(min_acceptance=0.9)).missed == ()
    missed = bench.compare(limits=QualityLimits(min_acceptance=0.99)).missed
    assert missed == ("acceptance is 3 of 4 (30.1 % to 95.4 %), below the limit of 0.99",)


def test_nothing_reviewed_is_neither_good_nor_bad(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.file([box(reference="a")], None)
    found = bench.compare(
        limits=QualityLimits(min_acceptance=0.9), outputs=Outputs(page=bench.path("page.html"))
    )
    assert found.missed == ()
    assert found.too_few is not None
    assert found.to_xcom()["enough"] is False
    assert "people have judged none" in found.summary()
    page = Path(bench.path("page.html")).read_text()
    assert "100.0 %" not in page
    assert "not known" in page


@pytest.mark.parametrize(
    "limits, words",
    [
        (QualityLimits(min_acceptance=90), "min_acceptance must be 0 to 1, not 90"),
        (QualityLimits(min_precision={"cat": -1}), "min_precision of 'cat' must be 0 to 1"),
        (QualityLimits(min_reviewed=-1), "min_reviewed must be a number of files"),
    ],
)
def test_wrong_limits_are_refused_before_anything_is_read(tmp_path: Path, limits: QualityLimits, words: str):
    with pytest.raises(InvalidValueError, match=re.escape(words)):
        compare(["nowhere"], PulledFiles.__new__(PulledFiles), run="a", project="p", limits=limits)


def test_two_outputs_at_one_place_are_refused(bench: Bench):
    with pytest.raises(InvalidValueError, match="given for several outputs"):
        bench.compare(outputs=Outputs(metrics=bench.path("a"), report=bench.path("a")))


def test_the_history_grows_and_a_retry_takes_its_own_place(bench: Bench):
    outputs = Outputs(history=bench.path("history.jsonl"), page=bench.path("page.html"))
    first = bench.compare("monday", outputs=outputs)
    assert first.figures["against_last"] is None
    for each in bench.pulled[:20]:
        each["instances"] = [*each["instances"], row(300, "dog", reference="d")]
    second = bench.compare("tuesday", outputs=outputs)
    again = bench.compare("tuesday", outputs=outputs)
    change = second.figures["against_last"]
    assert change["run"] == "monday"
    assert change["acceptance"]["value"] == pytest.approx(0.4)
    assert change["acceptance"]["low"] > 0.2
    assert again.figures["against_last"] == change
    lines = [json.loads(line) for line in Path(bench.path("history.jsonl")).read_text().splitlines()]
    assert [line["run"] for line in lines] == ["monday", "tuesday"]
    assert "Acceptance by run" in Path(bench.path("page.html")).read_text()


def test_a_history_that_is_something_else_is_not_overwritten(bench: Bench):
    path = Path(bench.path("history.jsonl"))
    path.write_text('{"name": "a.jpg"}\n')
    with pytest.raises(InvalidValueError, match="line 1 is not a comparison"):
        bench.compare(outputs=Outputs(history=str(path)))
    assert path.read_text() == '{"name": "a.jpg"}\n'


@pytest.mark.parametrize(
    "line, words",
    [
        ("{", "line 1 of"),
        ('{"name": "a.jpg"}', "it has no packet"),
        ('{"name":"a.jpg","file_id":"7","packet":{}}', "file_id must be an id"),
        ('["a"]', "it must be an object"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, line: str, words: str):
    bench = Bench(tmp_path)
    bench.file([box(reference="a")], [row()])
    bench.compare()
    (tmp_path / "other.jsonl").write_text(line + "\n")
    finals = PulledFiles(str(tmp_path / "set"), universal_path)
    with pytest.raises(InvalidValueError, match=re.escape(words)):
        compare([str(tmp_path / "other.jsonl")], finals, run="a", project="p")


def test_a_name_like_the_mark_of_a_packet_leads_nowhere_else(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.file([box(reference="a")], [row()], name='a,"packet":{"file_id":9}.jpg')
    bench.file([box(reference="a")], None)
    assert bench.compare().headline["kept"] == 1


def test_what_is_no_pulled_set_is_refused(tmp_path: Path):
    (tmp_path / "packets.jsonl").write_text('{"file_id": 7, "instance_list": []}\n')
    with pytest.raises(
        InvalidValueError, match=r"line 1 of .*packets\.jsonl is no pulled file: it has no id"
    ):
        PulledFiles(str(tmp_path / "packets.jsonl"), universal_path)
    with pytest.raises(InvalidValueError, match=r"no such file: .*files\.jsonl\.gz"):
        PulledFiles(str(tmp_path), universal_path)


def test_frames_of_a_pulled_video(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.file([], [], name="a.mp4")
    boxes = {"0": [box(reference="a")], "9": [box(reference="b")]}
    bench.record[0]["packet"] = {"frame_packet_map": boxes}
    bench.pulled[0]["frames"] = {"0": [row(reference="a")], "9": [row(50, reference="b")]}
    assert bench.compare().figures["all"]["outcomes"] == {"kept": 1, "moved": 1}


def test_the_task_of_a_compound_file_counts_for_its_pages(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.file([], [], name="scan")  # of the compound file, which people have completed
    for ordinal in range(2):
        bench.file([box(reference=str(ordinal))], [row(reference=str(ordinal))], name=f"page {ordinal}")
        del bench.pulled[-1]["task_status"]
        bench.pulled[-1] |= {"parent_file_id": 1, "ordinal": ordinal}
    assert bench.compare().headline["kept"] == 2
    bench.pulled[0]["task_status"] = "in_progress"
    assert bench.compare().headline["not_reviewed"] == 2


def test_a_line_without_an_id_belongs_to_the_file_that_another_line_names(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.file([box(reference="a")], [row(reference="a"), row(300, reference="b"), row(500, reference="c")])
    bench.file([box(reference="d")], [row(reference="d")])
    queued = {**bench.record[0], "packet": {"instance_list": [box(300, reference="b")]}}
    del queued["file_id"]
    bench.record.insert(0, queued)
    bench.record.append({**queued, "directory_id": 8})  # another dataset: another file
    found = bench.compare()
    assert found.headline["files"] == 3
    assert (found.headline["kept"], found.headline["not_reviewed"]) == (3, 1)
    assert found.figures["all"]["outcomes"]["added_by_push"] == 1


class Resources(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object", "embed", "base", "form"):
            self.found.append(tag)
        for name, value in attrs:
            reaches = name in ("src", "href", "xlink:href", "action") and not str(value).startswith("data:")
            if reaches or name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")


def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path):
    bench = Bench(tmp_path)
    for number in range(25):
        sent = [box(label=NASTY, reference="a"), box(300, reference="b", score=0.5)]
        bench.file(sent, [row(40, NASTY), drawn(500, NASTY)], name=f"{NASTY}{number}.jpg")
    text = {"type": "text_token", "label": NASTY, "start_token": 1, "end_token": 2, "creation_ref_id": "a"}
    bench.file([text], [], name="a.txt")
    bench.compare(
        run=NASTY,
        outputs=Outputs(page=bench.path("page.html")),
        pictures=lambda sent: Picture(640, 480, "data:image/jpeg;base64,AAAA", NASTY),
    )
    page = Path(bench.path("page.html")).read_text()
    resources = Resources()
    resources.feed(page)
    assert resources.found == []
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert page.count("<figure") == 24
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert all(f"<li>{each}</li>" in page for each in CANNOT_SAY)


def test_predictions_are_dashed_and_what_people_left_is_solid(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.file([box(reference="a", score=0.5), box(300, reference="b")], [row(20)])
    bench.compare(outputs=Outputs(page=bench.path("page.html")))
    page = Path(bench.path("page.html")).read_text()
    drawing = page[page.index("<figure") : page.index("</figure>")]
    dashed = re.findall(r'<g class="wrong".*?<rect x="(\d+)"', drawing)
    solid = re.findall(r"<g style.*?<rect x=\"(\d+)\"", drawing)
    assert (dashed, solid) == (["10", "300"], ["20"])


def test_each_filter_names_pictures_that_are_there(bench: Bench):
    bench.compare(outputs=Outputs(page=bench.path("page.html")))
    page = Path(bench.path("page.html")).read_text()
    rules = re.findall(r"body:has\(#f-([\w-]+):checked\) figure:not\(\.([\w-]+)\)", page)
    assert rules
    classes = {name for told in re.findall(r'<figure class="([^"]*)"', page) for name in told.split()}
    for button, name in rules:
        assert f'id="f-{button}"' in page
        assert name in classes
    assert {name for _, name in rules} == classes


def test_without_samples_there_are_no_pictures(bench: Bench):
    bench.compare(outputs=Outputs(page=bench.path("page.html"), samples=0))
    assert "<figure" not in Path(bench.path("page.html")).read_text()
