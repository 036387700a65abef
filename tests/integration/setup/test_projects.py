"""Datasets and label schemas, made on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_diffgram.client import CredentialError, DiffgramClient, Settings, routes
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.setup.datasets import ensure_dataset
from airflow_provider_diffgram.setup.description import DescribedAttribute, DescribedLabel, DescribedSchema
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
    assert exported.labels[1].colour == "#ff8800"
    assert exported.attributes == DESCRIBED.attributes


def test_a_new_option_is_added_to_an_attribute_that_is_there(client: DiffgramClient):
    apply_schema(client, DESCRIBED)
    more = DescribedSchema.from_yaml('attributes: [{name: hidden, kind: radio, options: ["no", all]}]')
    assert apply_schema(client, more).made == ["option all of attribute hidden"]
    (hidden,) = [each for each in export_schema(client).attributes if each.name == "hidden"]
    assert [option.name for option in hidden.options] == ["no", "partly", "all"]


def test_a_second_day_makes_what_the_first_one_left(
    client: DiffgramClient, diffgram_emulator: EmulatorProcess
):
    names = [f"a{number}" for number in range(13)]
    described = DescribedSchema(
        labels=[DescribedLabel(name="cat")],
        attributes=[DescribedAttribute(name=each, kind="radio", options=["no", "yes"]) for each in names],
    )
    diffgram_emulator.reset()
    first = apply_schema(client, described)
    assert len(first.made) == 1 + 10
    assert first.made[1] == "attribute a0 (radio: no, yes)"
    assert first.left == names[10:]
    assert first.left_in_words() == (
        "Diffgram takes 10 new attributes a day, and left 3 attributes: a10, a11, a12"
    )
    same_day = apply_schema(client, described)
    assert (same_day.made, same_day.left) == ([], names[10:])
    diffgram_emulator.reset()  # the windows of its limits end
    second = apply_schema(client, described)
    assert second.made == [f"attribute {each} (radio: no, yes)" for each in names[10:]]
    assert (second.left, second.left_in_words()) == ([], "")
    assert plan_schema(client, described).lines() == []


def test_an_attribute_of_an_unknown_label_is_refused_before_anything_is_made(client: DiffgramClient):
    described = DescribedSchema.from_yaml(
        "{labels: [cat], attributes: [{name: far, kind: slider, labels: [catt]}]}"
    )
    with pytest.raises(InvalidValueError, match="did you mean 'cat'"):
        apply_schema(client, described)
    assert export_schema(client).labels == []


def test_a_schema_that_is_described_wrongly_is_not_made(client: DiffgramClient):
    described = DescribedSchema.from_yaml(
        "{schema: Street, labels: [cat], attributes: [{name: far, kind: slider, labels: [catt]}]}"
    )
    with pytest.raises(InvalidValueError, match="did you mean 'cat'"):
        apply_schema(client, described)
    assert "Street" not in [each.name for each in client.send(routes.list_schemas(client.project))]


def test_what_was_made_before_a_fault_is_told_and_the_rest_is_made_next_time(
    client: DiffgramClient, diffgram_emulator: EmulatorProcess
):
    diffgram_emulator.fault("label/new", "status", status=401, body={}, skip=1)
    with pytest.raises(CredentialError, match=r"(?s)made until then: label cat\. Apply again"):
        apply_schema(client, DESCRIBED)
    apply_schema(client, DESCRIBED)
    assert plan_schema(client, DESCRIBED).nothing


def test_a_label_that_came_later_is_told_as_not_asked(client: DiffgramClient):
    apply_schema(client, DESCRIBED)
    more = DescribedSchema.from_yaml(
        '{labels: [car], attributes: [{name: hidden, kind: radio, options: ["no"]}]}'
    )
    assert (
        "~ attribute hidden is not asked of 1 label: car: stays as it is" in plan_schema(client, more).lines()
    )


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
