"""Labels, schemas and attributes (server.md 2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...models.received import AttributeGroup, AttributeOption, Label, LabelList, LabelSchema
from ..request import Request
from .common import given, item, items, path_of, whatever

AttributeKind = Literal["select", "multiple_select", "radio", "slider", "tree", "text", "time", "date"]
"""Kinds of attributes (server.md 2.2)."""


def list_schemas(project: str) -> Request[list[LabelSchema]]:
    """List label schemas. The cheapest proof of address, project and credential (server.md 1.2)."""
    path = path_of("/api/v1/project/{p}/labels-schema", project)
    return Request("list label schemas", "GET", path, items(LabelSchema, None))


def create_schema(project: str, name: str) -> Request[LabelSchema]:
    """Create a label schema (server.md 2.1). No endpoint removes one."""
    path = path_of("/api/v1/project/{p}/labels-schema/new", project)
    return Request(
        f"create label schema {name!r}",
        "POST",
        path,
        LabelSchema.model_validate,
        json={"name": name},
        write=True,
    )


def list_labels(project: str, schema_id: int) -> Request[LabelList]:
    """List the labels of a schema, and the ids of all labels of the project (server.md 2.1)."""
    path = path_of("/api/project/{p}/labels", project)
    return Request(
        f"list labels of schema {schema_id}",
        "GET",
        path,
        LabelList.model_validate,
        params={"schema_id": schema_id},
    )


def create_label(project: str, name: str, schema_id: int, colour: str | None = None) -> Request[Label]:
    """Create a label (server.md 2.1). Names are not unique, so look for it first.

    :param colour: colour such as ``#ff8800``; None means green.
    """
    path = path_of("/api/v1/project/{p}/label/new", project)
    body = {"name": name, "schema_id": schema_id, **given(colour=colour and {"hex": colour})}
    return Request(f"create label {name!r}", "POST", path, item(Label, "label"), json=body, write=True)


def list_attributes(
    project: str, schema_id: int | None = None, *, with_labels: bool = False
) -> Request[list[AttributeGroup]]:
    """List the attribute groups of a schema, or of all schemas, with their options (server.md 2.2).

    :param with_labels: whether to include the labels to which each group applies.
    """
    path = path_of("/api/v1/project/{p}/attribute/template/list", project)
    body = {"mode": "from_project", **given(schema_id=schema_id, with_labels=with_labels or None)}
    return Request("list attributes", "POST", path, items(AttributeGroup, "attribute_group_list"), json=body)


def create_attribute_group(project: str, schema_id: int | None = None) -> Request[AttributeGroup]:
    """Create an attribute group without name or kind: ten a day at most (server.md 2.2, 1.5)."""
    path = path_of("/api/v1/project/{p}/attribute/group/new", project)
    return Request(
        "create an attribute group",
        "POST",
        path,
        item(AttributeGroup, "attribute_template_group", "attribute_group"),
        json=given(schema_id=schema_id),
        write=True,
    )


def update_attribute_group(
    project: str,
    group_id: int,
    *,
    name: str,
    prompt: str,
    kind: AttributeKind,
    label_file_ids: Sequence[int] = (),
    is_global: bool = False,
    global_type: Literal["file", "compound_file"] = "file",
    min_value: float | None = None,
    max_value: float | None = None,
) -> Request[Any]:
    """Set what an attribute group asks, and to which labels it applies (server.md 2.2).

    :param is_global: whether it applies to the whole file instead.
    :param min_value: minimum of a slider; not enforced on instances.
    """
    path = path_of("/api/v1/project/{p}/attribute/group/update", project)
    body = {
        "group_id": group_id,
        "mode": "UPDATE",
        "name": name,
        "prompt": prompt,
        "kind": kind,
        "is_global": is_global,
        "global_type": global_type,
        "label_file_list": [{"id": label_file_id} for label_file_id in label_file_ids],
        **given(min_value=min_value, max_value=max_value),
    }
    return Request(f"update attribute group {group_id}", "POST", path, whatever, json=body, write=True)


def create_attribute_option(
    project: str, group_id: int, name: str, parent_id: int | None = None
) -> Request[AttributeOption]:
    """Add an option to an attribute group; in a tree, below another option (server.md 2.2)."""
    path = path_of("/api/v1/project/{p}/attribute", project)
    attribute = {"name": name, "group_id": group_id, **given(parent_id=parent_id)}
    return Request(
        f"create option {name!r} of attribute group {group_id}",
        "POST",
        path,
        item(AttributeOption, "attribute_template"),
        json={"mode": "NEW", "attribute": attribute},
        write=True,
    )
