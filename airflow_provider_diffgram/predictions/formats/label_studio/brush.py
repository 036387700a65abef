"""The run lengths in which Label Studio keeps brush strokes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.reading import shown

_CHANNELS = 4
_ALPHA = 3
_COUNT_BITS = 32
_WORD_BITS = 5
_SIZES = 4
_SIZE_BITS = 4
_MOST_VALUES = _CHANNELS * 2**27
"""Of an image that fits into memory."""


def mask_of_brush(rle: Sequence[int], width: int, height: int) -> Any:
    """Return the mask of a brush, as rows of true and false.

    The bytes are one stream of bits: the number of values, the bits of a value, four sizes of a length; then
    runs, each a bit that tells whether one value is repeated, two that choose the size of the length, the
    length less one, and the value or the values. Values are red, green, blue, alpha of each pixel in turn.

    :param rle: the bytes.
    :param width: of the image, in pixels.
    :param height: of the image, in pixels.
    :raises ValueError: if they are not the run lengths of an image of this size.
    """
    import numpy as np

    if not isinstance(rle, Sequence) or isinstance(rle, str):
        raise ValueError(f"rle is {shown(rle)}, not a list of bytes")
    bits = _Bits(bytes(rle))
    count = bits.read(_COUNT_BITS)
    if count != width * height * _CHANNELS:
        raise ValueError(
            f"rle has {count} values; an image of {width} x {height} has {width * height * _CHANNELS}"
        )
    if count > _MOST_VALUES:
        raise ValueError(f"an image of {width} x {height} is too large")
    word = bits.read(_WORD_BITS) + 1
    sizes = [bits.read(_SIZE_BITS) + 1 for _ in range(_SIZES)]
    values = np.zeros(count, dtype=np.uint32)
    at = 0
    while at < count:
        repeated = bits.read(1)
        end = at + 1 + bits.read(sizes[bits.read(2)])
        if end > count:
            raise ValueError(f"rle has more than the {count} values that it names")
        values[at:end] = bits.read(word) if repeated else [bits.read(word) for _ in range(at, end)]
        at = end
    return values.reshape(height, width, _CHANNELS)[:, :, _ALPHA] != 0


class _Bits:
    """Numbers of some bits, one after the other, the highest bit first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, size: int) -> int:
        end = self._at + size
        if end > 8 * len(self._data):
            raise ValueError(f"rle ends after {len(self._data)} bytes, in the middle of its values")
        window = int.from_bytes(self._data[self._at // 8 : -(-end // 8)], "big")
        self._at = end
        return window >> (-end % 8) & ((1 << size) - 1)
