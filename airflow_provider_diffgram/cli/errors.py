"""Errors of the command line, and their text for a terminal."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


class UsageError(Exception):
    """The command line is wrong: exit code 2."""


class NoConnectionError(Exception):
    """There is no usable connection with that id."""


@contextmanager
def telling_of_connection(conn_id: str) -> Generator[None, None, None]:
    """Convert Airflow's errors about a connection to one that says what to do.

    :raises NoConnectionError: if the connection is missing, or incomplete or wrong.
    """
    from ..hooks.connection import InvalidConnectionError

    try:
        yield
    except InvalidConnectionError as error:
        raise NoConnectionError(str(error)) from None


def words_of(error: BaseException) -> str:
    """Return an error's text in one line, without the final full stop."""
    return "; ".join(str(error).strip().splitlines()).removesuffix(".")
