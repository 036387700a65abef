"""Networks and servers that fail while packets are sent."""

from __future__ import annotations

import contextlib
import threading
import urllib.error

from ..stage import BATCH, ROWS, Stage

OTHERS = 4
"""Senders beside ours that use up the server's limit."""


def storm(stage: Stage) -> None:
    """Others use up the limits of three server processes, so that requests are refused with 429."""
    stage.emulator.tune(rate_limit=True, limiter_processes=3)
    over = threading.Event()

    def others() -> None:
        while not over.wait(0.03):
            with contextlib.suppress(urllib.error.HTTPError):  # a refusal counts too (server.md 1.5)
                stage.diffgram.call("POST", "walrus/v1/project/{p}/input/packet", {})

    threads = [threading.Thread(target=others, daemon=True) for _ in range(OTHERS)]
    for thread in threads:
        thread.start()
    try:
        stage.push()
        stage.ended()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    refused = stage.count(429)
    stage.insist(refused > 0, "nothing was refused with 429")


def resets(stage: Stage) -> None:
    """Connections are reset, before packets are taken and after, and while reading."""
    stage.emulator.fault(stage.send, "reset_before", probability=0.25, times=4, seed=1)
    stage.emulator.fault(stage.send, "reset_after", probability=0.4, times=4, seed=2)
    stage.emulator.fault("/list$", "reset_before", probability=0.3, times=4, seed=3)
    stage.emulator.fault("/list$", "reset_after", probability=0.3, times=4, seed=4)
    stage.emulator.fault(BATCH, "reset_after")
    stage.push()
    stage.ended()


def timeouts(stage: Stage) -> None:
    """Packets are taken, or not, and never answered."""
    stage.emulator.fault(stage.send, "timeout_after", times=3, skip=1, seconds=3)
    stage.emulator.fault(stage.send, "timeout_before", times=2, skip=3, seconds=3)
    stage.emulator.fault(ROWS, "timeout_before", seconds=3)
    stage.push()
    stage.ended()


def server_errors(stage: Stage) -> None:
    """Answers 500, 502 and 503, whether or not the packet was taken."""
    for status in (500, 502, 503):
        stage.emulator.fault(stage.send, "status", status=status, times=2, processed=True)
        stage.emulator.fault(stage.send, "status", status=status, body="<html>down</html>")
        stage.emulator.fault("/list$", "status", status=status, skip=2)
    stage.push()
    stage.ended()


def malformed(stage: Stage) -> None:
    """Malformed status lines, and what the dispatcher makes of them."""
    for processed in (True, False):
        stage.emulator.fault(stage.send, "malformed", times=2, processed=processed)
        stage.emulator.fault(stage.send, "malformed", processed=processed, dispatched=True)
    stage.emulator.fault("/list$", "malformed", times=2)
    stage.push()
    stage.ended()


def truncated(stage: Stage) -> None:
    """Answers that end half way."""
    for path in (stage.send, ROWS, "/file/list$", BATCH, "/labels$"):
        stage.emulator.fault(path, "truncate", times=1 if path == BATCH else 2)
    stage.push()
    stage.ended()


def slow(stage: Stage) -> None:
    """Every request takes a while."""
    stage.emulator.fault("/api/", "latency", seconds=0.4, times=None)
    stage.push()
    stage.ended()


def restart(stage: Stage) -> None:
    """The server is killed with a packet taken and not yet answered, and started again."""
    stage.emulator.pause_queue()
    stage.hold(stage.send, "timeout_after", skip=4)
    stage.push()
    stage.held()
    stage.emulator.restart(kill=True)
    stage.ended()


def outage(stage: Stage) -> None:
    """The server is killed, and is away for longer than a task waits for it."""
    stage.emulator.pause_queue()
    stage.hold(stage.send, "timeout_after", skip=4)
    run = stage.push()
    stage.held()
    stage.emulator.stop(kill=True)
    stage.until_retried(run)
    stage.emulator.restart()
    stage.ended()
