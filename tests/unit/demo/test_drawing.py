"""Pictures show the stored instances where they are."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageColor

from demo.drawing import COLOURS, OTHER_COLOUR, Tile, contact_sheet, draw_instances, outline

BOX = {"type": "box", "label_file_id": 1, "x_min": 20, "y_min": 40, "x_max": 60, "y_max": 80, "score": None}
POLYGON = {
    "type": "polygon",
    "label_file_id": 2,
    "points": [{"x": 20, "y": 40}, {"x": 60, "y": 40}, {"x": 60, "y": 80}, {"x": 20, "y": 80}],
    "score": None,
}
NAMES = {1: "face", 2: "text"}


def changed(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int] | None:
    """The bounds of the pixels that differ."""
    return ImageChops.difference(before, after).getbbox()


@pytest.mark.parametrize("instance, colour", [(BOX, "face"), (POLYGON, "text")])
@pytest.mark.parametrize("scale", [1, 2])
def test_the_outline_is_drawn_in_the_colour_of_its_label(instance, colour, scale):
    image = Image.new("RGB", (100, 100), "white")
    picture = draw_instances(image, [instance], NAMES, scale)
    assert picture.size == (100 * scale, 100 * scale)
    for corner in ((20, 60), (60, 60), (40, 40), (40, 80)):
        at = (corner[0] * scale, corner[1] * scale)
        assert picture.getpixel(at) == ImageColor.getrgb(COLOURS[colour])
    left, top, right, bottom = changed(Image.new("RGB", picture.size, "white"), picture)
    assert abs(left - 20 * scale) <= 2
    assert abs(top - 40 * scale) <= 2
    assert abs(right - 60 * scale) <= 3
    assert abs(bottom - 80 * scale) <= 3


def test_the_image_itself_is_left_alone():
    image = Image.new("L", (100, 100), 255)
    draw_instances(image, [BOX], NAMES)
    assert changed(image, Image.new("L", (100, 100), 255)) is None


def test_a_label_without_a_colour_of_its_own_shows_too():
    picture = draw_instances(Image.new("RGB", (100, 100), "white"), [BOX], {})
    assert picture.getpixel((20, 60)) == ImageColor.getrgb(OTHER_COLOUR)


def test_the_score_is_written_inside_the_picture():
    corner = BOX | {"x_min": 0, "y_min": 0, "x_max": 100, "y_max": 100}
    image = Image.new("RGB", (100, 100), "white")
    without = draw_instances(image, [corner], NAMES)
    with_score = draw_instances(image, [corner | {"score": 0.5}], NAMES)
    left, top, right, bottom = changed(without, with_score)
    assert right - left > 15
    assert bottom - top > 8
    assert changed(with_score, draw_instances(image, [corner | {"score": 0.9}], NAMES)) is not None


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="cuboid"):
        outline({"type": "cuboid"})


def test_the_contact_sheet_fills_its_width_and_holds_every_tile():
    colours = ["red", "green", "blue"]
    tiles = [
        Tile(Image.new("RGB", size, colour), colour, "nothing found")
        for size, colour in zip([(100, 50), (50, 100), (200, 80)], colours, strict=True)
    ]
    sheet = contact_sheet([tiles[:2], tiles[2:]], heading="Heading", line="line", width=600)
    assert sheet.width == 600
    for colour in colours:
        red, green, blue = ImageColor.getrgb(colour)
        mask = Image.new("RGB", sheet.size, (red, green, blue))
        same = ImageChops.difference(sheet, mask).convert("L").point(lambda value: 255 if value == 0 else 0)
        assert same.getbbox() is not None, colour
        left, _, right, _ = same.getbbox()
        assert 20 <= left < right <= 582
