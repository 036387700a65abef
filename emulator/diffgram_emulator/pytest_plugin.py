"""Fixtures for tests of DAGs and clients; pytest finds them by an entry point.

``diffgram_emulator``
    A fresh project in an emulator shared by the session: fast, and empty for every test. Faults, rate-limit
    windows, a paused queue and dead ingest threads of the test before are gone.
``diffgram_emulator_process``
    A process of its own, for tests that end it or slow it down.

Every pytest run of an environment with this package imports this module, so it imports nothing itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .process import EmulatorProcess

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def diffgram_emulator_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The process in which ``diffgram_emulator`` creates projects."""
    from .process import EmulatorProcess

    with EmulatorProcess.start(tmp_path_factory.mktemp("diffgram")) as emulator:
        yield emulator


@pytest.fixture
def diffgram_emulator(diffgram_emulator_session: EmulatorProcess) -> EmulatorProcess:
    """A fresh project in a running emulator that all tests of the session share."""
    if not diffgram_emulator_session.is_running:
        diffgram_emulator_session.restart()
    diffgram_emulator_session.reset()
    return diffgram_emulator_session.with_project(f"project-{next(_numbers)}")


@pytest.fixture
def diffgram_emulator_process(tmp_path: Path) -> Iterator[EmulatorProcess]:
    """A running emulator for this test alone."""
    from .process import EmulatorProcess

    with EmulatorProcess.start(tmp_path / "diffgram") as emulator:
        yield emulator
