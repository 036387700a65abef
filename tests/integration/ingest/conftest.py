"""A server over a socket, with a fresh project for every test, and media for it to fetch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from airflow_provider_diffgram.client.routes.uploads import MIB
from airflow_provider_diffgram.ingest.limits import LIMITS
from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.live_diffgram import LiveDiffgram
from tests.integration.ingest.served_media import Media, serving

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def unlimited_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """A process that counts no requests, as a development server does not."""
    with EmulatorProcess.start(tmp_path_factory.mktemp("unlimited"), rate_limit=False) as emulator:
        yield emulator


@pytest.fixture
def diffgram(unlimited_emulator: EmulatorProcess) -> LiveDiffgram:
    """A fresh project."""
    unlimited_emulator.reset()
    return LiveDiffgram.of(unlimited_emulator.with_project(f"ingest-{next(_numbers)}"))


@pytest.fixture
def queued(diffgram: LiveDiffgram) -> LiveDiffgram:
    """The project, for a test that is about the server's queue: what is by URL goes there."""
    diffgram.delivery = "queue"
    return diffgram


@pytest.fixture
def ada(diffgram: LiveDiffgram) -> Person:
    """Somebody of the project."""
    return Person.of(diffgram.emulator)


@pytest.fixture
def low_limit(diffgram: LiveDiffgram) -> None:
    """Let a file of 11 MiB be a large one, of three chunks."""
    diffgram.limits = replace(LIMITS, upload=6 * MIB, upload_chunk=5 * MIB)


@pytest.fixture
def media() -> Iterator[Media]:
    """Media of this test alone."""
    with serving() as served:
        yield served
