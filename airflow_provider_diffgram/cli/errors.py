"""Errors, in words for a terminal."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


class UsageError(Exception):
    """The command line is wrong: exit code 2."""


class NoConnectionError(Exception):
    """There is no usable connection with that id."""


@contextmanager
def telling_of_connection(conn_id: str) -> Generator[None, None, None]:
    """Turn Airflow's errors about a connection into a remedy.

    :raises NoConnectionError: if the connection is missing, or incomplete or wrong.
    """
    from ..hooks.connection import InvalidConnectionError

    try:
        yield
    except InvalidConnectionError as error:
        raise NoConnectionError(str(error)) from None


def words_of(error: BaseException) -> str:
    """Return what an error says in one line, without the full stop of its last sentence."""
    return "; ".join(str(error).strip().splitlines()).removesuffix(".")
