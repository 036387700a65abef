"""The scan finds a secret in every form and place where one leaks, and nothing else."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.secrets_scan import find_secrets

SECRET = 'q8/Zt+"ä-0x17pw'
PAIR = f"an-id:{SECRET}"

LEAKS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: f"password={text} ".encode(),
    "quoted": lambda text: f"https://u:{quote(text, safe='')}@host".encode(),
    "quoted but for slashes": lambda text: f"https://u:{quote(text)}@host".encode(),
    "json": lambda text: json.dumps({"extra": text}).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "header": lambda text: b"Basic " + base64.b64encode(f"an-id:{text}".encode()),
    "url-safe": lambda text: base64.urlsafe_b64encode(f"x{text}".encode()),
    "base64 in the middle": lambda text: base64.b64encode(f"{{'p': '{text}'}}".encode()),
    "base64 at the end": lambda text: base64.b64encode(f"xy{text}".encode()),
}


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("secret", [SECRET, PAIR, "abcdef", "abcdefg", "abcdefgh"])
def test_each_form_of_a_secret_is_found_and_not_shown(tmp_path, leak, secret):
    (tmp_path / "task.log").write_bytes(b"before " + LEAKS[leak](secret) + b" after")
    (told,) = {line.partition(" (")[0] for line in find_secrets([tmp_path], [secret])}
    assert told == f"{tmp_path / 'task.log'}: secret 1"


def test_what_is_no_secret_is_not_found(tmp_path):
    (tmp_path / "task.log").write_bytes(b"password=*** " + base64.b64encode(b"another secret"))
    assert find_secrets([tmp_path], [SECRET, PAIR]) == []


def test_a_value_scattered_over_a_database_is_found_with_its_place(tmp_path):
    path = tmp_path / "airflow.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma page_size = 512")
        database.execute("create table xcom (key text, value text)")
        for length in range(0, 600, 7):
            database.execute("insert into xcom values ('k', ?)", ("x" * length + SECRET + "y" * 900,))
    assert f"{path} xcom.value: secret 1 (plain)" in find_secrets([path], [SECRET])


def test_packed_contents_are_opened(tmp_path):
    (tmp_path / "log.gz").write_bytes(gzip.compress(SECRET.encode()))
    with zipfile.ZipFile(tmp_path / "trace.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("network.txt", SECRET)
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database, database:
        database.execute("create table dag (data_compressed blob)")
        database.execute("insert into dag values (?)", (zlib.compress(SECRET.encode() * 9),))
    assert find_secrets([tmp_path], [SECRET]) == [
        f"{tmp_path}/airflow.db dag.data_compressed: secret 1 (plain)",
        f"{tmp_path}/log.gz: secret 1 (plain)",
        f"{tmp_path}/trace.zip!network.txt: secret 1 (plain)",
    ]


def test_nothing_searched_is_no_success(tmp_path):
    with pytest.raises(FileNotFoundError):
        find_secrets([tmp_path / "airflow.db"], [SECRET])
    for none in ([], [""], ["short"]):
        with pytest.raises(ValueError, match="6 letters"):
            find_secrets([tmp_path], none)


def test_a_file_of_its_own_may_be_named(tmp_path):
    path = Path(tmp_path, "answer.json")
    path.write_text(json.dumps({"connections": [{"password": SECRET}]}))
    assert find_secrets([str(path)], [SECRET]) == [f"{path}: secret 1 (escaped for JSON)"]
