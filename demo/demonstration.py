"""The demo from beginning to end: prepare, run the DAGs, read back, compare, report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.models import Child, Packet

from . import media, nights, project, quality, review, reviewer, server
from .airflow_runs import Run, run_dags
from .fileserver import serving
from .media import DOCUMENT, Media
from .project import DATASET, Project, Snapshot
from .server import Server
from .show import Progress, draw_all, say, table
from .stored import Comparison, Stored, compare, read_intended

PUSH, COMPOUND = "diffgram_push_predictions", "diffgram_compound_document"


@dataclass(frozen=True)
class Outcome:
    """What the server stores before and after the runs, and how that compares with the predictions."""

    before: Snapshot
    after: Snapshot
    photos: tuple[Comparison, ...]
    pages: tuple[Comparison, ...]

    @property
    def problems(self) -> list[str]:
        """What is missing or wrong, one line each."""
        found = [f"{each.intended.name}: {each.problem}" for each in self.photos + self.pages if each.problem]
        documents = [file for file in self.after.roots if file.name == DOCUMENT]
        if len(documents) != 1:
            found.append(f"{DOCUMENT}: {len(documents)} files of this name on the server")
        return found

    @property
    def added_nothing(self) -> bool:
        """Whether files and instances are the ones that were there before the runs."""
        return _contents(self.before) == _contents(self.after)


def demonstrate(build: Path) -> int:
    """Run the demo in the folder ``build``; return 0 if all that was predicted is stored, else 1."""
    progress = Progress()
    build = build.resolve()
    prepared = media.prepare(build / "media")
    progress(f"media: {len(media.PHOTOS)} photographs, a scan of {len(media.SCANS)} pages")
    with server.running(build / "emulator") as running, running.client() as client:
        progress(f"{running.what} at {running.url}, project {running.project}")
        ids = project.prepare(client)
        if running.process is not None:
            project.ensure_dataset(client, review.DATASET)
        before = project.snapshot(client, ids)
        with _somebody_reviewing(running, client, ids) as work:
            pushes, reviews = _run(prepared, build, running, progress)
        outcome = _read_back(client, ids, before, pushes, prepared)
        second = _second_night(client, ids, pushes[0], prepared, running, progress)
        loop = [(review.read_back(client, each, build, prepared.photos, ids), each) for each in reviews]
        progress("read back from the server")
    draw_all(build / "pictures", ids, outcome.photos, outcome.pages, outcome.after)
    write_summary(build / "summary.json", running.url, outcome.after, pushes)
    _report_files(outcome)
    _report_quality(build / "quality.json", outcome.after)
    for reviewed, run in loop:
        review.report(reviewed, work, run)
    for each in second:
        nights.report(each)
    progress(f"done: summary.json and pictures/ are in {build}")
    problems = [problem for reviewed, _ in loop for problem in reviewed.problems]
    return verdict(outcome, [*problems, *(problem for each in second for problem in each.undone)])


@contextmanager
def _somebody_reviewing(running: Server, client: DiffgramClient, ids: Project) -> Iterator[reviewer.Work]:
    """Let a scripted person review on the emulator. A Diffgram of your own has people of its own."""
    if running.process is None:
        yield reviewer.Work()
        return
    face = next(label_id for label_id, name in ids.label_names.items() if name == "face")
    with reviewer.reviewing(running.process, client, face) as work:
        yield work


def _run(prepared: Media, build: Path, running: Server, progress: Progress) -> tuple[list[Run], list[Run]]:
    """Run the DAGs that push, and where there is somebody who reviews, the one that has it reviewed."""
    output = str(build / "predictions")
    push = {"dataset": DATASET, "media": str(prepared.photos), "output": output}
    compound = {"dataset": DATASET, "document": str(prepared.document), "output": output, "name": DOCUMENT}
    progress("starting Airflow")
    with serving(prepared.photos) as address:
        if running.is_local:
            push["media_url"] = address
        jobs = [{"dag_id": PUSH, "conf": push}, {"dag_id": COMPOUND, "conf": compound}]
        if running.process is not None:
            jobs.append(review.job(build, running.url, (PUSH, "detect")))
        runs = run_dags(
            jobs,
            build,
            running,
            on_ready=lambda seconds: progress(f"Airflow is ready after {seconds:.1f} s"),
            on_run=lambda run: progress(f"{run.dag_id}: {run.state} in {run.seconds:.1f} s"),
        )
    return runs[:2], runs[2:]


def _second_night(
    client: DiffgramClient, ids: Project, run: Run, prepared: Media, running: Server, progress: Progress
) -> list[nights.Nights]:
    """Push two nights, with a person in between, where there is somebody: on the emulator."""
    if running.process is None:
        return []
    face = next(label_id for label_id, name in ids.label_names.items() if name == "face")
    predictions = Path(run.results["detect"])
    done = nights.two_nights(running.process, client, predictions, prepared.photos, run.run_id, face)
    progress("a second night, and a person in between")
    return [done]


def _read_back(
    client: DiffgramClient, ids: Project, before: Snapshot, runs: Sequence[Run], prepared: Media
) -> Outcome:
    push, compound = runs
    after = project.snapshot(client, ids)
    packets = read_intended(Path(push.results["detect"]), Packet, prepared.photos)
    children = read_intended(Path(compound.results["split_and_detect"]), Child)
    return Outcome(
        before,
        after,
        tuple(compare(packets, after.roots, ids.label_names)),
        tuple(compare(children, after.pages, ids.label_names)),
    )


def _report_files(outcome: Outcome) -> None:
    old = {file.id for file in outcome.before.files}
    problems = {each.intended.name: each.problem for each in outcome.photos + outcome.pages}
    rows = [
        (
            file.name,
            len(file.instances),
            problems.get(file.name) or ("was there already" if file.id in old else "new"),
        )
        for file in outcome.after.files
    ]
    stored = {file.name for file in outcome.after.files}
    rows += [(name, 0, problem) for name, problem in problems.items() if problem and name not in stored]
    say("")
    for line in table(rows):
        say(line)


def _report_quality(path: Path, after: Snapshot) -> None:
    faces, lines = quality.judge_faces(after.roots), quality.judge_lines(after.pages)
    path.write_text(json.dumps(quality.as_json(faces, lines), indent=2) + "\n")
    say("\nwhat the models get wrong, by marks that they never saw")
    for line in quality.describe(faces, lines):
        say(f"  {line}")
    say("")


def write_summary(path: Path, url: str, after: Snapshot, runs: Sequence[Run]) -> None:
    """Write how much the server stores, and what became of everything in these runs."""
    receipts = [run.results["wait"] for run in runs]
    counts = {name: sum(receipt[name] for receipt in receipts) for name in ("succeeded", "failed", "skipped")}
    for run in runs:
        # A compound file is no input to wait for: the task that makes it knows what became of it.
        if "create" in run.results:
            counts["succeeded" if run.results["create"]["created"] else "skipped"] += 1
    summary = {"server": url, "files": len(after.files), "instances": after.instances, **counts}
    path.write_text(json.dumps(summary, indent=2) + "\n")


def verdict(outcome: Outcome, unmended: Sequence[str] = ()) -> int:
    """Say how it ended and return the exit code.

    :param unmended: what did not come back from the review as it was left.
    """
    files, instances = len(outcome.after.files), outcome.after.instances
    for heading, problems in (("NOT AS PREDICTED:", outcome.problems), ("NOT AS REVIEWED:", unmended)):
        if problems:
            say(heading)
            for problem in problems:
                say(f"  {problem}")
            return 1
    if outcome.added_nothing:
        say(f"nothing new: {files} files, {instances} instances were already there")
    else:
        new_files, new = files - len(outcome.before.files), instances - outcome.before.instances
        say(f"stored as predicted: {files} files, {instances} instances ({new_files} and {new} of them new)")
    return 0


def _contents(snapshot: Snapshot) -> set[tuple[int, frozenset[int]]]:
    return {(file.id, _instance_ids(file)) for file in snapshot.files}


def _instance_ids(file: Stored) -> frozenset[int]:
    return frozenset(instance["id"] for instance in file.instances)
