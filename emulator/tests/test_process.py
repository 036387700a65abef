"""The process: starting, telling, ending, starting again on the same data."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from diffgram_emulator.process import EmulatorError, EmulatorProcess
from helpers import call, default_dataset, label, own_image, rows, send, upload
from world import until

COMMAND = [sys.executable, "-m", "diffgram_emulator", "--port", "0"]


def test_it_tells_where_it_is_and_how_to_get_in(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [*COMMAND, "--data", str(tmp_path / "data"), "--ready-file", str(ready), "--project", "mine"]
    command += ["--dataset", "night", "--label", "cat", "--label", "dog", "--label", "cat"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        until(ready.exists, "the ready file")
        assert stat.S_IMODE(ready.stat().st_mode) == 0o600
        facts = json.loads(ready.read_text())
        assert (facts["project"], facts["pid"]) == ("mine", process.pid)
        assert list(facts["credentials"]) == ["admin", "Editor", "Viewer"]
        assert requests.get(facts["url"] + "/api/status", timeout=5).json() is True
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    first, project, datasets, labels, *credentials, export = output.splitlines()
    assert first == f"Diffgram emulator at {facts['url']}"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", facts["url"])
    assert (project, datasets, labels) == ("project mine", "datasets Default, night", "labels cat, dog")
    told = {line.split()[0]: (line.split()[2], line.split()[4]) for line in credentials}
    assert told == {
        role: (one["client_id"], one["client_secret"]) for role, one in facts["credentials"].items()
    }
    assert not ready.exists()
    admin = facts["credentials"]["admin"]
    user, host = f"{admin['client_id']}:{admin['client_secret']}", facts["url"].removeprefix("http://")
    assert export == f"export AIRFLOW_CONN_DIFFGRAM_DEFAULT='diffgram://http://{user}@{host}/mine'"


def test_names_are_made_once_though_the_folder_is_served_again(tmp_path: Path) -> None:
    command = [*COMMAND, "--data", str(tmp_path / "data"), "--dataset", "night", "--label", "cat"]
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert told[2:] == ["datasets Default, night", "labels cat"]


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*COMMAND[:-1], port, "--data", str(tmp_path / "data")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr == f"127.0.0.1:{port} is in use by another program: give another --port, or 0\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_before_its_work_is_done(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    command = [*COMMAND, "--data", str(tmp_path / "data"), "--ready-file", str(ready)]
    command += ["--cycle", "0.01", "--image-seconds", "30"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(ready.exists, "the ready file")
    facts = json.loads(ready.read_text())
    one = facts["credentials"]["admin"]
    body = {"type": "from_text_data", "text_data": "x", "media": {"type": "text"}, "directory_id": 1}
    path = f"{facts['url']}/api/walrus/v1/project/{facts['project']}/input/"
    auth = (one["client_id"], one["client_secret"])
    requests.post(path + "packet", json=body, auth=auth, timeout=5)
    busy = requests.post(path + "view/list", json={"status_filter": "Processing"}, auth=auth, timeout=5)
    assert len(busy.json()["input_list"]) == 1
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)  # the image takes 30
    assert process.returncode == 0
    assert b"Traceback" not in errors


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    arguments = [*COMMAND, "--data", str(tmp_path / "data"), "--ready-file", str(ready)]
    code = (
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([*sys.argv[1:], '--parent', str(os.getpid())], stdout=subprocess.DEVNULL)\n"
        "time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, *arguments])
    until(ready.exists, "the ready file")
    starter.kill()
    starter.wait()
    until(lambda: not ready.exists(), "the orphan to end")


def test_a_new_folder_has_a_project_a_dataset_a_schema_and_no_labels(
    diffgram_emulator_process: EmulatorProcess,
) -> None:
    emulator = diffgram_emulator_process
    assert emulator.project == "demo-project"
    listed = call(emulator, "POST", "/api/v1/project/{p}/directory/list", json={}).json()
    assert [one["nickname"] for one in listed["directory_list"]] == ["Default"]
    schemas = call(emulator, "GET", "/api/v1/project/{p}/labels-schema").json()
    assert [(one["name"], one["is_default"]) for one in schemas] == [("Default Schema", True)]
    names = call(emulator, "GET", "/api/v1/project/{p}/labels/view/name_to_file_id").json()
    assert names["name_to_file_id"] == {}


def test_everything_survives_a_restart(diffgram_emulator_process: EmulatorProcess) -> None:
    emulator = diffgram_emulator_process
    cat = label(emulator, "cat")
    box = {"type": "box", "label_file_id": cat, "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
    file_id = upload(emulator, "a.png", instance_list=[box], directory_id=default_dataset(emulator))["file"][
        "id"
    ]
    path = f"/api/project/{{p}}/file/{file_id}/annotation/list"
    before = call(emulator, "POST", path, json={}).json()["file_serialized"]
    again = emulator.restart()
    assert (again.url, again.credentials) == (emulator.url, emulator.credentials)
    after = call(again, "POST", path, json={}).json()["file_serialized"]
    assert after["instance_list"] == before["instance_list"]
    url = after["image"]["url_signed"]
    assert requests.get(url, timeout=5).content.startswith(b"\x89PNG")
    old_url = before["image"]["url_signed"]
    assert requests.get(old_url, timeout=5).status_code == 200


@pytest.mark.parametrize("kill", [False, True])
def test_roles_survive_a_restart(diffgram_emulator_process: EmulatorProcess, kill: bool) -> None:
    """server.md 1.2: what each role may do is the same before and after, also after kill -9."""
    other = diffgram_emulator_process.with_project("other")
    before = role_table(diffgram_emulator_process), role_table(other)
    again = diffgram_emulator_process.restart(kill)
    assert again.credentials == diffgram_emulator_process.credentials
    assert again.with_project("other").credentials == other.credentials
    assert (role_table(again), role_table(again.with_project("other"))) == before
    assert before[0] == {"admin": [200, 400, 200], "Editor": [200, 400, 200], "Viewer": [200, 403, 403]}


def role_table(emulator: EmulatorProcess) -> dict[str, list[int]]:
    """Return the statuses each role gets for reading, sending a packet and opening a batch."""
    project = emulator.url + "/api/v1/project/" + emulator.project
    packet = f"{emulator.url}/api/walrus/v1/project/{emulator.project}/input/packet"
    table = {}
    for role, one in emulator.credentials.items():
        auth = (one.client_id, one.client_secret)
        answers = (
            requests.get(project + "/labels-schema", auth=auth, timeout=5),
            requests.post(packet, json={}, auth=auth, timeout=5),
            requests.post(project + "/input-batch/new", json={}, auth=auth, timeout=5),
        )
        table[role] = [answer.status_code for answer in answers]
    return table


READ_BACK = (
    ("GET", "/api/v1/project/{p}/labels-schema", None),
    ("GET", "/api/project/{p}/labels", None),
    ("POST", "/api/v1/project/{p}/attribute/template/list", {"mode": "from_project"}),
    ("POST", "/api/v1/project/{p}/directory/list", {}),
    ("POST", "/api/v1/project/{p}/input-batch/1", {}),
    ("POST", "/api/walrus/v1/project/{p}/input/view/list", {"limit": 100}),
    ("POST", "/api/v1/project/{p}/model-runs/list", {}),
    ("GET", "/api/project/{p}/connections", None),
    ("POST", "/api/project/{p}/user/x/file/list", {"metadata": {"file_view_mode": "base"}}),
)


def test_everything_survives_a_kill(diffgram_emulator_process: EmulatorProcess) -> None:
    emulator = diffgram_emulator_process
    connection = {"project": emulator.project, "integration_name": "amazon_aws", "name": "s3"}
    emulator.control("connections", connection)
    call(emulator, "POST", "/api/v1/project/{p}/attribute/group/new", json={})
    call(emulator, "POST", "/api/v1/project/{p}/input-batch/new", json={})
    box = {"type": "box", "label_file_id": label(emulator, "cat"), "model_ref": "m", "model_run_ref": "r"}
    box = {**box, "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
    send(emulator, "a.png", own_image(emulator), instance_list=[box], batch_id=1)
    compound = {"name": "c", "directory_id": 1}
    call(emulator, "POST", "/api/v1/project/{p}/file/new-compound", json=compound)
    until(lambda: stored(emulator).get("a.png") == 1, "the instance")
    before = [call(emulator, method, path, json=body).json() for method, path, body in READ_BACK]
    again = emulator.restart(kill=True)
    assert [call(again, method, path, json=body).json() for method, path, body in READ_BACK] == before


def stored(emulator: EmulatorProcess) -> dict[str, int | None]:
    """Return how many instances each file holds."""
    listed = call(emulator, *READ_BACK[-1][:2], json=READ_BACK[-1][2]).json()["file_list"]
    return {one["original_filename"]: one["count_instances_changed"] for one in listed}


def test_rows_in_the_queue_are_taken_up_after_a_kill(diffgram_emulator_process: EmulatorProcess) -> None:
    emulator = diffgram_emulator_process
    url = own_image(emulator)
    emulator.pause_queue()
    send(emulator, "waiting.png", url)
    again = emulator.restart(kill=True)
    until(lambda: rows(again)[0]["status"] == "success", "the waiting row")


def test_rows_under_way_stay_stuck_until_a_retry(tmp_path: Path) -> None:
    with EmulatorProcess.start(tmp_path, image_seconds=30) as slow:
        body = {"type": "from_text_data", "text_data": "x", "media": {"type": "text"}}
        send(slow, "stuck.txt", "", **body)
        until(lambda: rows(slow)[0]["status"] == "processing", "the row to be under way")
    with EmulatorProcess.start(tmp_path) as emulator:
        send(emulator, "later.txt", "", **body)
        until(lambda: rows(emulator)[0]["status"] == "success", "the later row")
        (_, stuck) = rows(emulator)
        assert (stuck["status"], stuck["processing_deferred"]) == ("processing", False)
        retry = {"id_list": [stuck["id"]], "mode": "RETRY"}
        call(emulator, "POST", "/api/walrus/v1/project/{p}/input/update", json=retry)
        until(lambda: rows(emulator)[1]["status"] == "success", "the retry")


def test_no_secret_is_shown(diffgram_emulator: EmulatorProcess) -> None:
    shown = repr(diffgram_emulator) + repr(diffgram_emulator.credentials) + str(diffgram_emulator)
    for one in diffgram_emulator.credentials.values():
        assert one.client_secret not in shown


def test_connection_uri(diffgram_emulator: EmulatorProcess) -> None:
    uri = diffgram_emulator.connection_uri("Viewer")
    viewer = diffgram_emulator.credentials["Viewer"]
    host = diffgram_emulator.url.removeprefix("http://")
    assert uri == (
        f"diffgram://http://{viewer.client_id}:{viewer.client_secret}@{host}/{diffgram_emulator.project}"
    )


def test_the_folder_keeps_secrets_to_the_owner(diffgram_emulator: EmulatorProcess) -> None:
    database = diffgram_emulator.data_dir / "emulator.sqlite"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    with EmulatorProcess.start() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with pytest.raises(EmulatorError, match="in use"):
            EmulatorProcess.start(tmp_path, port=port)


def test_projects_are_apart(diffgram_emulator: EmulatorProcess) -> None:
    other = diffgram_emulator.with_project(diffgram_emulator.project + "-b", labels=["x"], datasets=["d"])
    upload(diffgram_emulator, "a.png")
    assert rows(other) == []
    assert other.client_secret != diffgram_emulator.client_secret
    names = call(other, "GET", "/api/v1/project/{p}/labels/view/name_to_file_id").json()
    assert list(names["name_to_file_id"]) == ["x"]


@pytest.mark.parametrize("turn", [1, 2])
def test_the_fixture_gives_a_fresh_project(diffgram_emulator: EmulatorProcess, turn: int) -> None:
    assert rows(diffgram_emulator) == []
    upload(diffgram_emulator, "a.png")


def test_nothing_of_the_package_or_airflow_is_imported() -> None:
    """The emulator would otherwise mirror the client's mistakes, and need Airflow."""
    code = (
        "import sys\n"
        "import diffgram_emulator.server, diffgram_emulator.process\n"
        "own = 'airflow_provider_diffgram.'\n"
        "bad = [name for name in sys.modules if name.split('.')[0] == 'airflow' or name == 'pydantic'"
        " or (name.startswith(own) and not name.startswith(own + 'emulator'))]\n"
        "print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
