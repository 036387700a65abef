"""Answers and the errors that they mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramError, routes
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request, Upload
from tests.unit.recorded import recording

P = "demo-project"
PACKET = routes.send_packet(P, {"directory_id": 2}, "cat-1.jpg")
LABELS = routes.list_labels(P, 1)
UPLOAD = routes.upload_local(P, Upload("a.png", 0, open), {})
VIEW = routes.view_file(P, 5)
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}
SIGNED = "http://storage.test/a.jpg?X-Amz-Signature=0123456789"


def meaning(
    status: int, body: Any, request: Request[Any] = PACKET, headers: dict[str, str] | None = None
) -> DiffgramError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(DiffgramError) as caught:
        value_of(request, status, headers or JSON, raw)
    assert SIGNED not in f"{caught.value}{caught.value.fields}{caught.value.server_text}"
    return caught.value


def recorded(name: str, request: Request[Any] = PACKET) -> DiffgramError:
    pair = recording(name)
    with pytest.raises(DiffgramError) as caught:
        value_of(request, pair.status, pair.headers, pair.body)
    return caught.value
