"""The guides say what is so: every Python block runs, every other block and quoted message is checked."""

from __future__ import annotations

import ast
import json
import logging
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image
from pydantic import TypeAdapter

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.hooks.connection import defaults_of, settings_of
from airflow_provider_diffgram.hooks.diffgram import DiffgramHook
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.decisions.decide import IfExists
from airflow_provider_diffgram.ingest.send.outcomes.lines import Lines
from airflow_provider_diffgram.ingest.send.outcomes.tally import Result, Tally
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.validation import validate_packets
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Child, Instance, InvalidValueError, Packet, Receipt
from airflow_provider_diffgram.models.recorded import Recorded
from airflow_provider_diffgram.review.progress import ReviewReceipt
from airflow_provider_diffgram.review.quality import compare as compare_outcomes
from airflow_provider_diffgram.review.quality.limits import QualityLimits
from airflow_provider_diffgram.review.select import By
from airflow_provider_diffgram.setup.description import DescribedSchema
from demo.fileserver import serving
from diffgram_emulator.faults import KINDS
from diffgram_emulator.process import EmulatorProcess
from tests.integration.airflow.reviewers import reviewing
from tests.integration.ingest.fast_time import FastTime
from tests.unit.client.certificates import make_certificates
from tests.unit.client.scripted_server import Answer, answering

ROOT = Path(__file__).parents[3]
DAGS_FOLDER = Path(__file__).parent / "dags"
GUIDES = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "decisions.md"]
VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(64)


@dataclass(frozen=True)
class Block:
    """A fenced block of a guide."""

    guide: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.guide}:{self.line}"


def blocks_of(guide: Path) -> list[Block]:
    text = guide.read_text()
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(guide.stem, text.count("\n", 0, each.start()) + 1, each[1], each[2]) for each in found]


