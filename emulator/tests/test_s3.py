"""Connections over a real S3 server on this computer (server.md 2.7 and 2.15)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from diffgram_emulator.process import EmulatorProcess
from tests.contract.media_server import MediaServer, picture
from world import World

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

KEY, SECRET = "AKIAEMULATED", "a secret of the connection"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server with one bucket and one picture."""
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = _client(endpoint)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="dir/ä 1.png", Body=picture())
    yield endpoint
    server.stop()


def _client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )


def connect(world: World, endpoint: str | None, **more: Any) -> int:
    body = {
        "project": world.project,
        "integration_name": "amazon_aws",
        "private_id": KEY,
        "private_secret": SECRET,
        "endpoint": endpoint,
        **more,
    }
    return int(world.emulator.control("connections", body)["id"])


def ingested(world: World, connection: int, key: str = "dir/ä 1.png", **body: Any) -> dict[str, Any]:
    sent = {
        "type": "from_blob_path",
        "connection_id": connection,
        "bucket_name": "bucket",
        "raw_data_blob_path": key,
        "media": {"type": "image"},
        **body,
    }
    row = world.ingested(**sent)
    assert row["status"] == "success"
    return world.view(row["file_id"])


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=5)


def test_q46_the_url_gives_the_object(world: World, s3: str) -> None:
    file = ingested(world, connect(world, s3), instance_list=[world.box()])
    url = file["image"]["url_signed"]
    assert get(url).content == picture()
    assert file["image"]["url_signed_thumb"] == url
    assert (file["image"]["width"], file["image"]["height"]) == (None, None)
    assert file["count_instances_changed"] == 1
    assert (file["bucket_name"], file["image"]["url_signed_blob_path"]) == ("bucket", "dir/ä 1.png")


def signature_of(url: str, secret: str) -> str:
    """Return the signature a URL must carry, by the published steps of Signature Version 4."""
    parts = urlsplit(url)
    query = sorted(one for one in parts.query.split("&") if not one.startswith("X-Amz-Signature="))
    told = {key: values[0] for key, values in parse_qs(parts.query).items()}
    request = ["GET", parts.path, "&".join(query), f"host:{parts.netloc}\n", "host", "UNSIGNED-PAYLOAD"]
    digest = hashlib.sha256("\n".join(request).encode()).hexdigest()
    scope = told["X-Amz-Credential"].partition("/")[2]
    key = f"AWS4{secret}".encode()
    for step in (*scope.split("/"), "\n".join(["AWS4-HMAC-SHA256", told["X-Amz-Date"], scope, digest])):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key.hex()


def test_the_signature_is_genuine(world: World, s3: str) -> None:
    url = ingested(world, connect(world, s3))["image"]["url_signed"]
    (given,) = parse_qs(urlsplit(url).query)["X-Amz-Signature"]
    assert given == signature_of(url, SECRET)
    assert given != signature_of(url, SECRET + "x")


def test_the_url_is_signed_for_seven_hours_by_the_connections_key(world: World, s3: str) -> None:
    url = ingested(world, connect(world, s3))["image"]["url_signed"]
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Expires"] == "25200"
    assert query["X-Amz-Credential"].startswith(f"{KEY}/")
    assert query["X-Amz-Credential"].endswith("/us-east-1/s3/aws4_request")
    assert SECRET not in url


@pytest.mark.parametrize("key", ["dir/missing.png", "/dir/ä 1.png"])
def test_q46_success_for_a_key_that_is_not_there(world: World, s3: str, key: str) -> None:
    file = ingested(world, connect(world, s3), key)
    assert get(file["image"]["url_signed"]).status_code == 404


def test_q46_success_for_a_bucket_that_is_not_there(world: World, s3: str) -> None:
    file = ingested(world, connect(world, s3), bucket_name="nowhere")
    assert get(file["image"]["url_signed"]).status_code == 404


def test_q46_the_object_may_arrive_later(world: World, s3: str) -> None:
    file = ingested(world, connect(world, s3), "later.png")
    url = file["image"]["url_signed"]
    assert get(url).status_code == 404
    _client(s3).put_object(Bucket="bucket", Key="later.png", Body=picture())
    assert get(url).content == picture()


