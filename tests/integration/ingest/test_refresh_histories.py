"""Random nights of random models over files that people work on; what remains is told beforehand.

A history is that of one file: its predictions, edits and runs are its own. The files of a world share their
nights, so that one push brings those of all.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from airflow_provider_diffgram.client import routes
from diffgram_emulator.people import Page, Person
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import Kept, LiveDiffgram
from tests.integration.ingest.served_media import Media
from tests.integration.ingest.test_amend import WRITE, Killed
from tests.integration.ingest.what_remains import (
    PLACES,
    Drawn,
    Held,
    Night,
    Outcome,
    Owner,
    Prediction,
    Row,
    Shape,
    fields_of,
    shape_of,
)

WORLDS, FILES, NIGHTS = 10, 50, 4
LABELS = ("cat", "dog")
SPOTS = 4
SHIFTS = (0, 3, 26)
SHIFTS_BY_HAND = (1, 2, 4, 23)

Told = tuple[Shape, Owner | None, float | None]


@dataclass
class Open:
    """A page that a person has before them, and the same as we know it."""

    person: Person
    page: Page
    drawn: list[Drawn]

    @property
    def taken(self) -> set[Shape]:
        """Shapes that a row of this page has, or had."""
        return {each.shape for each in self.drawn} | {each.row.shape for each in self.drawn if each.row}

    def put(self, index: int, shape: Shape, label_id: int) -> None:
        """Move or relabel a row."""
        self.page.rows[index] |= {**fields_of(shape), "label_file_id": label_id}
        self.drawn[index] = replace(self.drawn[index], shape=shape)

    def delete(self, index: int) -> None:
        self.page.delete(index)
        self.drawn[index] = replace(self.drawn[index], is_deleted=True)

    def draw(self, shape: Shape, label_id: int, number: int) -> None:
        row = {**fields_of(shape), "label_file_id": label_id, "creation_ref_id": f"drawn-{number}"}
        self.page.rows.append({**row, "change_source": "ui_diffgram_frontend"})
        self.drawn.append(Drawn(shape, None))


@dataclass
class Story:
    """One file, and all that happened to it."""

    name: str
    held: Held = field(default_factory=Held)
    file_id: int = 0
    task_id: int | None = None
    pages: list[Open] = field(default_factory=list)
    seen: set[Shape] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def tell(self, what: str) -> None:
        self.told.append(what)


class Dying(HTTPAdapter):
    """The way to the server, on which the program dies around one of its writes."""

    def __init__(self, write: int, is_sent: bool) -> None:
        super().__init__()
        self._left, self._is_sent = write, is_sent

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        if WRITE not in request.url:
            return super().send(request, *args, **more)
        self._left -= 1
        if self._left == 0 and not self._is_sent:
            raise Killed
        answer = super().send(request, *args, **more)
        if self._left == 0:
            raise Killed
        return answer


class World:
    """A project with files, models, people, and perhaps a job."""

    def __init__(self, diffgram: LiveDiffgram, media: Media, seed: int) -> None:
        self.chance = random.Random(seed)
        self.diffgram, self.media = diffgram, media
        self.people = [Person.of(diffgram.emulator, f"{name}@example.com") for name in ("ada", "bob")]
        self.stories = [Story(f"{number:02}.png") for number in range(FILES)]
        self.order: list[Owner] = []
        self._has_job = seed % 2 == 1
        self._job_id: int | None = None
        self._labels = {label_id: name for name, label_id in diffgram.labels.items()}
        self._models: dict[int | None, str] = {}
        self._drawn = 0
        self._score = 0.1

    def live(self) -> None:
        """Let nights pass."""
        self._introduce_models()
        if self._has_job:
            self.open_job()
        raw = [story for story in self.stories if self.chance.random() < 0.2]
        packets = [self.packet(story, [], by_instance=False) for story in raw]
        self.diffgram.pushed(packets, delivery=self.chance.choice(("upload", "queue")))
        self._find(raw)
        for story in raw:
            story.tell("raw")
        self._find_tasks()
        for number in range(1, NIGHTS + 1):
            self.act()
            self.night(number)

    def _introduce_models(self) -> None:
        """Make both models known by a file that no night looks at."""
        for model in ("one", "two"):
            tag = Prediction(Shape("tag", "cat", 0, 0), (model, "before"), 0.1, None)
            packet = self.packet(Story(f"{model}.png"), [tag], by_instance=False)
            self.diffgram.pushed([packet], origin=(model, "before"))
            run = max(self.diffgram.ask(routes.list_model_runs), key=lambda each: each.id)
            self._models[run.model_id] = model

    # What models predict

    def predictions(self, story: Story, night: Night, by_instance: bool) -> list[Prediction]:
        """Return what the models predict for one file: new things, and those that were there before."""
        found: dict[Shape, Prediction] = {}
        least = 1 if len(night.owners) > 1 else 0
        for _ in range(self.chance.choice((least, 1, 2, 2, 3))):
            shape = self._shape(SHIFTS)
            if story.seen and self.chance.random() < 0.6:
                shape = self.chance.choice(sorted(story.seen))
                if shape.kind != "tag" and self.chance.random() < 0.3:
                    shape = shape._replace(shift=self.chance.choice(SHIFTS))
            owner = self.chance.choice(night.owners)
            key = (shape, owner) if by_instance else shape
            found[shape] = Prediction(shape, owner, self._score, key)
        story.seen |= set(found)
        return list(found.values())

    def _shape(self, shifts: tuple[int, ...], by_hand: bool = False) -> Shape:
        kind, label = self.chance.choice((*PLACES, "box", "box", "polygon")), self.chance.choice(LABELS)
        if kind == "tag":
            return Shape(kind, label, 0, 0, by_hand)
        return Shape(kind, label, self.chance.randrange(SPOTS), self.chance.choice(shifts), by_hand)

    def packet(self, story: Story, wanted: list[Prediction], by_instance: bool) -> dict[str, Any]:
        """Return a packet as a caller writes it."""
        instances = []
        for each in wanted:
            refs = dict(zip(("model_ref", "model_run_ref"), each.owner, strict=True)) if by_instance else {}
            instances.append(
                {
                    **fields_of(each.shape),
                    "label": each.shape.label,
                    "score": each.score,
                    "machine_made": True,
                    **refs,
                }
            )
        media = {"url": self.media.url(story.name)}
        return {"media": media, "original_filename": story.name, "instance_list": instances}

    # Nights

    def night(self, number: int) -> None:
        """Push what random runs predict, and compare what is there with what should remain."""
        chance = self.chance
        self._score = round(0.1 + 0.01 * number, 2)
        models = chance.choice((("one",), ("one",), ("one",), ("two",), ("one", "two")))
        owners = tuple(self._run_of(model, number) for model in models)
        night = Night(
            owners,
            respect_people=chance.random() < 0.85,
            empty=chance.choice(("clear", "clear", "keep")),
            rescore=chance.random() < 0.3,
            reviewed=chance.choice(("leave", "leave", "refresh")),
            delivery=chance.choice(("upload", "upload", "upload", "auto")),
        )
        by_instance = len(owners) > 1 or chance.random() < 0.3
        there = [story for story in self.stories if story.file_id or number > 1 or chance.random() < 0.8]
        wanted = {story.name: self.predictions(story, night, by_instance) for story in there}
        for story in there:
            predicted = ", ".join(f"{each.shape} of {each.owner[0]}" for each in wanted[story.name])
            story.tell(f"{night} predicts {predicted or 'nothing'}")
        if by_instance:  # without an instance it names no model
            there = [story for story in there if wanted[story.name]]
        memory = Kept()
        if number > 1 and chance.random() < 0.3:
            self._die(night, wanted, there, by_instance, memory)
            self.act()
        outcomes = {story.name: story.held.after(night, wanted[story.name], self.order) for story in there}
        handle = self._push(night, wanted, there, by_instance, memory)
        assert handle.not_sent == 0
        self._compare(there, outcomes)
        self._meet(night)
        before = self._writes()
        self._push(night, wanted, there, by_instance, Kept())
        assert self._writes() == before, "a second refresh writes"

    def _run_of(self, model: str, number: int) -> Owner:
        """Return a new run of a model, or one that comes again, late."""
        before = [owner for owner in self.order if owner[0] == model][:-1]
        if before and self.chance.random() < 0.25:
            return self.chance.choice(before)
        return model, f"night-{number}"

    def _push(
        self,
        night: Night,
        wanted: dict[str, list[Prediction]],
        there: list[Story],
        by_instance: bool,
        memory: Kept,
    ) -> Any:
        rules = {key: getattr(night, key) for key in ("respect_people", "empty", "rescore", "reviewed")}
        origin = {} if by_instance else {"origin": night.owners[0]}
        packets = [self.packet(story, wanted[story.name], by_instance) for story in there]
        handle = self.diffgram.push(
            packets,
            if_exists="refresh",
            delivery=night.delivery,
            refresh=rules,
            memory=memory,
            concurrency=1,
            **origin,
        )
        assert self.diffgram.done(handle).failed == 0
        self._find(there)
        return handle

    def _die(
        self,
        night: Night,
        wanted: dict[str, list[Prediction]],
        there: list[Story],
        by_instance: bool,
        memory: Kept,
    ) -> None:
        """Let a push die at one of its writes; take over what is there then."""
        session = self.diffgram.client._session
        adapter = session.get_adapter("http://")
        session.mount("http://", Dying(self.chance.randrange(1, FILES // 2), self.chance.random() < 0.5))
        outcomes = {story.name: story.held.after(night, wanted[story.name], self.order) for story in there}
        try:
            self._push(night, wanted, there, by_instance, memory)
        except Killed:
            pass
        finally:
            session.mount("http://", adapter)
        self._find(there)
        told = self._told()
        for story in there:
            story.tell("the push died")
            if not story.file_id:
                continue  # it did not come so far
            before, after = story.held.rows, outcomes[story.name].rows
            new = [row for row in after if row not in before]
            kept = [row for row in before if row.shape not in {each.shape for each in new}]
            halves = [
                row for row in after if row not in new or row.shape not in {one.shape for one in before}
            ]
            ways = (before, after, halves, [*kept, *new])
            self._take_over(
                story, told[story.file_id], [Outcome(way, outcomes[story.name].doubtful) for way in ways]
            )
        self._meet(night)

    def _meet(self, night: Night) -> None:
        """Take note of runs that the server knows by now."""
        known = {row.owner for story in self.stories for row in story.held.rows}
        self.order += [owner for owner in night.owners if owner in known and owner not in self.order]

    def _writes(self) -> int:
        counts = self.diffgram.emulator.requests()["counts"]
        return sum(each["count"] for each in counts if each["path"].endswith(WRITE))

    def _find(self, there: list[Story]) -> None:
        if all(story.file_id for story in there):
            return
        ids = {file.original_filename: file.id for file in self.diffgram.files()}
        for story in there:
            story.file_id = ids.get(story.name, 0)

    # What is there

    def _told(self) -> dict[int, list[Told]]:
        """Return what the server tells of all files."""
        runs = {run.id: run for run in self.diffgram.ask(routes.list_model_runs)}
        listing = routes.explore_files(
            self.diffgram.client.project, self.diffgram.directory_id, limit=2 * FILES
        )
        found: dict[int, list[Told]] = {}
        for file in self.diffgram.client.send(listing).file_list:
            found[file.id] = told = []
            for row in file.instance_list:
                run = runs.get(row["model_run_id"])
                owner = None if run is None else (self._models[run.model_id], str(run.reference_id))
                assert run is None or row["model_id"] == run.model_id
                told.append((shape_of(row, self._labels), owner, row["score"]))
        return found

    def _compare(self, there: list[Story], outcomes: dict[str, Outcome]) -> None:
        told = self._told()
        for story in there:
            self._take_over(story, told[story.file_id], [outcomes[story.name]])

    def _take_over(self, story: Story, told: list[Told], outcomes: list[Outcome]) -> None:
        """Make what is told the state of a file, if it may be."""
        for outcome in outcomes:
            rows = {self._as_told(row): row for row in [*outcome.rows, *outcome.doubtful]}
            must = Counter(self._as_told(row) for row in outcome.rows)
            may = Counter(list(rows))
            if not must - Counter(told) and not Counter(told) - may:
                story.held.rows = [rows[each] for each in told]
                return
        must = Counter(self._as_told(row) for row in outcomes[-1].rows)
        history = "\n".join(story.told)
        missing, extra = must - Counter(told), Counter(told) - must
        pytest.fail(f"{story.name}\n{history}\nmissing: {list(missing)}\ntoo much: {list(extra)}")

    def _as_told(self, row: Row) -> Told:
        return row.shape, row.owner, row.score

    # People

    def open_job(self) -> None:
        """Give every file a task, those that come later too."""
        project, directory_id = self.diffgram.client.project, self.diffgram.directory_id
        schema_id = self.diffgram.ask(routes.list_schemas)[0].id
        more: Any = {"review_percent": 100, "reviewer_ids": ("all",)} if self.chance.random() < 0.5 else {}
        datasets = {directory_id: "predictions"}
        job = self.diffgram.ask(routes.create_job, "nights", schema_id=schema_id, datasets=datasets, **more)
        self.diffgram.client.send(routes.launch_job(project, job.id))
        self._job_id = job.id

    def _find_tasks(self) -> None:
        if self._job_id is None:
            return
        listing = routes.list_job_tasks(self.diffgram.client.project, self._job_id, limit=2 * FILES)
        there = {story.file_id: story for story in self.stories if story.file_id}
        deadline = time.monotonic() + 20
        while len(tasks := self.diffgram.client.send(listing).task_list) < len(there):
            until(tasks, deadline)
        for task in tasks:
            if task.file is None or task.file.id not in there:
                continue  # of what introduced the models
            there[task.file.id].task_id = task.id
            there[task.file.id].held.state = task.status

    def act(self) -> None:
        """Let people do something in some of the files, or nothing."""
        for story in self.stories:
            if story.file_id and self.chance.random() < 0.6:
                self._edit(story)
            if story.task_id is not None and self.chance.random() < 0.2:
                self._work_on(story, story.task_id)
        self._find_tasks()

    def _edit(self, story: Story) -> None:
        chance = self.chance
        if story.pages and chance.random() < 0.6:
            opened = story.pages.pop(chance.randrange(len(story.pages)))
        else:
            opened = self._opened(story)
        if not opened.page.edits or chance.random() < 0.4:
            for _ in range(chance.choice((1, 1, 2, 3))):
                self._change(story, opened)
        if chance.random() < 0.3:
            story.tell("a page stays open")
            story.pages.append(opened)
            return
        by_task = story.task_id if chance.random() < 0.5 else None
        story.tell(f"saved{' through the task' if by_task else ''}: {', '.join(map(str, opened.drawn))}")
        opened.person.save(opened.page, by_task)
        story.held.save(opened.drawn)
        story.seen |= {each.shape._replace(is_by_hand=False) for each in opened.drawn}

    def _opened(self, story: Story) -> Open:
        person = self.chance.choice(self.people)
        page = person.open(story.file_id)
        rows = {row.shape: row for row in story.held.rows}
        shapes = [shape_of(row, self._labels) for row in page.rows]
        assert set(shapes) == set(rows), "\n".join([story.name, *story.told])
        return Open(person, page, [Drawn(shape, rows[shape]) for shape in shapes])

    def _change(self, story: Story, opened: Open) -> None:
        """Do one thing on a page. Nothing is put where another row of the page is, or was."""
        chance, ids = self.chance, self.diffgram.labels
        there = [index for index, each in enumerate(opened.drawn) if not each.is_deleted]
        what = chance.choice(("move", "relabel", "delete", "redraw", "draw")) if there else "draw"
        self._drawn += 1
        if what == "draw":
            shape = self._shape(SHIFTS_BY_HAND, by_hand=True)
            if shape not in opened.taken:
                opened.draw(shape, ids[shape.label], self._drawn)
            return
        index = chance.choice(there)
        shape = opened.drawn[index].shape
        if what == "delete":
            opened.delete(index)
        elif what == "redraw":
            again = shape._replace(is_by_hand=True)
            if again not in opened.taken:
                opened.delete(index)
                opened.draw(again, ids[again.label], self._drawn)
        else:
            if what == "move" and shape.kind != "tag":
                shift = chance.choice(SHIFTS_BY_HAND)
                shape = shape._replace(spot=chance.choice((shape.spot, chance.randrange(SPOTS))), shift=shift)
            if what == "relabel":
                shape = shape._replace(label=next(each for each in LABELS if each != shape.label))
            if shape not in opened.taken:
                opened.put(index, shape, ids[shape.label])

    def _work_on(self, story: Story, task_id: int) -> None:
        person, state = self.chance.choice(self.people), story.held.state
        ways = {
            "in_review": (person.approve, lambda task: person.request_change(task, "once more")),
            "complete": (person.reopen,),
            "deferred": (person.defer,),
        }
        self.chance.choice(ways.get(state, (person.complete, person.complete, person.defer)))(task_id)
        story.tell(f"somebody worked on the task, which was {state}")


@pytest.fixture(scope="module")
def nights_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """A process whose tasks appear soon."""
    folder = tmp_path_factory.mktemp("nights")
    with EmulatorProcess.start(folder, rate_limit=False, task_seconds=0.0) as emulator:
        yield emulator


@pytest.mark.parametrize("seed", range(WORLDS))
def test_what_remains_after_any_nights(nights_emulator: EmulatorProcess, media: Media, seed: int):
    diffgram = LiveDiffgram.of(nights_emulator.with_project(f"nights-{seed}"))
    World(diffgram, media, seed).live()
