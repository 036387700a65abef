"""Shared by all tests."""

from __future__ import annotations

pytest_plugins = ["airflow_provider_diffgram.emulator.fixtures"]
