"""When videos are sent, and what they wait for (quirk 62)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.send.decisions.item import Item
from airflow_provider_diffgram.ingest.send.queue.liveness import Liveness
from airflow_provider_diffgram.ingest.send.queue.videos import MOST_HELD, next_step
from airflow_provider_diffgram.models import Input, Packet

URL = "https://m.test/a"
BOX = {"type": "box", "label": "cat", "x_min": 1, "y_min": 2, "x_max": 3, "y_max": 4}
FRAMES = {"0": [BOX]}


@pytest.mark.parametrize(
    "fields, alone",
    [
        ({"media": {"url": f"{URL}.mp4", "type": "video"}}, True),
        ({"media": {"path": "/data/a.mov"}, "frame_packet_map": FRAMES}, True),
        ({"media": {"path": "/data/a.mp4"}, "parent_file_id": 5}, True),
        ({"file_id": 5, "mode": "update", "frame_packet_map": FRAMES}, True),
        ({"file_id": 5, "mode": "update", "instance_list": [BOX]}, False),
        ({"media": {"url": f"{URL}.jpg"}, "instance_list": [BOX]}, False),
        ({"media": {"path": "/data/a.wav"}}, False),
        ({"media": {"path": "/data/a.pdf", "page": 1}}, False),
        ({"media": {"text_data": "x"}, "original_filename": "a.txt"}, False),
    ],
)
def test_whatever_has_the_server_read_a_video_goes_alone(fields: dict[str, Any], alone: bool):
    labels: Any = None
    assert Item(Packet.model_validate(fields), labels).is_video is alone


@pytest.mark.parametrize(
    "held, waiting, more, step",
    [
        (0, 7, True, "hold"),
        (0, 0, False, "hold"),
        (1, 0, True, "send"),
        (1, 0, False, "send"),
        (1, 7, True, "hold"),
        (1, 7, False, "wait"),
        (MOST_HELD - 1, 1, True, "hold"),
        (MOST_HELD, 1, True, "wait"),
        (MOST_HELD, 0, True, "send"),
    ],
)
def test_a_video_is_sent_once_nothing_waits_and_waited_for_when_no_more_is_to_come_or_kept(
    held: int, waiting: int, more: bool, step: str
):
    assert next_step(held, waiting, more=more) == step


def row(number: int, status: str = "processing", percent: float = 0.0) -> Input:
    return Input(id=number, status=status, percent_complete=percent, processing_deferred=False)


def test_each_input_is_watched_for_itself_and_any_of_them_counts_as_movement():
    liveness = Liveness(0.0)
    liveness.note([row(1), row(2)], 10.0)
    liveness.note([row(1), row(2, percent=40.0)], 20.0)
    assert (liveness.stood(row(1), 30.0), liveness.stood(row(2), 30.0)) == (20.0, 10.0)
    assert liveness.moved_at == 20.0
    liveness.note([row(1), row(2, percent=40.0)], 40.0)
    assert liveness.moved_at == 20.0


def test_that_one_has_ended_or_come_is_movement_too():
    liveness = Liveness(0.0)
    liveness.note([row(1), row(2)], 1.0)
    liveness.note([row(1)], 2.0)
    assert liveness.moved_at == 2.0
    liveness.note([row(1), row(3)], 3.0)
    assert liveness.moved_at == 3.0
