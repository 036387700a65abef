"""Segments and rectangles are cut where shapely cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString
from shapely.geometry import box as rectangle

from airflow_provider_diffgram.predictions.core.geometry import clip_rectangle, clip_segment

WIDTH, HEIGHT = 100, 60
places = st.tuples(st.integers(-60, 160), st.integers(-60, 120)).map(lambda xy: (xy[0] / 2, xy[1] / 2))


@given(places, places)
def test_the_part_of_a_segment_inside_is_that_of_shapely(start, end):
    expected = LineString([start, end]).intersection(rectangle(0, 0, WIDTH, HEIGHT))
    inside = clip_segment(start, end, WIDTH, HEIGHT)
    if inside is None:
        assert expected.length == pytest.approx(0, abs=1e-9)
        return
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in inside)
    assert LineString(inside).length == pytest.approx(expected.length, abs=1e-9)
    assert LineString(inside).distance(LineString([start, end])) < 1e-9


@given(places, places)
def test_a_segment_keeps_its_direction(start, end):
    inside = clip_segment(start, end, WIDTH, HEIGHT)
    if inside is not None:
        along = [b - a for a, b in zip(start, end, strict=True)]
        kept = [b - a for a, b in zip(*inside, strict=True)]
        assert sum(a * b for a, b in zip(along, kept, strict=True)) >= 0


@given(places, places)
def test_the_part_of_a_rectangle_inside_is_that_of_shapely(first, second):
    edges = (*map(min, first, second), *map(max, first, second))
    x_min, y_min, x_max, y_max = clip_rectangle(edges, WIDTH, HEIGHT)
    expected = rectangle(*edges).intersection(rectangle(0, 0, WIDTH, HEIGHT)).area
    assert max(x_max - x_min, 0) * max(y_max - y_min, 0) == pytest.approx(expected)
