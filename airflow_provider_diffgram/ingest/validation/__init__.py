"""A prediction set looked at as a whole: what Diffgram would refuse, and what a person should see before."""

from .limits import Limits
from .validate import Validation, validate_packets

__all__ = ["Limits", "Validation", "validate_packets"]
