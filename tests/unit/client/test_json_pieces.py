"""JSON in pieces is JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.client.pieces import loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1]))
def test_it_reads_what_json_reads(value, indent):
    body = (json.dumps(value, indent=indent) + "\n").encode()
    assert loads(body) == value


def test_bare_infinities_are_read_as_json_reads_them_quirk_59():
    assert loads(b'{"a": [Infinity, 1], "b": -Infinity}') == {"a": [math.inf, 1], "b": -math.inf}


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, 2', '{"a": [1,]}', '{"a": 1,}', '{"a" 1}', "{1: 2}", '{"a": 1} x', '{"a": [1 2]}', "{", ""],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        loads(text.encode())
    with pytest.raises(ValueError, match=r"."):
        json.loads(text)
