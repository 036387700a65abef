"""What is posted of a task, to a webhook that listens on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.models import Handle, Receipt, SentBatch
from airflow_provider_diffgram.notifications.diffgram import DiffgramReceiptNotifier, words_of
from airflow_provider_diffgram.review.progress import ReviewReceipt
from airflow_provider_diffgram.review.pull import Pulled

RECEIPT = Receipt(project="p", expected=3, succeeded=2, failed=1)
REVIEW = ReviewReceipt(project="p", job_ids=[4], expected=3, complete=2, open=1)
PULLED = Pulled(
    version="v",
    previous=None,
    is_new=True,
    path="p",
    manifest="m",
    files=9,
    instances=12,
    added=9,
    changed=0,
    kept=0,
    removed=0,
)
HANDLE = Handle(project="p", directory_id=1, batches=[SentBatch(id=7, inputs=2)], expected=3, skipped=1)


class Webhook(HTTPServer):
    """Keeps what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.posted: list[tuple[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    uri = f"http://:T0%2FSECRET@127.0.0.1:{server.server_port}/http"
    monkeypatch.setenv("AIRFLOW_CONN_TEAM", uri)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def context(value: Any = None, **more: Any) -> dict[str, Any]:
    def pull(task_ids: str, map_indexes: int) -> Any:
        return value if (task_ids, map_indexes) == ("wait", 3) else None

    ti = SimpleNamespace(task_id="wait", map_index=3, xcom_pull=pull)
    return {"ti": ti, "dag": DAG("night", schedule=None), **more}


@pytest.mark.parametrize(
    "value, words",
    [
        (RECEIPT.to_xcom(), "3 expected: 2 succeeded, 1 failed"),
        (HANDLE.to_xcom(), "3 packets: 1 there already, 2 on their way, in batch 7"),
        (REVIEW.to_xcom(), "2 of 3 reviewed (1 open)"),
        (PULLED.to_xcom(), PULLED.summary()),
        ({"acceptance": 0.93, "files": 20, "missed": []}, "acceptance 0.93, files 20"),
        (None, "done"),
    ],
)
def test_what_a_task_did_is_said_in_words(value: Any, words: str):
    assert words_of(context(value)) == words


def test_a_failure_is_said_in_its_first_lines():
    error = ValueError("\n".join("abcdefg"))
    assert words_of(context(RECEIPT.to_xcom(), exception=error)) == "failed: a\nb\nc\nd\ne"


def test_a_failure_without_words_is_said_by_its_kind():
    assert words_of(context(exception=NotImplementedError())) == "failed: NotImplementedError"


def test_one_notifier_tells_of_each_of_its_tasks(webhook: Webhook):
    notifier = DiffgramReceiptNotifier("team")
    for dag_id in ("day", "night"):
        notifier(context(None, dag=DAG(dag_id, schedule=None)))
    assert [text["text"] for _, text in webhook.posted] == ["day / wait: done", "night / wait: done"]


def test_the_words_are_posted(webhook: Webhook):
    DiffgramReceiptNotifier("team", text="night: {words}").notify(context(RECEIPT.to_xcom()))
    assert webhook.posted == [("/T0/SECRET", {"text": "night: 3 expected: 2 succeeded, 1 failed"})]


@pytest.mark.parametrize(
    "uri, address",
    [
        ("https://:T0%2FSECRET@hooks.example.com/services", "https://hooks.example.com/services/T0/SECRET"),
        ("https://:SECRET@hooks.example.com:8443/https", "https://hooks.example.com:8443/SECRET"),
        ("http://:SECRET@hooks.example.com", "https://hooks.example.com/SECRET"),
        ("http://http%3A%2F%2Fhooks.example.com%2Fa%2Fb%2F", "http://hooks.example.com/a/b"),
        (
            "http://:%2FSECRET@hooks.example.com%2Fservices:80/http",
            "http://hooks.example.com:80/services/SECRET",
        ),
    ],
)
def test_the_address_is_that_of_the_connection_however_it_is_written(
    monkeypatch: pytest.MonkeyPatch, uri: str, address: str
):
    monkeypatch.setenv("AIRFLOW_CONN_TEAM", uri)
    assert DiffgramReceiptNotifier("team")._address() == address


def test_an_address_without_a_host_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIRFLOW_CONN_TEAM", "http://:SECRET@/http")
    with pytest.raises(RuntimeError, match="check host and schema of the connection") as caught:
        DiffgramReceiptNotifier("team", text="{words}").notify(context(RECEIPT.to_xcom()))
    assert "SECRET" not in str(caught.value)


def test_a_webhook_that_refuses_is_told_without_its_address(webhook: Webhook):
    webhook.status = 404
    with pytest.raises(RuntimeError, match="webhook 'team' answered 404") as caught:
        DiffgramReceiptNotifier("team", text="{words}").notify(context(RECEIPT.to_xcom()))
    assert "SECRET" not in str(caught.value)


def test_a_webhook_that_is_not_there_is_told_without_its_address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIRFLOW_CONN_TEAM", "http://:T0%2FSECRET@127.0.0.1:1/http")
    with pytest.raises(RuntimeError, match="webhook 'team': cannot connect") as caught:
        DiffgramReceiptNotifier("team", text="{words}").notify(context(RECEIPT.to_xcom()))
    assert "SECRET" not in str(caught.value)
