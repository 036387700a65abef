"""The hook against the emulator: what the test button of a connection says."""

from __future__ import annotations

import socket

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.hooks.connection import InvalidConnectionError
from airflow_provider_diffgram.hooks.diffgram import DiffgramHook
from tests.unit.client.scripted_server import Answer, answering
from tests.unit.client.small_proxy import proxying


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_good_connection_is_proved(connection, diffgram_emulator):
    fine, message = DiffgramHook().test_connection()
    assert fine, message
    assert diffgram_emulator.project in message


def test_proving_leaves_nothing_behind(connection, client):
    before = client.send(routes.list_inputs(client.project))
    assert DiffgramHook().test_connection()[0]
    assert client.send(routes.list_inputs(client.project)) == before


def test_nobody_there_is_told(connection):
    port = free_port()
    connection(host=f"http://127.0.0.1:{port}")
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert f"cannot connect to http://127.0.0.1:{port}" in message


def test_a_wrong_host_is_told(connection):
    connection(host="http://no-such-host.invalid")
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "no-such-host.invalid" in message


def test_tls_where_there_is_none_is_told(connection, diffgram_emulator):
    connection(host=diffgram_emulator.url.removeprefix("http://"))
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "TLS" in message


@pytest.mark.parametrize(
    "answer,words",
    [
        (Answer(status=404, body={"detail": "Not Found"}), "no such path"),
        (
            Answer(status=302, headers={"Location": "https://login.example.com/x"}),
            "redirects are never followed",
        ),
        (Answer(body={"swagger": "2.0"}), "in an unknown form"),
    ],
)
def test_another_service_at_the_address_is_told(connection, answer, words):
    with answering(answer) as server:
        connection(host=server.url)
        fine, message = DiffgramHook().test_connection()
        assert not fine
        assert words in message
        assert len(server.asked) == 1, "nothing is written to what is no Diffgram"


def test_the_connection_is_tested_through_its_proxy(connection, diffgram_emulator):
    with proxying() as (proxy, asked):
        connection(extra={"proxy": proxy})
        assert DiffgramHook().test_connection()[0]
        assert len(asked) >= 2


def test_paths_outside_the_local_root_are_refused(connection, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    connection(extra={"local_root": str(tmp_path / "root")})
    with pytest.raises(ValueError, match="local_root"):
        DiffgramHook().path_opener()(str(tmp_path / "a.jpg"))
    connection()
    assert DiffgramHook().path_opener()(str(tmp_path / "a.jpg")).is_file()


def test_an_extra_that_means_nothing_is_told_with_those_that_do(connection):
    connection(extra={"datset": "Default", "retry_timout": 3})
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "'datset', 'retry_timout'" in message
    assert "dataset, label_schema" in message


@pytest.mark.parametrize("extra", [{"dataset": "nowhere"}, {"label_schema": "none such"}])
def test_a_default_that_does_not_exist_is_told_with_those_that_do(connection, extra):
    connection(extra=extra)
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert repr(next(iter(extra.values()))) in message
    assert "which has: Default" in message


@pytest.mark.parametrize("extra", [{"dataset": "Default"}, {"dataset": None, "label_schema": ""}])
def test_defaults_that_are_there_pass(connection, extra):
    connection(extra=extra)
    assert DiffgramHook().test_connection()[0]


def test_a_wrong_project_is_told(connection):
    connection(schema="no-such-project")
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "no such project" in message


@pytest.mark.parametrize("changes", [{"password": "wrong-secret"}, {"login": "wrong-id"}])
def test_a_wrong_credential_is_told_and_not_shown(connection, changes, diffgram_emulator):
    connection(**changes)
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "credential was refused" in message
    assert "wrong-secret" not in message
    assert diffgram_emulator.client_secret not in message


def test_a_credential_that_may_only_read_is_told(connection, diffgram_emulator):
    viewer = diffgram_emulator.credentials["Viewer"]
    connection(login=viewer.client_id, password=viewer.client_secret)
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "may not write" in message


def test_no_credentials_are_told_before_anything_is_sent(connection):
    connection(login=None, password=None)
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "Client ID" in message
    assert "Client secret" in message
    with pytest.raises(InvalidConnectionError):
        DiffgramHook().get_conn()


def test_get_conn_gives_a_client_of_the_project(connection, diffgram_emulator):
    hook = DiffgramHook()
    client = hook.get_conn()
    assert client is hook.get_conn()
    assert client.send(routes.list_schemas(client.project))
    assert diffgram_emulator.client_secret not in repr(client)
    assert diffgram_emulator.client_secret not in repr(client.settings)
