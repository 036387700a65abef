"""Videos whose length is known: keys beyond the end, sizes, pictures of frames (server.md 5.6)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
import requests

from diffgram_emulator.video_file import MOST_FRAMES, VideoFacts, video_facts
from world import World, until


def box(kind: bytes, *content: bytes) -> bytes:
    inner = b"".join(content)
    return struct.pack(">I4s", len(inner) + 8, kind) + inner


def track(handler: bytes, frames: int, width: int, height: int, scale: int, duration: int) -> bytes:
    size = struct.pack(">II", width << 16, height << 16)
    return box(
        b"trak",
        box(b"tkhd", bytes(76), size),
        box(
            b"mdia",
            box(b"mdhd", bytes(12), struct.pack(">II", scale, duration), bytes(4)),
            box(b"hdlr", bytes(8), handler, bytes(13)),
            box(b"minf", box(b"stbl", box(b"stsz", bytes(8), struct.pack(">I", frames)))),
        ),
    )


def mp4(frames: int, width: int = 320, height: int = 240, rate: int = 25) -> bytes:
    """Return an MP4 that says all about a video and holds no picture."""
    sound = track(b"soun", 9999, 0, 0, 48000, 48000)
    seen = track(b"vide", frames, width, height, rate * 100, frames * 100)
    return box(b"ftyp", b"mp42", bytes(4)) + box(b"moov", sound, seen) + box(b"mdat", bytes(16))


def ingested(world: World, content: bytes, frames: Any, **body: Any) -> dict[str, Any]:
    path = f"/{world.project}-{len(content)}.mp4"
    world.media.files[path] = content
    media = {"url": world.media.url + path, "type": "video"}
    return world.ingested(original_filename="v.mp4", media=media, frame_packet_map=frames, **body)


def buffer(world: World, file_id: int, end: int) -> dict[str, int]:
    path = f"/api/project/{{p}}/video/{file_id}/instance/buffer/start/0/end/{end}/list"
    found = world.post(path, {"directory_id": world.dataset}).json()["instance_buffer_dict"]
    return {key: len(units) for key, units in found.items() if units}


def sequences(world: World, file_id: int) -> list[dict[str, Any]]:
    path = f"/api/project/{{p}}/video/single/{file_id}/sequence/list"
    found: list[dict[str, Any]] = world.get(path).json()["sequence_list"]
    return found


def test_what_a_file_says() -> None:
    assert video_facts(mp4(50, 640, 360, 30)) == VideoFacts(50, 640, 360, 30.0)
    assert video_facts(mp4(MOST_FRAMES + 1)) == VideoFacts(MOST_FRAMES, 320, 240, 25.0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00\x00\x18ftypmp42" + bytes(80),
        mp4(5)[:120],
        box(b"moov", box(b"trak", b"")),
        box(b"moov", track(b"soun", 1, 0, 0, 1, 1)),
        box(b"moov") + struct.pack(">I4s", 3, b"free"),
        mp4(0),
    ],
)
def test_a_file_that_does_not_say(content: bytes) -> None:
    assert video_facts(content) is None


def test_long_lengths_are_read() -> None:
    inner = mp4(7)
    begin = inner.index(b"moov") - 4
    (length,) = struct.unpack_from(">I", inner, begin)
    content = inner[begin + 8 : begin + length]
    assert video_facts(struct.pack(">I4sQ", 1, b"moov", len(content) + 16) + content) == video_facts(inner)
    assert video_facts(struct.pack(">I4s", 0, b"moov") + content) == video_facts(inner)


def test_a_file_of_an_encoder(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    target = tmp_path / "v.mp4"
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (160, 120))
    for shade in range(13):
        writer.write(numpy.full((120, 160, 3), shade * 15, numpy.uint8))
    writer.release()
    facts = video_facts(target.read_bytes())
    assert facts is not None
    assert (facts.frame_count, facts.width, facts.height) == (13, 160, 120)
    assert facts.frame_rate == pytest.approx(10.0)


def test_a_key_beyond_the_end_is_ignored_but_its_track_is_made(world: World) -> None:
    frames = {"0": [world.box()], "49": [world.box()], "50": [world.box(number=7)]}
    row = ingested(world, mp4(50), frames)
    assert (row["status"], row["update_log"]["error"]) == ("success", {})
    assert buffer(world, row["file_id"], 60) == {"0": 1, "49": 1}
    assert {one["number"] for one in sequences(world, row["file_id"])} == {1, 7}


def test_an_update_stores_a_key_beyond_the_end(world: World) -> None:
    file_id = ingested(world, mp4(50), {"0": [world.box()]})["file_id"]
    body = {"file_id": file_id, "mode": "update", "media": {}, "original_filename": None}
    assert world.ingested(frame_packet_map={"60": [world.box()]}, **body)["status"] == "success"
    assert buffer(world, file_id, 70) == {"0": 1, "60": 1}


def test_size_and_length_of_a_video(world: World) -> None:
    file_id = ingested(world, mp4(45, 640, 360, 30), {})["file_id"]
    video = world.view(file_id)["video"]
    told = [video[key] for key in ("width", "height", "frame_count", "frame_rate", "fps_conversion_ratio")]
    assert told == [640, 360, 45, 30, 1.0]


def test_a_track_lacks_its_label_and_its_last_key(world: World) -> None:
    frames = {str(key): [world.box()] for key in (0, 1, 5, 24, 49)}
    (one,) = sequences(world, ingested(world, mp4(50), frames)["file_id"])
    assert one["label_file_id"] is None
    assert one["keyframe_list"]["frame_number_list"] == [0, 1, 5, 24]


def pictures(world: World, file_id: int, numbers: list[Any]) -> requests.Response:
    return world.post(f"/api/project/{{p}}/video/single/{file_id}/frame-list/", {"frame_list": numbers})


def test_a_picture_per_frame_and_403_beyond_the_end(world: World) -> None:
    file_id = ingested(world, mp4(50), {})["file_id"]
    listed = pictures(world, file_id, [0, 49, 50]).json()["url_list"]
    assert [one["frame_number"] for one in listed] == [0, 49, 50]
    answers = [requests.get(one["url"], timeout=5) for one in listed]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[0].content.startswith(b"\x89PNG")


def test_a_video_that_does_not_tell_its_length_has_the_frames_it_was_sent(world: World) -> None:
    content = b"\x00\x00\x00\x18ftypmp42" + bytes(80)
    file_id = ingested(world, content, {"7": [world.box()], "4000": [world.box()]})["file_id"]
    video = world.view(file_id)["video"]
    assert (video["frame_count"], video["width"]) == (None, None)
    assert buffer(world, file_id, 8) == {"7": 1}
    urls = [one["url"] for one in pictures(world, file_id, [7, 8, 4000]).json()["url_list"]]
    assert [requests.get(url, timeout=5).status_code for url in urls] == [200, 403, 200]


def test_the_list_of_frames_has_a_slash_and_a_hundred_places(world: World) -> None:
    file_id = ingested(world, mp4(200), {})["file_id"]
    assert len(pictures(world, file_id, list(range(150))).json()["url_list"]) == 100
    without = f"/api/project/{{p}}/video/single/{file_id}/frame-list"
    assert world.post(without, {"frame_list": [0]}).status_code == 405
    assert pictures(world, file_id, ["0"]).status_code == 400
    assert pictures(world, 99999, [0]).status_code == 500


def test_statuses_and_percents_on_the_way(own_world: World) -> None:
    own_world.emulator.tune(image_seconds=0.15)
    frames = {str(key): [own_world.box()] for key in range(8)}
    own_world.media.files["/progress.mp4"] = mp4(50)
    media = {"url": f"{own_world.media.url}/progress.mp4", "type": "video"}
    input_id = own_world.accepted(original_filename="v.mp4", media=media, frame_packet_map=frames)

    def halfway() -> dict[str, Any] | None:
        row = own_world.row(input_id)
        return row if row["status"] == "processing_frames_in_queue" else None

    row = until(halfway, "frames to be processed")
    assert 44 <= row["percent_complete"] <= 84
    until(lambda: own_world.row(input_id)["percent_complete"] == 100, "the end")
    assert own_world.row(input_id)["status"] == "success"


def hung(world: World, input_id: int) -> dict[str, Any] | None:
    row = world.row(input_id)
    return row if row["status"] == "processing_frames_in_queue" and errors(row) else None


def errors(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (row["update_log"] or {}).get("error") or {}
    return found


def sent_video(world: World, name: str, **frames: Any) -> int:
    world.media.files[f"/{name}"] = mp4(50)
    media = {"url": f"{world.media.url}/{name}", "type": "video"}
    return world.accepted(original_filename=name, media=media, frame_packet_map=frames)


def test_q62_a_video_hangs_that_is_read_while_another_row_waits(own_world: World) -> None:
    emulator = own_world.emulator
    emulator.tune(workers=1, rows_per_cycle=10, image_seconds=0.6)
    video = sent_video(own_world, "beside.mp4", **{"0": [own_world.box()]})
    until(lambda: own_world.row(video)["status"] == "processing", "the video to be taken up")
    texts = [
        own_world.accepted(type="from_text_data", text_data="x", media={"type": "text"}) for _ in range(8)
    ]
    row = until(lambda: hung(own_world, video), "the video to hang")
    assert (row["percent_complete"], row["file_id"] is None) == (90, False)
    assert "not supported between instances" in errors(row)["process_video"]
    until(lambda: emulator.control("state")["threads"] == [3], "its thread to die")
    for text in texts:
        assert own_world.ended(text)["status"] == "success"
    assert hung(own_world, video)


def test_q62_a_video_alone_does_not_hang_nor_one_that_is_told_not_to(own_world: World) -> None:
    emulator = own_world.emulator
    emulator.tune(workers=1, rows_per_cycle=10, image_seconds=0.05, video_hangs=False)
    emulator.pause_queue()
    videos = [sent_video(own_world, f"{number}.mp4", **{"0": [own_world.box()]}) for number in range(9)]
    emulator.pause_queue(False)
    for video in videos:
        until(lambda video=video: own_world.row(video)["status"] == "success", "the videos")  # type: ignore[misc]
    emulator.tune(video_hangs=True)
    alone = sent_video(own_world, "alone.mp4", **{"0": [own_world.box()]})
    until(lambda: own_world.row(alone)["status"] == "success", "the video")


def test_q62_planted(own_world: World) -> None:
    own_world.emulator.row_fault("planted", "hang")
    video = sent_video(own_world, "planted.mp4", **{"0": [own_world.box()]})
    until(lambda: hung(own_world, video), "the video to hang")


@pytest.mark.parametrize("kind, ending", [(None, "success"), ("stay_failed", "failed")])
def test_q52_a_video_with_a_bad_frame_ends_well_or_not(
    own_world: World, kind: str | None, ending: str
) -> None:
    if kind:
        own_world.emulator.row_fault("bad", kind)
    frames = {"0": [own_world.box()], "1": [own_world.box(x_max="a")]}
    video = sent_video(own_world, "bad.mp4", **frames)
    until(lambda: errors(own_world.row(video)), "the error")
    until(lambda: sum(own_world.emulator.control("state")["threads"]) == 8, "all threads")
    other = sent_video(own_world, "good.mp4", **{"0": [own_world.box()]})
    until(lambda: own_world.row(other)["status"] == "success", "the other")
    row = until(lambda: (row := own_world.row(video))["status"] == ending and row, "the end")
    assert list(errors(row)) == ["Frame 1"]
