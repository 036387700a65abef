"""What all instance types share (server.md 5.1)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from .base import INT32_MAX, Coordinate, Id, Int32, Score, Sent, Text
from .problems import named
from .repeats import twice


class Point2D(Sent):
    """A point in an image.

    :param x: pixels from the left edge.
    :param y: pixels from the top edge.
    """

    x: Coordinate
    y: Coordinate


class InstanceBase(Sent):
    """Fields common to all instance types (server.md 5.1).

    :param type: which kind of instance this is. A class sets it; a mapping must have it.
    :param label: name of the label, resolved to ``label_file_id`` before sending.
    :param label_file_id: id of the label's file; give this or ``label``.
    :param machine_made: true for a prediction; the server's default is false.
    :param score: confidence, 0 to 1.
    :param model_ref: your name for the model; the server creates it on first use.
    :param model_run_ref: your name for the run; needs ``model_ref``.
    :param number: track number in a video.
    :param creation_ref_id: your own key; annotation/list returns it.
    :param attributes: name of an attribute of the label schema -> value: the name of an option, a list of
        names, a text, a number or a date; null for none.
    :param attribute_groups: the same by attribute group id, also for attributes of another schema.
    """

    label_needed: ClassVar[bool] = True

    label: Text | None = None
    label_file_id: Id | None = Field(default=None, validate_default=True)
    machine_made: bool | None = None
    score: Score | None = None
    model_ref: Text | None = None
    model_run_ref: Text | None = None
    number: Int32 | None = None
    creation_ref_id: Text | None = None
    attributes: dict[Text, JsonValue] | None = None
    attribute_groups: dict[str, JsonValue] | None = None

    @field_validator("attribute_groups", mode="before")
    @classmethod
    def _keys_are_group_ids(cls, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ValueError("must map attribute group ids to values; the server refuses a list")
        groups = {str(key): item for key, item in value.items()}
        wrong = sorted(key for key in groups if not (key.isascii() and key.isdecimal()))
        if wrong:
            raise ValueError(f"keys must be attribute group ids, not {', '.join(map(repr, wrong))}")
        repeated = twice(map(int, value))
        if repeated:
            raise ValueError(f"{named('group', list(map(str, repeated)))} given twice: give each group once")
        return groups

    @field_validator("attributes", "attribute_groups")
    @classmethod
    def _values_are_storable(
        cls, value: dict[str, JsonValue] | None, info: ValidationInfo
    ) -> dict[str, JsonValue] | None:
        what = "attribute" if info.field_name == "attributes" else "attribute group"
        for key, item in (value or {}).items():
            refuse_unstorable(item, f"{what} {key}")
        return value

    @field_validator("label_file_id")
    @classmethod
    def _one_label(cls, label_file_id: int | None, info: ValidationInfo) -> int | None:
        label = info.data.get("label")
        if label is not None and label_file_id is not None:
            raise ValueError(f"give label ({label!r}) or label_file_id ({label_file_id}), not both")
        if cls.label_needed and label_file_id is None and "label" in info.data and label is None:
            raise ValueError("needs a label: give label (a name) or label_file_id")
        return label_file_id

    @field_validator("model_run_ref")
    @classmethod
    def _has_a_model(cls, run: str | None, info: ValidationInfo) -> str | None:
        if run is not None and info.data.get("model_ref", run) is None:
            raise ValueError("needs model_ref: the server ignores a run without its model")
        return run


def refuse_unstorable(value: JsonValue, where: str) -> None:
    """Refuse values that only the server's database would refuse, which costs an ingest thread (quirk 49)."""
    if isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key, where)
            refuse_unstorable(item, where)
    elif isinstance(value, list):
        for item in value:
            refuse_unstorable(item, where)
    elif isinstance(value, str):
        if "\x00" in value:
            raise ValueError(f"{where}: contains a NUL character")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{where}: contains a lone surrogate, which cannot be encoded")
    elif isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) <= INT32_MAX:
        raise ValueError(f"{where}: {value} is not a finite number within 32 bit")
