"""The hook for Diffgram."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    BaseHook,
    ObjectStoragePath,
    mask_secret,
)

from .. import get_provider_info

if TYPE_CHECKING:
    from ..client import DiffgramClient, Settings
    from ..ingest.read.paths import MediaPath, PathOpener
    from .connection import Defaults

_TYPE = get_provider_info()["connection-types"][0]


class DiffgramHook(BaseHook):
    """Connects to a Diffgram project.

    Host, Project (the schema field), Client ID (login) and Client secret (password) are required; the hook
    uses https unless the host begins with ``http://``.

    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    """

    conn_name_attr = "diffgram_conn_id"
    default_conn_name = "diffgram_default"
    conn_type = "diffgram"
    hook_name = "Diffgram"

    def __init__(self, diffgram_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.diffgram_conn_id = diffgram_conn_id
        self._client: DiffgramClient | None = None

    @cached_property
    def _connection(self) -> Any:
        from .connection import missing_connection

        try:
            return self.get_connection(self.diffgram_conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.diffgram_conn_id) from None

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the connection form, for Airflow before 3.2."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import BooleanField, IntegerField, StringField

        fields = {"boolean": BooleanField, "integer": IntegerField, "string": StringField}
        widgets = {}
        for name, field in _TYPE["conn-fields"].items():
            kind = field["schema"]["type"][0]
            shown = {} if kind == "boolean" else {"widget": BS3TextFieldWidget()}
            widgets[name] = fields[kind](
                lazy_gettext(field["label"]),
                description=field["description"],
                default=field["schema"]["default"],
                **shown,
            )
        return widgets

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the labels and hints of the connection form, for Airflow before 3.2."""
        behaviour = _TYPE["ui-field-behaviour"]
        return {
            "hidden_fields": behaviour["hidden-fields"],
            "relabeling": behaviour["relabeling"],
            "placeholders": behaviour["placeholders"],
        }

    def get_settings(self) -> Settings:
        """Return the address and credential of the connection.

        :raises InvalidConnectionError: with everything that is missing or wrong.
        """
        from .connection import settings_of

        return settings_of(self._connection)

    def get_defaults(self) -> Defaults:
        """Return the dataset and label schema for tasks that set none."""
        from .connection import defaults_of

        return defaults_of(self._connection)

    def path_opener(self) -> PathOpener:
        """Return a function that opens the paths of media, packets and reports, within ``local_root`` if set.

        A temporary fault of a storage is retried for ``retry_timeout``, like one of Diffgram.
        """
        from ..ingest.read.paths import confined
        from ..ingest.read.storage import patient

        root = self.get_defaults().local_root
        return patient(confined(_path_of, root) if root else _path_of, self.get_settings().retry_timeout)

    def get_conn(self) -> DiffgramClient:
        """Return the client; every call returns the same one."""
        if self._client is None:
            from ..client import DiffgramClient

            settings = self.get_settings()
            _mask(settings)
            self._client = DiffgramClient(settings)
        return self._client

    def test_connection(self) -> tuple[bool, str]:
        """Check host, project, credential, extra and the permission to write, without a side effect."""
        from ..client import DiffgramClient, DiffgramError, NoReplyError
        from ..models import InvalidValueError
        from .connection import InvalidConnectionError

        try:
            # The form's test button uses a temporary id, which would mean nothing in a message.
            settings = dataclasses.replace(self.get_settings(), retry_timeout=0, name=None)
            self._check_extra()
            _mask(settings)
            defaults = self.get_defaults()
            with DiffgramClient(settings) as client:
                _check_project(client, defaults)
        except NoReplyError:
            tls = ", or leave out http:// if it speaks TLS only" if settings.base_url[:5] == "http:" else ""
            told = f"the connection to {settings.base_url} broke off before an answer came. "
            return False, f"{told}Check the host and port of the connection{tls}"
        except (InvalidConnectionError, InvalidValueError, DiffgramError) as error:
            return False, _sentence(error)
        dataset = (
            "no default dataset" if defaults.dataset is None else f"default dataset {defaults.dataset!r}"
        )
        told = f"Connected to {settings.base_url}, project {settings.project!r}, with permission to write"
        return True, f"{told}; {dataset}"

    def unknown_extras(self) -> list[str]:
        """Return the names in the connection's extra that are unknown."""
        from .connection import unknown_extras

        return unknown_extras(self._connection)

    def _check_extra(self) -> None:
        from ..models.problems import did_you_mean
        from .connection import InvalidConnectionError, known_extras

        unknown = self.unknown_extras()
        if unknown:
            known = ", ".join(known_extras())
            names = ", ".join(f"{each!r}{did_you_mean(each, known_extras())}" for each in unknown)
            raise InvalidConnectionError(
                f"connection {self.diffgram_conn_id!r}: unknown in the extra: {names}; known are {known}"
            )


def _check_project(client: DiffgramClient, defaults: Defaults) -> None:
    """Check that the credential may write to the project, and that the connection's dataset and schema exist.

    :raises DiffgramError: if the credential may not write, or the server does not answer.
    :raises InvalidValueError: if there is no such dataset or label schema.
    """
    from ..client import routes
    from ..ingest.check.lookup import find_dataset, find_schema

    client.send(routes.list_schemas(client.project))
    check_may_write(client)
    if defaults.dataset is not None:
        find_dataset(client, defaults.dataset)
    if defaults.label_schema is not None:
        find_schema(client, defaults.label_schema)


def check_may_write(client: DiffgramClient) -> None:
    """Check that a credential may write, by sending an empty packet, which every Diffgram refuses.

    :raises CredentialError: if it may not write.
    :raises DiffgramError: if that cannot be found out.
    """
    from ..client import CredentialError, RefusedError, WrongAddressError, routes

    try:
        client.send(routes.probe_write(client.project))
    except CredentialError:
        raise CredentialError(
            f"project {client.project!r} answers, but this credential may not write to it: "
            "give it the role Editor or admin in Diffgram"
        ) from None
    except RefusedError as error:
        if "directory" not in error.fields:
            raise
    else:
        raise WrongAddressError(
            f"what answers at {client.settings.base_url} accepts an empty packet, which no Diffgram does. "
            f"{WrongAddressError.remedy}"
        )


def _sentence(error: Exception) -> str:
    """Return an error as the form shows it, without the request that caused it."""
    from ..client import routes

    asked = (routes.list_schemas(""), routes.probe_write(""))
    words = str(error)
    for each in asked:
        words = words.removeprefix(f"{each.what}: ")
    return words


def _path_of(path: str) -> MediaPath:
    return cast("MediaPath", ObjectStoragePath(path))


def _mask(settings: Settings) -> None:
    """Keep the secret, and the header derived from it, out of the logs."""
    from ..client.settings import secrets_of

    for secret in secrets_of(settings):
        mask_secret(secret)


@contextmanager
def failing_for_good() -> Generator[None, None, None]:
    """Convert errors that no retry can fix to an exception that Airflow does not retry; keep the others."""
    from ..client import DiffgramError
    from ..ingest.watch.errors import WaitTimeoutError
    from ..models import InvalidValueError
    from ..review.errors import ReviewTimeoutError
    from .connection import InvalidConnectionError

    try:
        yield
    except (WaitTimeoutError, ReviewTimeoutError) as error:
        raise AirflowSensorTimeout(str(error)) from None
    except (InvalidConnectionError, InvalidValueError, DiffgramError) as error:
        if not getattr(error, "permanent", True):
            raise
        # The message says everything, and Airflow would print the cause first.
        raise AirflowFailException(str(error)) from None
