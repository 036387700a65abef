"""Outlines of masks follow the edges of the pixels exactly, and within the tolerance when simplified."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from shapely.geometry import LinearRing, Point

from airflow_provider_diffgram.predictions.core.geometry import area
from airflow_provider_diffgram.predictions.core.masks import Outlines, outlines_of

masks = arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@st.composite
def blobs(draw) -> np.ndarray:
    """A few ellipses, one of them cut out."""
    y, x = np.mgrid[:60, :80]
    mask = np.zeros((60, 80), dtype=bool)
    for cut in (False, False, draw(st.booleans())):
        centre = draw(st.integers(0, 79)), draw(st.integers(0, 59))
        half = draw(st.integers(1, 30)), draw(st.integers(1, 30))
        inside = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 <= 1
        mask = mask & ~inside if cut else mask | inside
    return mask


def labelled(mask: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Parts whose pixels share an edge, how many, and how many holes they have."""
    parts, count = ndimage.label(mask)
    _, beyond = ndimage.label(~np.pad(mask, 1), np.ones((3, 3)))
    return parts, count, beyond - 1


@given(masks)
def test_there_is_a_ring_for_each_part_and_a_count_of_holes(mask):
    _, parts, holes = labelled(mask)
    outlines = outlines_of(mask, 0)
    assert (len(outlines.rings), outlines.holes) == (parts, holes)


@given(masks)
def test_without_tolerance_a_ring_has_the_area_of_its_part_with_holes_filled(mask):
    parts, count, _ = labelled(mask)
    around = np.ones((3, 3))
    filled = [ndimage.binary_fill_holes(np.pad(parts == part + 1, 1), around).sum() for part in range(count)]
    assert sorted(area(ring) for ring in outlines_of(mask, 0).rings) == sorted(filled)


@given(masks)
def test_without_tolerance_each_corner_is_one(mask):
    for ring in outlines_of(mask, 0).rings:
        for (x0, y0), (x1, y1), (_, y2) in zip(ring, ring[1:] + ring[:1], ring[2:] + ring[:2], strict=True):
            assert (x0 == x1) != (y0 == y1)
            assert (x0 == x1) == (y1 == y2)


@given(blobs(), st.floats(0.5, 5))
def test_a_simplified_ring_stays_within_the_tolerance_of_the_exact_one(mask, tolerance):
    exact, simple = outlines_of(mask, 0), outlines_of(mask, tolerance)
    assert (len(exact.rings), exact.holes) == (len(simple.rings), simple.holes)
    for before, after in zip(exact.rings, simple.rings, strict=True):
        assert set(after) <= set(before)
        outline = LinearRing(after)
        assert all(outline.distance(Point(corner)) <= tolerance + 1e-9 for corner in before)


@given(blobs(), st.floats(0, 20))
def test_nothing_is_simplified_away(mask, tolerance):
    for ring in outlines_of(mask, tolerance).rings:
        assert len(ring) >= 3
        assert area(ring) > 0


def test_coordinates_are_edges_of_pixels():
    mask = np.zeros((10, 20))
    mask[2:5, 3:9] = 255
    (ring,) = outlines_of(mask).rings
    assert sorted(ring) == [(3, 2), (3, 5), (9, 2), (9, 5)]


def test_a_wire_thinner_than_the_tolerance_stays():
    mask = np.zeros((9, 60), dtype=bool)
    mask[4, 5:50] = True
    assert sorted(outlines_of(mask, 3).rings[0]) == [(5, 4), (5, 5), (50, 4), (50, 5)]


def test_a_slanted_edge_needs_few_corners():
    disc = np.hypot(*np.mgrid[-50:50, -50:50]) < 45
    assert len(outlines_of(disc, 0).rings[0]) > 150
    assert len(outlines_of(disc, 1).rings[0]) < 40


def test_holes_are_counted_and_what_is_in_them_has_its_own_ring():
    mask = np.ones((9, 9), dtype=bool)
    mask[2:7, 2:7] = False
    mask[4, 4] = True
    outlines = outlines_of(mask, 0)
    assert (sorted(map(area, outlines.rings)), outlines.holes) == ([1, 81], 1)


def test_an_empty_mask_has_no_outline():
    assert outlines_of(np.zeros((4, 5))) == Outlines([], 0)
    assert outlines_of(np.zeros((0, 0))) == Outlines([], 0)


def test_what_is_no_mask_is_refused():
    with pytest.raises(ValueError, match="2 dimensions; this one has 3"):
        outlines_of(np.ones((1, 4, 5)))
    with pytest.raises(ValueError, match="tolerance is -1 pixels"):
        outlines_of(np.ones((4, 5)), -1)
