"""The examples of emulator/README.md run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from diffgram_emulator.__main__ import parser
from diffgram_emulator.process import EmulatorProcess

README = (Path(__file__).parents[1] / "README.md").read_text()
FIXTURE, WITHOUT_PYTEST = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ (.*)$", README, re.MULTILINE)


def test_with_the_fixture(diffgram_emulator: EmulatorProcess) -> None:
    names: dict[str, Any] = {}
    exec(compile(FIXTURE, "README.md", "exec"), names)
    names["test_upload"](diffgram_emulator)


def test_without_pytest(capsys: Any) -> None:
    exec(compile(WITHOUT_PYTEST, "README.md", "exec"), {})
    url, project, client_id = capsys.readouterr().out.split()
    assert (url.startswith("http://127.0.0.1:"), project, client_id[:6]) == (True, "demo-project", "LIVE__")


def test_its_command_is_known() -> None:
    program, module, name, *arguments = shlex.split(COMMANDS[-1])
    assert (program, module, name) == ("python", "-m", "diffgram_emulator")
    assert parser().parse_args(arguments).port == 8085
