"""Routes that a real server is spared: what it allows ten times a day, or nobody ever executed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.settings import Settings
from airflow_provider_diffgram.client.sync import DiffgramClient

from .world import World, until


@pytest.fixture
def client(world: World) -> Iterator[DiffgramClient]:
    """The package's client, with the admin's credential."""
    emulator = world.emulator
    settings = Settings(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
    with DiffgramClient(settings) as made:
        yield made


def test_an_attribute_group_and_its_options(client: DiffgramClient) -> None:
    group = client.send(routes.create_attribute_group(client.project)).id
    client.send(routes.update_attribute_group(client.project, group, name="n", prompt="Which?", kind="tree"))
    red = client.send(routes.create_attribute_option(client.project, group, "red"))
    dark = client.send(routes.create_attribute_option(client.project, group, "dark red", parent_id=red.id))
    (found,) = client.send(routes.list_attributes(client.project))
    assert (found.id, found.prompt, found.kind) == (group, "Which?", "tree")
    assert {one.name: (one.id, one.parent_id) for one in found.options} == {
        "red": (red.id, None),
        "dark red": (dark.id, red.id),
    }


def test_an_archived_export_is_not_listed(client: DiffgramClient, world: World) -> None:
    export = client.send(routes.start_export(client.project, "directory", world.dataset)).id
    until(lambda: client.send(routes.view_export(client.project, export)).complete, "the export")
    assert [one.id for one in client.send(routes.list_exports(client.project))] == [export]
    client.send(routes.archive_export(client.project, export))
    assert client.send(routes.list_exports(client.project)) == []
