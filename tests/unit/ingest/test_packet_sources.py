"""Packets from values, JSON text and JSON Lines files; media from paths that may not be there."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.paths import (
    is_large,
    large_problems,
    measured,
    universal_path,
    upload_of,
)
from airflow_provider_diffgram.models import InvalidValueError, Packet, PathMedia

ONE = {"media": {"url": "http://h/a.jpg"}}


def read(source: Any) -> list[Any]:
    return list(candidates(source, "packet", universal_path))


@pytest.mark.parametrize(
    "source",
    [ONE, [ONE], (each for each in [ONE]), json.dumps(ONE), json.dumps([ONE]), f"  [{json.dumps(ONE)}]\n"],
)
def test_one_packet_in_every_form_a_task_may_be_given(source: Any):
    assert read(source) == [ONE]


def test_a_model_is_taken_as_it_is():
    packet = Packet.model_validate(ONE)
    assert read(packet) == read([packet]) == [packet]


def test_an_iterator_is_passed_on_one_by_one():
    taken = []

    def packets():
        for each in (ONE, ["no packet"]):
            taken.append(each)
            yield each

    several = candidates(packets(), "packet", universal_path)
    assert not taken
    assert next(several) == ONE
    assert len(taken) == 1
    assert next(several) == ["packet 1: must be an object, not list"]


@pytest.mark.parametrize("source", [None, 3, b"[]", True])
def test_what_is_no_packet_is_refused(source: Any):
    with pytest.raises(InvalidValueError, match="must be a packet, a list of them or a path"):
        read(source)


@pytest.mark.parametrize("source", ["[{]", '{"a": }', "[1, "])
def test_text_that_is_neither_json_nor_a_path_is_told(source: str):
    with pytest.raises(InvalidValueError, match="neither a path nor JSON"):
        read(source)


@pytest.mark.parametrize("wrong", ["a.jsonl", 3, None, [ONE]])
def test_a_list_holds_objects_only(wrong: Any):
    good, bad = read([ONE, wrong])
    assert good == ONE
    assert bad == [f"packet 1: must be an object, not {type(wrong).__name__}"]
    assert read(json.dumps([ONE, wrong])) == [good, bad]


@pytest.mark.parametrize("as_given", [str, Path, lambda path: f"  {path} ", lambda path: path.as_uri()])
def test_a_json_lines_file_by_path(tmp_path: Path, as_given: Any):
    path = tmp_path / "packets.jsonl"
    path.write_text("\n".join(["", json.dumps(ONE), "   ", json.dumps(ONE), ""]))
    assert read(as_given(path)) == [ONE, ONE]


def test_lines_that_are_wrong_are_told_by_number_and_the_rest_is_read(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    path.write_bytes(
        b"\n".join([json.dumps(ONE).encode(), b"{", b"[1]", b"\xff\xfe{", json.dumps(ONE).encode()])
    )
    first, second, third, fourth, last = read(str(path))
    assert first == last == ONE
    assert second[0].startswith(f"packet in line 2 of {path}: not JSON")
    assert third == [f"packet in line 3 of {path}: must be an object, not list: write one object per line"]
    assert "line 4" in fourth[0]


def test_a_file_of_windows_begins_with_a_mark(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(ONE) + "\r\n" + json.dumps(ONE) + "\r\n", encoding="utf-8-sig")
    assert read(str(path)) == [ONE, ONE]


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz", "p.jsonl.GZ", "p"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes, lambda data: gzip.compress(data) * 2])
def test_what_gzip_packed_is_told_by_its_bytes_not_by_its_name(tmp_path: Path, name: str, pack: Any):
    path = tmp_path / name
    path.write_bytes(pack(json.dumps(ONE).encode() + b"\n"))
    assert set(map(str, read(str(path)))) == {str(ONE)}


def test_an_empty_file_that_should_be_packed_is_not_complete(tmp_path: Path):
    (tmp_path / "p.jsonl.gz").write_bytes(b"")
    assert read(str(tmp_path / "p.jsonl.gz")) == [
        [f"{tmp_path}/p.jsonl.gz: not a complete gzip file: it is empty"]
    ]


OTHERWISE = {
    "zip": b"PK\x03\x04rest",
    "bzip2": bz2.compress(b"{}"),
    "xz": lzma.compress(b"{}"),
    "zstd": b"\x28\xb5\x2f\xfdrest",
    "UTF-16": json.dumps(ONE).encode("utf-16"),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_what_cannot_be_read_as_it_is_says_how_to_give_it(tmp_path: Path, what: str):
    path = tmp_path / "p.jsonl"
    path.write_bytes(OTHERWISE[what])
    assert read(str(path)) == [[f"{path}: is {what}: give it as UTF-8, packed by gzip or not at all"]]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("whole", [[ONE, ONE], ONE])
def test_json_over_several_lines_is_one_problem(tmp_path: Path, whole: Any, mark: str):
    path = tmp_path / "p.json"
    path.write_text(f"\n{mark}" * (not mark) + mark + json.dumps(whole, indent=1), encoding="utf-8")
    ((problem,),) = read(str(path))
    assert problem.endswith("is JSON over several lines: write each object on one line, as jq -c does")


def test_what_follows_an_object_is_told(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(ONE) + ",\n")
    ((problem,),) = read(str(path))
    assert problem.endswith(": write one object per line, and nothing after it")


TWICE = '{"media": {"url": "http://h/a.jpg"}, "instance_list": [{"score": 1, "score": 0}]}'


@pytest.mark.parametrize("in_file", [True, False])
def test_a_key_that_is_there_twice_would_lose_a_value(tmp_path: Path, in_file: bool):
    path = tmp_path / "p.jsonl"
    path.write_text(TWICE)
    told = "the key 'score' is there twice in one object"
    if in_file:
        assert read(str(path)) == [[f"packet in line 1 of {path}: {told}"]]
        return
    with pytest.raises(InvalidValueError, match=told):
        read(f"[{TWICE}]")


def test_a_file_is_read_line_by_line_again_at_each_iteration(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(ONE) + "\n{\n")
    lines = candidates(str(path), "packet", universal_path)
    assert next(iter(lines)) == ONE
    assert len(list(lines)) == len(list(lines)) == 2


@pytest.mark.parametrize(
    "source", ["/nowhere/p.jsonl", "", "nowhere.jsonl", "unknown://b/p.jsonl", "gs://b/p.jsonl"]
)
def test_a_path_that_cannot_be_read_is_told_before_anything_is_sent(source: str):
    with pytest.raises(InvalidValueError) as caught:
        read(source)
    assert source in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(InvalidValueError, match=f"a folder, not a file: {tmp_path}"):
        read(str(tmp_path))


@pytest.mark.parametrize(
    "path",
    ["/nowhere/a.png", "unknown://b/a.png", "gs://b/a.png", "abfs://c/a.png", "http://127.0.0.1:1/a.png"],
)
def test_media_that_cannot_be_read_are_a_problem_not_a_crash(path: str):
    size, (problem,) = measured(PathMedia(path=path), universal_path)
    assert size == 0
    assert path in problem


def test_an_empty_file_is_a_problem(tmp_path: Path):
    empty, good = (tmp_path / f"{name}.png" for name in ("empty", "good"))
    empty.touch()
    good.write_bytes(b"x")
    assert measured(PathMedia(path=str(empty)), universal_path) == (0, [f"file is empty: {empty}"])
    assert measured(PathMedia(path=str(good)), universal_path) == (1, [])


MIB = 2**20


@pytest.mark.parametrize(
    "size, boxes, large",
    [(248 * MIB, 0, False), (249 * MIB + 1, 0, True), (248 * MIB, 20_000, True)],
)
def test_a_medium_is_large_together_with_its_predictions_1_4(size: int, boxes: int, large: bool):
    box = {"type": "box", "label": "cat", "x_min": 1, "y_min": 2, "x_max": 11, "y_max": 12}
    packet = Packet.model_validate({"media": {"path": "a.png"}, "instance_list": [box] * boxes})
    assert is_large(packet, size, LIMITS.upload) is large


def test_a_large_root_may_have_5_gib_and_a_large_child_is_none_2_9():
    root = Packet.model_validate({"media": {"path": "a.mp4"}})
    child = Packet.model_validate({"media": {"path": "a.mp4"}, "parent_file_id": 3, "ordinal": 0})
    assert large_problems(root, 5 * 1024 * MIB, LIMITS.upload) == []
    assert "5,368,709,121 bytes" in large_problems(root, 5 * 1024 * MIB + 1, LIMITS.upload)[0]
    assert "Give a URL" in large_problems(child, 260 * MIB, LIMITS.upload)[0]


def test_an_upload_opens_the_bytes_of_its_path_anew_each_time(tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_bytes(b"bytes")
    upload = upload_of(PathMedia(path=str(path)), "name.png", universal_path)
    assert (upload.filename, upload.size) == ("name.png", 5)
    for _ in range(2):
        with upload.open() as source:
            assert source.read() == b"bytes"


def test_an_upload_from_object_storage_is_streamed_and_its_bytes_are_told():
    path = UPath("memory://bucket/a.png")
    path.write_bytes(bytes(5 * MIB))
    counts: list[int] = []
    upload = upload_of(PathMedia(path=str(path)), "name.png", universal_path, counts.append)
    with upload.open() as source:
        source.seek(MIB)
        assert len(source.read(MIB)) == MIB
        assert len(source.read()) == 3 * MIB
    assert (upload.size, counts) == (5 * MIB, [MIB, 3 * MIB])
    path.unlink()
