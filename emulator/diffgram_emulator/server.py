"""Starting and ending the emulator's process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import uvicorn

from .app import App
from .call import Emulator
from .control import credentials, fill_project
from .counters import Requests
from .faults import Faults, RowFaults
from .labels import label_rows
from .limits import Limiter
from .options import Options
from .routes.datasets import datasets_of
from .store import Store
from .transport import Listener, ReachableProtocol
from .workers import Workers


class Server(uvicorn.Server):
    """uvicorn, with a word when it serves, a port that may be closed for a while, and signals left to us."""

    def __init__(self, config: uvicorn.Config, listener: Listener, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._listener = listener
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then tell so."""
        await self._listen()
        loop = asyncio.get_running_loop()
        self._listener.serve(loop, self._close, self._listen)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        self._ready()

    async def _listen(self) -> None:
        if not self.should_exit:
            await super().startup([self._listener.socket])

    def _close(self) -> None:
        for server in self.servers:
            server.close()
        self.servers = []

    def _end(self) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: uvicorn would raise them again at its end, before ours."""
        yield


def build(options: Options) -> Emulator:
    """Return an emulator on its data folder, not yet started."""
    store = Store(options.data)
    store.ensure_project(options.project)
    row_faults = RowFaults()
    return Emulator(
        options,
        store,
        Workers(store, options, row_faults),
        Limiter(options.rate_limit, processes=options.limiter_processes),
        Faults(),
        threading.Semaphore(max(1, options.workers)),
        Requests(),
        row_faults,
        Listener(options.host, options.port),
    )


def end_with(parent: int) -> None:
    """End this process once it is orphaned, so that a test run that was killed leaves nothing behind."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def serve(
    options: Options,
    ready_file: Path | None = None,
    parent: int | None = None,
    *,
    labels: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> None:
    """Run until SIGTERM or SIGINT.

    :param ready_file: where to write address and credentials, readable by the owner alone, once it serves.
    :param parent: id of the process to end with, if any.
    :param labels: names of labels that the project is to have.
    :param datasets: names of datasets that it is to have.
    :raises OSError: if the port is in use.
    """
    emulator = build(options)
    _fill(emulator.store, options.project, labels, datasets)
    url = f"http://{options.host}:{emulator.listener.address[1]}"
    facts = {"url": url, "pid": os.getpid(), **credentials(emulator, options.project)}

    def ready() -> None:
        if ready_file is not None:
            write_private(ready_file, json.dumps(facts))
        announce(facts, *_names(emulator.store, options.project))

    config = uvicorn.Config(
        App(emulator),
        http=ReachableProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    emulator.workers.start()
    if parent is not None:
        threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    try:
        Server(config, emulator.listener, ready).run()
    finally:
        emulator.workers.stop()
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file at once, readable by the owner alone."""
    draft = path.with_name(path.name + ".part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
    draft.replace(path)


def _names(store: Store, project: str) -> tuple[list[str], list[str]]:
    """Return the names of a project's labels and datasets."""
    found = store.ensure_project(project)
    labels = [str(row["label_name"]) for row in label_rows(store, found)]
    return labels, [str(row["nickname"]) for row in datasets_of(store, found)]


def _fill(store: Store, project: str, labels: Sequence[str], datasets: Sequence[str]) -> None:
    """Add what the project lacks of labels and datasets: a data folder may be served again."""
    has_labels, has_datasets = _names(store, project)
    fill_project(
        store,
        store.ensure_project(project),
        [name for name in dict.fromkeys(labels) if name not in has_labels],
        [name for name in dict.fromkeys(datasets) if name not in has_datasets],
    )


def announce(facts: dict[str, Any], labels: Sequence[str], datasets: Sequence[str]) -> None:
    """Print where the emulator is and how to get in."""
    admin = facts["credentials"]["admin"]
    user = f"{quote(admin['client_id'], '')}:{quote(admin['client_secret'], '')}"
    uri = f"diffgram://http://{user}@{urlsplit(facts['url']).netloc}/{quote(facts['project'], '')}"
    lines = [
        f"Diffgram emulator at {facts['url']}",
        f"project {facts['project']}",
        f"datasets {', '.join(datasets)}",
        f"labels {', '.join(labels) or '(none)'}",
    ]
    for role, one in facts["credentials"].items():
        lines.append(f"{role} client_id {one['client_id']} client_secret {one['client_secret']}")
    lines.append(f"export AIRFLOW_CONN_DIFFGRAM_DEFAULT='{uri}'")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
