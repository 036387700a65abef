"""Predictions drawn over their pictures, as a page of HTML that loads nothing else.

Instances go in, as models or as the fields of what should have been one, and pictures as bytes; SVG and HTML
come out. Everything that came with predictions is escaped, and addresses of media are left out.
"""

from .figures import Sample, colour, figure, instances_in
from .page import head
from .pictures import Picture, small
from .shapes import extent_of

__all__ = ["Picture", "Sample", "colour", "extent_of", "figure", "head", "instances_in", "small"]
