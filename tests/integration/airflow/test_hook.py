"""The hook against the emulator: what the test button of a connection says."""

from __future__ import annotations

import socket

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.hooks.connection import InvalidConnectionError
from airflow_provider_diffgram.hooks.diffgram import DiffgramHook
from tests.unit.client.certificates import make_certificates
from tests.unit.client.scripted_server import Answer, answering
from tests.unit.client.small_proxy import proxying


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_good_connection_is_proved(connection, diffgram_emulator):
    fine, message = DiffgramHook().test_connection()
    assert fine, message
    assert message.endswith(
        f"project {diffgram_emulator.project!r}, with permission to write; no default dataset"
    )
    connection(extra={"dataset": "Default"})
    assert DiffgramHook().test_connection()[1].endswith("; default dataset 'Default'")


def test_proving_leaves_nothing_behind(connection, client):
    before = client.send(routes.list_inputs(client.project))
    assert DiffgramHook().test_connection()[0]
    assert client.send(routes.list_inputs(client.project)) == before


def test_a_wrong_credential_is_told_without_the_id_of_the_moment(connection, diffgram_emulator):
    connection(password="wrong")
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert message.endswith(f"Asked: {diffgram_emulator.url}, project {diffgram_emulator.project!r}")


def test_nobody_there_is_told(connection):
    port = free_port()
    connection(host=f"http://127.0.0.1:{port}")
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert message == (
        f"cannot connect to http://127.0.0.1:{port}: nothing listens there. "
        "Check the host and port of the connection"
    )


def test_a_wrong_host_is_told(connection):
    connection(host="http://no-such-host.invalid")
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "https://no-such-host.invalid: no host of that name is known here." in message.replace(
        "http:", "https:"
    )


def test_tls_where_there_is_none_is_told(connection, diffgram_emulator):
    connection(host=diffgram_emulator.url.removeprefix("http://"))
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert message.startswith("TLS with https://127.0.0.1:")
    assert message.endswith("failed: it does not speak TLS. Write http:// before the host, if that is meant")


def test_what_takes_an_empty_packet_is_no_diffgram(connection):
    with answering(Answer(body=[]), Answer(body={})) as server:
        connection(host=server.url)
        fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "which no Diffgram does" in message


@pytest.mark.parametrize("over_tls", [True, False])
def test_a_certificate_that_is_not_trusted_and_a_host_with_tls_only_are_told(connection, tmp_path, over_tls):
    with answering(Answer(body=[]), tls=make_certificates(tmp_path).server_context()) as server:
        connection(host=server.url if over_tls else server.url.replace("https:", "http:"))
        fine, message = DiffgramHook().test_connection()
    assert not fine
    if over_tls:
        assert "failed: its certificate is not trusted here. Set the CA bundle of the connection" in message
    else:
        assert "broke off before an answer came" in message
        assert "leave out http:// if it speaks TLS only" in message


def test_a_proxy_that_is_away_is_told_and_not_the_host(connection):
    connection(extra={"proxy": f"http://127.0.0.1:{free_port()}"})
    fine, message = DiffgramHook().test_connection()
    assert not fine
    assert "its proxy cannot be reached. Check the proxy of the connection" in message


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
    assert "'datset' (did you mean 'dataset'?), 'retry_timout' (did you mean 'retry_timeout'?)" in message
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
