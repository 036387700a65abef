"""Where packets come from, as lineage names it, and what it is told of a dataset."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.lineage.diffgram import Outcome, facets_of
from airflow_provider_diffgram.lineage.pulled import facets_of_pull
from airflow_provider_diffgram.lineage.sources import named, sources_of
from airflow_provider_diffgram.models import Child, ChildFolder, ChildPages, Packet
from airflow_provider_diffgram.review.pull import Pulled


def packet(media: dict[str, Any], *instances: dict[str, Any]) -> dict[str, Any]:
    return {"media": media, "original_filename": "a.jpg", "instance_list": list(instances)}


@pytest.mark.parametrize(
    "media,source",
    [
        ({"path": "/data/night/a.jpg"}, ("file", "/data/night")),
        ({"path": "file:///data/night/a.jpg"}, ("file", "/data/night")),
        ({"path": "s3://bucket/night/a.jpg"}, ("s3://bucket", "/night")),
        ({"url": "https://u:hidden@h/x/a.jpg?X-Amz-Signature=hidden"}, ("https://h", "/x")),
        (
            {"connection_id": 1, "bucket_name": "b", "raw_data_blob_path": "n/a.jpg", "type": "image"},
            ("blob://b", "n"),
        ),
    ],
)
def test_media_are_named_by_their_folder_and_without_a_secret(media, source):
    assert sources_of([packet(media), packet(media)]) == [source]


@pytest.mark.parametrize(
    "children,source",
    [
        ({"folder": "/data/scan-17/"}, ("file", "/data/scan-17")),
        (ChildFolder(folder="s3://bucket/scan-17"), ("s3://bucket", "/scan-17")),
        (ChildPages(pages="/data/contract.pdf"), ("file", "/data")),
        (
            Child(media={"path": "/data/contract.pdf", "page": 0}, original_filename="p.png", ordinal=0),
            ("file", "/data"),
        ),
    ],
)
def test_folders_and_documents_of_children_are_named(children, source):
    assert sources_of([children]) == [source]


def test_model_runs_are_sources_too_and_each_is_named_once():
    tag = {"type": "tag", "label": "cat"}
    run = {**tag, "model_ref": "m", "model_run_ref": "r"}
    found = sources_of([packet({"path": "/d/a.jpg"}, run, run, tag, {**tag, "model_ref": "n"})])
    assert found == [("file", "/d"), ("", "models/m/r"), ("", "models/n")]
    model = Packet.model_validate(packet({"path": "/d/a.jpg"}, run))
    assert sources_of([model]) == [("file", "/d"), ("", "models/m/r")]


def test_many_packets_are_not_all_looked_at():
    def endless() -> Any:
        number = 0
        while True:
            number += 1
            yield packet({"path": f"/d/{number % 500}/a.jpg"})

    assert len(sources_of(endless())) == 100
    assert sources_of([packet({"path": "/d/a.jpg"})] * 1000 + [packet({"path": "/e/a.jpg"})]) == [
        ("file", "/d")
    ]


def test_what_is_no_packet_and_what_is_gone_is_passed_over(tmp_path):
    assert sources_of([["line 3: not JSON"], {"media": None}, {"media": {"text_data": "x"}}]) == []
    assert list(named(str(tmp_path / "gone.jsonl"), "packet", universal_path)) == []
    assert list(named(iter([packet({"path": "/d/a.jpg"})]), "packet", universal_path)) == []
    assert len(list(named([packet({"path": "/d/a.jpg"})], "packet", universal_path))) == 1


def test_openlineage_is_told_inputs_and_the_dataset_with_its_count():
    pytest.importorskip(
        "airflow.providers.openlineage.extractors",
        reason="OpenLineage is not installed; make e2e reads what it is told",
    )
    run = {"type": "tag", "label": "cat", "model_ref": "m", "model_run_ref": "r"}
    outcome = Outcome("h.test", "p", 7, "night", {"expected": 3, "sent": 3})
    lineage = facets_of(outcome, [packet({"path": "/d/a.jpg"}, run)])
    assert [(each.namespace, each.name) for each in lineage.inputs] == [
        ("file", "/d"),
        ("diffgram://h.test", "p/models/m/r"),
    ]
    (output,) = lineage.outputs
    assert (output.namespace, output.name) == ("diffgram://h.test", "p/night")
    assert output.outputFacets["outputStatistics"].fileCount == 3
    assert facets_of(None).outputs == []


def test_openlineage_is_told_what_a_pull_read_and_wrote():
    pytest.importorskip(
        "airflow.providers.openlineage.extractors",
        reason="OpenLineage is not installed; make e2e reads what it is told",
    )
    counts = dict.fromkeys(("added", "changed", "kept", "removed"), 0)
    found = Pulled(
        **{"version": "v", "previous": None, "is_new": True, "path": "s3://b/sets/night/v", "manifest": "m"},
        **{"files": 3, "instances": 7, **counts},
    )
    lineage = facets_of_pull("h.test", "p", "night", found)
    assert [(each.namespace, each.name) for each in lineage.inputs] == [("diffgram://h.test", "p/night")]
    (output,) = lineage.outputs
    assert (output.namespace, output.name) == ("s3://b", "/sets/night")
    assert output.outputFacets["outputStatistics"].rowCount == 7
    assert facets_of_pull("", "", None, None).outputs == []
