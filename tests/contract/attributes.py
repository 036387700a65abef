"""Attribute groups in the project under test: found again by name, since only 10 a day can be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from .deployment import Deployment, body_of

KINDS = ("select", "multiple_select", "tree", "slider", "text", "date", "time", "radio")
"""In the order in which runs make them."""

_OPTIONS: dict[str, dict[str, str | None]] = {
    "select": {"red": None, "blue": None},
    "multiple_select": {"red": None, "blue": None},
    "radio": {"red": None, "blue": None},
    "tree": {"red": None, "dark red": "red"},
}
"""Names of a group's options, and of the option each is below."""
_NAME = "contract suite"


@dataclass(frozen=True)
class Attribute:
    """An attribute group and the ids of its options, by name."""

    id: int
    kind: str
    prompt: str
    options: dict[str, int] = field(default_factory=dict)


def prompt_of(kind: str) -> str:
    """Return the prompt, and name, of the suite's group of a kind."""
    return f"{_NAME} {kind}"


def attributes_of(deployment: Deployment) -> dict[str, Attribute]:
    """Return the suite's groups by kind, after making as many missing ones as this run may."""
    found = _listed(deployment)
    missing = [kind for kind in KINDS if kind not in found]
    for kind in missing[: deployment.place.groups]:
        _create(deployment, kind)
    found = _listed(deployment) if missing else found
    for attribute in found.values():
        _complete(deployment, attribute)
    return found


def needed(attributes: dict[str, Attribute], kind: str) -> Attribute:
    """Return the group of a kind, or skip the test."""
    if kind not in attributes:
        pytest.skip(
            f"no attribute group {prompt_of(kind)!r} yet: a run makes at most DIFFGRAM_ATTRIBUTE_GROUPS "
            "of them, since the server allows 10 a day"
        )
    return attributes[kind]


def _listed(deployment: Deployment) -> dict[str, Attribute]:
    path = "/api/v1/project/{p}/attribute/template/list"
    groups = body_of(deployment.post(path, {"mode": "from_project"}))["attribute_group_list"]
    found = {}
    for kind in KINDS:
        for group in groups:
            if group["prompt"] == prompt_of(kind) and group["kind"] == kind:
                options = {one["name"]: one["id"] for one in group["attribute_template_list"] or []}
                found[kind] = Attribute(group["id"], kind, group["prompt"], options)
    return found


def _create(deployment: Deployment, kind: str) -> None:
    base = "/api/v1/project/{p}/attribute"
    answer = deployment.post(f"{base}/group/new", {})
    if answer.status_code == 429:
        return  # the day's ten are used up; the tests that need this group say so
    made = [value for value in body_of(answer).values() if isinstance(value, dict) and "id" in value]
    assert len(made) == 1, f"no group is told by {answer.text[:300]}"
    group_id = made[0]["id"]
    body: dict[str, Any] = {
        "group_id": group_id,
        "mode": "UPDATE",
        "global_type": "file",
        "is_global": False,
        "name": prompt_of(kind),
        "prompt": prompt_of(kind),
        "kind": kind,
        "label_file_list": [],
    }
    body_of(deployment.post(f"{base}/group/update", body))


def _complete(deployment: Deployment, attribute: Attribute) -> None:
    """Create the options that a group lacks: all of a new one, some of one whose run was broken off."""
    for name, parent in _OPTIONS.get(attribute.kind, {}).items():
        if name not in attribute.options:
            option: dict[str, Any] = {"name": name, "group_id": attribute.id}
            if parent is not None:
                option["parent_id"] = attribute.options[parent]
            body = {"mode": "NEW", "attribute": option}
            made = body_of(deployment.post("/api/v1/project/{p}/attribute", body))
            attribute.options[name] = int(made["attribute_template"]["id"])
