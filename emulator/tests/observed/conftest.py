"""An emulator in which success comes long before the instances."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diffgram_emulator.process import EmulatorProcess
from tests.contract.media_server import MediaServer
from world import World


@pytest.fixture(scope="module")
def slow_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """A process in which a success is seen long before its instances, and races have time to happen."""
    folder = tmp_path_factory.mktemp("slow")
    speeds = {"settle_seconds": 0.3, "model_race_seconds": 0.3, "name_race_seconds": 0.2}
    with EmulatorProcess.start(folder, image_seconds=0.05, **speeds) as emulator:
        yield emulator


@pytest.fixture
def slow_world(slow_emulator: EmulatorProcess, media: MediaServer, request: pytest.FixtureRequest) -> World:
    """A fresh project in the slow process."""
    slow_emulator.reset()
    return World(slow_emulator.with_project(request.node.name), media)
