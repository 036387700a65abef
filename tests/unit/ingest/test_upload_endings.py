"""What became of an upload, by the row of its input (server.md 2.8, 3.2)."""

from __future__ import annotations

from airflow_provider_diffgram.client import OutcomeUnknownError, RefusedError
from airflow_provider_diffgram.ingest.send.media.upload import not_ingested
from airflow_provider_diffgram.models import Input


def test_a_success_with_a_file_is_in():
    assert not_ingested("a.png", Input(id=7, status="success", file_id=3)) is None


def test_a_failure_is_refused_with_the_servers_reason():
    error = not_ingested("a.png", Input(id=7, status="failed", status_text="Bad coordinates", file_id=3))
    assert isinstance(error, RefusedError)
    assert "Bad coordinates" in str(error)
    assert "file 3 holds the name now" in str(error)


def test_what_the_server_is_still_at_is_unknown_and_not_failed():
    error = not_ingested("v.mp4", Input(id=7, status="pushing_frames_into_processing_queue", file_id=3))
    assert isinstance(error, OutcomeUnknownError)
    assert "upload 'v.mp4': input 7 is still 'pushing_frames_into_processing_queue'" in str(error)
