"""Text regions become polygons: inside the image, never without an area, every change counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import Polygon as Reference
from shapely.geometry import box as rectangle

from airflow_provider_diffgram.drawing.clipping import clip_polygon
from airflow_provider_diffgram.models import Polygon
from airflow_provider_diffgram.predictions import Account, Converted, polygon_instances
from airflow_provider_diffgram.predictions.core.geometry import area

SIZE = 100


@st.composite
def quads(draw) -> list[tuple[float, float]]:
    """A rotated rectangle, as text detectors give, partly or wholly outside the image at times."""
    x, y = draw(st.floats(-40, 140)), draw(st.floats(-40, 140))
    width, height = draw(st.floats(0, 80)), draw(st.floats(0, 40))
    angle = draw(st.floats(0, 2 * math.pi))
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(-width, -height), (width, -height), (width, height), (-width, height)]
    return [(x + a / 2 * cos - b / 2 * sin, y + a / 2 * sin + b / 2 * cos) for a, b in corners]


def convert(*regions, score: float = 0.5) -> Converted[Polygon]:
    return polygon_instances(
        regions,
        "text",
        [score] * len(regions),
        width=SIZE,
        height=SIZE,
        model_ref="model",
        model_run_ref="run",
    )


def points(polygon: Polygon) -> list[tuple[float, float]]:
    return [(point.x, point.y) for point in polygon.points]


@given(quads())
def test_clipping_agrees_with_shapely(quad):
    assume(Reference(quad).area > 1e-6)
    expected = Reference(quad).intersection(rectangle(0, 0, SIZE, SIZE)).area
    assert area(clip_polygon(quad, SIZE, SIZE)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("turns", range(4))
def test_a_corner_just_inside_an_edge_stays(turns):
    quad = [(80.0, 10.0), (99.5, 12.0), (130.0, 30.0), (80.0, 30.0)]
    for _ in range(turns):
        quad = [(SIZE - y, x) for x, y in quad]
    clipped = clip_polygon(quad, SIZE, SIZE)
    assert quad[1] in clipped
    assert Reference(clipped).equals(Reference(quad).intersection(rectangle(0, 0, SIZE, SIZE)))


@given(st.lists(quads(), max_size=8))
def test_every_point_lies_in_the_image_and_every_polygon_has_an_area(regions):
    for polygon in convert(*regions).instances:
        corners = points(polygon)
        assert all(0 <= x <= SIZE and 0 <= y <= SIZE for x, y in corners)
        assert 3 <= len(corners) <= 8
        assert Reference(corners).area >= 1


@given(st.lists(quads(), max_size=8))
def test_every_region_is_accounted_for(regions):
    account = convert(*regions).account
    assert account.instances + account.wrong + account.duplicates == account.predictions == len(regions)
    assert account.clipped == sum(
        any(not (0 <= x <= SIZE and 0 <= y <= SIZE) for x, y in region) for region in regions
    )


@given(quads())
def test_converting_again_changes_nothing(quad):
    once = convert(quad)
    count = len(once.instances)
    expected = Converted(once.instances, Account(1, count, count))
    assert convert(*map(points, once.instances)) == expected


def test_a_region_inside_the_image_keeps_its_corners_and_their_order():
    quad = [(5, 10), (40, 12), (39, 22), (4, 20)]
    converted = convert(quad)
    assert points(converted.instances[0]) == quad
    assert converted.account == Account(images=1, predictions=1, instances=1)


def test_a_region_across_the_edge_is_cut_there():
    converted = convert([(-10, 10), (20, 10), (20, 20), (-10, 20)])
    assert set(points(converted.instances[0])) == {(0, 10), (20, 10), (20, 20), (0, 20)}
    assert converted.account.clipped == 1


@pytest.mark.parametrize(
    "region",
    [
        pytest.param([(1, 1), (50, 1), (50, 1), (1, 1)], id="flat"),
        pytest.param([(1, 1), (1, 1), (1, 1), (1, 1)], id="a point"),
        pytest.param([(0, 0), (50, 50), (50.01, 50.01), (0.01, 0.01)], id="a diagonal line"),
        pytest.param([(120, 1), (150, 1), (150, 9), (120, 9)], id="outside"),
        pytest.param([(1, 1.6), (50, 1.6), (50, 2.4), (1, 2.4)], id="less than a pixel high"),
        pytest.param([(1.6, 1), (2.4, 1), (2.4, 50), (1.6, 50)], id="less than a pixel wide"),
    ],
)
def test_what_has_no_area_is_dropped_and_counted(region):
    converted = convert(region)
    assert (converted.instances, converted.account.wrong) == ((), 1)


def test_equal_regions_are_merged():
    quad = [(5, 10), (40, 12), (39, 22), (4, 20)]
    assert convert(quad, quad).account.duplicates == 1


def test_fewer_than_three_corners_are_refused():
    with pytest.raises(ValueError, match=r"prediction 0 \('text'\): a polygon has 2 corners"):
        convert([(1, 1), (5, 5)])


def test_a_corner_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match=r"prediction 0 \('text'\): .* not all finite"):
        convert([(1, 1), (5, math.nan), (5, 5)])
