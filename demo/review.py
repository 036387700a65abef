"""The demo's loop: somebody reviews the photographs and mends what the model got wrong, and it comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.ingest.check.lookup import find_dataset

from . import quality
from .airflow_runs import Run
from .drawing import Tile, contact_sheet, draw_instances, share_bar
from .media import PHOTOS, photo_name
from .project import Project
from .quality import Faces
from .reviewer import JOB, Work
from .show import say
from .stored import Stored, read_roots

REVIEW = "diffgram_review"
DATASET = "airflow-demo-review"
"""Of its own: what people mend here stays apart from what the first DAG has sent."""

_SHOWN = ("photo-astronaut.png", "photo-camera.png", "photo-motorcycle_left.png")


def job(build: Path, url: str, packets_of: tuple[str, str]) -> dict[str, Any]:
    """Return the run of the DAG.

    :param url: of the server: a set of annotations is of one server.
    :param packets_of: DAG and task that return the path of the predictions.
    """
    server = _folder(url)
    return {
        "dag_id": REVIEW,
        "conf": {
            "dataset": DATASET,
            "job": JOB,
            "record": str(build / "predictions" / "sent-to-review.jsonl"),
            "output": str(build / "reviewed" / server),
            "comparison": str(build / "compared" / server),
        },
        "take": {"packets": list(packets_of)},
    }


def _folder(url: str) -> str:
    """Return the name of a server's own folder."""
    return re.sub(r"\W+", "-", url)


@dataclass(frozen=True)
class Reviewed:
    """What came back.

    :param predicted: faces by the model's boxes, against the marks.
    :param corrected: faces by the boxes that were pulled.
    :param compared: what the comparison tells.
    :param page: of the comparison.
    :param problems: what is not as the reviewer left it, one line each.
    """

    predicted: list[Faces]
    corrected: list[Faces]
    compared: Mapping[str, Any]
    page: Path
    problems: list[str]


def read_back(client: DiffgramClient, run: Run, build: Path, photos: Path, project: Project) -> Reviewed:
    """Read the version that was pulled, compare it with the server, and draw before and after.

    :param photos: folder of the photographs.
    """
    directory_id = find_dataset(client, DATASET).id
    stored = read_roots(client, directory_id, [photo_name(photo) for photo in PHOTOS])
    lines = map(json.loads, Path(run.results["pull"]["path"], "packets.jsonl").read_text().splitlines())
    held = {line["file_id"]: line.get("instance_list", []) for line in lines}
    pulled = [Stored(file.id, file.name, file.type, 0, tuple(held.get(file.id, ()))) for file in stored]
    sent = _predictions(Path(run.results["send"]["record"]))
    before = [Stored(0, name, "image", 0, instances) for name, instances in sent.items()]
    draw(build / "pictures" / "loop.png", before, pulled, photos, project, run.results["compare"])
    problems = [
        f"{file.name}: {len(held.get(file.id, []))} annotations came back of {len(file.instances)}"
        for file in stored
        if len(held.get(file.id, [])) != len(file.instances) or file.id not in held
    ]
    corrected = quality.judge_faces(pulled)
    problems += [
        f"{each.name}: {each.missed} faces missed, {each.false} false after the review"
        for each in corrected
        if each.missed or each.false
    ]
    judged, compared = quality.judge_faces(before), run.results["compare"]
    problems += _differences(compared, judged, sum(len(file.instances) for file in before))
    (page,) = (build / "compared").glob(f"{_folder(client.settings.base_url)}/page.html")
    return Reviewed(judged, corrected, compared, page, problems)


def _differences(compared: Mapping[str, Any], judged: list[Faces], predicted: int) -> list[str]:
    """Return where the comparison differs from a count by the marks, one line each."""
    false = sum(each.false for each in judged)
    by_marks = {
        "predictions": predicted,
        "judged": predicted,
        "kept": predicted - false,
        "deleted": false,
        "added": sum(each.missed for each in judged),
        "changed": 0,
        "lost": 0,
    }
    return [
        f"the comparison tells {compared[name]} {name}, and by the marks it is {count}"
        for name, count in by_marks.items()
        if compared[name] != count
    ]


def _predictions(record: Path) -> dict[str, tuple[dict[str, Any], ...]]:
    lines = map(json.loads, record.read_text().splitlines())
    return {line["name"]: tuple(line["packet"].get("instance_list", ())) for line in lines}


def draw(
    path: Path,
    before: list[Stored],
    after: list[Stored],
    photos: Path,
    project: Project,
    compared: Mapping[str, Any],
) -> None:
    """Draw what was pushed, below it what came back of the review, and what the comparison says of it."""
    labels = dict(project.label_names)
    ids = {name: label_id for label_id, name in labels.items()}
    rows = [
        [
            _tile(file, photos, labels, ids, when)
            for file in sorted(files, key=lambda file: file.name)
            if file.name in _SHOWN
        ]
        for when, files in (("1 push, as predicted", before), ("2 review, as a person left it", after))
    ]
    rows.append([_compared(compared)])
    path.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(
        rows,
        heading="Push, review, compare",
        line="What the model predicted, what came back once a person had looked at it, and what that says of "
        "the model. Numbers are its scores.",
    ).save(path, optimize=True)


def _compared(told: Mapping[str, Any]) -> Tile:
    """Return the comparison of all photographs as a bar."""
    parts = [("kept", told["kept"]), ("changed", told["changed"]), ("deleted", told["deleted"])]
    low, high = (100 * told[f"acceptance_{end}"] for end in ("low", "high"))
    return Tile(
        share_bar(parts),
        f"3 compare: people kept {told['kept']} of {told['judged']} predictions ({low:.0f} to {high:.0f} %)",
        f"on {told['reviewed']} photographs, of which three are shown; {told['added']} faces were added",
    )


def _tile(file: Stored, photos: Path, labels: Mapping[int, str], ids: Mapping[str, int], when: str) -> Tile:
    with Image.open(photos / file.name.removeprefix("photo-")) as image:
        named = [{"label_file_id": ids.get(str(each.get("label")), 0), **each} for each in file.instances]
        picture = draw_instances(image, named, labels)
    count = len(file.instances)
    return Tile(picture, file.name, f"{when}: {count} face{'' if count == 1 else 's'}")


def report(reviewed: Reviewed, work: Work, run: Run) -> None:
    """Say what the reviewer did, and what that is worth."""
    receipt, pulled = run.results["reviewed"], run.results["pull"]
    say(f"reviewed by a person: {receipt['complete']} of {receipt['expected']} photographs")
    if work.completed:
        say(f"  {work.deleted} boxes around no face are deleted, {work.drawn} missed faces are drawn")
    for when, faces in (("predicted", reviewed.predicted), ("came back", reviewed.corrected)):
        missed, false = sum(each.missed for each in faces), sum(each.false for each in faces)
        say(f"  {when}: {missed} faces missed, {false} boxes where there is no face")
    told = reviewed.compared
    say(
        f"  compared: people kept {told['kept']} of {told['judged']} predictions "
        f"({100 * told['acceptance_low']:.0f} to {100 * told['acceptance_high']:.0f} %), deleted "
        f"{told['deleted']}, drew {told['added']} more"
    )
    words = "version {version}, {files} files, {instances} annotations".format(**pulled)
    say(f"  pulled: {words}" + ("" if pulled["is_new"] else "; nothing changed since the last run"))
    say(f"  page of the comparison: {reviewed.page}")
    say("")
