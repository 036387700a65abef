"""Uploads: at once, in chunks, and the data of a batch (server.md 2.8 to 2.10)."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from PIL import Image

from .deployment import DEFAULT_LABEL, UNKNOWN_ID, body_of, status_of, until
from .media_server import CLIP, picture
from .world import World

LOCAL = "/api/walrus/v1/project/{p}/input/from_local"
LARGE = "/api/walrus/project/{p}/upload/large"
FIVE_MEBIBYTES = 5 * 1024 * 1024


def large_picture() -> bytes:
    """Return an image of more than five MiB."""
    target = io.BytesIO()
    Image.new("RGB", (1600, 1200), "white").save(target, "PNG", compress_level=0)
    return target.getvalue()


def test_q22_an_upload_is_ingested_before_its_answer(world: World) -> None:
    answer = world.from_local("a.png", picture(), instance_list=[world.box(), world.box(x_max=50)])
    body = answer.json()
    assert (answer.status_code, body["log"]["success"]) == (200, True)
    row = body["input"]
    assert (row["status"], row["file_id"], row["media_type"]) == ("success", body["file"]["id"], "image")
    assert (row["source"], row["status_text"], row["video_split_duration"]) == (None, None, None)
    assert world.view(row["file_id"])["count_instances_changed"] == 2
    stored = world.instances(row["file_id"])
    assert len(stored) == 2
    assert all(one["member_created_id"] is not None for one in stored), "it is the credential's member"


def test_q22_200_with_a_failed_input_whose_file_exists(world: World) -> None:
    answer = world.from_local("a.png", picture(), instance_list=[world.box(label_file_id=UNKNOWN_ID)])
    row = answer.json()["input"]
    assert (answer.status_code, answer.json()["log"]["success"], row["status"]) == (200, True, "failed")
    assert "valid_label_file" in row["status_text"]
    file = world.view(answer.json()["file"]["id"])
    assert (file["original_filename"], file["count_instances_changed"]) == ("a.png", None)


def test_q17_q22_a_duplicate_is_400_with_an_input(world: World) -> None:
    existing = world.uploaded("a.png", picture())["file"]["id"]
    answer = world.from_local("a.png", picture())
    row = answer.json()["input"]
    assert (answer.status_code, answer.json()["log"]["error"], row["status"]) == (400, {}, "failed")
    assert row["status_text"] == f"Filename a.png Already Exists in Dir. Existing ID is:{existing}"
    assert row["update_log"]["error"] == {"existing_file_id": existing}


def test_q22_an_unknown_extension_leaves_no_row(world: World) -> None:
    answer = world.from_local("a.xyz", b"hello")
    row = answer.json()["input"]
    assert (answer.status_code, row["id"]) == (400, None)
    assert row["status_text"] == "Invalid file type: .xyz"


@pytest.mark.parametrize("name, content", [("a.png", b""), ("a.jpg", b"nonsense"), ("a.mp4", b"nonsense")])
def test_q22_broken_media_are_500(world: World, name: str, content: bytes) -> None:
    answer = world.from_local(name, content)
    assert (answer.status_code, list(answer.json())) == (500, ["error"])


def test_q22_missing_parts(world: World) -> None:
    image = ("a.png", picture())
    for parts in ({"file": image}, {"file": image, "json": (None, "{")}):
        answer = world.send("POST", LOCAL, files=parts)
        assert answer.status_code == 400
        assert "Expecting a key 'json'" in answer.json()["log"]["error"]["input"]
    without_file = world.send("POST", LOCAL, files={"json": (None, "{}")})
    assert (without_file.status_code, without_file.json()["log"]["error"]) == (400, "No files")


def test_q06_q22_unknown_dataset_and_parent(world: World) -> None:
    bad = world.from_local("a.png", picture(), directory_id=UNKNOWN_ID)
    assert (bad.status_code, bad.json()["log"]["error"]) == (400, f"Bad directory_id: {UNKNOWN_ID}")
    fields = json.dumps({"directory_id": world.dataset, "parent_file_id": UNKNOWN_ID})
    parts = {"file": ("a.png", picture()), "json": (None, fields)}
    assert world.deployment.is_refused_by_database("POST", LOCAL, files=parts)


def test_no_dataset_means_the_default_one(world: World) -> None:
    default = world.get("/api/project/{p}/user/x/working_dir/view").json()["working_dir"]
    answer = world.from_local(f"{world.deployment.prefix}-default.png", picture(), directory_id=None)
    assert answer.json()["input"]["directory"]["id"] == default["id"]


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("my dir/ä b.PNG", "my_dir_a_b.PNG"),
        ("dir/child-0.PNG", "dir_child-0.PNG"),
        ("ok_1-2.png", "ok_1-2.png"),
    ],
    ids=["accent", "folder", "plain"],
)
def test_names_are_sanitized(module_world: World, sent: str, kept: str) -> None:
    assert module_world.from_local(sent, picture()).json()["input"]["original_filename"] == kept


def test_a_hundred_boxes(world: World) -> None:
    boxes = [world.box(x_max=20 + n) for n in range(100)]
    file_id = world.uploaded("a.png", picture(), instance_list=boxes)["file"]["id"]
    assert world.view(file_id)["count_instances_changed"] == 100
    assert sorted(one["x_max"] for one in world.instances(file_id)) == list(range(20, 120))


def test_q17_simultaneous_uploads_of_one_name_may_all_be_stored(world: World) -> None:
    world.dataset  # noqa: B018  before the threads start
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: world.from_local("a.png", picture()), range(3)))
    stored = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert stored
    assert {answer.status_code for answer in refused} <= {400}
    assert all("Already Exists in Dir" in answer.json()["input"]["status_text"] for answer in refused)
    assert len(world.files()) == len(stored)


def test_a_new_run_named_by_several_uploads_at_once_is_made_once_and_harms_nobody(world: World) -> None:
    """Whoever loses is told 503, and nothing of it is stored (server.md 10.8.4)."""
    run = f"{world.deployment.prefix} at once"
    box = world.box(x_max=40, y_max=40, model_ref=f"{run} model", model_run_ref=run)
    world.dataset  # noqa: B018  before the threads start

    def sent(number: int) -> int:
        return status_of(lambda: world.from_local(f"{number}.png", picture(), instance_list=[box]))

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(sent, range(8)))
    assert set(codes) <= {200, 503}
    assert 200 in codes
    assert len(world.files()) == codes.count(200)
    runs = body_of(world.post("/api/v1/project/{p}/model-runs/list"))["model_run_list"]
    assert [one["reference_id"] for one in runs].count(run) == 1
    assert world.uploaded("afterwards.png", picture(), instance_list=[box])["input"]["status"] == "success"


def test_model_references_are_resolved_for_images_and_not_for_texts(world: World) -> None:
    named = {
        "model_ref": f"{world.deployment.prefix} model",
        "model_run_ref": f"{world.deployment.prefix} run",
    }
    box = world.box(x_max=40, y_max=40, **named)
    image = world.uploaded("a.png", picture(), instance_list=[box])["file"]["id"]
    token = {"type": "text_token", "label_file_id": world.labels[0], **named}
    text = world.uploaded("a.txt", b"a cat", instance_list=[token | {"start_token": 0, "end_token": 1}])
    (of_image,), (of_text,) = world.instances(image), world.instances(text["file"]["id"])
    assert None not in (of_image["model_id"], of_image["model_run_id"])
    assert (of_text["model_id"], of_text["model_run_id"]) == (None, None)


def test_an_upload_stores_what_a_packet_stores(world: World) -> None:
    """So that nothing tells later which way a medium came."""
    box = world.box(x_max=40, y_max=40, score=0.5, creation_ref_id="r-1")
    uploaded = world.uploaded("a.png", picture(), instance_list=[box])["file"]["id"]
    sent = world.ingested(original_filename="b.png", instance_list=[box])["file_id"]
    compared = (
        "type",
        "x_min",
        "x_max",
        "y_min",
        "y_max",
        "score",
        "creation_ref_id",
        "label_file_id",
        "version",
    )
    rows = [{key: row[key] for key in compared} for each in (uploaded, sent) for row in world.instances(each)]
    assert rows[0] == rows[1]
    files = [world.view(each) for each in (uploaded, sent)]
    for key in ("type", "count_instances_changed", "ann_is_complete", "ordinal", "state"):
        assert files[0][key] == files[1][key], key
    assert [file["image"]["width"] for file in files] == [files[0]["image"]["width"]] * 2


def test_children_uploaded_at_once_keep_their_places(world: World) -> None:
    parent = world.new_compound("parent")

    def sent(number: int) -> int:
        body = {"parent_file_id": parent, "ordinal": number}
        return world.from_local(f"{number}.png", picture(), **body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(sent, range(12))) == {200}
    found = {child["ordinal"]: child["original_filename"] for child in world.children(parent)}
    assert found == {number: f"{number}.png" for number in range(12)}


def test_the_row_of_an_upload_is_found_by_its_file_alone(world: World) -> None:
    made = world.uploaded("a.png", picture(), instance_list=[world.box(x_max=40, y_max=40)])
    (row,) = world.inputs(file_id=made["file"]["id"])
    assert (row["batch_id"], len(row["instance_list"]["list"])) == (None, 1)


def test_a_text(world: World) -> None:
    row = world.uploaded("a.txt", b"hello")["input"]
    assert row["media_type"] == "text"
    assert world.view(row["file_id"])["type"] == "text"


def test_a_video(world: World) -> None:
    answer = world.from_local("a.mp4", CLIP, frame_packet_map={"0": [world.box(x_max=40, y_max=50)]})
    assert answer.status_code == 200, answer.text
    row = world.settled_video(answer.json()["input"]["id"])
    assert (row["media_type"], world.view(row["file_id"])["type"]) == ("video", "video")


def chunk(world: World, index: int, count: int, content: bytes, **form: Any) -> requests.Response:
    """Send a chunk of ``large.png`` once the limit of four a second admits it."""
    fields = {
        "dzuuid": f"{world.deployment.prefix} {world.name}".replace(" ", "-"),
        "dzchunkindex": index,
        "dztotalchunkcount": count,
        "dzchunkbyteoffset": index * FIVE_MEBIBYTES,
        "dztotalfilesize": len(content) if count == 1 else (count - 1) * FIVE_MEBIBYTES + len(content),
        "dzchunksize": FIVE_MEBIBYTES,
        "directory_id": world.dataset,
        "input_batch_id": world.batch,
        **form,
    }
    data = {key: str(value) for key, value in fields.items() if value is not None}
    return admitted(world, data=data, files={"file": ("large.png", content)})


def admitted(world: World, **options: Any) -> requests.Response:
    def unless_throttled() -> list[requests.Response]:
        answer = world.send("POST", LARGE, **options)
        return [] if answer.status_code == 429 else [answer]

    found: requests.Response = until(unless_throttled, "room in the rate limit")[0]
    return found


def upload_row(world: World) -> dict[str, Any]:
    """Return the row of the batch's only upload."""
    (row,) = until(lambda: world.inputs(batch_id=world.batch), "the row of the upload")
    world.deployment.inputs.add(row["id"])
    found: dict[str, Any] = row
    return found


