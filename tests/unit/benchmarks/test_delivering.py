"""The family ``deliver``: each kind of work arrives exactly, by ours and barely, or is found out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.deliver import BARE, OURS, Bench, Kind, appends, children, new_files, nights
from benchmarks.deliver_server import Place, serving_place
from benchmarks.media import serving_media
from benchmarks.workers import Client


@pytest.fixture(scope="module")
def media() -> Iterator[str]:
    with serving_media() as address:
        yield address


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with serving_place() as served:
        yield served


@pytest.mark.parametrize(
    "client, kind, options, task",
    [
        (OURS, new_files, {}, "push"),
        (OURS, appends, {"delivery": "queue"}, "push"),
        (OURS, children, {}, "push"),
        (OURS, nights, {"if_exists": "refresh"}, "push"),
        (BARE, new_files, {}, "new"),
        (BARE, appends, {}, "append"),
    ],
)
def test_everything_arrives_and_takes_time(media: str, client: Client, kind: Kind, options, task: str):
    told: list[str] = []
    assert 0 < Bench(media, told.append).rate(client, kind, 3, options, task) < 100
    assert told[0].startswith(f"3 of {kind.__name__} · {client.name}")


def test_what_is_not_exact_is_found_out(place: Place, tmp_path: Path):
    place.fill(["exact.jpg"], tmp_path)
    place.until_exact(["exact.jpg"], 3, 5.0)
    with pytest.raises(RuntimeError, match=r"1 of 2 files are not .*'missing\.jpg': None"):
        place.until_exact(["exact.jpg", "missing.jpg"], 3, 0.0)
    with pytest.raises(RuntimeError, match=r"'exact\.jpg': \[3, 3\]"):
        place.until_exact(["exact.jpg"], 6, 0.0)
