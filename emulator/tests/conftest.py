"""A project in the emulator and a server of media, for the tests that speak plain HTTP to it."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from diffgram_emulator.process import EmulatorProcess
from tests.contract.media_server import MediaServer
from world import World

hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def media() -> Iterator[MediaServer]:
    """A local server of pictures."""
    with MediaServer() as server:
        yield server


@pytest.fixture
def world(diffgram_emulator: EmulatorProcess, media: MediaServer) -> World:
    """A fresh project with a dataset and three labels."""
    return World(diffgram_emulator, media)


@pytest.fixture
def own_world(diffgram_emulator_process: EmulatorProcess, media: MediaServer) -> World:
    """The same in a process of its own, for tests that kill its threads or count its requests."""
    return World(diffgram_emulator_process, media)