def test_every_reading_signs_anew(world: World, s3: str) -> None:
    connection = connect(world, s3)
    file = ingested(world, connection)
    other = {"id": connection, "private_id": "AKIAOTHER"}
    world.emulator.control("connections/change", other)
    path = f"/api/project/{{p}}/file/{file['id']}/annotation/list"
    read = [
        world.view(file["id"]),
        world.post(path, level="Viewer").json()["file_serialized"],
        world.files("home")[0],
    ]
    for one in read:
        assert "AKIAOTHER" in one["image"]["url_signed"]
        assert get(one["image"]["url_signed"]).status_code == 200


def test_children_come_from_a_connection_too(world: World, s3: str) -> None:
    parent = world.new_compound("parent")
    ingested(world, connect(world, s3), parent_file_id=parent, ordinal=3)
    (child,) = world.get(f"/api/v1/project/{{p}}/file/{parent}/child-files").json()["child_files"]
    assert child["ordinal"] == 3
    assert get(child["image"]["url_signed"]).content == picture()


def test_an_archived_connection_goes_on_working(world: World, s3: str) -> None:
    connection = connect(world, s3, archived=True)
    assert world.get("/api/project/{p}/connections").json()["connection_list"] == []
    assert get(ingested(world, connection)["image"]["url_signed"]).content == picture()


def test_without_a_secret_it_is_a_success_with_a_dead_url(world: World, s3: str) -> None:
    connection = connect(world, s3, private_secret=None)
    (listed,) = world.get("/api/project/{p}/connections").json()["connection_list"]
    assert listed["exists_private_secret"] is False
    assert get(ingested(world, connection)["image"]["url_signed"]).status_code == 404


def test_the_secret_is_never_told(world: World, s3: str) -> None:
    connect(world, s3)
    answer = world.get("/api/project/{p}/connections", "Viewer")
    (listed,) = answer.json()["connection_list"]
    assert (listed["private_id"], listed["exists_private_secret"]) == (KEY, True)
    assert SECRET not in answer.text
    assert "endpoint" not in listed


def test_q57_minio_is_refused(world: World, s3: str) -> None:
    body = {"type": "from_blob_path", "bucket_name": "bucket", "raw_data_blob_path": "a.png"}
    connection = connect(world, s3, integration_name="minio")
    answer = world.packet(**body, connection_id=connection, media={"type": "image"})
    assert (answer.status_code, set(answer.json()["log"]["error"])) == (
        400,
        {"supported_providers", "unsupported"},
    )


def test_q58_a_connection_on_a_url_packet_signs_for_the_wrong_bucket(world: World, s3: str) -> None:
    row = world.ingested(connection_id=connect(world, s3), bucket_name="bucket")
    url = world.view(row["file_id"])["image"]["url_signed"]
    assert url.startswith(f"{s3}/bucket/projects/images/")
    assert get(url).status_code == 404


def test_q61_an_export_of_it_has_a_dead_url(world: World, s3: str) -> None:
    file = ingested(world, connect(world, s3))
    body = {
        "kind": "Annotations",
        "source": "directory",
        "directory_id": world.dataset,
        "file_comparison_mode": "latest",
        "masks": False,
        "wait_for_export_generation": True,
        "return_type": "data",
    }
    exported = world.post("/api/walrus/project/{p}/export/to_file", body).json()
    assert get(exported[str(file["id"])]["file"]["blob_url"]).status_code == 403


def test_the_page_may_show_the_picture(world: World, s3: str) -> None:
    file = ingested(world, connect(world, s3))
    answer = get(f"{world.emulator.url}/studio/annotate/{world.project}?file={file['id']}")
    assert f"img-src 'self' data: {s3};" in answer.headers["content-security-policy"]


def test_the_endpoint_of_the_options_holds_for_new_connections(
    s3: str, media: MediaServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("s3")
    with EmulatorProcess.start(folder, s3_endpoint=s3) as emulator:
        body = {"name": "p", "labels": [], "datasets": []}
        emulator.control("projects", body)
        world = World(emulator, media)
        connection = {
            "project": world.project,
            "integration_name": "amazon_aws",
            "private_id": KEY,
            "private_secret": SECRET,
        }
        file = ingested(world, emulator.control("connections", connection)["id"])
        assert get(file["image"]["url_signed"]).content == picture()
        world.emulator = emulator.restart(kill=True)
        assert get(world.view(file["id"])["image"]["url_signed"]).content == picture()
