"""The command line as a user meets it, with a connection in the environment."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from airflow_provider_diffgram.cli.commands import COMMANDS
from airflow_provider_diffgram.cli.main import main
from diffgram_emulator.process import EmulatorProcess


class Terminal:
    """Runs commands in a folder of their own, with a connection to an emulator in the environment."""

    def __init__(
        self, folder: Path, uri: str, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._patch = patch
        self._captured = captured
        patch.chdir(folder)
        self.connect(uri)

    def connect(self, uri: str) -> None:
        self._patch.setenv("AIRFLOW_CONN_DIFFGRAM_DEFAULT", uri)

    def disconnect(self) -> None:
        self._patch.delenv("AIRFLOW_CONN_DIFFGRAM_DEFAULT")

    def __call__(self, *arguments: str, code: int = 0, typed: str = "") -> tuple[list[str], str]:
        self._patch.setattr(sys, "stdin", io.StringIO(typed))
        self._captured.readouterr()
        ended = main(arguments)
        told = self._captured.readouterr()
        assert ended == code, told.err
        return told.out.splitlines(), told.err


@pytest.fixture
def terminal(
    diffgram_emulator: EmulatorProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Terminal:
    emulator = diffgram_emulator.with_project(diffgram_emulator.project, ["cat"], ["night"])
    emulator.control("options", {"cycle": 0.05, "image_seconds": 0.01, "settle_seconds": 0.0})
    packets = [
        {
            "media": {"text_data": "a cat"},
            "original_filename": f"{name}.txt",
            "instance_list": [{"type": "text_token", "label": "cat", "start_token": 1, "end_token": 1}],
        }
        for name in "ab"
    ]
    (tmp_path / "packets.jsonl").write_text("".join(json.dumps(each) + "\n" for each in packets))
    return Terminal(tmp_path, emulator.connection_uri(), monkeypatch, capsys)


def test_doctor_finds_nothing_wrong(terminal: Terminal):
    lines, _ = terminal("doctor", "--dataset", "night")
    subjects = ["connection", "server", "clock", "services", "role"]
    subjects += ["dataset", "schema", "labels", "storage", "queue"]
    assert [line.split()[:2] for line in lines] == [["ok", subject] for subject in subjects]


@pytest.mark.parametrize(
    "line, told",
    [
        ("push p.jsonl --datset night", "push: there is no '--datset' here (did you mean '--dataset'?)."),
        (
            "push p.jsonl --if-exsts=skip",
            "push: there is no '--if-exsts' here (did you mean '--if-exists'?).",
        ),
        ("push p.jsonl another.jsonl", "push: there is no 'another.jsonl' here."),
        ("push p.jsonl --if-exists skipp", "'skipp' (choose from"),
        ("push p.jsonl --if-exists skipp", "(did you mean 'skip'?). See diffgram-airflow push --help"),
        ("psuh p.jsonl", "(did you mean 'push'?). See diffgram-airflow --help"),
        ("labels creat x", "(did you mean 'create'?)"),
        ("wait nowhere.json", "wait: cannot read nowhere.json: No such file or directory"),
    ],
)
def test_a_command_line_that_is_wrong_is_told_in_one_line(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
):
    try:
        code = main(shlex.split(line))
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1)
    assert told in said


def test_doctor_says_what_is_wrong_and_what_to_do(terminal: Terminal, diffgram_emulator: EmulatorProcess):
    lines, _ = terminal("doctor", "--dataset", "nigth", code=1)
    (wrong,) = [line for line in lines if line.startswith("wrong")]
    assert "which has: Default, night. To make it: diffgram-airflow dataset create nigth" in wrong
    terminal.connect(diffgram_emulator.connection_uri("Viewer"))
    lines, _ = terminal("doctor", code=1)
    assert "give it the role Editor or admin in Diffgram" in lines[-1]
    terminal.connect("diffgram://http://a:b@127.0.0.1:1/x")
    lines, _ = terminal("doctor", code=1)
    assert lines[-1].startswith("wrong    server")
    assert "cannot connect to http://127.0.0.1:1" in lines[-1]


def test_without_a_connection_every_command_says_how_to_make_one(terminal: Terminal):
    lines, _ = terminal("doctor", "--conn-id", "elsewhere", code=1)
    assert "export AIRFLOW_CONN_ELSEWHERE=" in lines[0]
    _, told = terminal("labels", "list", "--conn-id", "elsewhere", code=1)
    assert "there is no connection 'elsewhere'" in told


def test_a_push_is_checked_sent_and_waited_for(terminal: Terminal):
    lines, told = terminal("validate", "packets.jsonl", "--dataset", "night", "--page", "page.html")
    assert lines[0] == "2 packets, 0 of them invalid; 2 instances of 1 label, no score"
    assert (terminal.folder / "page.html").stat().st_size > 1000
    lines, told = terminal("push", "packets.jsonl", "--dataset", "night", "--handle", "handle.json", "--wait")
    assert lines == ["2 expected: 2 succeeded"]
    assert "2 sent" in told
    lines, _ = terminal("push", "packets.jsonl", "--dataset", "night", "--record", "record.jsonl")
    assert json.loads(lines[0])["skipped"] == 2
    assert len((terminal.folder / "record.jsonl").read_text().splitlines()) == 2
    handle = (terminal.folder / "handle.json").read_text()
    for given in (["handle.json"], ["-"], [handle]):
        lines, _ = terminal("wait", *given, typed=handle)
        assert lines == ["2 expected: 2 succeeded"]


def test_a_wrong_push_sends_nothing(terminal: Terminal):
    (terminal.folder / "wrong.jsonl").write_text('{"media": {"text_data": "x"}}\n')
    _, told = terminal("push", "wrong.jsonl", "--dataset", "night", code=1)
    assert "nothing was sent" in told
    assert "text needs a name" in told
    _, told = terminal("push", "packets.jsonl", "--dataset", "night", "--run", "7", code=2)
    assert "--run needs --model" in told
    _, told = terminal("wait", "{}", code=1)
    assert "handle" in told


def test_a_process_ends_with_the_exit_code_and_without_a_traceback(terminal: Terminal):
    command = [sys.executable, "-m", "airflow_provider_diffgram", "labels", "list", "--conn-id", "elsewhere"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1].startswith("there is no connection 'elsewhere'")
    assert "Traceback" not in ended.stderr
    wrong = subprocess.run([*command[:3], "fly"], capture_output=True, text=True, timeout=60, check=False)
    assert wrong.returncode == 2


@pytest.mark.parametrize(
    "line, code, told",
    [
        (
            "push packets.jsonl",
            2,
            "push: say which dataset: --dataset, or a default dataset in the connection",
        ),
        ("validate packets.jsonl", 2, "validate: say which dataset: --dataset,"),
        ("push packets.jsonl --dataset nihgt", 1, "(did you mean 'night'?)"),
        ("push nope.jsonl --dataset night", 1, "packets: no such file: nope.jsonl"),
        ("push folder --dataset night", 1, "packets: a folder, not a file: folder"),
        (
            "push packets.jsonl --dataset night --handle no/h.json",
            2,
            "cannot write no/h.json: there is no folder no",
        ),
        ("push packets.jsonl --dataset night --handle folder", 2, "cannot write folder: it is a folder"),
        ("pull packets.jsonl/there --dataset night --only all", 1, "packets.jsonl/there"),
        ("preview packets.jsonl --folder packets.jsonl/there", 1, "packets.jsonl/there: Not a directory"),
        ("labels create ''", 1, "labels: labels.0.name: String should have at least 1 character"),
        ("labels create ' '", 1, "labels: labels.0.name: "),
        ("labels list cat", 2, "labels: list takes no names; to create some: diffgram-airflow labels create"),
        (
            "dataset list day",
            2,
            "dataset: list takes no name; to create one: diffgram-airflow dataset create",
        ),
        ("dataset create", 2, "dataset: give a name to create: diffgram-airflow dataset create NAME"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_and_nothing_is_sent(
    terminal: Terminal, diffgram_emulator: EmulatorProcess, line: str, code: int, told: str
):
    (terminal.folder / "folder").mkdir()
    before = diffgram_emulator.control("state")["waiting"]
    _, said = terminal(*shlex.split(line), code=code)
    assert told in said
    assert said.count("\n") <= 2
    assert "Traceback" not in said
    assert diffgram_emulator.control("state")["waiting"] == before


def test_ctrl_c_ends_a_push_with_its_own_exit_code(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(COMMANDS, "push", interrupted)
    monkeypatch.setitem(COMMANDS, "labels", interrupted)
    _, told = terminal("push", "packets.jsonl", "--dataset", "night", code=130)
    assert told == "stopped. What was done stays; the same command goes on where this one ended\n"
    _, told = terminal("labels", "list", code=130)
    assert told == "stopped\n"


def test_who_reads_the_result_may_stop_reading(terminal: Terminal):
    command = f"{shlex.quote(sys.executable)} -m airflow_provider_diffgram labels list | true"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr


def test_on_a_terminal_lines_go_above_the_bar(terminal: Terminal):
    """A pseudo-terminal of 80 columns: no line of the log is written into the bar."""
    command = [
        sys.executable,
        "-m",
        "airflow_provider_diffgram",
        "push",
        "packets.jsonl",
        "--dataset",
        "night",
    ]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [*command, "--dataset", "night", "--wait"], stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError):  # when nobody has the other end any more
            while part := os.read(ours, 4096):
                written += part
        os.close(ours)
    assert process.returncode == 0, written.decode()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode()).replace("\r", "\n").splitlines()
    assert {line.split()[0] for line in shown if "━" in line} == {"sending", "waiting"}
    for line in shown:
        assert len(line) <= 80 or "━" not in line
        assert not ("━" in line and "in Diffgram" in line), line
    assert "2 expected: 2 succeeded" in shown


def test_a_preview_says_what_is_wrong(terminal: Terminal):
    (terminal.folder / "wrong.jsonl").write_text("packets:\n- a\n")
    _, told = terminal("preview", "wrong.jsonl", "--folder", "drawn")
    assert told.startswith("2 packets, 2 of them invalid, 0 instances")


def test_a_preview_needs_no_server(terminal: Terminal):
    terminal.disconnect()
    lines, _ = terminal("preview", "packets.jsonl", "--folder", "drawn")
    assert (terminal.folder / lines[0]).is_file()


def test_the_commands_of_the_guide_work_as_they_stand_there(terminal: Terminal):
    guide = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    (described,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (terminal.folder / "schema.yaml").write_text(described)
    commands = [shlex.split(line) for line in re.findall(r"^\$ (.*)$", guide, re.MULTILINE)]
    assert {command[1] for command in commands} == set(COMMANDS)
    for program, *arguments in commands:
        assert program == "diffgram-airflow"
        terminal(*arguments, code=int(arguments[0] == "compare"))  # nobody has reviewed anything
    assert (terminal.folder / "compare.html").stat().st_size > 1000


def test_datasets_labels_and_schemas_are_made(terminal: Terminal):
    (made,), _ = terminal("dataset", "create", "day")
    assert made.startswith("made: dataset 'day', id ")
    lines, _ = terminal("dataset", "list")
    assert [line.split()[1] for line in lines] == ["name", "Default", "night", "day"]
    assert terminal("labels", "create", "dog", "cat")[0] == ["made: label dog"]
    lines, _ = terminal("labels", "list")
    assert [line.split()[1] for line in lines] == ["name", "cat", "dog"]
    described = "labels: [cat, bird]\nattributes: [{name: hidden, kind: radio, options: [a, b]}]\n"
    lines, _ = terminal("schema", "plan", "-", typed=described)
    assert lines[:2] == ["+ label bird", "+ attribute hidden (radio: a, b)"]
    terminal("schema", "apply", "-", typed=described)
    assert terminal("schema", "apply", "-", typed=described)[0] == ["nothing was missing"]
    exported = "\n".join(terminal("schema", "export")[0])
    assert terminal("schema", "plan", "-", typed=exported)[0] == ["nothing is missing"]
    many = "attributes:\n" + "".join(f"- {{name: a{number}, kind: text}}\n" for number in range(12))
    lines, _ = terminal("schema", "plan", "-", typed=many)
    assert "! Diffgram takes 10 new attributes a day: apply again tomorrow for the other 2" in lines
    lines, _ = terminal("schema", "apply", "-", typed=many, code=1)  # one of today's was made above
    assert lines[-2:] == [
        "made: attribute a8 (text)",
        "Diffgram takes 10 new attributes a day, and left 3 attributes: a9, a10, a11. Apply again tomorrow",
    ]
    lines, _ = terminal("schema", "apply", "-", typed=many, code=1)
    assert [line.partition(",")[0] for line in lines] == [
        "nothing was made",
        "Diffgram takes 10 new attributes a day",
    ]
    terminal("schema", "plan", code=2)
    terminal("dataset", "create", code=2)
