"""How large the chunks of an upload are: few enough for the limit, small enough for a slow line."""

from __future__ import annotations

import math

import pytest

from airflow_provider_diffgram.client.routes.uploads import MAX_CHUNK, MAX_LARGE_UPLOAD, MIB, MIN_CHUNK
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.media.chunks import chunk_size

MOST = LIMITS.upload_chunk


@pytest.mark.parametrize(
    "size, failures, expected",
    [
        (300 * MIB, 0, 75 * MIB),
        (300 * MIB, 1, 75 * MIB // 4),
        (300 * MIB, 2, MIN_CHUNK),
        (5 * 1024 * MIB, 0, MOST),
        (5 * 1024 * MIB, 1, MOST // 4),
        (5 * 1024 * MIB, 2, MOST // 16),
        (1, 0, MIN_CHUNK),
    ],
)
def test_sizes(size: int, failures: int, expected: int):
    assert chunk_size(size, MOST, failures) == expected


@pytest.mark.parametrize("size", [250 * MIB, 300 * MIB + 1, 4 * MOST - 3, 4 * MOST])
def test_as_few_as_a_server_admits_in_a_second(size: int):
    assert math.ceil(size / chunk_size(size, MOST)) <= 4


@pytest.mark.parametrize("failures", range(5))
@pytest.mark.parametrize("size", [1, 7 * MIB, 250 * MIB, 999_999_999, MAX_LARGE_UPLOAD])
def test_none_is_smaller_or_larger_than_the_server_takes(size: int, failures: int):
    assert MIN_CHUNK <= chunk_size(size, MOST, failures) <= MAX_CHUNK
