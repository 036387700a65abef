"""Predictions on a map (server.md 5.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from .base import Number
from .instance_base import InstanceBase, refuse_unstorable


def _storable(places: list[JsonValue]) -> list[JsonValue]:
    refuse_unstorable(places, "bounds")
    return places


Bounds = Annotated[list[JsonValue], AfterValidator(_storable)]
"""Corners of a shape on a map, as the server stores them."""

LonLat = Annotated[list[Number], Field(min_length=2, max_length=2)]
"""Longitude and latitude in degrees."""


class GeoPoint(InstanceBase):
    """A point on a map.

    :param lonlat: longitude and latitude, in degrees.
    :param coords: the same place in other coordinates; stored as given.
    """

    type: Literal["geo_point"] = "geo_point"
    lonlat: LonLat
    coords: list[Number] | None = None


class GeoCircle(InstanceBase):
    """A circle on a map; radius in metres.

    :param lonlat: longitude and latitude of the centre, in degrees.
    :param radius: metres, above 0.
    :param coords: the centre in other coordinates; stored as given.
    """

    type: Literal["geo_circle"] = "geo_circle"
    lonlat: LonLat
    radius: Annotated[Number, Field(gt=0)]
    coords: list[Number] | None = None


class GeoPolyline(InstanceBase):
    """A line on a map.

    :param bounds_lonlat: its corners: longitude and latitude of each, in degrees.
    :param bounds: the same corners in other coordinates; stored as given.
    """

    type: Literal["geo_polyline"] = "geo_polyline"
    bounds_lonlat: Bounds
    bounds: Bounds | None = None


class GeoPolygon(InstanceBase):
    """An outline on a map.

    :param bounds_lonlat: its corners: longitude and latitude of each, in degrees.
    :param bounds: the same corners in other coordinates; stored as given.
    """

    type: Literal["geo_polygon"] = "geo_polygon"
    bounds_lonlat: Bounds
    bounds: Bounds | None = None


class GeoBox(InstanceBase):
    """A box on a map.

    :param bounds_lonlat: its corners: longitude and latitude of each, in degrees.
    :param bounds: the same corners in other coordinates; stored as given.
    """

    type: Literal["geo_box"] = "geo_box"
    bounds_lonlat: Bounds
    bounds: Bounds | None = None
