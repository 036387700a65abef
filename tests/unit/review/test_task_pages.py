"""Listings of tasks that go round in a circle: a server that repeats a page has no last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, UnexpectedReplyError
from airflow_provider_diffgram.review.sets.source import tasks_of
from airflow_provider_diffgram.review.tasks import all_states
from tests.unit.client.scripted_server import Answer, answering

PAGE = {"task_list": [{"id": number, "status": "available"} for number in range(1000)]}
LISTINGS: dict[str, Callable[[DiffgramClient], list[Any]]] = {
    "states": lambda client: client.run(all_states("p", 1, limit=1000)),
    "tasks": lambda client: list(tasks_of(client, 1)),
}


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_page_that_repeats_the_page_before_it_is_refused(listing: str):
    told = "tasks of job 1: a page repeats the page before it"
    with (
        answering(Answer(body=PAGE)) as server,
        DiffgramClient(server.settings()) as client,
        pytest.raises(UnexpectedReplyError, match=told),
    ):
        LISTINGS[listing](client)
    assert len(server.asked) == 2


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_full_page_and_an_empty_one_after_it_are_all(listing: str):
    empty = Answer(body={"task_list": []})
    with answering(Answer(body=PAGE), empty) as server, DiffgramClient(server.settings()) as client:
        assert len(LISTINGS[listing](client)) == 1000
