"""Datasets and label schemas, made on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.setup.datasets import ensure_dataset
from airflow_provider_diffgram.setup.description import DescribedSchema
from airflow_provider_diffgram.setup.schema import apply_schema, export_schema, plan_schema
from diffgram_emulator.process import EmulatorProcess

DESCRIBED = DescribedSchema.from_yaml("""
labels: [cat, {name: dog, colour: "#ff8800"}]
attributes:
  - {name: hidden, prompt: "How much is hidden?", kind: radio, options: ["no", partly]}
  - {name: kind, kind: tree, options: [a, {name: b, options: [c, d]}]}
  - {name: night, kind: text, about: file}
""")


@pytest.fixture
def client(diffgram_emulator: EmulatorProcess) -> Iterator[DiffgramClient]:
    settings = Settings(
        diffgram_emulator.url,
        diffgram_emulator.project,
        diffgram_emulator.client_id,
        diffgram_emulator.client_secret,
        retry_timeout=5,
    )
    with DiffgramClient(settings) as made:
        yield made


def test_a_dataset_is_made_once(client: DiffgramClient):
    made, is_new = ensure_dataset(client, "night")
    assert (made.nickname, is_new) == ("night", True)
    assert ensure_dataset(client, "night") == (made, False)


def test_many_callers_at_once_make_one_dataset(client: DiffgramClient):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: ensure_dataset(client, "night"), range(8)))
    assert len({dataset.id for dataset, _ in made}) == 1
    assert len(client.send(routes.list_datasets(client.project, "night"))) == 1


def test_a_lost_answer_makes_no_second_dataset(client: DiffgramClient, diffgram_emulator: EmulatorProcess):
    diffgram_emulator.fault("/directory/new", "reset_after", times=1)
    ensure_dataset(client, "night")
    assert len(client.send(routes.list_datasets(client.project, "night"))) == 1


@pytest.mark.parametrize("name", ["", " ", " night", "nig\x00ht"])
def test_no_name_is_refused(client: DiffgramClient, name: str):
    with pytest.raises(InvalidValueError, match="is not a name"):
        ensure_dataset(client, name)


def test_a_schema_is_planned_applied_and_exported(client: DiffgramClient):
    planned = plan_schema(client, DESCRIBED)
    assert len(planned.labels) == 2
    assert len(planned.attributes) == 3
    done = apply_schema(client, DESCRIBED)
    assert done.left == []
    assert plan_schema(client, DESCRIBED).nothing
    assert apply_schema(client, DESCRIBED).made == []
    exported = export_schema(client)
    assert [each.name for each in exported.labels] == ["cat", "dog"]
    assert exported.attributes == DESCRIBED.attributes


def test_a_new_option_is_added_to_an_attribute_that_is_there(client: DiffgramClient):
    apply_schema(client, DESCRIBED)
    more = DescribedSchema.from_yaml('attributes: [{name: hidden, kind: radio, options: ["no", all]}]')
    assert apply_schema(client, more).made == ["option all of hidden"]
    (hidden,) = [each for each in export_schema(client).attributes if each.name == "hidden"]
    assert [option.name for option in hidden.options] == ["no", "partly", "all"]


def test_what_an_interrupted_attempt_began_is_used(client: DiffgramClient):
    schema = client.send(routes.list_schemas(client.project))[0]
    begun = client.send(routes.create_attribute_group(client.project, schema.id))
    apply_schema(client, DESCRIBED)
    groups = client.send(routes.list_attributes(client.project, schema.id))
    assert len(groups) == 3
    assert begun.id in {group.id for group in groups}


def test_a_schema_of_its_own_is_made(client: DiffgramClient):
    described = DescribedSchema.from_yaml("{schema: Street, labels: [car]}")
    assert plan_schema(client, described).lines() == ["+ label car"]
    apply_schema(client, described)
    assert [each.name for each in export_schema(client, "Street").labels] == ["car"]
    assert export_schema(client).labels == []
