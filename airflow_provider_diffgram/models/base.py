"""Base classes and common types of all values that are sent or received."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

INT32_MAX = 2**31 - 1
_COORDINATE_MAX = 2**30 - 1

ROUNDING = 1e-6
"""By how much a mean of 32-bit numbers may exceed 1 or fall below 0 through rounding alone."""

_PRINTED_PYTHON = {"None": None, "True": True, "False": False}


class Sent(BaseModel):
    """A value that is sent. It is always valid; unknown keys are refused, too.

    The server ignores unknown keys (server.md 1.3), so it would silently drop a misspelt one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class Received(BaseModel):
    """A value that the server sent. Lenient: keys may be missing or new.

    Some installations print Python into JSON and write ``"None"``, ``"True"`` and ``"False"`` (server.md
    1.6 and 6); such texts are read as null, true and false.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read_printed_python(cls, data: Any) -> Any:
        return shallowly_printed(data) if isinstance(data, dict) else data


_FREE_TEXT = frozenset(
    {
        "attribute_value_text",
        "creation_ref_id",
        "display_name",
        "name",
        "nickname",
        "original_filename",
        "prompt",
        "readme",
        "reference_id",
    }
)
"""Keys whose text people choose: a label may be named ``None``."""


def shallowly_printed(data: dict[Any, Any]) -> dict[Any, Any]:
    """Return ``data`` with constants that an installation printed as Python replaced at its top level."""
    return {
        key: _PRINTED_PYTHON.get(value, value) if isinstance(value, str) and key not in _FREE_TEXT else value
        for key, value in data.items()
    }


def read_printed(value: Any) -> Any:
    """Return ``value`` with constants that an installation printed as Python replaced at all levels."""
    if isinstance(value, dict):
        return {key: read_printed(item) for key, item in shallowly_printed(value).items()}
    if isinstance(value, list):
        return [read_printed(item) for item in value]
    return _PRINTED_PYTHON.get(value, value) if isinstance(value, str) else value


def _whole_number(value: Any) -> int:
    if isinstance(value, bool | str | bytes):
        raise ValueError(f"must be a whole number, not {type(value).__name__}")
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(
            f"must be a whole number, not {value!r}; the server refuses fractions: round it"
        ) from None


def _finite_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"must be a number, not {type(value).__name__}")
    number = operator.index(value) if isinstance(value, numbers.Integral) else float(value)
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(
            "must be finite: the server would store NaN or Infinity and then answer with invalid JSON"
        )
    if abs(number) > INT32_MAX:
        raise ValueError("does not fit into 32 bit: the server would lose the instances and an ingest thread")
    return number


def _between_0_and_1(value: int | float) -> int | float:
    if not -ROUNDING <= value <= 1 + ROUNDING:
        raise ValueError("must be between 0 and 1: divide a percentage by 100, put a logit through a sigmoid")
    return min(max(value, 0), 1)


def is_score(value: Any) -> bool:
    """Whether a received value is a :data:`Score`: other clients store NaN, percentages, text (quirk 59)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("contains a NUL character: the server would lose the instances and an ingest thread")
    return value


Int32 = Annotated[int, Field(ge=-INT32_MAX - 1, le=INT32_MAX), BeforeValidator(_whole_number)]
"""A whole number within 32 bit, also numpy's; no bool, text or float (server.md 5.3)."""

Pixel = Annotated[int, Field(ge=0, le=INT32_MAX), BeforeValidator(_whole_number)]
"""A coordinate in pixels. The server sets a negative minimum to 0, so it would not be stored as sent."""

PositiveInt = Annotated[int, Field(ge=1, le=INT32_MAX), BeforeValidator(_whole_number)]
"""An id or a length of at least one."""

Id = PositiveInt

Number = Annotated[int | float, BeforeValidator(_finite_number)]
"""A finite number within 32 bit (quirks 49 and 59)."""

Score = Annotated[Number, AfterValidator(_between_0_and_1)]
"""A confidence, 0 to 1; a value outside only because of 32-bit rounding becomes 0 or 1.

The server would store any number, and readers would take 87 for a confidence.
"""

Coordinate = Annotated[Number, Field(ge=-_COORDINATE_MAX, le=_COORDINATE_MAX)]
"""A coordinate of a point, in pixels. Within 30 bit, so that bounds and sizes fit into 32."""

WholeCoordinate = Annotated[Int32, Field(ge=-_COORDINATE_MAX, le=_COORDINATE_MAX)]
"""A whole :data:`Coordinate`."""

Text = Annotated[str, Field(min_length=1), AfterValidator(_without_nul)]
"""A text that is not empty (server.md 1.3) and has no NUL character (quirk 49)."""
