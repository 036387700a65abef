"""Datasets as assets: one URI for one dataset, whatever it is written like."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_provider_diffgram.assets.diffgram import create_asset, is_diffgram, parse_uri, sanitize_uri


@pytest.mark.parametrize("host", ["h.test:8085", "https://h.test:8085", "http://H.test:8085/"])
def test_an_asset_is_named_by_host_project_and_dataset(host):
    asset = create_asset(host=host, project="a-project", dataset="night shift/1", extra={"team": "cats"})
    assert asset.uri == "diffgram://h.test:8085/a-project/night%20shift%2F1"
    assert asset.extra == {"team": "cats"}
    assert parse_uri(asset.uri) == ("h.test:8085", "a-project", "night shift/1")
    assert is_diffgram(asset.uri)
    assert not is_diffgram("s3://diffgram/a/b")


@pytest.mark.parametrize("host,project,dataset", [("", "p", "d"), ("h", "", "d"), ("h", "p", "")])
def test_nothing_may_be_empty(host, project, dataset):
    with pytest.raises(ValueError, match="needs host, project and dataset"):
        create_asset(host=host, project=project, dataset=dataset)


def test_airflow_compares_assets_by_the_form_of_the_handler():
    written = Asset(uri="diffgram://H.test/a-project/night%20shift/")
    assert written.uri == create_asset(host="h.test", project="a-project", dataset="night shift").uri


@pytest.mark.parametrize(
    "uri",
    [
        "diffgram://h",
        "diffgram://h/p",
        "diffgram://h/p/d/e",
        "diffgram:///p/d",
        "diffgram://h//d",
        "diffgram://h/p/d?x=1",
    ],
)
def test_what_names_no_dataset_is_refused_with_the_form(uri):
    with pytest.raises(ValueError, match="diffgram://host/project/dataset"):
        sanitize_uri(urlsplit(uri))


def test_a_credential_in_a_uri_is_dropped_and_not_shown():
    assert sanitize_uri(urlsplit("diffgram://u:hidden@h/p/d")).geturl() == "diffgram://h/p/d"
    with pytest.raises(ValueError, match="diffgram://h/p does not name a Diffgram dataset") as caught:
        sanitize_uri(urlsplit("diffgram://u:hidden@h/p"))
    assert "hidden" not in str(caught.value)
