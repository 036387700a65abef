"""Compound files out of folders, documents and blobs, and resumed wherever they broke off."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from upath import UPath

from airflow_provider_diffgram.ingest.read.children import children_of
from airflow_provider_diffgram.ingest.read.paths import MediaPath, universal_path
from airflow_provider_diffgram.ingest.send.compound import create_compound_file, upload_children
from airflow_provider_diffgram.ingest.send.push import PushError
from airflow_provider_diffgram.models import CompoundFile, Handle, InvalidValueError
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.served_media import png
from tests.unit.ingest.documents import make_pdf, make_tiff


@pytest.fixture
def parent(diffgram: LiveDiffgram) -> int:
    return create_compound_file(diffgram.client, CompoundFile(name="scan"), dataset=DATASET).file_id


def upload(diffgram: LiveDiffgram, parent: int, source: Any, **more: Any) -> Handle:
    return upload_children(diffgram.client, parent, children_of(source), dataset=DATASET, **more)


def widths(diffgram: LiveDiffgram, parent: int) -> list[int]:
    """Return the widths of the stored pictures, in order: they tell which page is where."""
    found = []
    for child in diffgram.children(parent):
        shown = diffgram.ask_file(child.id).image
        picture = requests.get(shown["url_signed"], timeout=10).content
        found.append(Image.open(io.BytesIO(picture)).width)
    return found


@pytest.mark.parametrize("kind", ["tif", "pdf"])
def test_the_pages_of_a_document_arrive_in_order_and_once(
    diffgram: LiveDiffgram, parent: int, tmp_path: Path, kind: str
):
    path = tmp_path / f"scan.{kind}"
    (make_tiff if kind == "tif" else make_pdf)(path, 5)
    source = {"pages": path, "dpi": 72}
    assert upload(diffgram, parent, source).done_at_send == 5
    assert widths(diffgram, parent) == [40, 41, 42, 43, 44]
    before = diffgram.content()
    assert upload(diffgram, parent, source).skipped == 5
    assert diffgram.content() == before


def test_predictions_go_with_a_page(diffgram: LiveDiffgram, parent: int, tmp_path: Path):
    path = make_tiff(tmp_path / "scan.tif", 2)
    children = [
        {"media": {"path": path, "page": page}, "ordinal": page, "instance_list": [box(page + 1)]}
        for page in range(2)
    ]
    upload(diffgram, parent, children)
    assert [diffgram.lefts(child.id) for child in diffgram.children(parent)] == [[1], [2]]


def test_a_page_that_is_not_there_is_told_before_anything_is_sent(
    diffgram: LiveDiffgram, parent: int, tmp_path: Path
):
    path = make_tiff(tmp_path / "scan.tif", 2)
    children = [{"media": {"path": path, "page": page}, "ordinal": page} for page in range(4)]
    before = diffgram.content()
    with pytest.raises(InvalidValueError) as caught:
        upload(diffgram, parent, children)
    assert [f"page {page} of" in problem for page, problem in zip((2, 3), caught.value.problems, strict=True)]
    assert diffgram.content() == before


@pytest.mark.parametrize("fault", ["reset_after", "reset_before", "status"])
def test_a_folder_that_broke_off_is_carried_on_and_nothing_sent_twice(
    diffgram: LiveDiffgram, parent: int, tmp_path: Path, fault: str
):
    for number in range(12):
        Image.new("RGB", (20 + number, 9)).save(tmp_path / f"{number}.png")
    diffgram.emulator.fault("input/from_local", "status", skip=4, times=1, status=403, body={"error": "403"})
    diffgram.emulator.fault("input/from_local", fault, skip=1, status=503, processed=True)
    with pytest.raises(PushError, match="403"):
        upload(diffgram, parent, {"folder": tmp_path})
    there = {child.id for child in diffgram.children(parent)}
    handle = upload(diffgram, parent, {"folder": tmp_path})
    assert handle.skipped == len(there) > 0
    assert widths(diffgram, parent) == list(range(20, 32))
    assert [child.ordinal for child in diffgram.children(parent)] == list(range(12))
    assert there <= {child.id for child in diffgram.children(parent)}
    assert len([row for row in diffgram.inputs(parent) if not row.archived]) == 12


def test_a_file_that_comes_between_moves_the_others_on(diffgram: LiveDiffgram, parent: int, tmp_path: Path):
    for number in (1, 3):
        Image.new("RGB", (20 + number, 9)).save(tmp_path / f"{number}.png")
    upload(diffgram, parent, {"folder": tmp_path})
    Image.new("RGB", (22, 9)).save(tmp_path / "2.png")
    handle = upload(diffgram, parent, {"folder": tmp_path})
    assert (handle.skipped, handle.done_at_send) == (2, 1)
    assert widths(diffgram, parent) == [21, 22, 23]
    assert len(diffgram.inputs(parent)) == 3


def test_no_request_more_than_one_in_twenty_beside_the_children(
    diffgram: LiveDiffgram, parent: int, tmp_path: Path
):
    for number in range(300):
        (tmp_path / f"{number}.png").write_bytes(png())
    before = diffgram.emulator.requests()["total"]
    upload(diffgram, parent, {"folder": tmp_path})
    sent = diffgram.emulator.requests()["total"] - before
    assert len(diffgram.children(parent)) == 300
    assert sent <= 1.05 * 300, f"{sent} requests"


class TestBlobs:
    """Connections are found, objects looked at where the worker may (quirk 57)."""

    @pytest.fixture
    def bucket(self) -> Iterator[UPath]:
        root = UPath("memory://pictures")
        (root / "dir" / "a").write_bytes(png())
        (root / "text").write_bytes(b"this is no picture")
        yield root
        root.fs.rm("/pictures", recursive=True)

    @pytest.fixture
    def connection(self, diffgram: LiveDiffgram) -> int:
        body = {"project": diffgram.client.project, "integration_name": "amazon_aws", "name": "store"}
        return int(diffgram.emulator.control("connections", body)["id"])

    @staticmethod
    def in_memory(path: str) -> MediaPath:
        """Open what a worker with a credential opens; one bucket is not open to it."""
        if path.startswith("s3://locked"):
            raise PermissionError("Access Denied")
        return universal_path(path.replace("s3://", "memory://"))

    @staticmethod
    def child(key: str, connection: int | str, ordinal: int = 0, bucket: str = "pictures") -> dict[str, Any]:
        media = {"connection_id": connection, "bucket_name": bucket, "raw_data_blob_path": key}
        return {"media": media, "ordinal": ordinal, "original_filename": f"{ordinal}.png"}

    def test_a_connection_is_given_by_name_or_id(
        self, diffgram: LiveDiffgram, parent: int, bucket: UPath, connection: int
    ):
        children = [self.child("dir/a", each, ordinal) for ordinal, each in enumerate(("store", connection))]
        handle = upload(diffgram, parent, children, path_of=self.in_memory, delivery="queue")
        assert handle.unchecked == 0
        assert diffgram.done(handle).summary() == "2 expected: 2 succeeded"
        assert {child.connection_id for child in diffgram.children(parent)} == {connection}

    def test_what_is_wrong_is_told_before_anything_is_sent(
        self, diffgram: LiveDiffgram, parent: int, bucket: UPath, connection: int
    ):
        project = {"project": diffgram.client.project}
        diffgram.emulator.control("connections", project | {"integration_name": "minio", "name": "own"})
        keys = (("gone", "store"), ("text", "store"), ("dir/a", "nobody"), ("dir/a", "own"), ("a", 999_999))
        children = [self.child(key, each, ordinal) for ordinal, (key, each) in enumerate(keys)]
        with pytest.raises(InvalidValueError) as caught:
            upload(diffgram, parent, children, path_of=self.in_memory)
        told = (
            "no such object: s3://pictures/gone",
            "s3://pictures/text is not an image that Diffgram can show",
            f"'nobody': no such connection in Diffgram; there are: {connection} (store)",
            "(own) is a connection of kind minio; Diffgram reads blobs of amazon_aws and microsoft_azure",
            "999999: no such connection",
        )
        assert [text in problem for text, problem in zip(told, caught.value.problems, strict=True)] == [
            True
        ] * 5
        assert diffgram.inputs(parent) == []

    def test_what_could_not_be_looked_at_is_counted_in_the_receipt(
        self, diffgram: LiveDiffgram, parent: int, bucket: UPath, connection: int
    ):
        children = [
            self.child("dir/a", connection),
            self.child("x", connection, 1, "locked"),
            self.child("y", connection, 2, "locked"),
        ]
        receipt = diffgram.done(upload(diffgram, parent, children, path_of=self.in_memory))
        assert receipt.unchecked == 2
        assert receipt.summary() == "3 expected: 3 succeeded; 2 blobs not checked"
