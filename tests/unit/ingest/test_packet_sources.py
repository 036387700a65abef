"""Packets from values, JSON text and JSON Lines files; media from paths that may not be there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.jsonlines import candidates
from airflow_provider_diffgram.ingest.sources import media_problems, universal_path, upload_of
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
    assert third == [f"packet in line 3 of {path}: must be an object"]
    assert "line 4" in fourth[0]


def test_a_file_of_windows_begins_with_a_mark(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(ONE) + "\r\n" + json.dumps(ONE) + "\r\n", encoding="utf-8-sig")
    assert read(str(path)) == [ONE, ONE]


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
    with pytest.raises(InvalidValueError, match="no such file"):
        read(str(tmp_path))


@pytest.mark.parametrize(
    "path",
    ["/nowhere/a.png", "unknown://b/a.png", "gs://b/a.png", "abfs://c/a.png", "http://127.0.0.1:1/a.png"],
)
def test_media_that_cannot_be_read_are_a_problem_not_a_crash(path: str):
    (problem,) = media_problems(PathMedia(path=path), universal_path)
    assert path in problem


def test_an_empty_file_and_one_too_large_are_problems_1_4(tmp_path: Path):
    empty, large, good = (tmp_path / f"{name}.png" for name in ("empty", "large", "good"))
    empty.touch()
    good.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(250 * 2**20)
    assert "empty" in media_problems(PathMedia(path=str(empty)), universal_path)[0]
    assert "250 MiB" in media_problems(PathMedia(path=str(large)), universal_path)[0]
    assert media_problems(PathMedia(path=str(good)), universal_path) == []


def test_an_upload_opens_the_bytes_of_its_path_anew_each_time(tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_bytes(b"bytes")
    upload = upload_of(PathMedia(path=str(path)), "name.png", universal_path)
    assert (upload.filename, upload.size) == ("name.png", 5)
    for _ in range(2):
        with upload.open() as source:
            assert source.read() == b"bytes"
