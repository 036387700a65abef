"""What a browser opens for the page of a task."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.links.diffgram import address_of


@pytest.mark.parametrize(
    "path, address",
    [
        ("/data/my page.html", "file:///data/my%20page.html"),
        ("https://pages.example.com/a.html", "https://pages.example.com/a.html"),
        ("s3://logs/a/b c.html", "https://s3.console.aws.amazon.com/s3/object/logs?prefix=a%2Fb%20c.html"),
        ("s3://my_aws@logs/a.html", "https://s3.console.aws.amazon.com/s3/object/logs?prefix=a.html"),
        ("gs://logs/a/b.html", "https://storage.cloud.google.com/logs/a/b.html"),
        ("abfs://logs/a.html", "abfs://logs/a.html"),
    ],
)
def test_a_path_becomes_what_a_browser_opens(path: str, address: str):
    assert address_of(path) == address
