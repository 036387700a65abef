"""Client certificates, authorities, proxies and redirects, on both transports over real sockets."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    HostUnreachableError,
    Settings,
    TlsError,
    WrongAddressError,
    routes,
)
from tests.unit.client.both_clients import BOTH
from tests.unit.client.certificates import Certificates, make_certificates
from tests.unit.client.scripted_server import Answer, answering
from tests.unit.client.small_proxy import proxying

RUNS = Answer(body={"model_run_list": [{"id": 1, "reference_id": "r"}]})
READ = routes.list_model_runs("p")

pytestmark = pytest.mark.parametrize("transport", BOTH)


@pytest.fixture(autouse=True)
def no_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(transport: Any, certificates: Any):
    with answering(RUNS, tls=certificates.server_context(asks_for_a_certificate=True)) as server:
        trusted = {"verify": str(certificates.authority)}
        with_key = {"client_cert": str(certificates.client_alone), "client_key": str(certificates.client_key)}
        for shown in ({"client_cert": str(certificates.client)}, with_key):
            (run,) = transport(server.settings(**trusted, **shown)).send(READ)
            assert run.id == 1
        assert len(server.asked) == 2


def test_without_the_certificate_it_is_a_tls_error_that_names_the_remedy(transport: Any, certificates: Any):
    context = certificates.server_context(asks_for_a_certificate=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # of 1.3 the refusal may be overtaken by the hang-up
    with answering(RUNS, tls=context) as server:
        client = transport(server.settings(verify=str(certificates.authority)))
        with pytest.raises(TlsError, match="client certificate"):
            client.send(READ)
        assert client.clock.slept == []
        assert server.asked == []


def test_a_page_that_asks_for_a_certificate_is_the_same_error(transport: Any):
    page = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    with (
        answering(Answer(status=400, body=page)) as server,
        pytest.raises(TlsError, match="Set the client certificate"),
    ):
        transport(server.settings()).send(READ)


def test_a_client_certificate_does_not_loosen_whom_we_trust(transport: Any, certificates: Any):
    with answering(RUNS, tls=certificates.server_context()) as server:
        with pytest.raises(TlsError, match="CA bundle"):
            transport(server.settings(client_cert=str(certificates.client))).send(READ)
        unverified = server.settings(client_cert=str(certificates.client), verify=False)
        assert transport(unverified).send(READ)[0].id == 1


def test_http_goes_through_the_proxy_of_the_connection(transport: Any):
    with answering(RUNS) as server, proxying() as (proxy, asked):
        assert transport(server.settings(proxy=proxy)).send(READ)[0].id == 1
        assert asked == [f"{READ.method} {server.url}{READ.path}"]


def test_https_goes_through_a_tunnel_in_which_the_proxy_sees_nothing(transport: Any, certificates: Any):
    tls = certificates.server_context(asks_for_a_certificate=True)
    with answering(RUNS, tls=tls) as server, proxying() as (proxy, asked):
        settings = server.settings(
            proxy=proxy, verify=str(certificates.authority), client_cert=str(certificates.client)
        )
        assert transport(settings).send(READ)[0].id == 1
        assert asked == [f"CONNECT {server.url.removeprefix('https://')}"]


def test_the_proxy_of_the_connection_wins_over_the_environment(
    transport: Any, monkeypatch: pytest.MonkeyPatch
):
    with answering(RUNS) as server, proxying() as (proxy, asked), proxying() as (other, asked_there):
        monkeypatch.setenv("HTTP_PROXY", other)
        transport(server.settings(proxy=proxy)).send(READ)
        assert (len(asked), len(asked_there)) == (1, 0)
        transport(server.settings()).send(READ)
        assert (len(asked), len(asked_there)) == (1, 1)


def test_a_proxy_that_is_not_there_is_an_unreachable_host(transport: Any):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with answering(RUNS) as server:
            with pytest.raises(HostUnreachableError, match="cannot connect to"):
                transport(server.settings(proxy=proxy, retry_timeout=0)).send(READ)
            assert server.asked == []


def test_a_proxy_that_asks_for_a_credential_is_told(transport: Any):
    with answering(RUNS) as server, proxying(refusing=True) as (proxy, _):
        with pytest.raises(WrongAddressError, match=r"(?s)the proxy asks for a login.*HTTPS_PROXY"):
            transport(server.settings(proxy=proxy)).send(READ)
        assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_credential_never_follows_a_redirect_to_another_host_quirk_42(transport: Any, status: int):
    with answering(RUNS) as elsewhere:
        to = elsewhere.url.replace("127.0.0.1", "localhost")
        with answering(Answer(status=status, headers={"Location": f"{to}/x?token=hidden"})) as server:
            with pytest.raises(WrongAddressError, match="redirects are never followed") as caught:
                transport(server.settings()).send(READ)
            assert len(server.asked) == 1
        assert elsewhere.asked == []
        assert "hidden" not in str(caught.value)


def test_what_cannot_be_used_is_told_before_anything_is_sent(transport: Any, certificates: Any):
    alone, key, locked = (
        str(path) for path in (certificates.client_alone, certificates.client_key, certificates.locked_key)
    )
    with answering(RUNS) as server:
        for shown, words in (
            ({"client_cert": "/nowhere.pem", "client_key": "/nor.pem"}, "/nor.pem' does not exist"),
            ({"client_key": key}, "client_key needs client_cert"),
            ({"client_cert": alone}, "with its private key"),
            ({"client_cert": alone, "client_key": locked}, "passphrase"),
            ({"client_cert": alone, "client_key": str(certificates.server)}, "cannot be used"),
            ({"proxy": "127.0.0.1:3128"}, "write http://host:port"),
            ({"proxy": "socks5://127.0.0.1"}, "write http://host:port"),
            ({"proxy": "http://127.0.0.1:x"}, "write http://host:port"),
            ({"proxy": "http://127.0.0.1/path"}, "write http://host:port"),
        ):
            with pytest.raises(ValueError, match=words):
                transport(server.settings(**shown))
        assert server.asked == []


@pytest.mark.parametrize(
    "proxy", ["http://u:hidden@h:1", "u:hidden@h:1", "http://u:hidden@h:x", "http://u:hidden@["]
)
def test_a_credential_of_the_proxy_is_refused_and_not_shown(transport: Any, proxy: str):
    with pytest.raises(ValueError, match="HTTPS_PROXY in the environment") as caught:
        transport(Settings("https://h", "p", "id", "secret", proxy=proxy))
    assert "hidden" not in str(caught.value)


def test_what_is_fine_has_no_problems(transport: Any, certificates: Any):
    for fine in (
        {"client_cert": str(certificates.client)},
        {"client_cert": None},
        {"proxy": "https://proxy.example.com:3128/"},
        {"proxy": ""},
    ):
        transport(Settings("https://h", "p", "id", "secret", **fine))
