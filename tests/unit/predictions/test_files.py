"""One way to open files: what is read, and what is refused with the name of the file and the line."""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions.core.files import (
    files_in,
    json_stream,
    opened,
    read_json,
    read_lines,
    read_text,
    read_xml,
)
from tests.storage import Fault, reset

TEXT = "cat\nBär\n猫\n"


def written(folder: Path, data: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refused(read, source: Path) -> str:
    """What the refusal says, after the name of the file."""
    with pytest.raises(InvalidValueError) as caught:
        read(source)
    assert caught.value.what == str(source)
    return "\n".join(caught.value.problems)


# Texts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(tmp_path: Path, encoding: str):
    assert read_text(written(tmp_path, TEXT.encode(encoding))) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_seen(tmp_path: Path, encoding: str):
    assert read_text(written(tmp_path, "0 .5 .5 .1 .1\n".encode(encoding))) == "0 .5 .5 .1 .1\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like_and_keep_their_numbers(tmp_path: Path, ending: str):
    lines = read_lines(written(tmp_path, ending.join(["a", "", " ", "b c"]).encode()))
    assert lines == [(1, "a"), (4, "b c")]


def test_a_national_encoding_is_read_when_it_is_given_and_else_refused_by_line(tmp_path: Path):
    path = written(tmp_path, "cat\nBär\n".encode("cp1252"))
    assert read_text(path, "cp1252") == "cat\nBär\n"
    assert refused(read_text, path).startswith("line 2: the byte 0xe4 is not utf-8: save it as UTF-8")
    assert "cannot be decoded as 'klingon'" in refused(lambda each: read_text(each, "klingon"), path)


def test_bytes_of_zero_are_no_text(tmp_path: Path):
    assert (
        refused(read_text, written(tmp_path, b"a\nb\0c\n")) == "line 2: holds bytes of 0, so it is not text"
    )


# Packed


@pytest.mark.parametrize("name", ["a.txt.gz", "a.txt"])
def test_what_gzip_packed_is_unpacked_whatever_it_is_called(tmp_path: Path, name: str):
    assert read_text(written(tmp_path, gzip.compress(TEXT.encode()), name)) == TEXT


def test_a_gz_that_is_not_packed_is_read_as_it_is(tmp_path: Path):
    assert read_text(written(tmp_path, TEXT.encode(), "a.txt.gz")) == TEXT


def test_a_gz_that_is_cut_or_broken_is_refused(tmp_path: Path):
    packed = gzip.compress(TEXT.encode() * 500)
    assert "cannot be unpacked" in refused(read_text, written(tmp_path, packed[:-12]))
    assert "cannot be unpacked" in refused(
        read_text, written(tmp_path, packed[:20] + b"\xff\xff" + packed[22:])
    )


def test_other_packings_are_named(tmp_path: Path):
    assert "packed by bzip2" in refused(read_text, written(tmp_path, bz2.compress(TEXT.encode())))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", TEXT)
    assert "packed by zip: unpack it" in refused(read_json, tmp_path / "a.zip")


def test_what_cannot_be_opened_is_refused(tmp_path: Path):
    assert "cannot be read: No such file" in refused(read_text, tmp_path / "none.txt")
    assert "cannot be read: Is a directory" in refused(read_text, tmp_path)
    assert "cannot be read: embedded null" in refused(read_text, Path("a\0b"))
    with pytest.raises(InvalidValueError, match="cannot be read"):
        read_text("nothing://bucket/a.txt")


def test_files_come_from_object_storage(tmp_path: Path):
    import fsspec

    with fsspec.open("memory://labels/a.txt", "wb") as file:
        file.write(gzip.compress(TEXT.encode()))
    assert read_text("memory://labels/a.txt") == TEXT


# JSON

NO_JSON = {
    "empty": (b"", "is empty"),
    "blank": (b" \n ", "is empty"),
    "html": (b"\n<!DOCTYPE html>\n<html>", "is a page of HTML or XML, not JSON (it begins with '<!DOCTYPE"),
    "message": (b"Internal Server Error", "is not JSON: it begins with 'Internal Server Error'"),
    "binary": (b"\x80\x04\x95", "the byte 0x80"),
    "cut": (b'[{"a": 1},\n{"a"', "line 2, column 5: is not JSON"),
    "lines": (b'{"a": 1}\n{"a": 2}', "line 2, column 1: is not JSON: Extra data; a second value"),
    "twice": (b'{"a": 1, "a": 2}', "the key 'a' is there twice in one object"),
    "deep": (b"[" * 100_000, "is nested too deeply"),
    "long": (b"[" + b"9" * 5000 + b"]", "is not JSON: Exceeds the limit"),
}


@pytest.mark.parametrize("data, told", NO_JSON.values(), ids=NO_JSON)
def test_what_is_not_json_is_refused_by_line(tmp_path: Path, data: bytes, told: str):
    assert told in refused(read_json, written(tmp_path, data))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_json_is_read_in_any_unicode(tmp_path: Path, encoding: str):
    path = written(tmp_path, json.dumps({"a": "猫"}, ensure_ascii=False).encode(encoding))
    assert read_json(path) == {"a": "猫"}
    with json_stream(path) as (stream, first):
        assert (json.loads(stream.read()), first) == ({"a": "猫"}, "{")


def test_a_stream_of_json_begins_behind_any_number_of_blanks(tmp_path: Path):
    path = written(tmp_path, b" \n" * 5000 + b"[1]")
    with json_stream(path) as (stream, first):
        assert (json.loads(stream.read()), first) == ([1], "[")


@pytest.mark.parametrize("case", ["empty", "blank", "html", "message"])
def test_a_stream_that_is_no_json_is_refused_before_it_is_parsed(tmp_path: Path, case: str):
    data, told = NO_JSON[case]

    def read(path: Path) -> None:
        with json_stream(path):
            raise AssertionError("nothing is to be parsed")

    assert told in refused(read, written(tmp_path, data))


def test_an_error_while_reading_is_one_of_the_file(tmp_path: Path):
    packed = gzip.compress(b"[" + b"1," * 100_000 + b"1]")

    def read(path: Path) -> None:
        with opened(path) as file:
            file.read()

    assert "cannot be unpacked" in refused(read, written(tmp_path, packed[:-20]))


# XML


@pytest.mark.parametrize(
    "declared, real",
    [
        ("utf-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("gb2312", "gbk"),
        ("GBK", "gbk"),
        ("shift_jis", "cp932"),
        ("big5", "big5"),
    ],
)
def test_xml_is_read_in_the_encoding_that_it_declares(tmp_path: Path, declared: str, real: str):
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<a><b>中</b></a>'
    assert read_xml(written(tmp_path, text.encode(real))).findtext("b") == "中"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_xml_without_a_declaration_is_utf_8(tmp_path: Path, encoding: str):
    assert read_xml(written(tmp_path, "\n<a>猫</a>".encode(encoding))).text == "猫"
    broken = written(tmp_path, "<a>\nBär</a>".encode("cp1252"))
    assert refused(read_xml, broken).startswith("line 2: the byte 0xe4 is not utf-8")


@pytest.mark.parametrize(
    "data, told",
    [
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "cannot be decoded as 'klingon'"),
        (b'<?xml version="1.0" encoding="hex"?><a/>', "cannot be decoded as 'hex'"),
        (b"", "is empty"),
        (b"<a>\n<b></a>", "line 2, column 5: is not XML: mismatched tag"),
        (b"<a>&nothing;</a>", "undefined entity"),
        (b"PK\x03\x04", "packed by zip"),
    ],
)
def test_what_is_no_xml_is_refused(tmp_path: Path, data: bytes, told: str):
    assert told in refused(read_xml, written(tmp_path, data, "a.xml"))


# Folders


def test_files_are_found_in_folders_of_folders_and_in_capitals_but_not_those_with_a_dot(tmp_path: Path):
    for name in ("b/a.txt", "a.TXT", "b/._a.txt", ".cache/c.txt", "a.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = files_in(tmp_path, [".txt"], "texts")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.TXT", "b/a.txt"]


def test_a_folder_without_files_of_the_kind_tells_what_is_there(tmp_path: Path):
    def texts(folder: Path) -> object:
        return files_in(folder, [".txt"], "texts")

    assert refused(texts, tmp_path) == "holds no texts (.txt), but no files at all"
    for name in ("a.json", "b.json", "c.xml"):
        (tmp_path / name).touch()
    assert refused(texts, tmp_path) == "holds no texts (.txt), but 2 .json, 1 .xml"
    assert refused(texts, tmp_path / "lables") == "is not a folder here: texts are looked for in it"
    assert refused(texts, tmp_path / "a.json").startswith("is a file, not a folder")


@pytest.mark.parametrize("operation", ["open", "read"])
def test_a_fault_of_a_storage_that_may_pass_is_no_wrong_file(
    tmp_path: Path, faults: list[Fault], operation: Any
):
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    faults.append(Fault(operation, reset))
    with pytest.raises(OSError, match="reset"):
        read_text("flaky://a.txt")
    assert read_text("flaky://a.txt") == "0 0.5 0.5 0.1 0.1\n"
    faults.append(Fault(operation, lambda: PermissionError("no entry")))
    with pytest.raises(InvalidValueError, match="cannot be read"):
        read_text("flaky://a.txt")


def test_links_to_folders_are_followed_and_not_round_and_round(tmp_path: Path):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "a.txt").write_text("a")
    (tmp_path / "real" / "deep" / "b.txt").write_text("b")
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "train").symlink_to(tmp_path / "real")
    (labels / "val").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "deep" / "up").symlink_to(tmp_path / "real")
    found = [path.relative_to(labels).as_posix() for path in files_in(labels, [".txt"], "texts")]
    assert found == ["train/a.txt", "train/deep/b.txt", "val/a.txt", "val/deep/b.txt"]


def test_a_link_to_a_file_is_a_file_and_one_to_nothing_is_refused(tmp_path: Path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert [path.name for path in files_in(tmp_path, [".txt"], "texts")] == ["a.txt", "b.txt"]
    (tmp_path / "c.jpg").symlink_to(tmp_path / "nowhere")  # of another kind: nobody asked for it
    assert len(files_in(tmp_path, [".txt"], "texts")) == 2
    (tmp_path / "d.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InvalidValueError, match=r"not on this machine, such as d\.txt: fetch them"):
        files_in(tmp_path, [".txt"], "texts")


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.txt").write_text("a")
    locked = tmp_path / "locked"
    locked.mkdir()
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path) == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InvalidValueError, match=r"locked cannot be read: Permission denied"):
        files_in(tmp_path, [".txt"], "texts")
