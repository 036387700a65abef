"""Which pairs are tried, with what, and that nothing counts as ok that is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from compat.__main__ import row_of, write
from compat.environment import StepFailed, last_words, problem_of, run
from compat.rows import LINES, Pair, Row, chosen, first_fit, interpreter, pairs, pinned
from compat.trial import PACKAGE, copy_tree

THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def program(folder: Path, name: str, says: str) -> Path:
    """Return a program that says something, whatever it is asked."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_there_are_thirteen_rows_and_one_of_them_is_the_newest():
    names = [pair.name for pair in pairs()]
    assert len(names) == 13
    assert names[:4] == ["2.11-3.11", "2.11-3.12", "3.0-3.11", "3.0-3.12"]
    assert [pair.name for pair in pairs() if pair.is_newest] == ["3.3-3.13"]


def test_patterns_choose_rows():
    assert chosen("") == pairs()
    assert chosen("2.11-3.11, 3.3-*") == [Pair("2.11", "3.11"), *pairs()[-3:]]


def test_a_pattern_that_names_no_row_is_refused():
    with pytest.raises(SystemExit, match=r"'3\.4-\*'.*3\.3-3\.13"):
        chosen("3.3-3.13,3.4-*")


@pytest.mark.parametrize("line", LINES)
def test_each_line_is_pinned_without_addresses(line):
    path = Pair(line, "3.12").constraints
    assert re.fullmatch(rf"{re.escape(line)}\.\d+", pinned("apache-airflow", path))
    for text in path.read_text().splitlines():
        assert re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==\S+( ; .*)?", text), text


def test_what_is_not_pinned_is_an_error(tmp_path):
    path = tmp_path / "pins.txt"
    path.write_text("apache-airflow-core==3.3.2\n")
    with pytest.raises(ValueError, match=r"pins\.txt does not pin apache-airflow;"):
        pinned("apache-airflow", path)


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


def test_what_was_seen_so_far_is_in_the_file(tmp_path):
    path = tmp_path / "compat.json"
    for ok in (True, False):
        write([Row("3.3", "3.13", ok, "" if ok else "tests: boom", 2.5)], path)
        assert [one["ok"] for one in json.loads(path.read_text())] == [ok]
    assert list(tmp_path.iterdir()) == [path]
    assert json.loads(path.read_text()) == [
        {"airflow": "3.3", "python": "3.13", "ok": False, "reason": "tests: boom", "seconds": 2.5}
    ]


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(StepFailed, match=r"^import: no such module$"):
        run(["sh", "-c", "echo fine; echo no such module >&2; echo; exit 3"], log, "import")
    assert problem_of(["false"], log, "import").startswith("import: ")
    assert problem_of(["true"], log, "import") == ""


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path):
    started = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 600 & echo $! > {started}; wait"]
    with pytest.raises(StepFailed, match="still not done after 1 s"):
        run(command, tmp_path / "log", "tests", 1)
    deadline = time.monotonic() + 10
    while _is_alive(started.read_text().strip()):
        assert time.monotonic() < deadline, "what it started goes on"
        time.sleep(0.05)


def _is_alive(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_first_failed_test_is_named():
    log = (
        "..F..F\nFAILED tests/a.py::one - boom\nFAILED tests/b.py::two\n==== 2 failed, 4 passed in 3 s ====\n"
    )
    assert last_words(log) == "FAILED tests/a.py::one - boom; 2 failed, 4 passed in 3 s"


def test_the_tree_has_what_git_would_track_and_the_content_of_the_wheel(tmp_path):
    root, wheel = tmp_path / "root", tmp_path / "built.whl"
    for name in ("tests/test_it.py", "new.py", "build/left.py", f"{PACKAGE}/__init__.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    (root / ".gitignore").write_text("build/\n")
    for arguments in (["init", "--quiet"], ["add", "tests"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{PACKAGE}/__init__.py", "built = True\n")
        archive.writestr(f"{PACKAGE}-1.dist-info/METADATA", "")
    tree = copy_tree(tmp_path / "tree", wheel, root)
    found = {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}
    assert found == {
        ".gitignore": "build/\n",
        "new.py": "new.py\n",
        "tests/test_it.py": "tests/test_it.py\n",
        f"{PACKAGE}/__init__.py": "built = True\n",
    }
