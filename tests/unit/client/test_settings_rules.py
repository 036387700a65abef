"""Settings are right or do not exist; all that is wrong is told at once, the secret never."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.client import Settings
from airflow_provider_diffgram.client.settings import USER_AGENT, secrets_of

GOOD = {"host": "https://h.test", "project": "p", "client_id": "id", "client_secret": "very-secret"}


def settings(**change: object) -> Settings:
    return Settings(**{**GOOD, **change})  # type: ignore[arg-type]


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(ValueError, match="project is empty") as caught:
        Settings("ftp://h/path", "", "", "", connect_timeout=0, read_timeout=-1)
    text = str(caught.value)
    for words in (
        "project",
        "client_id",
        "client_secret",
        "connect_timeout",
        "read_timeout",
        "http(s)",
        "path",
    ):
        assert words in text


@pytest.mark.parametrize(
    "host, url",
    [
        ("https://diffgram.test", "https://diffgram.test"),
        ("https://diffgram.test/", "https://diffgram.test"),
        ("http://127.0.0.1:8085", "http://127.0.0.1:8085"),
        ("diffgram.test", "https://diffgram.test"),
        ("diffgram.test:8443", "https://diffgram.test:8443"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_host_is_an_address_or_means_https(host: str, url: str):
    assert settings(host=host).base_url == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "ftp://h",
        "https://",
        "https:///x",
        "https://h/api",
        "https://h?x=1",
        "http://h:0",
        "http://h:99999",
        "http://h:x",
        "http://[::1",
        "https://u:p@h",
    ],
)
def test_what_is_no_address_of_a_root_is_refused(host: str):
    with pytest.raises(ValueError, match="host"):
        settings(host=host)


@pytest.mark.parametrize(
    "host", ["https://u:hidden@h", "https://u:hidden@h/x", "https://u:hidden@h:x", "ftp://u:hidden@h"]
)
def test_a_credential_in_the_host_is_refused_and_not_shown(host: str):
    with pytest.raises(ValueError, match="host") as caught:
        settings(host=host)
    assert "hidden" not in str(caught.value)


def test_repr_hides_the_secret():
    assert "very-secret" not in repr(settings())
    assert "very-secret" not in str(settings())


def test_the_header_made_of_the_secret_is_a_secret_too():
    assert secrets_of(settings()) == ["very-secret", "aWQ6dmVyeS1zZWNyZXQ="]


def test_the_user_agent_does_not_begin_with_python_quirk_26():
    assert USER_AGENT.startswith("airflow-provider-diffgram/")


def test_settings_are_values():
    assert settings() == settings()
    assert len({settings(), settings(), settings(project="q")}) == 2
    with pytest.raises(AttributeError):
        settings().host = "x"  # type: ignore[misc]


@pytest.mark.parametrize("path", ["auto", "served", "documented"])
def test_the_path_of_packets_is_one_of_three_section_6(path: str):
    assert settings(packet_path=path).packet_path == path


@pytest.mark.parametrize("path", ["", "Auto", "/api/v1", None, ["auto"]])
def test_another_path_of_packets_is_refused(path: object):
    with pytest.raises(ValueError, match="packet_path must be auto, served, documented"):
        settings(packet_path=path)
