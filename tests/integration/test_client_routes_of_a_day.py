"""Routes that a real server is spared: what it allows ten times a day."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.settings import Settings
from airflow_provider_diffgram.client.sync import DiffgramClient
from diffgram_emulator.process import EmulatorProcess


@pytest.fixture
def client(diffgram_emulator: EmulatorProcess) -> Iterator[DiffgramClient]:
    """The package's client, with the admin's credential."""
    one = diffgram_emulator
    settings = Settings(one.url, one.project, one.client_id, one.client_secret)
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
