"""Places the words of shapes so that none covers another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Extent = tuple[float, float, float, float]
"""``x_min, y_min, x_max, y_max``, in pixels of a picture."""

SIZE = 13
"""Height of the letters, in pixels on the screen."""

_LETTER = 8.2
"""Mean width of a letter in a bold font without serifs, in pixels on the screen."""


@dataclass(frozen=True)
class Place:
    """Where words begin or end, on their base line.

    :param is_end: whether they end there.
    :param is_folded: whether they would cover others at every place, so that they are shown only while
        somebody points at their shape.
    """

    x: float
    y: float
    is_end: bool = False
    is_folded: bool = False


@dataclass
class Words:
    """Finds places for the words of one picture, in the order in which they come.

    :param unit: pixels of the picture per pixel on the screen.
    :param size: width and height of the picture, in its pixels.
    :ivar folded: how many found no place.
    """

    unit: float
    size: tuple[float, float]
    folded: int = 0
    _taken: list[Extent] = field(default_factory=list)

    def place(self, words: str, around: Extent) -> Place:
        """Return the place of a shape's words: above, below or inside it, at its left or right edge.

        :param around: extent of the shape.
        """
        unit, (width, height) = self.unit, self.size
        left, right = max(around[0], 2 * unit), min(around[2], width - 2 * unit)
        sides = [(left, False), (right, True)]
        if around[0] >= 0.7 * width:
            sides.reverse()
        lines = (
            around[1] - 4 * unit,
            around[3] + (SIZE + 1) * unit,
            around[1] + (SIZE + 2) * unit,
            around[3] - 4 * unit,
        )
        free = [each for each in lines if SIZE * unit <= each <= height - 2 * unit]
        above = max(around[1] - 4 * unit, SIZE * unit)
        for y in free or [above]:
            for side in sides:
                place = self._within(words, Place(side[0], y, side[1]))
                covered = self._covered(words, place)
                if not any(_meet(covered, other) for other in self._taken):
                    self._taken.append(covered)
                    return place
        self.folded += 1
        return replace(self._within(words, Place(sides[0][0], above, sides[0][1])), is_folded=True)

    def _within(self, words: str, place: Place) -> Place:
        """Return a place where the words stay inside the picture, if it is wide enough."""
        start, _, end, _ = self._covered(words, place)
        beyond = min(0.0, self.size[0] - end) - min(0.0, start)
        return replace(place, x=place.x + beyond)

    def _covered(self, words: str, place: Place) -> Extent:
        across = _LETTER * self.unit * len(words)
        start = place.x - across if place.is_end else place.x
        return start, place.y - SIZE * self.unit, start + across, place.y + 3 * self.unit


def _meet(one: Extent, other: Extent) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
