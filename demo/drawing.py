"""Pictures of stored predictions: drawn over their images, and a contact sheet of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

INK = "#1f2933"
MUTED = "#66727f"
PAPER = "#ffffff"
COLOURS = {"face": "#ff9f1c", "text": "#2ec4b6"}
OTHER_COLOUR = "#e71d36"
OUTCOME_COLOURS = {"kept": "#2f9e5b", "changed": "#d99a17", "deleted": "#d64545", "drawn": "#3b7ddd"}
"""As on the page of a comparison."""


@dataclass(frozen=True)
class Tile:
    """One picture of the contact sheet.

    :param image: the picture, predictions drawn in.
    :param title: what it is, one line.
    :param note: what is stored with it, one line.
    """

    image: Image.Image
    title: str
    note: str


def outline(instance: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return the corners of a box or polygon as annotation/list gives it, in pixels.

    :raises ValueError: for other types of instances.
    """
    match instance["type"]:
        case "box":
            x_min, y_min, x_max, y_max = (instance[k] for k in ("x_min", "y_min", "x_max", "y_max"))
            return [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max)]
        case "polygon":
            return [(point["x"], point["y"]) for point in instance["points"]]
        case other:
            raise ValueError(f"no drawing for instances of type {other}")


def draw_instances(
    image: Image.Image, instances: Iterable[Mapping[str, Any]], label_names: Mapping[int, str], scale: int = 1
) -> Image.Image:
    """Return a copy of ``image``, enlarged by ``scale``, with instances and their scores drawn in.

    :param instances: as annotation/list gives them.
    :param label_names: label_file_id -> name.
    """
    picture = image.convert("RGB").resize(
        (image.width * scale, image.height * scale), Image.Resampling.LANCZOS
    )
    canvas = ImageDraw.Draw(picture, "RGBA")
    line = max(2, min(picture.size) // 100)
    for instance in instances:
        corners = [(x * scale, y * scale) for x, y in outline(instance)]
        colour = COLOURS.get(label_names.get(instance["label_file_id"], ""), OTHER_COLOUR)
        canvas.polygon(corners, fill=(*ImageColor.getrgb(colour)[:3], 40))
        canvas.line([*corners, *corners[:2]], fill=colour, width=line, joint="curve")
        if instance.get("score") is not None:
            _tag(canvas, picture.size, corners, f"{instance['score']:.2f}", colour)
    return picture


def _tag(
    canvas: ImageDraw.ImageDraw,
    size: tuple[int, int],
    corners: Sequence[tuple[float, float]],
    text: str,
    colour: str,
) -> None:
    """Write ``text`` on a plate at the top left corner of the outline, inside the picture."""
    font = ImageFont.load_default(size=max(11, min(size) // 20))
    _, _, width, height = font.getbbox(text)
    x = min(max(min(x for x, _ in corners), 0), size[0] - width - 6)
    y = max(min(y for _, y in corners) - height - 4, 0)
    canvas.rectangle((x, y, x + width + 6, y + height + 4), fill=colour)
    canvas.text((x + 3, y + 1), text, fill=PAPER if colour == OTHER_COLOUR else INK, font=font)


def share_bar(parts: Sequence[tuple[str, int]], size: tuple[int, int] = (1160, 64)) -> Image.Image:
    """Return a bar of parts, each as wide as its number, with its name and number written in.

    :param parts: name of an outcome -> how many; those of nothing are left out.
    :raises ValueError: if there is nothing to show.
    """
    told = [(name, count) for name, count in parts if count]
    whole = sum(count for _, count in told)
    if not whole:
        raise ValueError("a bar of nothing")
    bar = Image.new("RGB", size, PAPER)
    canvas = ImageDraw.Draw(bar)
    at = 0.0
    for name, count in told:
        end = at + size[0] * count / whole
        canvas.rectangle((round(at), 0, round(end) - 3, size[1]), fill=OUTCOME_COLOURS.get(name, MUTED))
        canvas.text(
            (at + 16, size[1] / 2),
            f"{name} {count}",
            fill=PAPER,
            font=ImageFont.load_default(size=22),
            anchor="lm",
        )
        at = end
    return bar


def contact_sheet(
    rows: Sequence[Sequence[Tile]], *, heading: str, line: str, width: int = 1200, gap: int = 20
) -> Image.Image:
    """Return all tiles in rows; the tiles of a row share one height and fill the width.

    :param heading: first line above the tiles.
    :param line: second line above the tiles.
    :param width: of the sheet, in pixels.
    :param gap: between tiles and around them, in pixels.
    """
    caption, top = 46, 92
    heights = [_row_height(row, width - 2 * gap, gap) for row in rows]
    sheet = Image.new("RGB", (width, top + sum(height + caption + gap for height in heights)), PAPER)
    canvas = ImageDraw.Draw(sheet)
    canvas.text((gap, 20), heading, fill=INK, font=ImageFont.load_default(size=28))
    canvas.text((gap, 56), line, fill=MUTED, font=ImageFont.load_default(size=16))
    y = top
    for row, height in zip(rows, heights, strict=True):
        x = gap
        for tile in row:
            shown_width = round(tile.image.width * height / tile.image.height)
            sheet.paste(tile.image.resize((shown_width, height), Image.Resampling.LANCZOS), (x, y))
            canvas.text((x, y + height + 5), tile.title, fill=INK, font=ImageFont.load_default(size=15))
            canvas.text((x, y + height + 24), tile.note, fill=MUTED, font=ImageFont.load_default(size=13))
            x += shown_width + gap
        y += height + caption + gap
    return sheet


def _row_height(row: Sequence[Tile], width: int, gap: int) -> int:
    ratios = sum(tile.image.width / tile.image.height for tile in row)
    return int((width - gap * (len(row) - 1)) / ratios)
