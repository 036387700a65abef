"""Pairs of request and answer, recorded on the open source server.

Those that the emulator answers alike are kept with the contract suite, the others here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = (Path(__file__).parents[2] / "recorded", Path(__file__).parent)
NAMES = sorted(path.stem for folder in FOLDERS for path in folder.glob("*.json"))


@dataclass(frozen=True)
class Recording:
    """One pair."""

    method: str
    path: str
    sent: Any
    status: int
    headers: dict[str, str]
    answer: Any

    @property
    def body(self) -> bytes:
        """The answer as it travelled: bare where it was no JSON."""
        is_json = self.headers.get("content-type", "").startswith("application/json")
        return json.dumps(self.answer).encode() if is_json else str(self.answer).encode()


def recording(name: str) -> Recording:
    """Return the pair of that name."""
    (file,) = (folder / f"{name}.json" for folder in FOLDERS if (folder / f"{name}.json").exists())
    pair = json.loads(file.read_text())
    request, response = pair["request"], pair["response"]
    return Recording(
        request["method"],
        request["path"],
        request["body"],
        response["status"],
        response["headers"],
        response["body"],
    )