def test_an_upload_in_one_chunk(world: World) -> None:
    world.deployment.patience  # noqa: B018  skips where nothing is ingested
    answer = chunk(world, 0, 1, picture())
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    row = world.settled(upload_row(world)["id"])
    assert (row["status"], row["source"]) == ("success", "from_resumable")
    assert world.view(row["file_id"])["original_filename"] == "large.png"


def test_an_upload_in_chunks_of_five_mebibytes(world: World) -> None:
    world.deployment.patience  # noqa: B018
    content = large_picture()
    assert FIVE_MEBIBYTES < len(content) < 2 * FIVE_MEBIBYTES
    form = {"dztotalfilesize": len(content), "source": "from_resumable"}
    assert chunk(world, 0, 2, content[:FIVE_MEBIBYTES], **form).json() == {"success": True}
    waiting = upload_row(world)
    assert (waiting["status"], waiting["file_id"]) == ("init", None)
    assert chunk(world, 1, 2, content[FIVE_MEBIBYTES:], **form).json() == {"success": True}
    row = world.settled(waiting["id"])
    assert row["status"] == "success", row
    image = world.view(row["file_id"])["image"]
    assert (image["width"], image["height"]) == (1600, 1200)


def test_q23_small_chunks_fail_at_the_end_where_storage_is_like_s3(world: World) -> None:
    answers = [chunk(world, index, 3, b"x" * 50_000, dztotalfilesize=150_000) for index in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    row = upload_row(world)
    if answers[2].status_code == 500:
        assert answers[2].json() == {"error": ""}
        assert row["status"] == "init"
    else:
        assert answers[2].json() == {"success": True}


def test_q23_a_later_chunk_of_an_unknown_upload_is_200_with_an_error(world: World) -> None:
    answer = chunk(world, 1, 2, b"x", dzuuid=f"{world.deployment.prefix}-never-begun")
    assert (answer.status_code, list(answer.json())) == (200, ["error"])


def test_upload_refusals(world: World) -> None:
    assert admitted(world, files={"file": ("large.png", b"x")}).status_code == 500
    upload = f"{world.deployment.prefix}-no-file"
    fields = {"dzuuid": upload, "dzchunkindex": "0", "dztotalchunkcount": "1", "directory_id": world.dataset}
    without = admitted(world, files={key: (None, str(value)) for key, value in fields.items()})
    assert (without.status_code, list(without.json()["log"]["error"])) == (400, ["binary_file"])
    with_v1 = world.send("POST", LARGE.replace("/walrus/", "/walrus/v1/"), data={"dzuuid": upload})
    assert with_v1.status_code == 404


def test_q06_an_upload_into_an_unknown_dataset(world: World) -> None:
    deployment = world.deployment
    fields = {
        "dzuuid": f"{deployment.prefix}-unknown-dataset",
        "dzchunkindex": "0",
        "dztotalchunkcount": "1",
        "dzchunkbyteoffset": "0",
        "dztotalfilesize": "1",
        "directory_id": str(UNKNOWN_ID),
    }
    parts = {"file": ("large.png", b"x")}
    until(
        lambda: deployment.is_refused_by_database("POST", LARGE, data=fields, files=parts),
        "the refusal, and room in the rate limit before it",
        patience=10,
    )


def test_predictions_of_uploads_travel_in_the_batch(world: World) -> None:
    world.deployment.patience  # noqa: B018
    box = world.box(label_file_id=world.deployment.default_label, x_max=77, name=DEFAULT_LABEL)
    data = {"large.png": {"instance_list": [box], "frame_packet_map": None}}
    world.batch = world.new_batch(pre_labeled_data=data)
    chunk(world, 0, 1, picture())
    row = world.settled(upload_row(world)["id"])
    assert row["status"] == "success", row
    patience = world.deployment.patience
    (stored,) = until(lambda: world.instances(row["file_id"]), "the instance of the batch", patience)
    assert (stored["x_max"], stored["label_file"]["label"]["name"]) == (77, DEFAULT_LABEL)


def test_q05_an_uploaded_duplicate_fails(world: World) -> None:
    world.deployment.patience  # noqa: B018
    world.uploaded("large.png", picture())
    assert chunk(world, 0, 1, picture()).json() == {"success": True}
    row = world.ended(upload_row(world)["id"])
    assert row["status"] == "failed"
    assert len(world.files()) == 1


def append(world: World, batch: int, **options: Any) -> requests.Response:
    return world.send("POST", f"/api/v1/project/{{p}}/input-batch/{batch}/append-data", **options)


def test_data_appended_to_a_batch_is_loaded_in_the_background(world: World) -> None:
    box = world.box(label_file_id=world.deployment.default_label, name=DEFAULT_LABEL)
    document = json.dumps({"p.png": {"instance_list": [box], "frame_packet_map": None}}).encode()
    headers = {
        "Content-Range": f"bytes 0-{len(document) - 1}/{len(document)}",
        "Content-Range-Index": "0",
        "Content-Range-Total-Chunks": "1",
    }
    answer = append(world, world.batch, headers=headers, files={"file": ("x.json", document)})
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["input_batch"], str)
    path = f"/api/v1/project/{{p}}/input-batch/{world.batch}"

    def loaded() -> bool:
        batch = world.post(path).json()["input_batch"]
        assert batch["download_status_pre_labeled_data"] != "failed", batch
        return bool(batch["download_status_pre_labeled_data"] == "success")

    until(loaded, "the data of the batch to be loaded")


def test_refusals_of_appended_data(world: World) -> None:
    headers = {
        "Content-Range": "bytes 0-1/2",
        "Content-Range-Index": "0",
        "Content-Range-Total-Chunks": "1",
    }
    parts = {"file": ("x.json", b"{}")}
    assert append(world, world.batch, files=parts).status_code == 500
    without = append(world, world.batch, headers=headers)
    assert (without.status_code, list(without.json()["log"]["error"])) == (400, ["binary_file"])
    assert append(world, UNKNOWN_ID, headers=headers, files=parts).status_code == 500
