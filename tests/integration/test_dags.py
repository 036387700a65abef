"""The shipped DAG files, in a real Airflow, against the emulator."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageChops, ImageSequence

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.models import Child, Packet
from demo import media, project
from demo.airflow_runs import ROOT, Run, RunFailed, environment, run_dags
from demo.demonstration import COMPOUND, PUSH
from demo.fileserver import serving
from demo.quality import overlap
from demo.server import Server
from demo.stored import compare, read_children, read_intended, read_roots
from diffgram_emulator.process import EmulatorProcess

SCENES = "diffgram_camera_scenes"
MOMENTS = [("0900", "right"), ("0900", "front"), ("0900", "left"), ("0901", "right"), ("0901", "front")]

DAG_FILES = sorted((ROOT / "dags").glob("*.py"))
HEAVY = {"skimage", "rapidocr", "onnxruntime", "cv2", "PIL", "scipy"}

LOAD = """
import json, sys
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(sys.argv[1])
dags = {
    dag.dag_id: {
        "tasks": sorted(dag.task_ids),
        "params": {name: dag.params.get_param(name).schema.get("title") for name in dag.params},
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
    }
    for dag in bag.dags.values()
}
print(json.dumps({"errors": bag.import_errors, "dags": dags, "modules": sorted(set(sys.modules) - before)}))
"""


@pytest.fixture(scope="module", params=DAG_FILES, ids=lambda path: path.stem)
def loaded(request, tmp_path_factory):
    """What Airflow sees in one DAG file, loaded alone, in a process of its own."""
    folder = tmp_path_factory.mktemp(request.param.stem)
    (folder / "dags").mkdir()
    (folder / "dags" / request.param.name).write_bytes(request.param.read_bytes())
    nowhere = Server("http://127.0.0.1:9", "none", "none", "none")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder / "dags")],
        env=environment(folder / "airflow", nowhere),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return request.param.stem, json.loads(done.stdout.splitlines()[-1])


def test_a_dag_file_loads_without_errors(loaded):
    name, seen = loaded
    assert seen["errors"] == {}
    assert list(seen["dags"]) == [name]


def test_a_dag_file_leaves_heavy_imports_to_its_tasks(loaded):
    _, seen = loaded
    assert HEAVY.isdisjoint(module.partition(".")[0] for module in seen["modules"])


def test_a_dag_runs_one_at_a_time_and_every_param_has_a_form_field(loaded):
    name, seen = loaded
    dag = seen["dags"][name]
    assert (dag["max_active_runs"], dag["catchup"]) == (1, False)
    assert len(dag["params"]) >= 4
    assert all(dag["params"].values())


def run(server: Server, build: Path, *jobs: tuple[str, dict[str, str]]) -> list[Run]:
    return run_dags(
        [{"dag_id": dag_id, "conf": conf} for dag_id, conf in jobs],
        build,
        server,
        on_ready=lambda _: None,
        on_run=lambda _: None,
    )


def seen_from(emulator: EmulatorProcess) -> Server:
    return Server(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)


@dataclass(frozen=True)
class Done:
    """All DAGs have run, that of the document twice; the client looks at what they left."""

    client: DiffgramClient
    project: project.Project
    media: media.Media
    push: Run
    compound: Run
    pdf: Run
    scenes: Run
    log: str


@pytest.fixture(scope="module")
def slow_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator that takes seconds for a few packets, so that there is something to wait for."""
    with EmulatorProcess.start(
        tmp_path_factory.mktemp("slow"), cycle=1.0, rows_per_cycle=1, workers=1
    ) as emulator:
        yield emulator


def pdf_of(document: Path) -> str:
    """Return the path of a PDF of the same pages, a point for each pixel."""
    with Image.open(document) as tiff:
        first, *rest = [page.convert("RGB") for page in ImageSequence.Iterator(tiff)]
    path = document.with_suffix(".pdf")
    first.save(path, "PDF", save_all=True, append_images=rest, resolution=72.0, quality=95)
    return str(path)


def scenes_of(photos: Path, folder: Path) -> str:
    """Return a folder of two scenes, of which the second lacks the camera on the left."""
    for number, (moment, camera) in enumerate(MOMENTS):
        (folder / moment).mkdir(parents=True, exist_ok=True)
        with Image.open(photos / "chelsea.png") as cat:
            cat.resize((60 + number, 40)).save(folder / moment / f"{camera}.png")
    return str(folder)


