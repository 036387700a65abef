"""Which Diffgram the demo uses."""

from __future__ import annotations

import pytest

from demo.server import VARIABLES, Server, from_environment

VALUES = {
    "DIFFGRAM_URL": "https://diffgram.test",
    "DIFFGRAM_PROJECT": "mine",
    "DIFFGRAM_CLIENT_ID": "LIVE__1",
    "DIFFGRAM_CLIENT_SECRET": "a-secret",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_variables_it_is_the_emulator():
    assert from_environment() is None


def test_with_all_variables_it_is_that_server(monkeypatch):
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    assert from_environment() == Server("https://diffgram.test", "mine", "LIVE__1", "a-secret")


@pytest.mark.parametrize("left_out", VARIABLES)
def test_with_some_variables_it_says_which_are_missing(monkeypatch, left_out):
    for name in set(VARIABLES) - {left_out}:
        monkeypatch.setenv(name, VALUES[name])
    with pytest.raises(ValueError, match=f"set {left_out} too"):
        from_environment()


def test_the_secret_is_not_shown():
    server = Server("https://diffgram.test", "mine", "LIVE__1", "a-secret")
    assert "a-secret" not in repr(server)
    with server.client() as client:
        assert "a-secret" not in repr(client)
