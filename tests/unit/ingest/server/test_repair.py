"""Archive and retry refuse the updates that would lose their files (server.md 2.14)."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.ingest.server.repair import archive, retry
from airflow_provider_diffgram.models import Input


@pytest.fixture
def unreachable() -> DiffgramClient:
    """A client of a server that is not there: a request would raise another error."""
    return DiffgramClient(Settings("http://127.0.0.1:9", "demo", "id", "secret", retry_timeout=0))


@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_archive_refuses_updates(unreachable: DiffgramClient, mode: str):
    rows = [Input(id=1), Input(id=2, mode=mode, file_id=7)]
    with pytest.raises(ValueError, match=r"inputs \[2\] are updates"):
        archive(unreachable, rows, "in a test")


def test_retry_refuses_replacements(unreachable: DiffgramClient):
    with pytest.raises(ValueError, match=r"inputs \[2\] replace"):
        retry(unreachable, [Input(id=1), Input(id=2, mode="update_with_existing", file_id=7)], "in a test")


def test_nothing_is_sent_for_nothing(unreachable: DiffgramClient):
    assert archive(unreachable, [], "in a test") == []
    assert retry(unreachable, [], "in a test") == []
