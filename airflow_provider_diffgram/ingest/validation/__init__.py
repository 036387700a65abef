"""Checks a whole prediction set: what Diffgram would refuse, and what a person should see first."""

from .limits import Limits
from .validate import Validation, validate_packets

__all__ = ["Limits", "Validation", "validate_packets"]
