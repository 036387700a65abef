"""How a case is entered, and what many need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from world import World

Pair = dict[str, Any]


@dataclass
class Ready:
    """What the request needs.

    :param path: replaces the request's path, if given.
    :param ids: values by key of the body.
    :param body: replaces the request's body, if given.
    :param files: bytes of the parts that are files.
    :param role: who asks.
    """

    path: str | None = None
    ids: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    content: bytes = b""
    role: str | None = "admin"
    headers: dict[str, str] = field(default_factory=dict)


CASES: dict[str, Callable[[World, Pair], Ready]] = {}


def case(*names: str) -> Callable[[Callable[[World, Pair], Ready]], Callable[[World, Pair], Ready]]:
    """Enter a function for the pairs of these names."""

    def enter(function: Callable[[World, Pair], Ready]) -> Callable[[World, Pair], Ready]:
        for name in names:
            CASES[name] = function
        return function

    return enter


def wanted(pair: Pair) -> dict[str, Any]:
    """Return the Input of a recorded answer."""
    found: dict[str, Any] = pair["response"]["body"]["input"]
    return found


def one_image(world: World, name: str, url: str = "/cat.jpg", **body: Any) -> dict[str, Any]:
    media = {"url": world.media.url + url, "type": "image"}
    return world.ingested(original_filename=name, media=media, **body)


def final(world: World, input_id: int) -> Ready:
    return Ready(f"/api/walrus/v1/project/{{p}}/input/view/{input_id}")
