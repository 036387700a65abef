"""Labels, schemas and attributes (server.md 2.1, 2.2)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasPath, BeforeValidator, Field, field_validator

from ..base import Received


def _hex_of(colour: Any) -> str | None:
    """Return a colour such as ``#00FF80`` from the object that holds it."""
    told = colour.get("hex") if isinstance(colour, dict) else None
    return told if isinstance(told, str) else None


def _ids_of(labels: Any) -> list[int] | None:
    """Return the ids of listed labels; None if there is no list, or one in an unknown form."""
    if not isinstance(labels, list):
        return None
    told = [each.get("id") if isinstance(each, dict) else each for each in labels]
    ids = [each for each in told if isinstance(each, int)]
    return ids if len(ids) == len(told) else None


class Label(Received):
    """A label; ``id`` is the ``label_file_id`` that instances need (server.md 2.1)."""

    id: int
    name: str = Field(validation_alias=AliasPath("label", "name"))
    state: str | None = None
    colour: Annotated[str | None, BeforeValidator(_hex_of)] = None


class LabelList(Received):
    """Labels of one schema; the colour map has every label of the project by id."""

    labels_out: list[Label]
    label_file_colour_map: dict[int, Any] = {}

    @property
    def labels(self) -> list[Label]:
        """Labels of the schema that are not removed."""
        return [label for label in self.labels_out if label.state != "removed"]

    @property
    def project_ids(self) -> set[int]:
        """``label_file_id`` of every label of the project."""
        return set(self.label_file_colour_map)


class LabelSchema(Received):
    """A set of labels and attributes."""

    id: int
    name: str
    is_default: bool | None = None
    archived: bool | None = None


class AttributeOption(Received):
    """One option of an attribute; an option of a tree may have a parent."""

    id: int
    name: str | None = None
    parent_id: int | None = None
    archived: bool | None = None


class AttributeGroup(Received):
    """An attribute and its options (server.md 2.2)."""

    id: int
    name: str | None = None
    prompt: str | None = None
    kind: str | None = None
    is_global: bool | None = None
    global_type: str | None = None
    min_value: float | None = None
    max_value: float | None = None
    label_file_ids: Annotated[list[int] | None, BeforeValidator(_ids_of)] = Field(
        default=None, validation_alias="label_file_list"
    )
    """Labels to which it applies; None unless requested."""
    options: list[AttributeOption] = Field(default=[], validation_alias="attribute_template_list")

    @field_validator("options", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return value or []
