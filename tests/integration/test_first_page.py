"""The first page of the README, word for word: its commands and its DAG, in an empty folder.

The page is read from the top to "What else there is to know", and followed as a newcomer would: a console
block is run line by line, in one shell, beside a fresh emulator; a Python block is saved under the name that
the sentence before it gives; a text block is what the command before it prints. Nothing is changed but what
REPLACED names, and the port, which may be in use.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from airflow_provider_diffgram import __version__

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FIRST_PAGE, _, _ = README.partition("What else there is to know")

REPLACED = {
    "make demo": "takes a minute and the models: .ci/run runs it, and tests/integration/test_demo.py",
    "make test": "this test is part of it; .ci/run runs it",
    "pip install 'airflow-provider-diffgram[emulator]'": "needs an index that has a release",
    "pip install ./emulator .": "make has installed both for the tests; the names are checked below",
    "pip install ./airflow_provider_diffgram-0.1.0-py3-none-any.whl "
    "./diffgram_emulator-0.1.0-py3-none-any.whl": "takes another environment; the names are checked below",
}
"""Lines that are not run here, and why."""

TEXT_OF_THE_DEMO = "reviewed by a person"
PORT = "8085"
PATIENCE = 120.0


@dataclass
class Block:
    """A fenced block, and the text before it."""

    before: str
    language: str
    text: str

    def commands(self) -> list[str]:
        """Return the commands of a console block, without comments."""
        lines = [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]
        return [re.sub(r"\s+# .*", "", line) for line in lines]


def blocks_of(text: str) -> list[Block]:
    found = re.split(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [Block(*found[number : number + 3]) for number in range(0, len(found) - 3, 3)]


BLOCKS = blocks_of(FIRST_PAGE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Newcomer:
    """Follows the page in a folder.

    :ivar exports: what the shell was told to export.
    :ivar printed: what the last command printed on both streams.
    """

    folder: Path
    port: str = field(default_factory=lambda: str(free_port()))
    exports: list[str] = field(default_factory=list)
    printed: str = ""
    emulator: subprocess.Popen[str] | None = None

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        if block.language == "console":
            for command in block.commands():
                if command not in REPLACED:
                    self._type(command.replace(f"--port {PORT}", f"--port {self.port}"))
        elif block.language == "python":
            (name,) = re.findall(r"Save this as `([^`]+)`", block.before)
            (self.folder / name).write_text(block.text)
        elif TEXT_OF_THE_DEMO not in block.text:
            self._compare(block)

    def end(self) -> None:
        if self.emulator is not None:
            self.emulator.send_signal(signal.SIGINT)
            self.emulator.wait(timeout=20)

    def _type(self, command: str) -> None:
        if command.startswith("export "):
            self.exports.append(command)
        elif command.startswith("python -m diffgram_emulator"):
            self._serve(command)
        else:
            script = "\n".join(["set -e", *self.exports, command])
            ran = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PATIENCE * 5,
                check=False,
            )
            assert ran.returncode == 0, f"{command}:\n{ran.stdout}"
            self.printed += ran.stdout

    def _serve(self, command: str) -> None:
        """Leave the emulator running, and paste the export that it prints."""
        self.emulator = subprocess.Popen(
            shlex.split(command), cwd=self.folder, env=self._environment(), stdout=subprocess.PIPE, text=True
        )
        assert self.emulator.stdout is not None
        end = time.monotonic() + PATIENCE
        for line in self.emulator.stdout:
            if line.startswith("export AIRFLOW_CONN_"):
                self.exports.append(line.rstrip())
                return
            assert time.monotonic() < end
        raise AssertionError("the emulator ended without a line to export")

    def _compare(self, block: Block) -> None:
        """See that each line of a block was printed, in this order."""
        printed, self.printed = iter(self.printed.splitlines()), ""
        for line in block.text.splitlines():
            expected = line.replace(f":{PORT}", f":{self.port}")
            shown = next((each for each in printed if expected in each), None)
            assert shown is not None, f"the page says {expected!r}, which was not printed (in this order)"
            rest = re.sub(r"^\S+ \[\w+ *\] |\s+\[[\w.]+\] loc=\S+$", "", shown)
            assert rest.strip() == expected, f"the page says {expected!r}, printed was {rest!r}"

    def _environment(self) -> dict[str, str]:
        """Return what a fresh shell has, and the environment with the packages first on the path."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    newcomer = Newcomer(tmp_path)
    yield newcomer
    newcomer.end()


def test_the_first_page_does_what_it_says(newcomer: Newcomer):
    for block in BLOCKS:
        newcomer.follow(block)
    assert sorted(each.name for each in (newcomer.folder / "dags").glob("*.*")) == [
        "cat-1.jpg",
        "nightly.py",
        "packets.jsonl",
    ]


def test_the_first_page_has_what_is_to_be_followed():
    assert [block.language for block in BLOCKS].count("python") == 1
    commands = [command for block in BLOCKS if block.language == "console" for command in block.commands()]
    assert REPLACED.keys() <= set(commands), "what is replaced is on the page"
    ran = [command for command in commands if command not in REPLACED]
    assert len(ran) >= 8
    texts = [block for block in BLOCKS if block.language == "text"]
    assert sum(TEXT_OF_THE_DEMO not in block.text for block in texts) == 3


@pytest.mark.parametrize("printed", ["1 of 1 sent", "2 of 2 sent, and more", "in 2 of 2 sent"])
def test_a_page_that_says_something_else_is_found_out(tmp_path: Path, printed: str):
    newcomer = Newcomer(tmp_path, printed=f"first\n{printed}\n")
    with pytest.raises(AssertionError, match="the page says '2 of 2 sent'"):
        newcomer.follow(Block("", "text", "2 of 2 sent\n"))


def test_a_command_that_fails_is_found_out(tmp_path: Path):
    with pytest.raises(AssertionError, match="no such command"):
        Newcomer(tmp_path).follow(Block("", "console", "$ echo no such command; false\n"))


def test_the_lines_that_install_name_what_there_is():
    """Each was run by hand, in an environment of its own."""
    wheels = re.findall(r"\./(\w+)-([\d.]+)-py3-none-any\.whl", FIRST_PAGE)
    assert wheels == [
        ("airflow_provider_diffgram", __version__),
        ("diffgram_emulator", _version_of_emulator()),
    ]
    assert 'name = "airflow-provider-diffgram"' in (ROOT / "pyproject.toml").read_text()
    assert 'emulator = ["diffgram-emulator"]' in (ROOT / "pyproject.toml").read_text()
    assert 'name = "diffgram-emulator"' in (ROOT / "emulator" / "pyproject.toml").read_text()


def _version_of_emulator() -> str:
    text = (ROOT / "emulator" / "diffgram_emulator" / "__init__.py").read_text()
    return re.findall(r'__version__ = "([^"]+)"', text)[0]
