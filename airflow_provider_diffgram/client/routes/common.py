"""Helpers that all routes share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

T = TypeVar("T")

PAGE = 1000
"""Most rows of a listing (quirk 13)."""


@cache
def items(model: type[T], key: str | None) -> Callable[[Any], list[T]]:
    """Return a reader for a list of ``model`` under ``key``, or a bare list. Cached: building one is slow."""
    adapter = TypeAdapter(list[model])  # type: ignore[valid-type]  # a model given at run time
    return lambda body: adapter.validate_python(body if key is None else body[key])


@cache
def item(model: type[T], *keys: str) -> Callable[[Any], T]:
    """Return a reader for a ``model`` under the first of ``keys`` that the answer has. Cached."""
    adapter = TypeAdapter(model)
    return lambda body: adapter.validate_python(body[next((key for key in keys if key in body), keys[0])])


def whatever(body: Any) -> Any:
    """Return the answer unchanged: all that matters is that it arrived."""
    return body


def path_of(template: str, project: str, **ids: int | str) -> str:
    """Return the path with quoted project and ids."""
    return template.format(
        p=quote(project, safe=""), **{key: quote(str(value), safe="") for key, value in ids.items()}
    )


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None; the server treats null as absent (server.md 1.3)."""
    return {key: value for key, value in values.items() if value is not None}