BLOCKS = [block for guide in GUIDES for block in blocks_of(guide)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
EXAMPLE = [block for block in PYTHON if block.guide == "testing" and "EmulatorProcess" not in block.text]
DAGS = [block for block in PYTHON if "@dag(" in block.text and block not in EXAMPLE]
JSON_OF_PREDICTIONS = [
    block.text for block in BLOCKS if (block.guide, block.language) == ("predictions", "json")
]
SNIPPETS = [block for block in PYTHON if block not in EXAMPLE and block not in DAGS]


def rows(guide: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading."""
    text = (ROOT / "docs" / f"{guide}.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    (table, *_) = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    lines = [re.split(r"(?<!\\)\|", line.strip()[1:-1]) for line in table.splitlines()[2:]]
    return [[cell.strip().replace("\\|", "|") for cell in line] for line in lines]


def code(cell: str) -> str:
    """Return the text between the first backticks of a cell."""
    return re.findall(r"`([^`]+)`", cell)[0]


@pytest.fixture(scope="module", autouse=True)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The example of a test, run as a user runs it, beside the tests here, next to a test that must fail."""
    if "test_the_example_of_a_test_passes_and_can_fail" not in {item.name for item in request.session.items}:
        yield None
        return
    folder = tmp_path_factory.mktemp("example")
    guide = (ROOT / "docs" / "testing.md").read_text()
    for block in EXAMPLE:
        (name,) = re.findall(r"^`([\w/.]+)`:\n\n```python\n" + re.escape(block.text), guide, re.MULTILINE)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(block.text)
    with (folder / "test_greetings.py").open("a") as tests:
        tests.write(
            "\n\ndef test_wrong(greetings, diffgram):\n    assert stored(diffgram) == {'hello.txt': 1}\n"
        )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    process = subprocess.Popen(
        [*command, str(folder)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_no_block_is_left_out():
    assert {block.language for block in BLOCKS} == {"python", "json", "jsonl", "console", "yaml"}
    assert {path.stem for path in GUIDES} >= {"index", "connect", "push", "compound", "wait", "testing"}
    assert "".join(guide.read_text() for guide in GUIDES).count("```") == 2 * len(BLOCKS)
    assert {dag_id(block) for block in DAGS} == set(RUNS)
    assert {block.guide for block in BLOCKS if block.language == "jsonl"} == set(LINES)
    assert len(EXAMPLE) == 3


def test_links_lead_somewhere():
    for guide in GUIDES:
        for target in re.findall(r"\]\(([^)]+)\)", guide.read_text()):
            name, _, anchor = target.partition("#")
            page = guide.parent / name if name else guide
            assert page.is_file(), target
            assert not anchor or anchor in anchors_of(page.read_text()), target


def anchors_of(text: str) -> list[str]:
    headings = [re.sub(r"[^\w -]", "", line).strip() for line in re.findall(r"^#+ (.*)$", text, re.M)]
    return [each.lower().replace(" ", "-") for each in headings]


# What runs


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The media that the guides name, on disk."""
    folder = tmp_path_factory.mktemp("media")
    for name in ("cat-1.jpg", "cat-2.jpg", "left.png", "right.png", "page-0.png", "page-1.png"):
        Image.new("RGB", (300, 300), "teal").save(folder / name)
    for name, text in zip(("results.json", "dataset.json"), JSON_OF_PREDICTIONS, strict=True):
        (folder / name).write_text(text)
    pages = [Image.new("RGB", (150 * number, 300), "white") for number in (1, 2)]
    pages[0].save(folder / "contract.pdf", "PDF", save_all=True, append_images=pages[1:])
    (folder / "photos").mkdir()
    for name in ("one.jpg", "two.jpg"):
        Image.new("RGB", (300, 300), "olive").save(folder / "photos" / name)
    (folder / "drive.mp4").write_bytes(VIDEO)
    (folder / "miaow.mp3").write_bytes(b"ID3" + bytes(64))
    return folder


@pytest.fixture
def project(diffgram_emulator: EmulatorProcess, client: DiffgramClient) -> EmulatorProcess:
    """The project that the guides assume: labels ``cat`` and ``dog``, datasets ``night`` and ``day``."""
    return diffgram_emulator.with_project(diffgram_emulator.project, datasets=["night", "day"])


@pytest.fixture(scope="module")
def media_host(media: Path) -> Iterator[str]:
    """The address at which the server finds the media."""
    with serving(media) as address:
        yield address


@pytest.fixture
def real(project: EmulatorProcess, media: Path, media_host: str) -> Callable[[str], str]:
    """Puts places and names that are there instead of those in the guides."""
    storage = {"project": project.project, "integration_name": "amazon_aws"}
    changes = {
        "/data/": f"{media}/",
        "https://media.example.com": media_host,
        "https://diffgram.example.com": project.url,
        '"my-project"': repr(project.project),
        '"CLIENT_ID"': repr(project.client_id),
        '"CLIENT_SECRET"': repr(project.client_secret),
        "connection_id=1,": f"connection_id={project.control('connections', storage)['id']},",
        "s3://predictions/": f"file://{media}/",
    }
    return lambda text: re.sub("|".join(map(re.escape, changes)), lambda found: changes[found[0]], text)


def settled(client: DiffgramClient, packets: list[Any]) -> Receipt:
    """Push, wait, and return the receipt."""
    watch = Watch([push(client, packets, dataset="night")])
    deadline = time.monotonic() + 20
    while not (receipt := client.run(watch.look())).complete:
        assert time.monotonic() < deadline, receipt
        time.sleep(0.05)
    return receipt


def stored(client: DiffgramClient) -> dict[str | None, Any]:
    """Return the root files of the dataset by name."""
    (night,) = client.send(routes.list_datasets(client.project, "night"))
    return {
        file.original_filename: file
        for file in client.send(routes.list_files(client.project, night.id)).file_list
    }


@pytest.mark.parametrize("block", SNIPPETS, ids=str)
def test_snippets_run_and_their_packets_arrive_once(block, real, client, media):
    text = real(block.text)
    if '"file_id": 12' in text:
        settled(client, [{"media": {"path": media / "cat-1.jpg"}, "original_filename": "there.jpg"}])
        text = text.replace('"file_id": 12', f'"file_id": {stored(client)["there.jpg"].id}')
    names: dict[str, Any] = {}
    exec(compile(text, str(block), "exec"), names)
    if "packets" not in names or "client" in names:
        return
    packets = names["packets"]
    receipt = settled(client, packets)
    assert (receipt.succeeded, receipt.failures) == (len(packets), [])
    assert settled(client, packets).skipped == len(packets)
    files = stored(client)
    for packet in map(Packet.model_validate, packets):
        held = len(packet.instance_list)
        name = packet.original_filename or "there.jpg"
        assert (files[name].count_instances_changed or 0) == held, name


def dag_id(block: Block) -> str:
    (name,) = re.findall(r"@dag\(.*\ndef (\w+)\(", block.text)
    return str(name)


RUNS: dict[str, dict[str, Any]] = {
    "two_projects": {"wait_default": (1, 0), "wait_staging": (1, 0)},
    "from_a_model": {"wait": (2, 0)},
    "from_storage": {"wait": (2, 0)},
    "gated": {"wait": (2, 0)},
    "from_coco_results": {"wait": (2, 0)},
    "by_dataset": {"wait": (2, 0)},
    "night_is_reviewed": {"count": 2},
    "night_comes_back": {"train": 0},
    "how_good_was_it": {},
    "retrain": {},
    "vision_team": {"wait": (2, 0)},
    "document_team": {"wait": (2, 0)},
    "the_loop": {"arrived": (2, 0)},
    "one_introduces": {"wait": (1, 1)},
    "by_camera": {"wait": (2, 0)},
    "scans": {"wait": (4, 0)},
    "binder": {"wait": (4, 0)},
    "crossing": {"wait": (3, 0)},
    "push_and_tell": {"push_predictions.wait": (1, 0), "count": 1},
    "send_then_wait": {"wait": (1, 0)},
    "ways_to_wait": {
        "deferred": (1, 0),
        "poking": (1, 0),
        "rescheduled": (1, 0),
        "send_and_wait": (1, 0),
        "count": 1,
    },
    "nightly_predictions": {"send": (2, 0)},
}
"""DAG -> task -> what a first run returns: of a receipt what succeeded and what was skipped."""

REVIEWED = ("night_is_reviewed", "how_good_was_it", "the_loop")
"""DAGs that wait for people."""


@pytest.fixture
def run_guide(real: Callable[[str], str], dag_bag: Any, connection: Any) -> Callable[[Block], dict[str, Any]]:
    """Runs the DAG of a block and returns what its tasks returned."""

    def run(block: Block) -> dict[str, Any]:
        path = DAGS_FOLDER / f"guide_{dag_id(block)}.py"
        path.write_text(real(block.text))
        try:
            bag = type(dag_bag)(str(path))
            assert bag.import_errors == {}
            dag_run = bag.dags[dag_id(block)].test()
        finally:
            path.unlink()
        assert str(dag_run.state) == "success", [
            (each.task_id, each.state) for each in dag_run.get_task_instances()
        ]
        return {each.task_id: each.xcom_pull(task_ids=each.task_id) for each in dag_run.get_task_instances()}

    return run


@pytest.mark.parametrize("block", DAGS, ids=dag_id)
def test_dags_run_and_a_second_run_adds_nothing(block, run_guide, project, client, media, monkeypatch):
    for name in ("from_storage", "gated"):
        (media / f"{name}.jsonl").write_text(LINES_OF["push"].replace("/data/", f"{media}/"))
    scored = LINES_OF["push"].replace("/data/", f"{media}/").replace('"label"', '"score": 0.9, "label"')
    for name in ("to-review", "to-compare", "tonight"):
        (media / f"{name}.jsonl").write_text(scored)
    (media / "compared").mkdir(exist_ok=True)
    staging = project.with_project(f"{project.project}-staging", datasets=["night"])
    monkeypatch.setenv("AIRFLOW_CONN_DIFFGRAM_STAGING", staging.connection_uri())
    with reviewing(client, project) if dag_id(block) in REVIEWED else nullcontext():
        first, second = run_guide(block), run_guide(block)
    for task, expected in RUNS[dag_id(block)].items():
        if isinstance(expected, int):
            assert first[task] == second[task] == expected
            continue
        assert (first[task]["succeeded"], first[task]["skipped"]) == expected, task
        assert (second[task]["succeeded"], second[task]["skipped"]) == (0, sum(expected)), task
    if dag_id(block) == "from_a_model":
        report = (media / "from_a_model-report.jsonl").read_text().splitlines()
        assert [json.loads(line)["outcome"] for line in report] == ["skipped", "skipped"]
    if dag_id(block) == "from_coco_results":
        files = stored(client)
        assert {name: file.count_instances_changed for name, file in files.items()} == {
            "cat-1.jpg": 1,
            "cat-2.jpg": 1,
        }
    if dag_id(block) == "gated":
        assert first["check"]["instances"] == 1
        assert "the prediction set passes" in (media / "gated-page.html").read_text()
    if dag_id(block) == "how_good_was_it":
        assert (first["compare"]["judged"], first["compare"]["kept"]) == (1, 1)
        assert second["compare"] == first["compare"]
        metrics, of_second = (media / "compared").glob("metrics-*.json")
        for each in (metrics, of_second):
            assert_described(json.loads(each.read_text()))
        report = next((media / "compared").glob("report-*.jsonl"))
        (line,) = map(json.loads, report.read_text().splitlines())
        guide = (ROOT / "docs" / "compare.md").read_text()
        told = guide.partition("**The report**")[2].partition(". `table`")[0]
        assert re.findall(r"`(\w+)`", told) == list(line)
    if dag_id(block) == "by_dataset":
        assert set(stored(client)) == {"left.png"}
    if dag_id(block) == "scans":
        for name in ("scan-17", "scan-18"):
            children = client.send(routes.list_children(client.project, stored(client)[name].id))
            assert {child.ordinal: child.original_filename for child in children} == {
                0: f"{name}-page-0.png",
                1: f"{name}-page-1.png",
            }


def assert_described(figures: dict[str, Any]) -> None:
    """Hold the keys of metrics.json against the two tables of the guide."""
    text = (ROOT / "docs" / "compare.md").read_text().partition("## metrics.json\n")[2].partition("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    whole, group = ({key for line in table.splitlines()[2:] for key in keys_of(line)} for table in tables)
    assert whole == figures.keys()
    assert group == figures["all"].keys()
    assert set(figures["all"]["acceptance"]) == {"number", "of", "share", "low", "high"}
    assert set(figures["task_seconds"]) == {"tasks", "median", "lower_quartile", "upper_quartile"}


def keys_of(line: str) -> list[str]:
    return re.findall(r"`(\w+)`", line.split("|")[1])


def test_outcomes_and_limits_of_a_comparison_are_those_described():
    told = {code(row[0]) for row in rows("compare", "What counts")}
    names = vars(compare_outcomes)
    assert told == {value for name, value in names.items() if name.isupper() and isinstance(value, str)}
    limits = {code(row[0]) for row in rows("compare", "Limits")}
    assert limits == {each.name for each in fields(QualityLimits)}


# Blocks that are not Python


LINES: dict[str, type] = {"push": Packet, "compound": Child}
LINES_OF = {block.guide: block.text for block in BLOCKS if block.language == "jsonl"}


@pytest.mark.parametrize("guide", LINES)
def test_json_lines_are_what_they_are_called(guide):
    lines = LINES_OF[guide].splitlines()
    assert len(lines) == 2
    for line in lines:
        LINES[guide].model_validate_json(line)


def airflow_connection(text: str) -> Any:
    """Read a connection as Airflow reads its environment variable."""
    from airflow.models.connection import Connection

    if text.lstrip().startswith("{"):
        return Connection.from_json(text, conn_id="of_the_guide")
    return Connection(conn_id="of_the_guide", uri=text)


def console_lines() -> list[str]:
    text = "".join(block.text for block in BLOCKS if block.language == "console")
    assert all(line.startswith("$ ") for line in text.splitlines())
    return [line.removeprefix("$ ") for line in text.splitlines()]


def test_connections_are_read_as_written():
    exports = [line for line in console_lines() if line.startswith("export ")]
    texts = [shlex.split(line)[1].partition("=")[2] for line in exports]
    (json_text,) = [
        block.text for block in BLOCKS if str(block.guide) == "connect" and block.language == "json"
    ]
    read = [airflow_connection(text) for text in [*texts, json_text]]
    settings = [settings_of(each) for each in read]
    assert [each.base_url for each in settings] == [
        "https://diffgram.example.com",
        "https://diffgram.example.com",
        "http://localhost:8085",
        "https://diffgram.example.com",
    ]
    assert {(each.project, each.client_id, each.client_secret) for each in settings} == {
        ("my-project", "CLIENT_ID", "CLIENT_SECRET")
    }
    assert [each.retry_timeout for each in settings] == [60, 300, 60, 300]
    assert [defaults_of(each).dataset for each in read] == [None, "night", None, "night"]
    assert defaults_of(read[-1]).label_schema == "animals"


def test_other_commands_are_known():
    from diffgram_emulator.__main__ import parser

    commands = [line for line in console_lines() if not line.startswith("export ")]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    assert {line.split()[1] for line in commands if line.startswith("make ")} <= set(targets)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for command in [line for line in commands if not line.startswith(("make ", "diffgram-airflow "))]:
        program, *arguments = shlex.split(command)
        if program == "pip":
            for each in arguments[1:]:
                name, _, extra = each.removesuffix("]").partition("[")
                assert (ROOT / name / "pyproject.toml").is_file() or name == project["name"], command
                assert not extra or extra in project["optional-dependencies"], command
            continue
        assert (program, *arguments[:2]) == ("python", "-m", "diffgram_emulator")
        assert parser().parse_args(arguments[2:]).port == 8085


def test_the_yaml_of_a_schema_is_one():
    (block,) = [block for block in BLOCKS if block.language == "yaml"]
    described = DescribedSchema.from_yaml(block.text)
    assert [label.name for label in described.labels] == ["cat", "dog"]


def test_the_extras_are_those_of_the_connection_form():
    from airflow_provider_diffgram import get_provider_info

    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    table = (ROOT / "docs" / "connect.md").read_text().partition("| Extra |")[2].partition("\n\n")[0]
    described = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE))
    assert set(described) == set(fields)
    for name, default in described.items():
        given = fields[name]["schema"]["default"]
        assert default in (f"`{json.dumps(given)}`", "none", "the project's default"), name
        assert (default[0] == "`") == (given is not None), name


def test_the_receipt_of_a_review_has_the_fields_described():
    (block,) = [block for block in BLOCKS if block.guide == "review" and block.language == "json"]
    receipt = ReviewReceipt.model_validate_json(block.text)
    assert json.loads(block.text) == receipt.to_xcom()
    assert sum(receipt.counts().values()) == 2 * receipt.expected
    text = (ROOT / "docs" / "review.md").read_text().partition("| Field |")[2].partition("\n\n")[0]
    described = {
        name
        for line in text.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    }
    assert described == set(ReviewReceipt.model_fields) - {"project", "job_ids"}


def test_each_way_to_select_is_described():
    text = (ROOT / "docs" / "review.md").read_text().partition("| `by` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(get_args(By))


def test_the_receipt_has_the_fields_described():
    (block,) = [block for block in BLOCKS if block.guide == "wait" and block.language == "json"]
    receipt = Receipt.model_validate_json(block.text)
    assert json.loads(block.text) == receipt.to_xcom()
    assert receipt.complete
    described = {name for row in rows("wait", "The receipt") for name in re.findall(r"`(\w+)`", row[0])}
    assert described == set(Receipt.model_fields) - {"project", "failures"}


def test_the_report_has_the_fields_and_outcomes_described(tmp_path):
    (block,) = [block for block in BLOCKS if block.guide == "push" and block.language == "json"]
    shown = json.loads(block.text)
    tally = Tally(None, Lines("report", str(tmp_path / "report.jsonl"), universal_path))
    tally.note(shown["name"], shown["outcome"], shown["reason"])
    tally.note("a.png", "sent", "by an earlier attempt", input_id=1, file_id=2, delivery="queue")
    tally.close()
    first, full = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert first == shown
    text = (ROOT / "docs" / "push.md").read_text().partition("## The report")[2].partition("\n## ")[0]
    fields, outcomes = text.split("| `outcome` | Means |")
    described = re.findall(r"\w+", " ".join(re.findall(r"^\| (`.*?) \|", fields, re.M)))
    assert set(described) == set(full)
    assert re.findall(r"^\| `(\w+)` \|", outcomes, re.M) == list(get_args(Result))


def test_the_record_has_the_fields_described():
    described = {name for row in rows("push", "The record") for name in re.findall(r"`(\w+)`", row[0])}
    assert described == set(Recorded.model_fields)


def test_the_report_of_a_validation_has_the_fields_shown(project, client, tmp_path):
    (block,) = [block for block in BLOCKS if block.guide == "validate" and block.language == "json"]
    shown = json.loads(block.text)
    tag = {"type": "tag", "label": "cat"}
    packets = [
        {"media": {"url": f"http://h/{number}.jpg"}, "original_filename": f"cat-{number + 1}.jpg"}
        for number in range(4)
    ]
    packets[3]["instance_list"] = [tag, {**tag, "label": "bird"}]
    validate_packets(client, packets, dataset="night", report=str(tmp_path / "report.jsonl"))
    assert json.loads((tmp_path / "report.jsonl").read_text().splitlines()[3]) == shown


def test_progress_is_told_in_the_words_shown(caplog):
    caplog.set_level(logging.INFO)
    outcomes: list[Result] = ["sent"] * 512 + ["failed"] * 5 + ["skipped"] * 10
    seconds = chain([0.0] * (1 + len(outcomes)), repeat(26.6))
    tally = Tally(10_000, Lines("report", None, universal_path), lambda: next(seconds))
    for number, outcome in enumerate(outcomes):
        tally.note(f"{number}.png", outcome, "too dark" if outcome == "failed" else None)
    tally.close()
    (shown,) = re.findall(r"^`(.* sent.*/s)`$", (ROOT / "docs" / "push.md").read_text(), re.M)
    assert caplog.messages[-1] == shown


def test_each_word_of_if_exists_is_described():
    assert tuple(code(row[0]) for row in rows("delivery", "Existing files")) == get_args(IfExists)


# Tables


INSTANCES = [json.loads(code(row[1])) for row in rows("instances", "Types")]


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda each: each["type"])
def test_instances_of_the_table_are_stored(instance, project, client, media):
    medium: dict[str, Any] = {"media": {"path": str(media / "left.png")}, "original_filename": "a.png"}
    if instance["type"] == "text_token":
        medium = {"media": {"text_data": "A cat sat."}, "original_filename": "a.txt"}
    if instance["type"] == "audio":
        medium = {"media": {"path": str(media / "miaow.mp3")}, "original_filename": "a.mp3"}
    receipt = settled(client, [{**medium, "instance_list": [instance]}])
    assert (receipt.succeeded, receipt.failures) == (1, [])
    (file,) = stored(client).values()
    (held,) = client.send(routes.list_annotations(client.project, file.id)).instance_list
    assert held["type"] == instance["type"]


def test_every_instance_type_is_named():
    schema = TypeAdapter(Instance).json_schema()
    text = (ROOT / "docs" / "instances.md").read_text()
    named = {each["type"] for each in INSTANCES} | set(re.findall(r"`(\w+)`", text))
    assert set(schema["discriminator"]["mapping"]) <= named


@pytest.mark.parametrize("row", rows("instances", "Attributes"), ids=lambda row: row[0])
def test_attributes_of_the_table_are_stored_and_others_refused(row, project, client, media):
    def post(path: str, body: dict[str, Any]) -> Any:
        path = f"/api/v1/project/{client.project}/{path}"
        return client.send(Request(path, "POST", path, lambda answer: answer, json=body))

    kind, given, text = row[0], json.loads(code(row[1])), code(row[2])
    group = post("attribute/group/new", {})["attribute_template_group"]["id"]
    wanted = {"group_id": group, "mode": "UPDATE", "name": "hat", "prompt": "hat", "kind": kind}
    post("attribute/group/update", wanted)
    option = None
    if "7" in text:
        body = {"mode": "NEW", "attribute": {"name": "red", "group_id": group}}
        option = post("attribute", body)["attribute_template"]["id"]
    value = json.loads(text.replace("7", str(option)))

    def packet(attributes: dict[str, Any]) -> dict[str, Any]:
        tag = {"type": "tag", "label": "cat", **attributes}
        return {"media": {"path": media / "left.png"}, "original_filename": "a.png", "instance_list": [tag]}

    with pytest.raises(InvalidValueError, match=f"'hat' \\({group}, {kind}\\)"):
        push(client, [packet({"attribute_groups": {group: {"id": 99999}}})], dataset="night")
    receipt = settled(client, [packet({"attributes": {"hat": given}})])
    assert (receipt.succeeded, receipt.failures) == (1, [])
    for same in (given, value):
        again = packet({"attribute_groups": {group: same}})
        assert push(client, [again], dataset="night", if_exists="append").skipped == 1
    (held,) = client.send(routes.list_annotations(client.project, stored(client)["a.png"].id)).instance_list
    assert held["attribute_groups"] == {str(group): value}


def test_faults_and_members_of_the_table_are_there():
    text = (ROOT / "docs" / "testing.md").read_text()
    faults, members = (
        text.partition("| Fault |")[2].partition("\n\n")[0],
        text.partition("| On it |")[2].partition("| Fault |")[0],
    )
    assert tuple(re.findall(r"^\| `(\w+)` \|", faults, re.MULTILINE)) == KINDS
    names = set(re.findall(r"`(\w+)(?=[\[(`])", members.replace("match`", "")))
    assert {"url", "connection_uri", "fault", "restart"} <= names
    assert names - set(dir(EmulatorProcess)) <= {"url", "project", "credentials"}


# What videos, updates and people do


def box(left: int) -> dict[str, Any]:
    return {"type": "box", "label": "cat", "x_min": left, "y_min": 2, "x_max": left + 9, "y_max": 11}


def test_what_the_tables_say_of_a_second_push(project, client, media):
    client.clock = FastTime()
    medium = {"media": {"path": str(media / "left.png")}, "original_filename": "a.png"}
    assert settled(client, [medium]).succeeded == 1
    assert settled(client, [{**medium, "instance_list": [box(1)]}]).succeeded == 1, (
        "raw media get predictions"
    )
    assert settled(client, [{**medium, "instance_list": [box(20)]}]).skipped == 1, "others do not"
    file_id = stored(client)["a.png"].id
    update = {"file_id": file_id, "mode": "update", "instance_list": [box(20)]}
    assert [settled(client, [update]).succeeded for _ in range(2)] == [1, 0]
    replace = {**update, "mode": "update_with_existing"}
    assert [settled(client, [replace]).succeeded for _ in range(2)] == [1, 0]
    assert len(client.send(routes.list_annotations(client.project, file_id)).instance_list) == 1
    made = [
        row.id for row in client.send(routes.list_inputs(client.project, file_id=file_id)) if not row.mode
    ]
    client.send(routes.update_inputs(client.project, [each for each in made if each], "ARCHIVE"))
    assert settled(client, [medium]).succeeded == 1, "a file that was removed is sent again"


def test_what_the_tables_say_of_videos(project, client, media):
    medium = {"media": {"path": str(media / "drive.mp4")}, "original_filename": "drive.mp4"}
    assert settled(client, [medium]).succeeded == 1
    assert settled(client, [{**medium, "frame_packet_map": {0: [box(1)]}}]).skipped == 1
    file_id = stored(client)["drive.mp4"].id
    update = {"file_id": file_id, "mode": "update", "frame_packet_map": {0: [box(1)]}}
    assert [settled(client, [update]).succeeded for _ in range(2)] == [1, 0]


# Messages


def shape(quoted: str) -> re.Pattern[str]:
    """Return a pattern for a message in which ``…`` stands for anything."""
    return re.compile(".+?".join(re.escape(part) for part in quoted.split("…")), re.DOTALL)


@cache
def texts_of(folder: Path) -> list[str]:
    """Return the texts in the source below ``folder``; what an f-string puts in is ``<value>``."""
    package = ROOT / "airflow_provider_diffgram"
    found = []
    for path in folder.rglob("*.py"):
        if folder == package and path.is_relative_to(package / "emulator"):
            continue
        inner = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                inner |= {id(part) for part in node.values}
                parts = [part.value if isinstance(part, ast.Constant) else "<value>" for part in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                found.append(node.value)
    return found


HEADINGS = (
    "The connection",
    "Before anything is sent",
    "From a model's output",
    "While sending",
    "While waiting",
)
MESSAGES = [code(row[0]) for heading in HEADINGS for row in rows("troubleshooting", heading)]


def test_messages_are_quoted_once():
    assert [text for text, times in Counter(MESSAGES).items() if times > 1] == []
    assert len(MESSAGES) > 50


@pytest.mark.parametrize("quoted", MESSAGES)
def test_messages_stand_in_the_package(quoted):
    letters = sum(map(str.isalpha, quoted))
    assert letters >= 8
    padded = [f"<value>{text}<value>" for text in texts_of(ROOT / "airflow_provider_diffgram")]
    assert any(shape(quoted).search(text) for text in padded)


@pytest.mark.parametrize(
    "row", rows("troubleshooting", "What the server says of an input"), ids=lambda r: r[0]
)
def test_reasons_stand_in_the_emulator(row):
    texts = texts_of(ROOT / "emulator" / "diffgram_emulator")
    assert any(shape(code(row[0])).search(f"{text}<value>") for text in texts)


def test_a_message_that_does_not_exist_is_found_out():
    with pytest.raises(AssertionError):
        test_messages_stand_in_the_package("the moon is … made of cheese")


def test_the_test_button_says_what_the_table_says(connection, project, client, tmp_path):
    number = client.send(routes.list_datasets(client.project))[0].id
    client.send(routes.create_dataset(client.project, str(number)))
    viewer = project.credentials["Viewer"]
    page = tmp_path / "api" / "v1" / "project" / project.project / "labels-schema"
    page.parent.mkdir(parents=True)
    page.write_text("<html>Please log in</html>")
    with serving(tmp_path) as web_page:
        connection(host=web_page)
        said = [DiffgramHook().test_connection()[1]]
    with answering(Answer(), tls=make_certificates(tmp_path).server_context()) as over_tls:
        connection(host=over_tls.url.replace("https:", "http:"))
        broken_off = DiffgramHook().test_connection()[1]
    for changes in (
        {},
        {"host": None},
        {"host": web_page},
        {"host": project.url.removeprefix("http://")},
        {"schema": "no-such-project"},
        {"password": "wrong"},
        {"login": viewer.client_id, "password": viewer.client_secret},
        {"extra": {"datset": "night"}},
        {"extra": {"dataset": "nowhere"}},
        {"extra": {"dataset": number}},
    ):
        connection(**changes)
        said.append(DiffgramHook().test_connection()[1])
    quoted = [code(row[0]) for row in rows("connect", "The test button")]
    web_page_said = said.pop(0)
    said.insert(quoted.index("the connection to … broke off before an answer came"), broken_off)
    said.insert(quoted.index("a web page answered at …"), web_page_said)
    for text, message in zip(quoted, said, strict=True):
        assert shape(text).search(message), (text, message)


def test_the_example_of_a_test_passes_and_can_fail(example):
    output, _ = example.communicate(timeout=60)
    assert re.search(r"^1 failed, 2 passed", output, re.MULTILINE), output
    assert "FAILED test_greetings.py::test_wrong - AssertionError" in output
