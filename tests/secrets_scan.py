"""Look for secrets where none may be: in logs, databases, answers, screenshots' traces and other artefacts.

``find_secrets([airflow_home, "dump.sql"], [client_secret])`` returns a line per place, none of which shows
the secret. A PostgreSQL database is dumped first (``pg_dump`` writes text). The connection table of Airflow
holds the secret by its nature: give Airflow a ``fernet_key``, so that it is encrypted there, or a connection
in the environment.
"""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

_SQLITE = b"SQLite format 3\x00"
_SHORTEST = 6
"""Letters; whatever is shorter is found by chance."""


def find_secrets(paths: Iterable[Path | str], secrets: Iterable[str]) -> list[str]:
    """Return where any of ``secrets`` stands, in any of the forms in which it leaks.

    Looked for are the text itself, percent-encoded, escaped for JSON, in base64 wherever it begins, and in
    hex. Archives and gzip files are opened; the rows of SQLite databases are read one by one, since a long
    value is scattered over the file.

    :param paths: files, and folders to search whole.
    :param secrets: at least six letters each; ``client_id:client_secret`` finds the header made of the two.
    :return: ``file: secret N (in this form)``, with table and column of a database; empty if there is none.
    :raises ValueError: if a secret is too short, or none is given.
    :raises FileNotFoundError: if a path is not there: nothing searched is nothing proved.
    """
    forms = _forms_of_all(list(secrets))
    found: dict[str, None] = {}
    for path in _files(paths):
        for place, content in _contents(path):
            for form, what in forms.items():
                if form in content:
                    found[f"{place}: {what}"] = None
    return list(found)


def _forms_of_all(secrets: list[str]) -> dict[bytes, str]:
    if not secrets or any(len(secret) < _SHORTEST for secret in secrets):
        raise ValueError(f"give one secret or more, of {_SHORTEST} letters or more each")
    return {
        form: f"secret {number} ({how})"
        for number, secret in enumerate(secrets, 1)
        for how, form in _forms(secret)
    }


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    """Yield the forms of a secret, the plain text last, since of equal forms the last one is named."""
    raw = secret.encode()
    yield "hex", raw.hex().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        # The letters at both ends depend on what stands beside the secret.
        inner = coded[(0, 2, 3)[shift] : len(coded) - ((shift + len(raw)) % 3 != 0)]
        yield "base64", inner
        yield "base64", inner.translate(bytes.maketrans(b"+/", b"-_"))
    for quoted in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield "percent-encoded", quoted.encode()
    yield "escaped for JSON", json.dumps(secret)[1:-1].encode()
    yield "plain", raw


def _files(paths: Iterable[Path | str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
        elif path.is_file():
            yield path
        else:
            raise FileNotFoundError(f"{path} is not there")


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    content = path.read_bytes()
    yield str(path), content
    if content.startswith(_SQLITE):
        yield from _rows(path)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path}!{name}", archive.read(name)
    elif content.startswith(b"\x1f\x8b"):
        yield str(path), gzip.decompress(content)


def _rows(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            cursor = database.execute(f'select * from "{table.decode()}"')
            columns = [name for name, *_ in cursor.description]
            for row in cursor:
                for column, value in zip(columns, row, strict=True):
                    if isinstance(value, bytes):
                        place = f"{path} {table.decode()}.{column}"
                        yield place, value
                        yield place, _inflated(value)


def _inflated(value: bytes) -> bytes:
    """Return what zlib packed, as Airflow does with DAGs where it is told to; nothing if it is not packed."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""
