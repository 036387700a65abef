"""Attempts and other steps fed with answers instead of run by a transport; time is only counted."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_diffgram.client import DiffgramError, Settings
from airflow_provider_diffgram.client.attempts import Exchange, Reading, Reply, attempts
from airflow_provider_diffgram.client.pacing import Pacer
from airflow_provider_diffgram.client.request import Pause, Request


def settings(**change: Any) -> Settings:
    """Return settings that lead nowhere."""
    return Settings(
        **{"host": "h", "project": "p", "client_id": "i", "client_secret": "very-secret", **change}
    )


def reply(status: int = 200, body: Any = None, **headers: str) -> Reply:
    """Return what came over the network; underlines in names of headers are dashes."""
    raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@dataclass
class Played:
    """How it went.

    :ivar paths: that were asked.
    :ivar pauses: in seconds, of those above 0.
    """

    value: Any = None
    error: DiffgramError | None = None
    paths: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)


def play(
    request: Request[Any],
    *answers: Reply | DiffgramError | dict[str, Reply],
    pacer: Pacer | None = None,
    **change: Any,
) -> Played:
    """Run the attempts of ``request``; answers come in turn, the last for ever.

    An answer may name its reply by path. What is raised is kept.
    """
    played = Played()
    steps = attempts(request, settings(**change), ["very-secret"], pacer)
    try:
        played.value = _run(steps, answers, played)
    except DiffgramError as error:
        played.error = error
    return played


def _run(
    steps: Generator[Any, Any, Any],
    answers: Sequence[Reply | DiffgramError | dict[str, Reply]],
    played: Played,
) -> Any:
    answer: Any = None
    while True:
        try:
            step = steps.throw(answer) if isinstance(answer, DiffgramError) else steps.send(answer)
        except StopIteration as done:
            return done.value
        if isinstance(step, Pause):
            played.pauses += [step.seconds] * (step.seconds > 0)
            answer = sum(played.pauses)
        elif isinstance(step, Reading):
            try:
                answer = step.read()
            except DiffgramError as error:
                answer = error
        else:
            assert isinstance(step, Exchange)
            played.paths.append(step.path)
            answer = answers[min(len(played.paths), len(answers)) - 1]
            answer = answer[step.path] if isinstance(answer, dict) else answer
