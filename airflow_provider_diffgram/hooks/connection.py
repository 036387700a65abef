"""Converts an Airflow connection of type ``diffgram`` to settings for a client."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .. import get_provider_info
from ..client import Settings


class ConnectionLike(Protocol):
    """The fields of an Airflow connection that are used; the same in Airflow 2 and 3."""

    conn_id: str
    host: str | None
    schema: str | None
    login: str | None
    password: str | None
    port: int | None
    extra: str | None


class InvalidConnectionError(ValueError):
    """The connection is incomplete or wrong; the message names the fields, never the secret."""


def missing_connection(conn_id: str) -> InvalidConnectionError:
    """Return the error for a connection that does not exist in Airflow."""
    return InvalidConnectionError(
        f"there is no connection {conn_id!r}. Make one of type Diffgram in Airflow, or "
        f"export AIRFLOW_CONN_{conn_id.upper()}="
        "'diffgram://CLIENT_ID:CLIENT_SECRET@diffgram.example.com/my-project'"
    )


@dataclass(frozen=True, slots=True)
class Defaults:
    """Defaults for tasks that set no value, and the folder to which local files are confined."""

    dataset: str | int | None
    label_schema: str | int | None
    local_root: str | None


_FIELDS = {
    "host": "Host is empty",
    "schema": "Project (the schema field) is empty: the project_string_id, such as demo-project",
    "login": "Client ID (the login field) is empty",
    "password": "Client secret (the password field) is empty",
}

_NUMBERS = {
    "connect_timeout": "a number of seconds",
    "read_timeout": "a number of seconds",
    "retry_timeout": "a number of seconds",
    "requests_per_second": "a number",
}

_TEXTS = ("ca_bundle", "client_cert", "client_key", "proxy")


def settings_of(connection: ConnectionLike) -> Settings:
    """Return the settings in ``connection``, without surrounding blanks from pasting.

    :raises InvalidConnectionError: with everything that is missing or wrong.
    """
    extra = _extra(connection)
    fields = {name: (getattr(connection, name) or "").strip() for name in _FIELDS}
    problems = [text for name, text in _FIELDS.items() if not fields[name]]
    numbers: dict[str, Any] = {}
    for name, what in _NUMBERS.items():
        if extra.get(name) in (None, ""):
            continue
        try:
            numbers[name] = float(extra[name])
        except (TypeError, ValueError):
            problems.append(f"{name} must be {what}, not {extra[name]!r}")
    texts = {name: given for name in _TEXTS if (given := _pasted(extra.get(name)))}
    problems += [f"{name} must be text" for name, given in texts.items() if not isinstance(given, str)]
    if problems:
        raise _error(connection, problems)
    try:
        return Settings(
            host=_address(fields["host"], connection.port),
            project=fields["schema"].strip(f"/{string.whitespace}"),
            client_id=fields["login"],
            client_secret=fields["password"],
            verify=texts.pop("ca_bundle", None) or _flag(extra.get("verify")),
            name=connection.conn_id,
            packet_path=_pasted(extra.get("packet_path")) or "auto",
            **texts,
            **numbers,
        )
    except ValueError as error:
        raise _error(connection, [str(error)]) from None


def defaults_of(connection: ConnectionLike) -> Defaults:
    """Return the default dataset and label schema, and ``local_root``."""
    extra = _extra(connection)
    return Defaults(
        extra.get("dataset") or None,
        extra.get("label_schema") or None,
        _pasted(extra.get("local_root")) or None,
    )


def unknown_extras(connection: ConnectionLike) -> list[str]:
    """Return the names in the extra that are unknown, such as a misspelled one.

    :raises InvalidConnectionError: if the extra cannot be read.
    """
    return sorted(map(str, _extra(connection).keys() - known_extras()))


def known_extras() -> list[str]:
    """Return the names that the extra may have."""
    return sorted(get_provider_info()["connection-types"][0]["conn-fields"])


def _address(host: str, port: int | None) -> str:
    """Return host and port; https unless the host says http."""
    address = host.rstrip("/")
    return f"{address}:{port}" if port and not address.endswith(f":{port}") else address


def _pasted(value: Any) -> Any:
    """Return a text without the blanks around it."""
    return value.strip() if isinstance(value, str) else value


def _flag(value: Any) -> bool:
    """Parse a switch; only an explicit no turns off the verification of certificates."""
    return str(value).strip().lower() not in ("false", "0", "no", "off")


def _extra(connection: ConnectionLike) -> Mapping[str, Any]:
    # Not extra_dejson: before Airflow 3.3.2 it masks with a blocking call, which deadlocks in a triggerer.
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError as error:
        raise _error(connection, [f"extra is not JSON: {error}"]) from None
    if not isinstance(extra, dict):
        raise _error(connection, ["extra must be a JSON object"])
    return extra


def _error(connection: ConnectionLike, problems: list[str]) -> InvalidConnectionError:
    return InvalidConnectionError(f"connection {connection.conn_id!r}: {'; '.join(problems)}")
