"""Values of attributes in instances (server.md 5.4).

An option that does not exist harms a server (quirk 49), so that only the emulator is asked for one.
"""

from __future__ import annotations

from typing import Any

import pytest

from .attributes import Attribute, needed
from .deployment import UNKNOWN_ID, body_of, until
from .media_server import picture
from .world import World

RED, DARK = "{red}", "{dark red}"
"""Stand for the ids of these options."""


def filled(value: Any, attribute: Attribute) -> Any:
    """Return a value with the ids of options in it."""
    if isinstance(value, dict):
        return {str(filled(key, attribute)): filled(one, attribute) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, attribute) for one in value]
    if isinstance(value, str) and value in (RED, DARK):
        return attribute.options[value[1:-1]]
    return value


def uploaded(world: World, values: dict[str, Any]) -> int:
    box = world.box(attribute_groups=values)
    return int(world.uploaded("attributed.png", picture(), instance_list=[box])["file"]["id"])


OPTION = {"id": RED, "name": RED, "display_name": "red"}
VALUES: list[tuple[str, Any]] = [
    ("select", OPTION),
    ("select", {"id": RED}),
    ("select", {"id": RED, "name": "red"}),
    ("select", "red"),
    ("select", 5),
    ("select", None),
    ("radio", OPTION),
    ("radio", ["red"]),
    ("multiple_select", [OPTION]),
    ("multiple_select", {"id": RED}),
    ("multiple_select", []),
    ("tree", {RED: {"name": "red", "selected": True}, DARK: {"name": "dark red", "selected": True}}),
    ("tree", {RED: {"selected": True}}),
    ("tree", [1]),
    ("text", "hello"),
    ("text", 5),
    ("text", {"any": "thing"}),
    ("slider", 7),
    ("slider", "4"),
    ("slider", 3.7),
    ("slider", 100000),
    ("date", "2024-05-06"),
    ("date", 5),
    ("date", None),
    ("time", "13:45"),
]


@pytest.mark.parametrize("kind, value", VALUES)
def test_values_are_stored_as_sent(
    world: World, attributes: dict[str, Attribute], kind: str, value: Any
) -> None:
    attribute = needed(attributes, kind)
    values = {str(attribute.id): filled(value, attribute)}
    (one,) = world.instances(uploaded(world, values))
    assert one["attribute_groups"] == values


@pytest.mark.parametrize("key", [str(UNKNOWN_ID), "colour"])
def test_unknown_groups_are_stored(world: World, key: str) -> None:
    """The value is a text, lest it be taken for an option."""
    (one,) = world.instances(uploaded(world, {key: "red"}))
    assert one["attribute_groups"] == {key: "red"}


BAD_FORMS: dict[str, tuple[str, Any]] = {
    "slider of text": ("slider", "high"),
    "slider of null": ("slider", None),
    "date of another form": ("date", "06/05/2024"),
    "date with a time": ("date", "2024-05-06T13:45:10"),
    "time with seconds": ("time", "13:45:10"),
    "time as a number": ("time", 5),
    "words": ("multiple_select", ["red"]),
    "tree of true": ("tree", {DARK: True}),
    "option as a word": ("select", {"id": "red"}),
}


@pytest.fixture(scope="module")
def sent(module_world: World, attributes: dict[str, Attribute]) -> dict[str, int]:
    """Packets with values of a wrong form, sent together, by name: those whose group there is."""
    world = module_world
    lists = {}
    for case, (kind, value) in BAD_FORMS.items():
        if kind in attributes:
            values = {str(attributes[kind].id): filled(value, attributes[kind])}
            lists[case] = [world.box(attribute_groups=values), world.box(x_max=130)]
    ids = world.all_accepted(*[{"instance_list": instances} for instances in lists.values()])
    return dict(zip(lists, ids, strict=True))


@pytest.mark.parametrize("case", BAD_FORMS)
def test_q51_a_wrong_form_fails_the_row_after_everything_is_stored(
    module_world: World, attributes: dict[str, Attribute], sent: dict[str, int], case: str
) -> None:
    needed(attributes, BAD_FORMS[case][0])
    row = module_world.failed(sent[case])
    assert row["status_text"].startswith("Instance List Creation error: Traceback")
    assert (row["percent_complete"], row["update_log"]["error"]) == (100, {})

    def stored() -> list[int]:
        return sorted(one["x_max"] for one in module_world.instances(row["file_id"]))

    until(lambda: stored() == [110, 130], "both instances of the failed row to be there", seen=stored)


def stats(world: World, file_id: int) -> Any:
    return world.get(f"/api/v1/project/{{p}}/file/{file_id}/file-stats")


def test_file_stats_tell_an_option(world: World, attributes: dict[str, Attribute]) -> None:
    attribute = needed(attributes, "select")
    file_id = uploaded(world, {str(attribute.id): filled(OPTION, attribute)})
    group, option = "attribute_template_group_id", "attribute_template_id"

    def told() -> list[tuple[int, int]]:
        rows = body_of(stats(world, file_id))["file_stats"]
        return [(one[group], one[option]) for one in rows if one[group]]

    assert until(told, "a row of the attribute") == [(attribute.id, attribute.options["red"])]


def test_file_stats_fail_on_a_time(world: World, attributes: dict[str, Attribute]) -> None:
    attribute = needed(attributes, "time")
    assert stats(world, uploaded(world, {str(attribute.id): "13:45"})).status_code == 500
