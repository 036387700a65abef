"""A process that sends the requests of a delivery and nothing else: no check, no look, no proof."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from .work import main

Job = Mapping[str, Any]


class _Bare:
    """Sessions with one project, one for each thread."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self._own = threading.local()

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.auth = (self._told["client_id"], self._told["client_secret"])
            self._own.media = requests.Session()
        session: requests.Session = self._own.session
        return session

    def new(self, job: Job) -> None:
        """Read a medium, and upload it with its predictions."""
        session = self._session()
        medium = self._own.media.get(job["url"], timeout=60).content
        url = f"{self._told['host']}/api/walrus/v1/project/{self._told['project']}/input/from_local"
        parts = {"json": (None, json.dumps(job["body"])), "file": (job["name"], medium)}
        answer = session.post(url, files=parts, timeout=60)
        answer.raise_for_status()
        if answer.json()["input"]["status"] != "success":
            raise RuntimeError(answer.text[:200])

    def append(self, job: Job) -> None:
        """Read the predictions of a file, and write them back with more."""
        session = self._session()
        base = f"{self._told['host']}/api/project/{self._told['project']}/file/{job['file_id']}/annotation"
        read = session.post(f"{base}/list", json={}, timeout=60)
        read.raise_for_status()
        rows = read.json()["file_serialized"]["instance_list"]
        kept = [{key: value for key, value in row.items() if key != "label_file"} for row in rows]
        answer = session.post(f"{base}/update", json={"instance_list": kept + job["rows"]}, timeout=60)
        answer.raise_for_status()


def _task(name: str) -> Callable[[Mapping[str, Any]], None]:
    def task(told: Mapping[str, Any]) -> None:
        jobs = [json.loads(line) for line in Path(told["jobs"]).read_text().splitlines()]
        do = getattr(_Bare(told), name)
        with ThreadPoolExecutor(told["at_once"]) as threads:
            for _ in threads.map(do, jobs):
                pass

    return task


if __name__ == "__main__":
    main({name: _task(name) for name in ("new", "append")})
