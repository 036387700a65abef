"""Draws predictions over their pictures, on a self-contained HTML page.

In: instances, as models or as the fields of invalid ones, and pictures as bytes. Out: SVG and HTML.
Everything that came with predictions is escaped, and addresses of media are left out.
"""

from .figures import Sample, canvas, colour, figure, folded_note, instances_in, size_of, unit_of
from .page import head, listed, script_of
from .pictures import Picture, small
from .shapes import drawn, extent_of
from .words import Words

__all__ = [
    "Picture",
    "Sample",
    "Words",
    "canvas",
    "colour",
    "drawn",
    "extent_of",
    "figure",
    "folded_note",
    "head",
    "instances_in",
    "listed",
    "script_of",
    "size_of",
    "small",
    "unit_of",
]
