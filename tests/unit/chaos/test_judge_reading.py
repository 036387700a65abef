"""Faults planted in an emulator are found by the judge, which reads it over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chaos.airflow import until
from chaos.judge import Told, Truth, judge
from chaos.packets import Packet, after, children, make, video
from chaos.pictures import Pictures
from chaos.reader import Diffgram, child_place, read

RECEIPT = {"succeeded": 4}


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    with Pictures() as serving:
        yield serving


class Filled:
    """A dataset of the emulator that four packets were sent to."""

    def __init__(self, emulator: Any, pictures: Pictures, folder: Path) -> None:
        self.emulator = emulator.with_project(emulator.project, ("cat", "dog"), ("night",))
        self.diffgram = Diffgram(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
        self.packets = make("url", 4, pictures.url, folder)
        self.dataset_id = self.diffgram.dataset("night")
        self.labels = {name: label_id for label_id, name in self.diffgram.labels().items()}
        for packet in self.packets:
            self.send(packet)
        self.settle()

    def send(self, packet: Packet, **fields: Any) -> None:
        body = {**packet, "directory_id": self.dataset_id, **fields}
        on_wire = [
            {**each, "label_file_id": self.labels[each["label"]]} for each in packet.get("instance_list", [])
        ]
        if on_wire:
            body["instance_list"] = on_wire
        self.diffgram.call("POST", "walrus/v1/project/{p}/input/packet", body)

    def settle(self) -> None:
        until(lambda: not read(self.diffgram, "night").unfinished, "the queue is drained", 20)
        until(lambda: not self._settling(), "all predictions are stored", 20)

    def _settling(self) -> bool:
        rows = [row for row in self.diffgram.inputs() if row["status"] == "success" and row["instance_list"]]
        held = {file["id"]: file["count_instances_changed"] for file in self.diffgram.files(self.dataset_id)}
        return any(row["file_id"] in held and held[row["file_id"]] is None for row in rows)

    def ids(self, name: str) -> list[int]:
        files = self.diffgram.files(self.dataset_id)
        return sorted(file["id"] for file in files if file["original_filename"] == name)

    def figures(self) -> dict[str, int]:
        places = [str(packet["original_filename"]) for packet in self.packets]
        run = Told(places, "success", dict.fromkeys(places, "sent"), RECEIPT)
        row = judge("case", Truth(after("url", self.packets, {})), read(self.diffgram, "night"), [run])
        return {name: value for name, value in row.figures.items() if value}


@pytest.fixture
def filled(diffgram_emulator: Any, pictures: Pictures, tmp_path: Path) -> Filled:
    return Filled(diffgram_emulator, pictures, tmp_path)


def test_what_was_sent_once_is_clean(filled):
    assert filled.figures() == {}


def test_an_archived_input_is_a_lost_medium(filled):
    (file_id,) = filled.ids("image-0001.png")
    inputs = [row["id"] for row in filled.diffgram.inputs(file_id=file_id)]
    body = {"id_list": inputs, "mode": "ARCHIVE"}
    filled.diffgram.call("POST", "walrus/v1/project/{p}/input/update", body)
    assert filled.figures() == {"lost": 4, "false_success": 1}


def test_a_deleted_instance_is_a_lost_prediction(filled):
    (file_id,) = filled.ids("image-0001.png")
    gone = filled.diffgram.instances(file_id)[0]["id"]
    body = {"project": filled.diffgram.project, "file_id": file_id, "delete": [gone]}
    filled.emulator.control("instances", body)
    assert filled.figures() == {"lost": 1, "false_success": 1}


def test_an_update_sent_twice_is_three_doubled_predictions(filled):
    """Quirk 31."""
    (file_id,) = filled.ids("image-0001.png")
    packet = {"instance_list": filled.packets[1]["instance_list"]}
    filled.send(packet, file_id=file_id, mode="update")
    until(lambda: filled.figures() == {"duplicated": 3}, "the update is seen", 10)


def test_a_name_stored_twice_at_once_is_a_doubled_medium(filled, pictures):
    """Quirk 17."""
    filled.emulator.pause_queue()
    again = {
        "media": {"url": f"{pictures.url}/slow/0.5/x.png", "type": "image"},
        "original_filename": "x.png",
    }
    for _ in range(2):
        filled.send(again)
    filled.packets.append(again)
    filled.emulator.pause_queue(False)
    filled.settle()
    assert len(filled.ids("x.png")) == 2
    assert filled.figures()["duplicated"] == 1


def test_predictions_the_server_lost_silently_are_lost(filled, pictures, tmp_path):
    """Quirk 4."""
    filled.emulator.row_fault("image-0004", "lose")
    packet = make("url", 5, pictures.url, tmp_path)[4]
    filled.packets.append(packet)
    filled.send(packet)
    until(lambda: not read(filled.diffgram, "night").unfinished, "the queue is drained", 20)
    assert filled.figures() == {"lost": 3, "false_success": 1}


def test_an_input_that_is_stuck_is_unknown(filled, pictures, tmp_path):
    filled.emulator.row_fault("image-0004", "stuck")
    packet = make("url", 5, pictures.url, tmp_path)[4]
    filled.packets.append(packet)
    filled.send(packet)
    wanted = {"lost": 4, "unknown": 1, "false_success": 1}
    until(lambda: filled.figures() == wanted, "the stuck input is seen", 10)


class TestCompound:
    """Faults planted in a compound file of three children."""

    @pytest.fixture
    def pages(self, pictures) -> list[Packet]:
        packets = children(4, pictures.url)[1:]
        return [{**packet, "ordinal": ordinal} for ordinal, packet in enumerate(packets)]

    @pytest.fixture
    def scan(self, filled, pages) -> int:
        body = {"name": "scan", "directory_id": filled.dataset_id}
        parent = int(filled.diffgram.call("POST", "v1/project/{p}/file/new-compound", body)["file"]["id"])
        for page in pages:
            filled.send(page, parent_file_id=parent)
        until(lambda: not self.figures(filled, pages), "the children are there", 20)
        return parent

    @staticmethod
    def figures(filled, pages) -> dict[str, int]:
        right = after("compound", filled.packets, {}) | after("compound", pages, {}, "scan")
        row = judge("case", Truth(right), read(filled.diffgram, "night"), [])
        return {name: value for name, value in row.figures.items() if value}

    @staticmethod
    def put(filled, file_id: int, ordinal: int) -> None:
        path = f"v1/project/{{p}}/file/{file_id}/update-metadata"
        filled.diffgram.call("PUT", path, {"ordinal": ordinal})

    def test_a_child_that_was_moved_is_at_a_wrong_place(self, filled, pages, scan):
        (last,) = (child for child in filled.diffgram.children(scan) if child["ordinal"] == 2)
        self.put(filled, last["id"], 7)
        assert self.figures(filled, pages) == {"order_wrong": 1}

    def test_two_children_that_were_exchanged_are_two_at_a_wrong_place(self, filled, pages, scan):
        ids = {child["ordinal"]: child["id"] for child in filled.diffgram.children(scan)}
        self.put(filled, ids[0], 1)
        self.put(filled, ids[1], 0)
        assert self.figures(filled, pages) == {"order_wrong": 2}

    def test_a_child_sent_twice_is_a_doubled_medium(self, filled, pages, scan):
        """Quirk 18: the server does not compare children."""
        filled.send(pages[0], parent_file_id=scan)
        until(lambda: self.figures(filled, pages) == {"duplicated": 1}, "the second one is seen", 20)

    def test_a_child_that_was_removed_is_a_lost_medium(self, filled, pages, scan):
        rows = filled.diffgram.inputs(parent_file_id=scan)
        body = {"id_list": [rows[0]["id"]], "mode": "ARCHIVE"}
        filled.diffgram.call("POST", "walrus/v1/project/{p}/input/update", body)
        assert self.figures(filled, pages) == {"lost": 4}

    def test_a_second_parent_of_the_name_is_duplicated(self, filled, pages, scan):
        """Quirk 55."""
        filled.emulator.tune(name_race_seconds=1.0)
        bodies = [{"name": "twin", "directory_id": filled.dataset_id}] * 2
        with ThreadPoolExecutor(2) as pool:
            call = filled.diffgram.call
            list(pool.map(lambda body: call("POST", "v1/project/{p}/file/new-compound", body), bodies))
        assert self.figures(filled, pages) == {"duplicated": 1}


def test_children_are_read_by_parent_name_and_ordinal(filled, pictures):
    body = {"name": "scan", "directory_id": filled.dataset_id}
    parent = filled.diffgram.call("POST", "v1/project/{p}/file/new-compound", body)["file"]["id"]
    child = {"media": {"url": f"{pictures.url}/p.png", "type": "image"}, "original_filename": "p.png"}
    filled.send(child, parent_file_id=parent, ordinal=2)
    until(lambda: filled.diffgram.children(parent), "the child is there", 10)
    places = [file.place for file in read(filled.diffgram, "night").files]
    assert child_place("scan", "p.png", 2) in places
    assert "scan" not in places


def test_of_a_video_the_frame_of_a_prediction_counts(filled, pictures):
    right = video(9, pictures.url)
    frames = {
        "5" if frame == "4" else frame: [
            {**each, "label_file_id": filled.labels[each["label"]]} for each in held
        ]
        for frame, held in right["frame_packet_map"].items()
    }
    filled.send({**right, "frame_packet_map": frames})
    filled.packets.append(right)
    until(lambda: not read(filled.diffgram, "night").unfinished, "the queue is drained", 20)
    assert filled.figures() == {"lost": 2, "duplicated": 2, "false_success": 1}
