"""Small things the tests of the emulator share."""

from __future__ import annotations

import io
import json
from typing import Any

import requests
from PIL import Image

from diffgram_emulator.process import EmulatorProcess


def picture(width: int = 64, height: int = 48) -> bytes:
    """Return a PNG."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(target, "PNG")
    return target.getvalue()


def call(emulator: EmulatorProcess, method: str, path: str, **options: Any) -> requests.Response:
    """Send a request as admin; ``{p}`` is the project."""
    url = emulator.url + path.replace("{p}", emulator.project)
    auth = (emulator.client_id, emulator.client_secret)
    return requests.request(method, url, auth=auth, timeout=20, **options)


def label(emulator: EmulatorProcess, name: str) -> int:
    """Create a label and return its file id."""
    answer = call(emulator, "POST", "/api/v1/project/{p}/label/new", json={"name": name})
    return int(answer.json()["label"]["id"])


def upload(
    emulator: EmulatorProcess, name: str, content: bytes | None = None, **fields: Any
) -> dict[str, Any]:
    """Upload a file and return the answer."""
    files = {"file": (name, content or picture()), "json": (None, json.dumps(fields))}
    answer = call(emulator, "POST", "/api/walrus/v1/project/{p}/input/from_local", files=files)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def default_dataset(emulator: EmulatorProcess) -> int:
    """Return the id of the first dataset."""
    answer = call(emulator, "GET", "/api/project/{p}/user/x/working_dir/view")
    return int(answer.json()["working_dir"]["id"])


def send(emulator: EmulatorProcess, name: str, url: str, **body: Any) -> None:
    """Send a packet of an image."""
    packet = {
        "directory_id": default_dataset(emulator),
        "original_filename": name,
        "media": {"url": url, "type": "image"},
        **body,
    }
    answer = call(emulator, "POST", "/api/walrus/v1/project/{p}/input/packet", json=packet)
    assert answer.status_code == 200, answer.text


def rows(emulator: EmulatorProcess, **filters: Any) -> list[dict[str, Any]]:
    """Return the Inputs, newest first."""
    body = {"limit": 1000, **filters}
    answer = call(emulator, "POST", "/api/walrus/v1/project/{p}/input/view/list", json=body)
    found: list[dict[str, Any]] = answer.json()["input_list"]
    return found


def own_image(emulator: EmulatorProcess, name: str = "source.png") -> str:
    """Upload a picture and return a URL it can be fetched from."""
    file_id = upload(emulator, name)["file"]["id"]
    body = {"file_id": file_id, "project_string_id": emulator.project}
    answer = call(emulator, "POST", "/api/v1/file/view", json=body)
    return str(answer.json()["file"]["image"]["url_signed"])
