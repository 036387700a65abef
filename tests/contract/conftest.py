"""The Diffgram under test, a dataset in it, and a server of media it can fetch from."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_provider_diffgram.client.settings import Settings
from airflow_provider_diffgram.client.sync import DiffgramClient
from diffgram_emulator.process import EmulatorProcess

from .attributes import Attribute, attributes_of
from .deployment import Access, Deployment, Place, place_of_environment
from .media_server import MediaServer
from .person import Person, logged_in
from .review import Review, review_of
from .stranger import Stranger, stranger_of
from .world import World


def _emulated(emulator: EmulatorProcess) -> Place:
    """Return the place of a fresh emulator, with everything that a place can have."""
    levels = {
        level: Access(emulator.project, one.client_id, one.client_secret)
        for level, one in emulator.credentials.items()
    }
    stranger = emulator.with_project("other-project")
    other = Access(stranger.project, stranger.client_id, stranger.client_secret)
    providers = ((emulator, "amazon_aws"), (emulator, "minio"), (stranger, "amazon_aws"))
    for owner, provider in providers:
        body = {"project": owner.project, "integration_name": provider, "name": provider}
        emulator.control("connections", body)
    one = emulator.control("people", {"project": emulator.project})
    person = (one["email"], one["password"])
    return Place(emulator.url, levels, other, groups=8, patience=20.0, person=person)


@pytest.fixture(scope="session")
def media() -> Iterator[MediaServer]:
    """A server of pictures that the Diffgram under test reaches."""
    with MediaServer(os.environ.get("DIFFGRAM_MEDIA_HOST", "127.0.0.1")) as server:
        yield server


@pytest.fixture(scope="session")
def deployment(media: MediaServer) -> Iterator[Deployment]:
    """The Diffgram under test; the inputs made in it are archived at the end."""
    with ExitStack() as stack:
        place = place_of_environment() or _emulated(stack.enter_context(EmulatorProcess.start()))
        prefix = f"contract-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        made = Deployment(place, media, prefix)
        useless = made.check()
        if useless is not None:
            pytest.exit(useless, returncode=2)
        yield made
        made.archive_everything()


@pytest.fixture
def world(deployment: Deployment, request: pytest.FixtureRequest) -> World:
    """A dataset of the test's own."""
    return World(deployment, request.node.originalname)


@pytest.fixture(scope="module")
def module_world(deployment: Deployment, request: pytest.FixtureRequest) -> World:
    """A dataset of the module's own, for inputs that are sent and waited for together."""
    return World(deployment, request.module.__name__.rpartition(".")[2])


@pytest.fixture(scope="session")
def client(deployment: Deployment) -> Iterator[DiffgramClient]:
    """The package's own client, with the admin's credential."""
    one = deployment.access("admin")
    place = deployment.place
    settings = Settings(place.url, one.project, one.client_id, one.client_secret, verify=place.verify)
    with DiffgramClient(settings) as made:
        yield made


@pytest.fixture(scope="session")
def attributes(deployment: Deployment) -> dict[str, Attribute]:
    """Attribute groups by kind: those that earlier runs left, and what this run may still create."""
    return attributes_of(deployment)


@pytest.fixture(scope="session")
def stranger(deployment: Deployment) -> Iterator[Stranger]:
    """What belongs to another project."""
    with stranger_of(deployment) as made:
        yield made


@pytest.fixture(scope="session")
def person(deployment: Deployment) -> Person:
    """Somebody who is logged in."""
    return logged_in(deployment)


@pytest.fixture(scope="session")
def review(deployment: Deployment) -> Review:
    """The run's only job, active, with a task for each of two files."""
    return review_of(World(deployment, "review"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skip as a failure where nothing is missing, which is on the emulator."""
    report = yield
    if report.skipped and place_of_environment() is None:
        report.outcome = "failed"
        report.longrepr = f"the emulator has everything, and yet: {report.longrepr}"
    return report


def pytest_report_header(config: Any) -> str:
    """Say where the suite runs."""
    return f"contract suite against {os.environ.get('DIFFGRAM_URL') or 'the emulator'}"
