"""Connections of Airflow as settings: URIs, JSON, extras, and what is said of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_diffgram import get_provider_info
from airflow_provider_diffgram.hooks.connection import (
    InvalidConnectionError,
    defaults_of,
    settings_of,
    unknown_extras,
)
from tests.unit.client.certificates import make_certificates

TYPE = get_provider_info()["connection-types"][0]

GOOD: dict[str, Any] = {
    "conn_id": "diffgram_default",
    "conn_type": "diffgram",
    "host": "diffgram.example.com",
    "schema": "demo-project",
    "login": "the-id",
    "password": "the-secret",
}


def connection(**changes: Any) -> Connection:
    fields = GOOD | changes
    if isinstance(fields.get("extra"), dict):
        fields["extra"] = json.dumps(fields["extra"])
    return Connection(**fields)


def from_uri(uri: str) -> Connection:
    """Parse as Airflow parses AIRFLOW_CONN_ variables."""
    if hasattr(Connection, "from_uri"):
        return Connection.from_uri(uri, "diffgram_default")
    from airflow.models.connection import Connection as StoredConnection  # in 3.0, what tasks have reads none

    return StoredConnection(conn_id="diffgram_default", uri=uri)


@pytest.mark.parametrize(
    "uri,base_url",
    [
        ("diffgram://id:secret@host/project", "https://host"),
        ("diffgram://id:secret@host:8443/project", "https://host:8443"),
        ("diffgram://http://id:secret@host:8085/project", "http://host:8085"),
        ("diffgram://https://id:secret@host:8085/project", "https://host:8085"),
    ],
)
def test_both_forms_of_uri_are_read(uri, base_url):
    settings = settings_of(from_uri(uri))
    assert settings.base_url == base_url
    assert (settings.project, settings.client_id, settings.client_secret) == ("project", "id", "secret")


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "demo-project/"},
        {"schema": "/demo-project"},
        {"schema": " demo-project \n"},
        {"schema": "demo-project\n/ /"},
        {"host": " diffgram.example.com "},
        {"host": "diffgram.example.com/\n"},
        {"login": "the-id\t"},
        {"password": "the-secret\n"},
        {"extra": {"packet_path": " auto ", "proxy": " ", "ca_bundle": "\n", "client_cert": "\t"}},
    ],
)
def test_what_was_pasted_with_blanks_or_a_slash_is_read_without(changes):
    assert settings_of(connection(**changes)) == settings_of(connection())
    assert settings_of(connection(**changes)).client_secret == "the-secret"


def test_a_uri_may_end_in_a_slash():
    assert settings_of(from_uri("diffgram://id:secret@host/my-project/")).project == "my-project"


def test_a_port_may_be_in_the_host_too():
    both = connection(host="diffgram.example.com:8085", port=8085)
    assert settings_of(both).base_url == "https://diffgram.example.com:8085"


def test_a_root_of_blanks_is_none():
    assert defaults_of(connection(extra={"local_root": " "})).local_root is None
    assert defaults_of(connection(extra={"local_root": " /data\n"})).local_root == "/data"


@pytest.mark.parametrize("project", ["a/b", "a?b", "a#b", "a b", "a\u200bb"])
def test_a_project_is_one_word(project):
    with pytest.raises(InvalidConnectionError, match="must be a project_string_id"):
        settings_of(connection(schema=project))


def test_blanks_alone_are_nothing():
    with pytest.raises(InvalidConnectionError, match=r"Host is empty.*Project.*is empty"):
        settings_of(connection(host=" ", schema="\n"))


def test_what_means_nothing_in_the_extra_is_named():
    assert unknown_extras(connection(extra={"dataset": "night", "datset": "x", "Verify": 1})) == [
        "Verify",
        "datset",
    ]
    assert unknown_extras(connection(extra=dict.fromkeys(TYPE["conn-fields"]))) == []
    assert unknown_extras(connection()) == []


def test_a_quoted_secret_is_unquoted():
    assert settings_of(from_uri("diffgram://id:s%2Fe%40c@host/project")).client_secret == "s/e@c"


def test_https_is_the_default():
    assert settings_of(connection()).base_url == "https://diffgram.example.com"
    assert settings_of(connection(host="http://10.0.0.1", port=8085)).base_url == "http://10.0.0.1:8085"


def test_extras_set_tls_timeouts_and_defaults():
    extra = {
        "dataset": "night",
        "label_schema": 3,
        "ca_bundle": __file__,
        "connect_timeout": "5",
        "read_timeout": 7,
        "retry_timeout": 0,
    }
    settings = settings_of(connection(extra=extra))
    assert (settings.connect_timeout, settings.read_timeout, settings.retry_timeout) == (5, 7, 0)
    assert settings.verify == __file__
    defaults = defaults_of(connection(extra=extra))
    assert (defaults.dataset, defaults.label_schema) == ("night", 3)


def test_extras_set_the_way_to_the_server(tmp_path):
    made = make_certificates(tmp_path)
    extra = {
        "client_cert": str(made.client_alone),
        "client_key": str(made.client_key),
        "proxy": "http://proxy.example.com:3128",
        "local_root": "/data",
    }
    settings = settings_of(connection(extra=extra))
    assert (settings.client_cert, settings.client_key, settings.proxy) == tuple(extra.values())[:3]
    assert defaults_of(connection(extra=extra)).local_root == "/data"
    empty = settings_of(connection(extra=dict.fromkeys(extra, "")))
    assert (empty.client_cert, empty.client_key, empty.proxy) == (None, None, None)
    assert defaults_of(connection()).local_root is None


@pytest.mark.parametrize("name", TYPE["conn-fields"])
def test_every_field_of_the_form_is_in_the_guide_and_read(name):
    """A field that nothing reads would be a promise that nobody keeps."""
    root = Path(__file__).parents[3]
    assert f"| `{name}` |" in (root / "docs" / "connect.md").read_text()
    assert f'"{name}"' in (root / "airflow_provider_diffgram" / "hooks" / "connection.py").read_text()


def test_a_uri_carries_every_extra(tmp_path):
    made = make_certificates(tmp_path)
    query = urlencode(
        {"client_cert": str(made.client), "proxy": "http://h:3128", "read_timeout": 7, "verify": "false"}
    )
    settings = settings_of(from_uri(f"diffgram://id:secret@host/project?{query}"))
    assert (settings.client_cert, settings.proxy) == (str(made.client), "http://h:3128")
    assert (settings.read_timeout, settings.verify) == (7, False)


@pytest.mark.parametrize(
    "given,path", [("documented", "documented"), ("served", "served"), (None, "auto"), ("", "auto")]
)
def test_the_path_of_packets_is_a_field_of_the_connection(given, path):
    assert settings_of(connection(extra={"packet_path": given})).packet_path == path
    assert settings_of(connection()).packet_path == "auto"


@pytest.mark.parametrize("given,ceiling", [(5, 5), ("5", 5), (None, None), ("", None)])
def test_the_ceiling_of_packets_is_a_field_of_the_connection(given, ceiling):
    assert settings_of(connection(extra={"requests_per_second": given})).requests_per_second == ceiling
    assert settings_of(connection()).requests_per_second is None


@pytest.mark.parametrize(
    "given,verify",
    [(None, True), (True, True), ("true", True), ("", True), (False, False), ("false", False), ("0", False)],
)
def test_only_a_clear_no_turns_verification_off(given, verify):
    assert settings_of(connection(extra={"verify": given})).verify is verify


def test_all_that_is_missing_is_told_at_once_and_never_the_secret():
    with pytest.raises(InvalidConnectionError) as error:
        settings_of(connection(host=None, schema="", login=None, extra={"read_timeout": "soon"}))
    for words in ("diffgram_default", "Host", "Project", "Client ID", "read_timeout", "'soon'"):
        assert words in str(error.value)
    assert "the-secret" not in str(error.value)


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"password": None}, "Client secret"),
        ({"extra": "no json"}, "not JSON"),
        ({"extra": "[1]"}, "JSON object"),
        ({"host": "diffgram.example.com/api"}, "no path"),
        ({"host": "diffgram.example.com#api"}, "no path"),
        ({"host": "https:// diffgram.example.com"}, "no blanks"),
        ({"host": "diffgram .example.com"}, "no blanks"),
        ({"host": "\u200bdiffgram.example.com"}, "no blanks or invisible characters"),
        ({"host": "ftp://diffgram.example.com"}, "not an http"),
        ({"extra": {"read_timeout": -1}}, "read_timeout"),
        ({"extra": {"requests_per_second": 0}}, "requests_per_second must be a finite number above 0"),
        ({"extra": {"requests_per_second": "fast"}}, "requests_per_second"),
        ({"extra": {"client_cert": "/nowhere.pem"}}, "client_cert '/nowhere.pem' does not exist"),
        ({"extra": {"proxy": 3128}}, "proxy must be text"),
        ({"extra": {"proxy": "h:3128"}}, "write http://host:port"),
        ({"extra": {"packet_path": "elsewhere"}}, "packet_path must be auto, served, documented"),
    ],
)
def test_a_wrong_field_is_named(changes, words):
    with pytest.raises(InvalidConnectionError, match=words):
        settings_of(connection(**changes))
