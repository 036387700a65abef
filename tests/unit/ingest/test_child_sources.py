"""Children from folders and documents: which, in what order, under which names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_diffgram.ingest.check.names import name_of
from airflow_provider_diffgram.ingest.read.children import children_of, natural_key
from airflow_provider_diffgram.models import Child, ChildFolder, ChildPages, InvalidValueError, Packet
from tests.integration.ingest.served_media import png
from tests.unit.ingest.documents import make_pdf, make_tiff

NAMES = ("page-10.png", "page-9.png", "page-1.png", "Page-2.PNG")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(png())
        os.utime(tmp_path / name, (1000 + number, 1000 + number))
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "page-3.png").write_bytes(png())
    return tmp_path


@pytest.fixture
def bucket() -> Iterator[str]:
    root = UPath("memory://scans/17")
    for name in NAMES:
        (root / name).write_bytes(png())
    yield str(root)
    root.fs.rm("/scans", recursive=True)


def names(children: list[Any]) -> list[str]:
    assert all(isinstance(child, Child) for child in children), children
    return [child.media.path.rpartition("/")[2] for child in children]


ORDERS = {
    "natural": ["page-1.png", "Page-2.PNG", "page-9.png", "page-10.png"],
    "name": ["Page-2.PNG", "page-1.png", "page-10.png", "page-9.png"],
    "mtime": list(NAMES),
}


@pytest.mark.parametrize("sort", ORDERS)
def test_a_folder_is_sorted_by_the_rule_given(folder: Path, sort: str):
    children = children_of({"folder": folder, "sort": sort})
    assert names(children) == ORDERS[sort]
    assert [child.ordinal for child in children] == [0, 1, 2, 3]


def test_a_glob_may_look_into_folders_below_and_narrow(folder: Path):
    assert names(children_of(ChildFolder(folder=str(folder), glob="**/*-3.png"))) == ["page-3.png"]
    assert names(children_of({"folder": str(folder), "glob": "page-1*"})) == ["page-1.png", "page-10.png"]


def test_a_link_to_a_file_is_a_child_and_one_to_nothing_is_refused(folder: Path):
    (folder / "page-11.png").symlink_to(folder / "page-1.png")
    assert len(children_of({"folder": folder})) == 5
    (folder / "page-12.png").symlink_to(folder / "nowhere.png")
    (problems,) = children_of({"folder": folder})
    assert problems == [
        f"child 0: {folder}/page-12.png is a broken link, or not a file: give the file itself"
    ]


def test_a_prefix_in_object_storage_is_a_folder(bucket: str):
    children = children_of({"folder": bucket})
    assert names(children) == ORDERS["natural"]
    assert children[0].media.path == "memory://scans/17/page-1.png"
    (problems,) = children_of({"folder": bucket, "sort": "mtime"})
    assert problems == ["child 0: memory://scans/17 does not say when files were changed: sort by name"]


def test_names_and_order_are_the_same_at_every_look(folder: Path):
    def packets() -> list[str]:
        return [name_of(child.to_packet(3)) for child in children_of({"folder": folder})]

    assert packets() == packets()
    assert len(set(packets())) == 4
    assert packets()[0].startswith("page-1-")


def test_pages_of_a_document_are_named_by_their_number(tmp_path: Path):
    document = make_tiff(tmp_path / "scan.tif", 3)
    children = children_of(ChildPages(pages=str(document)))
    found = [name_of(child.to_packet(3)) for child in children]
    stem = found[0].removesuffix("-page-0.png")
    assert stem.startswith("scan-")
    assert found == [f"{stem}-page-{number}.png" for number in range(3)]
    assert [child.ordinal for child in children] == [0, 1, 2]


def test_sources_and_children_in_one_list_go_on_counting(folder: Path, tmp_path: Path):
    pdf = make_pdf(tmp_path / "scan.pdf", 2)
    single = {"media": {"path": "cover.png"}, "ordinal": 0}
    children = children_of([single, {"pages": pdf, "dpi": 72}, {"folder": folder, "glob": "*10.png"}])
    assert children[0] == single
    assert [child.ordinal for child in children[1:]] == [1, 2, 3]
    assert children[1].media.dpi == 72


@pytest.mark.parametrize(
    "source, told",
    [
        ({"folder": "/nowhere"}, "no file '*' in /nowhere"),
        ({"folder": "unknown://b"}, "unknown"),
        ({"folder": "", "sort": "size"}, "folder"),
        ({"folder": "", "sort": "size"}, "sort"),
        ({"pages": "/nowhere/a.pdf"}, "/nowhere/a.pdf"),
        ({"pages": "a.docx"}, "not a document whose pages can be rendered: .tif, .tiff, .pdf"),
    ],
)
def test_what_is_wrong_with_a_source_is_told_with_its_number(source: dict[str, Any], told: str):
    _, problems = children_of([{"media": {"path": "a.png"}, "ordinal": 0}, source])
    assert all(problem.startswith("child 1") for problem in problems)
    assert told in "\n".join(problems)


def test_files_that_are_no_media_are_named(folder: Path):
    (folder / "notes.doc").write_bytes(b"x")
    ((problem,),) = children_of({"folder": folder})
    assert f"{folder}/notes.doc is not a medium that Diffgram ingests: give a narrower glob" in problem


def test_a_source_is_also_read_from_json_text(folder: Path):
    assert names(children_of(f'[{{"folder": "{folder}", "glob": "*9.png"}}]')) == ["page-9.png"]


def test_what_is_no_child_is_refused():
    with pytest.raises(InvalidValueError):
        children_of(5)


@pytest.mark.parametrize(
    "texts",
    [["a9", "a10"], ["a1b2", "a1b10"], ["1", "a"], ["A2", "a10"], ["a01", "a1"], ["a", "a1"], ["²", "³"]],
)
def test_numbers_in_names_sort_by_their_value(texts: list[str]):
    shuffled = [*texts[1:], texts[0]]
    assert sorted(shuffled, key=natural_key) == texts


def test_a_page_is_named_as_png_and_its_document_has_a_known_kind():
    page = {"path": "scan.pdf", "page": 0}
    for media, name in ((page, "a.jpg"), (page | {"path": "a.doc"}, "a.png"), (page | {"page": -1}, "a.png")):
        with pytest.raises(ValueError, match=r"\.png|not a document|greater than or equal"):
            Packet.model_validate({"media": media, "original_filename": name})
