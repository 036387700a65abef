"""Which pairs are tried, with what, and that nothing counts as ok that is not."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from compat.__main__ import row_of
from compat.environment import StepFailed, problem_of, run
from compat.rows import LINES, Pair, chosen, first_fit, interpreter, pinned

THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def program(folder: Path, name: str, says: str) -> Path:
    """Return a program that says something, whatever it is asked."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_pattern_that_names_no_row_is_refused():
    with pytest.raises(SystemExit, match=r"'3\.4-\*'.*3\.3-3\.13"):
        chosen("3.3-3.13,3.4-*")


@pytest.mark.parametrize("line", LINES)
def test_each_line_is_pinned_without_addresses(line):
    path = Pair(line, "3.12").constraints
    assert re.fullmatch(rf"{re.escape(line)}\.\d+", pinned("apache-airflow", path))
    for text in path.read_text().splitlines():
        assert re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==\S+( ; .*)?", text), text


def test_only_an_interpreter_of_that_version_is_fit(tmp_path):
    broken = program(tmp_path, "broken", "pyenv: not installed")
    other = program(tmp_path, "other", '["/usr/bin/other", 3, 10]')
    candidates = [tmp_path / "absent", broken, other, Path(sys.executable)]
    found = first_fit(THIS, candidates)
    assert found is not None
    assert found.samefile(sys.executable)
    assert first_fit("3.99", candidates) is None


def test_a_row_without_interpreter_is_not_ok(tmp_path):
    assert interpreter("3.99") is None
    row = row_of(Pair("3.3", "3.99"), tmp_path / "no.whl", tmp_path, tmp_path / "row")
    assert (row.airflow, row.python, row.ok) == ("3.3", "3.99", False)
    assert row.reason == "there is no Python 3.99 on this machine"


def test_a_row_that_cannot_be_installed_is_not_ok(tmp_path):
    row = row_of(Pair("9.9", THIS), tmp_path / "no.whl", tmp_path, tmp_path / "row")
    assert not row.ok
    assert "airflow-9.9.txt" in row.reason


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(StepFailed, match=r"^import: no such module$"):
        run(["sh", "-c", "echo fine; echo no such module >&2; echo; exit 3"], log, "import")
    assert problem_of(["false"], log, "import").startswith("import: ")
    assert problem_of(["true"], log, "import") == ""
