"""Checks a whole prediction set: finds what Diffgram would refuse, and shows what people should see first."""

from .limits import Limits
from .validate import Validation, validate_packets

__all__ = ["Limits", "Validation", "validate_packets"]