@pytest.fixture(scope="module")
def done(slow_emulator: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    build = tmp_path_factory.mktemp("dags")
    server = seen_from(slow_emulator)
    prepared = media.prepare(build / "media")
    for slow in ("motorcycle_left.png", "coins.png", "moon.png"):
        (prepared.photos / slow).unlink()
    output = str(build / "output")
    push = {"dataset": project.DATASET, "media": str(prepared.photos), "output": output}
    document = {"dataset": project.DATASET, "document": str(prepared.document), "output": output}
    with server.client() as client, serving(prepared.photos) as address:
        ids = project.prepare(client)
        runs = run(
            server,
            build,
            (PUSH, push | {"media_url": address}),
            (COMPOUND, document | {"name": "two-pages"}),
            (COMPOUND, document | {"document": pdf_of(prepared.document), "name": "as-pdf", "dpi": 72}),
            (SCENES, {"dataset": project.DATASET, "folder": scenes_of(prepared.photos, build / "scenes")}),
        )
        yield Done(client, ids, prepared, *runs, (build / "airflow.log").read_text())


def test_every_task_succeeded(done: Done):
    assert set(done.push.tasks.values()) == set(done.compound.tasks.values()) == {"success"}
    assert set(done.push.tasks) == {"detect", "send", "wait", "log_receipt"}
    assert set(done.compound.tasks) == {"split_and_detect", "create", "upload", "wait", "log_receipt"}


def test_photographs_are_stored_as_the_model_predicted(done: Done):
    intended = read_intended(Path(done.push.results["detect"]), Packet, done.media.photos)
    names = [each.name for each in intended]
    stored = read_roots(done.client, done.project.directory_id, names)
    assert names == [f"photo-{path.name}" for path in sorted(done.media.photos.iterdir())]
    assert sum(len(each.instances) for each in intended) >= 2
    assert [each.problem for each in compare(intended, stored, done.project.label_names)] == [None] * len(
        names
    )


def test_the_astronaut_has_her_face_with_the_highest_score(done: Done):
    (file,) = read_roots(done.client, done.project.directory_id, ["photo-astronaut.png"])
    best = max(file.instances, key=lambda each: each["score"])
    box = [best[edge] for edge in ("x_min", "y_min", "x_max", "y_max")]
    (face,) = media.PHOTOS[0].faces
    assert overlap(box, face) > 0.5
    assert best["score"] == 1.0
    assert best["machine_made"] is True


def test_instances_belong_to_this_run_of_the_model(done: Done):
    runs = {
        each.id: each.reference_id for each in done.client.send(routes.list_model_runs(done.client.project))
    }
    (photo,) = read_roots(done.client, done.project.directory_id, ["photo-astronaut.png"])
    (document,) = read_roots(done.client, done.project.directory_id, ["two-pages"])
    for file, dag_run in (
        (photo, done.push),
        *((page, done.compound) for page in read_children(done.client, document.id)),
    ):
        assert {runs[each["model_run_id"]] for each in file.instances} == {
            f"{dag_run.dag_id} {dag_run.run_id}"
        }


def test_predictions_are_on_the_right_pictures(done: Done):
    (document,) = read_roots(done.client, done.project.directory_id, ["two-pages"])
    packets = read_intended(Path(done.push.results["detect"]), Packet, done.media.photos)
    children = read_intended(Path(done.compound.results["split_and_detect"]), Child)
    roots = read_roots(done.client, done.project.directory_id, [each.name for each in packets])
    files = {file.name: file for file in (*roots, *read_children(done.client, document.id))}
    for each in (*packets, *children):
        shown = done.client.send(routes.view_file(done.client.project, files[each.name].id)).image
        answer = requests.get(shown["url_signed"], timeout=10)
        with Image.open(BytesIO(answer.content)) as stored, Image.open(each.source) as original:
            assert ImageChops.difference(stored.convert("RGB"), original.convert("RGB")).getbbox() is None


def test_the_document_is_one_compound_file_with_its_pages_in_order(done: Done):
    (document,) = read_roots(done.client, done.project.directory_id, ["two-pages"])
    pages = read_children(done.client, document.id)
    intended = read_intended(Path(done.compound.results["split_and_detect"]), Child)
    assert document.type == "compound"
    assert [(page.ordinal, page.name) for page in pages] == [
        (0, "two-pages-page-0.png"),
        (1, "two-pages-page-1.png"),
    ]
    assert all(len(each.instances) >= 4 for each in intended)
    assert [each.problem for each in compare(intended, pages, done.project.label_names)] == [None, None]


def test_the_same_document_as_pdf_is_another_compound_file_of_the_same_pages(done: Done):
    (document,) = read_roots(done.client, done.project.directory_id, ["as-pdf"])
    pages = read_children(done.client, document.id)
    intended = read_intended(Path(done.pdf.results["split_and_detect"]), Child)
    assert [(page.ordinal, page.name) for page in pages] == [
        (0, "as-pdf-page-0.png"),
        (1, "as-pdf-page-1.png"),
    ]
    assert [each.problem for each in compare(intended, pages, done.project.label_names)] == [None, None]
    originals = read_intended(Path(done.compound.results["split_and_detect"]), Child)
    for as_pdf, as_tiff in zip(intended, originals, strict=True):
        with Image.open(as_pdf.source) as one, Image.open(as_tiff.source) as other:
            assert one.size == other.size
        assert len(as_pdf.instances) >= 4


def test_each_scene_is_a_compound_file_with_its_cameras_in_one_order(done: Done):
    assert set(done.scenes.tasks) >= {
        "find_scenes",
        "names",
        "create",
        "calls",
        "upload",
        "wait",
        "log_receipt",
    }
    assert set(done.scenes.tasks.values()) == {"success"}
    expected = {
        "scene-0900": [(0, "scene-0900-front.png"), (1, "scene-0900-left.png"), (2, "scene-0900-right.png")],
        "scene-0901": [(0, "scene-0901-front.png"), (2, "scene-0901-right.png")],
    }
    for scene in read_roots(done.client, done.project.directory_id, list(expected)):
        assert scene.type == "compound"
        children = read_children(done.client, scene.id)
        assert [(child.ordinal, child.name) for child in children] == expected.pop(scene.name)
    assert expected == {}
    assert done.scenes.results["wait"]["succeeded"] == len(MOMENTS)


def test_text_scores_are_the_detectors_own(done: Done):
    (document,) = read_roots(done.client, done.project.directory_id, ["two-pages"])
    scores = [each["score"] for page in read_children(done.client, document.id) for each in page.instances]
    assert all(0.3 <= score <= 1 for score in scores), "0.3 is the default of min_score"
    assert len(set(scores)) == len(scores)


def test_what_was_uploaded_was_not_waited_for(done: Done):
    assert "waiting in the triggerer" not in done.log
    assert done.push.tasks["wait"] == "success"
    photos = len(list(done.media.photos.iterdir()))
    for receipt, count in ((done.push.results["wait"], photos), (done.compound.results["wait"], 2)):
        assert receipt["delivered"] == {"upload": count}
        assert len(receipt["file_ids"]) == count


def test_receipts_count_what_is_stored(done: Done):
    photos = len(list(done.media.photos.iterdir()))
    for receipt, count in ((done.push.results["wait"], photos), (done.compound.results["wait"], 2)):
        settled = {name: receipt[name] for name in ("expected", "succeeded", "failed", "skipped", "missing")}
        assert settled == {"expected": count, "succeeded": count, "failed": 0, "skipped": 0, "missing": 0}


def test_a_label_that_diffgram_does_not_have_fails_the_run_and_stores_nothing(
    diffgram_emulator: EmulatorProcess, tmp_path: Path
):
    server = seen_from(diffgram_emulator)
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "astronaut.png").write_bytes((media.skimage_data() / "astronaut.png").read_bytes())
    with server.client() as client:
        dataset = client.send(routes.create_dataset(client.project, project.DATASET))
        conf = {"dataset": project.DATASET, "media": str(photos), "output": str(tmp_path / "output")}
        with pytest.raises(RunFailed, match=f"{PUSH} failed in send"):
            run(server, tmp_path, (PUSH, conf))
        assert client.send(routes.list_files(client.project, dataset.id)).file_list == []
    assert "label" in (tmp_path / "airflow.log").read_text()
    assert "'face'" in (tmp_path / "airflow.log").read_text()
