"""The outcomes that a comparison tells are the edits that people made: at random, of all kinds."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.quality.attribute_values import AttributeReader
from airflow_provider_diffgram.review.quality.finals import LiveFiles
from diffgram_emulator.people import Page
from tests.integration.ingest.served_media import VIDEO, png
from tests.integration.review.correcting import MAKERS, Corrector, as_the_page_saves_text, corner

SHEET = png(size=(2200, 2200))
"""A picture with room for all predictions."""

IMAGES, EACH = 65, 145
TEXTS, TOKENS = 4, 60
FRAMES, BOXES = 8, 40


def attribute_of(desk: Any) -> tuple[int, int, int]:
    """Make an attribute with two options."""
    ask = desk.diffgram.ask
    group = ask(routes.create_attribute_group).id
    ask(routes.update_attribute_group, group, name="colour", prompt="Colour", kind="select")
    one, other = (ask(routes.create_attribute_option, group, name).id for name in ("red", "blue"))
    return group, one, other


def predicted(chance: random.Random, place: dict[str, Any]) -> dict[str, Any]:
    told = {"label": chance.choice(("cat", "dog")), "machine_made": True, "score": round(chance.random(), 3)}
    if chance.random() < 0.3:
        told["attributes"] = {"colour": chance.choice(("red", "blue"))}
    return told | place


def image(chance: random.Random, path: Path) -> dict[str, Any]:
    kinds = list(MAKERS)
    instances = [
        predicted(chance, {"type": kind, **MAKERS[kind](*corner(number))})
        for number in range(EACH)
        for kind in [chance.choice(kinds)]
    ]
    tag = predicted(chance, {"type": "tag"})
    media = {"path": str(path)}
    return {"media": media, "original_filename": path.name, "instance_list": [*instances, tag]}


def text(chance: random.Random, name: str) -> dict[str, Any]:
    tokens = [
        predicted(chance, {"type": "text_token", "start_token": 100 * n, "end_token": 100 * n + 3})
        for n in range(TOKENS)
    ]
    words = " ".join(f"word{n}" for n in range(20))
    return {"media": {"text_data": words}, "original_filename": name, "instance_list": tokens}


def video(chance: random.Random, path: Path) -> dict[str, Any]:
    frames = {
        frame: [
            predicted(chance, {"type": "box", "number": n + 1, **MAKERS["box"](*corner(n))})
            for n in range(BOXES)
        ]
        for frame in range(FRAMES)
    }
    media = {"path": str(path)}
    return {"media": media, "original_filename": path.name, "frame_packet_map": frames}


def save_frames(desk: Any, corrector: Corrector, file_id: int) -> None:
    """Correct a video as the page does: frame by frame."""
    held = desk.diffgram.ask(routes.list_frame_instances, file_id, desk.diffgram.directory_id, 0, FRAMES)
    for frame in range(FRAMES):
        page = Page(file_id, held[frame])
        corrector.correct(page, frame)
        where = {"video_mode": True, "video_file_id": file_id, "current_frame": frame}
        body = {"instance_list": page.rows, "and_complete": False, "video_data": where}
        desk.person.post(f"/api/project/{{p}}/file/{file_id}/annotation/update", body).raise_for_status()


def test_the_outcomes_told_are_the_edits_made(desk: Any, tmp_path: Path):
    chance = random.Random(20)
    group, one, other = attribute_of(desk)
    packets = []
    for number in range(IMAGES):
        path = tmp_path / f"{number:03}.png"
        path.write_bytes(SHEET)
        packets.append(image(chance, path))
    packets += [text(chance, f"{number}.txt") for number in range(TEXTS)]
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(VIDEO)
    packets.append(video(chance, clip))
    record = tmp_path / "record.jsonl"
    desk.diffgram.pushed(packets, record=str(record))

    job = desk.job()
    files = desk.diffgram.files()
    while len(desk.tasks(job.id)) < len(files):
        desk.client.clock.sleep(0.5)
    tasks = desk.tasks(job.id)
    names = {file.original_filename: file.id for file in files}
    labels = (desk.diffgram.labels["cat"], desk.diffgram.labels["dog"])
    corrector = Corrector(desk.person, labels, (group, one, other), chance)
    untouched = names["000.png"]
    for name, file_id in names.items():
        if file_id == untouched:
            continue
        if name == "clip.mp4":
            save_frames(desk, corrector, file_id)
        else:
            page = desk.person.open(file_id)
            corrector.correct(page)
            if str(name).endswith(".txt"):
                as_the_page_saves_text(page)
            desk.person.save(page, tasks[file_id])
        desk.person.complete(tasks[file_id])

    groups = desk.diffgram.ask(routes.list_attributes)
    outputs = Outputs(report=str(tmp_path / "report.jsonl"), metrics=str(tmp_path / "metrics.json"))
    finals = LiveFiles(desk.client, job_id=job.id)
    found = compare(
        [str(record)],
        finals,
        run="night",
        project="test",
        outputs=outputs,
        canonical=AttributeReader(groups),
    )
    told = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    outcomes = {
        (line["file_id"], line["frame"], line["reference"]): line["outcome"]
        for line in told
        if line["outcome"] not in ("added", "added_by_push")
    }
    reviewed = {key: outcome for key, outcome in outcomes.items() if key[0] != untouched}
    wrong = {key: (outcome, corrector.done.get(key)) for key, outcome in reviewed.items()}
    lines = {(line["file_id"], line["frame"], line["reference"]): line for line in told}
    assert [(lines[key], both) for key, both in wrong.items() if both[0] != both[1]] == []
    assert reviewed.keys() == corrector.done.keys()
    assert {outcome for key, outcome in outcomes.items() if key[0] == untouched} == {"not_reviewed"}
    assert Counter(line["file_id"] for line in told if line["outcome"] == "added") == corrector.added
    assert len(outcomes) >= 10_000

    gone = [line for line in told if line["outcome"] in ("deleted", "redrawn", "lost")]
    assert {line["proof"] for line in gone} == {"history"}

    figures = json.loads((tmp_path / "metrics.json").read_text())
    made = Counter(corrector.done.values())
    assert figures["all"]["acceptance"]["number"] == made["kept"]
    assert figures["all"]["judged"] == sum(made.values()) - made["lost"]
    assert figures["all"]["outcomes"]["lost"] == made["lost"] > 100
    assert figures["files"]["reviewed"] == len(files) - 1
    assert found.headline["redrawn"] == made["redrawn"] > 100
    assert {"moved+relabelled+attributes_changed", "relabelled", "attributes_changed"} <= made.keys()


def test_a_file_without_any_row_left_is_proved_by_its_neighbours(desk: Any, tmp_path: Path):
    packets = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        path.write_bytes(SHEET)
        one = {"type": "box", "label": "cat", "machine_made": True, **MAKERS["box"](*corner(number))}
        packets.append({"media": {"path": str(path)}, "original_filename": path.name, "instance_list": [one]})
    record = tmp_path / "record.jsonl"
    desk.diffgram.pushed(packets, record=str(record))
    job = desk.job()
    while len(desk.tasks(job.id)) < len(packets):
        desk.client.clock.sleep(0.5)
    for file_id, task_id in desk.tasks(job.id).items():
        if file_id == desk.diffgram.file("3.png").id:
            page = desk.person.open(file_id)
            page.delete(0)
            desk.person.save(page)
        desk.person.complete(task_id)
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    never = {"type": "tag", "label": "cat", "creation_ref_id": "never sent"}
    for line in lines:
        if line["name"] in ("2.png", "3.png"):  # as of a refresh that left it out: people had settled it
            line["packet"]["instance_list"].append(never)
    lines.sort(key=lambda line: line["name"] != "3.png")  # it is read first, when no neighbour is known
    record.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = tmp_path / "report.jsonl"
    compare(
        [str(record)],
        LiveFiles(desk.client, job_id=job.id),
        run="night",
        project="test",
        outputs=Outputs(report=str(report)),
    )
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    unsent = [line for line in lines if line["reference"] == "never sent"]
    assert {(line["name"], line["outcome"]) for line in unsent} == {
        ("2.png", "not_stored"),
        ("3.png", "not_stored"),
    }
    told = {line["name"]: line for line in lines if line not in unsent}
    assert (told["3.png"]["outcome"], told["3.png"]["proof"]) == ("deleted", "history")
    assert {told[f"{number}.png"]["outcome"] for number in (0, 1, 2, 4)} == {"kept"}
