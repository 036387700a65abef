"""No reader ends otherwise than with images or a refusal; ``FUZZ=200000`` says how many inputs there are."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzz import steady
from tests.unit.predictions.fuzzing import drive
from tests.unit.predictions.fuzzing.targets import TARGETS

INPUTS = int(os.environ.get("FUZZ", "3000"))
"""In all, of which each target gets its part."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_nearly_right_is_read_or_refused(name: str, tmp_path: Path):
    target = TARGETS[name]
    for number in range(-(-INPUTS // len(TARGETS))):
        value = target.broken(random.Random(f"{name} {number}"))
        try:
            target.run(value, tmp_path)
        except Exception as error:
            error.add_note(f"{name}, input {number}: {value!r:.2000}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_right_is_read(name: str, tmp_path: Path):
    target = TARGETS[name]
    for good in target.good if hasattr(target, "path") else [target.good()]:
        if hasattr(target, "path"):
            (tmp_path / target.path).write_bytes(good)
            assert list(target.read(tmp_path / target.path))
        else:
            assert list(target.read(good))


@pytest.mark.parametrize("name", TARGETS)
@steady(20)
@given(rng=st.randoms(use_true_random=False))
def test_what_hypothesis_makes_of_it_is_read_or_refused(
    name: str, tmp_path_factory: pytest.TempPathFactory, rng: random.Random
):
    target = TARGETS[name]
    target.run(target.broken(rng), tmp_path_factory.mktemp("fuzz"))


def test_the_drive_tells_what_is_no_refusal():
    def read():
        raise KeyError("id")

    with pytest.raises(KeyError):
        drive(read)
