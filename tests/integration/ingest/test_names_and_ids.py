"""What takes a name or an id: a text is a name first; a number that could mean both is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest import (
    create_compound_file,
    push,
    upload_children,
    validate_packets,
)
from airflow_provider_diffgram.ingest.check.lookup import find_dataset, find_schema
from airflow_provider_diffgram.models import CompoundFile, InvalidValueError
from tests.integration.ingest.live_diffgram import LiveDiffgram

TEXT = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}
COMPOUND = CompoundFile(name="pages", type="compound", instance_list=[{"type": "tag", "label": "cat"}])


def children(diffgram: LiveDiffgram, **target: Any) -> object:
    parent = diffgram.compound()
    return upload_children(diffgram.client, parent_file_id=parent, children=[TEXT], **target)


def gate(diffgram: LiveDiffgram, **target: Any) -> None:
    """Validate; raise what it tells instead of returning it."""
    validation = validate_packets(diffgram.client, [TEXT], **target)
    if validation.failures:
        raise InvalidValueError("packets", validation.failures)


WAYS: dict[str, Callable[..., object]] = {
    "list": lambda diffgram, **target: push(diffgram.client, [TEXT], **target),
    "generator": lambda diffgram, **target: push(diffgram.client, iter([TEXT]), **target),
    "children": children,
    "compound file": lambda diffgram, **target: create_compound_file(diffgram.client, COMPOUND, **target),
    "gate": gate,
}


def dataset(diffgram: LiveDiffgram, name: str) -> int:
    return int(diffgram.ask(routes.create_dataset, name).id)


def schema(diffgram: LiveDiffgram, name: str) -> int:
    return int(diffgram.ask(routes.create_schema, name).id)


def connection(diffgram: LiveDiffgram, name: str) -> int:
    body = {"project": diffgram.client.project, "integration_name": "amazon_aws", "name": name}
    return int(diffgram.emulator.control("connections", body)["id"])


@pytest.mark.parametrize("way", WAYS)
def test_a_number_that_is_the_id_of_one_dataset_and_the_name_of_another_is_refused(
    way: str, diffgram: LiveDiffgram
):
    night = dataset(diffgram, "night")
    other = dataset(diffgram, str(night))
    with pytest.raises(InvalidValueError) as caught:
        WAYS[way](diffgram, dataset=night)
    told = str(caught.value)
    assert f"{night} is the id of 'night'" in told
    assert f"give '{night}' as a text" in told
    for directory in (night, other):
        assert diffgram.ask(routes.list_files, directory).file_list == []


@pytest.mark.parametrize("way", WAYS)
def test_a_number_that_is_the_id_of_one_schema_and_the_name_of_another_is_refused(
    way: str, diffgram: LiveDiffgram
):
    night = schema(diffgram, "night")
    schema(diffgram, str(night))
    with pytest.raises(InvalidValueError, match=f"{night} is the id of 'night'"):
        WAYS[way](diffgram, dataset="predictions", label_schema=night)
    assert [file for file in diffgram.files() if file.type != "compound"] == []


@pytest.mark.parametrize(
    "make, find", [(dataset, find_dataset), (schema, find_schema)], ids=["dataset", "schema"]
)
def test_of_two_that_a_text_may_mean_it_is_the_name_and_each_can_be_told(
    make: Callable[..., int],
    find: Callable[..., Any],
    diffgram: LiveDiffgram,
    caplog: pytest.LogCaptureFixture,
):
    night = make(diffgram, "night")
    other = make(diffgram, str(night))
    caplog.set_level(logging.WARNING)
    assert find(diffgram.client, "night").id == night
    assert find(diffgram.client, other).id == other
    assert not caplog.records
    assert find(diffgram.client, str(night)).id == other
    assert f"'{night}' is a name here, and also the id of 'night': the name counts" in caplog.text


@pytest.mark.parametrize(
    "make, find", [(dataset, find_dataset), (schema, find_schema)], ids=["dataset", "schema"]
)
def test_what_can_mean_one_alone_means_that(
    make: Callable[..., int],
    find: Callable[..., Any],
    diffgram: LiveDiffgram,
    caplog: pytest.LogCaptureFixture,
):
    night, day = make(diffgram, "night"), make(diffgram, "20261126")
    caplog.set_level(logging.WARNING)
    assert find(diffgram.client, night).id == night
    assert not caplog.records
    assert find(diffgram.client, str(night)).id == night
    assert "is no name here, and taken for the id" in caplog.text
    assert find(diffgram.client, 20261126).id == day
    assert "20261126 is the id of no" in caplog.text


def test_one_whose_name_is_its_own_id_is_that_one(diffgram: LiveDiffgram):
    newest = dataset(diffgram, "night")
    assert dataset(diffgram, str(newest + 1)) == newest + 1
    assert find_dataset(diffgram.client, newest + 1).id == newest + 1


def test_a_connection_is_told_by_name_or_id_in_the_same_way(diffgram: LiveDiffgram):
    night = connection(diffgram, "night")
    other = connection(diffgram, str(night))
    blob = {"bucket_name": "b", "raw_data_blob_path": "dir/a"}
    with pytest.raises(InvalidValueError, match=f"connection_id {night} is the id of 'night'"):
        diffgram.push([{"media": {**blob, "connection_id": night}, "original_filename": "a.png"}])
    for given, meant in (("night", night), (str(night), other), (other, other)):
        name = f"{given} of {type(given).__name__}"
        diffgram.pushed([{"media": {**blob, "connection_id": given}, "original_filename": name}])
        assert diffgram.file(name).connection_id == meant
