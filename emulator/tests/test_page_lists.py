"""Lists on the pages: totals, search, pages, who is next, inputs by batch, jobs and tasks."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
import requests
from PIL import Image

from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess
from helpers import call, default_dataset, label, send, upload
from world import until


def page(emulator: EmulatorProcess, path: str) -> str:
    answer = requests.get(emulator.url + path.replace("{p}", emulator.project), timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def explorer(emulator: EmulatorProcess, query: str = "") -> str:
    return page(emulator, f"/studio/annotate/{{p}}/explorer?dataset_id={default_dataset(emulator)}{query}")


def cards(html: str) -> list[str]:
    """Return the names of the cards in their order."""
    return re.findall(r'<span class="name" title="([^"]*)">', html)


def box(label_file_id: int, x: int = 5, **more: Any) -> dict[str, Any]:
    corners = {"x_min": x, "y_min": 6, "x_max": x + 20, "y_max": 36}
    return {"type": "box", "label_file_id": label_file_id, **corners, **more}


def in_default(emulator: EmulatorProcess, name: str, **fields: Any) -> int:
    return int(upload(emulator, name, directory_id=default_dataset(emulator), **fields)["file"]["id"])


def filled(emulator: EmulatorProcess, files: int, boxes: int) -> int:
    """Fill the default dataset and return the id of its first file."""
    body = {"dataset_id": default_dataset(emulator), "label_file_id": label(emulator, "cat")}
    made = emulator.control("fill", {"project": emulator.project, "files": files, "boxes": boxes, **body})
    return int(made["first_file_id"])


def test_predictions_are_drawn_on_the_small_pictures(diffgram_emulator: EmulatorProcess) -> None:
    cat = label(diffgram_emulator, "cat")
    in_default(diffgram_emulator, "a.png", instance_list=[box(cat)])
    card = explorer(diffgram_emulator).partition('class="card"')[2]
    assert 'viewBox="0 0 64 48"' in card
    assert '<rect x="5.0" y="6.0" width="20.0" height="30.0"/>' in card


def test_small_pictures_are_small(diffgram_emulator: EmulatorProcess) -> None:
    target = io.BytesIO()
    Image.effect_noise((900, 700), 90).convert("RGB").save(target, "PNG")
    in_default(diffgram_emulator, "noise.png", content=target.getvalue())
    html = explorer(diffgram_emulator)
    (source,) = re.findall(r'<img src="([^"]+)"', html)
    answer = requests.get(diffgram_emulator.url + source.replace("&amp;", "&"), timeout=10)
    with Image.open(io.BytesIO(answer.content)) as image:
        assert max(image.size) <= 480
        assert abs(image.width / image.height - 9 / 7) < 0.01
    assert answer.headers["content-type"] == "image/jpeg"


def test_totals_by_label(diffgram_emulator: EmulatorProcess) -> None:
    cat, dog = label(diffgram_emulator, "cat"), label(diffgram_emulator, "dog")
    in_default(diffgram_emulator, "a.png", instance_list=[box(cat), box(cat, 9), box(dog, 12)])
    in_default(diffgram_emulator, "b.png", instance_list=[box(dog)])
    in_default(diffgram_emulator, "c.png")
    html = explorer(diffgram_emulator)
    assert "3 files" in html
    assert "4 instances" in html
    assert len(re.findall(r'(?:cat|dog) <span class="quiet">2</span>', html)) == 2
    assert cards(explorer(diffgram_emulator, f"&label={cat}")) == ["a.png"]
    assert cards(explorer(diffgram_emulator, f"&label={dog}")) == ["b.png", "a.png"]


@pytest.mark.parametrize(
    "search, found",
    [
        ("CAT", ["a-Cat.png"]),
        ("%25", []),
        ("_", ["b_1.png"]),
        ("%27%20OR%201=1", []),
        ("%20", ["b_1.png", "a-Cat.png"]),
    ],
)
def test_search_takes_text_as_it_is(
    diffgram_emulator: EmulatorProcess, search: str, found: list[str]
) -> None:
    for name in ("a-Cat.png", "b_1.png"):
        in_default(diffgram_emulator, name)
    assert cards(explorer(diffgram_emulator, f"&search={search}")) == found


def test_search_finds_an_id(diffgram_emulator: EmulatorProcess) -> None:
    in_default(diffgram_emulator, "a.png")
    file_id = in_default(diffgram_emulator, "b.png")
    assert "b.png" in cards(explorer(diffgram_emulator, f"&search={file_id}"))


def test_ten_thousand_files_come_page_by_page(diffgram_emulator: EmulatorProcess) -> None:
    for _ in range(5):
        filled(diffgram_emulator, 2_000, 3)
    first = explorer(diffgram_emulator)
    assert len(cards(first)) == 60
    assert len(first) < 150_000
    assert "10,000 files" in first
    assert "30,000 instances" in first
    assert "page 1 of 167" in first
    assert cards(explorer(diffgram_emulator, "&page=2"))[0] == "009939.jpg"
    assert len(cards(explorer(diffgram_emulator, "&page=167"))) == 40
    assert cards(explorer(diffgram_emulator, "&page=168")) == []
    found = explorer(diffgram_emulator, "&search=0099")
    assert "111 files of 10,000 found" in found
    assert "page 1 of 2" in found


def neighbours(html: str) -> tuple[str | None, str | None]:
    """Return the ids that previous and next lead to."""
    found = {
        which: re.search(rf'id="{which}"[^>]*href="[^"]*?(\d+)"', html) for which in ("previous", "next")
    }
    previous, following = (match[1] if match else None for match in found.values())
    return previous, following


def test_previous_and_next_follow_the_list(diffgram_emulator: EmulatorProcess) -> None:
    ids = [in_default(diffgram_emulator, f"{n}.png") for n in range(3)]
    path = "/studio/annotate/{p}?file="
    middle = page(diffgram_emulator, f"{path}{ids[1]}")
    assert neighbours(middle) == (str(ids[2]), str(ids[0]))
    assert "2 of 3" in middle
    assert neighbours(page(diffgram_emulator, f"{path}{ids[2]}")) == (None, str(ids[1]))
    assert neighbours(page(diffgram_emulator, f"{path}{ids[0]}")) == (str(ids[1]), None)


def test_previous_and_next_of_a_page_are_its_siblings(diffgram_emulator: EmulatorProcess) -> None:
    body = {"name": "invoice", "directory_id": default_dataset(diffgram_emulator)}
    answer = call(diffgram_emulator, "POST", "/api/v1/project/{p}/file/new-compound", json=body)
    parent = answer.json()["file"]["id"]
    ids = {n: in_default(diffgram_emulator, f"{n}.png", parent_file_id=parent, ordinal=n) for n in (2, 0, 1)}
    html = page(diffgram_emulator, f"/studio/annotate/{{p}}?file={ids[1]}")
    assert neighbours(html) == (str(ids[0]), str(ids[2]))


def test_nothing_is_null_or_none(diffgram_emulator: EmulatorProcess) -> None:
    cat = label(diffgram_emulator, "cat")
    plain = in_default(diffgram_emulator, "plain.png")
    boxed = in_default(diffgram_emulator, "boxed.png", instance_list=[box(cat)])
    send(diffgram_emulator, "gone.png", diffgram_emulator.url + "/nothing-here")
    paths = [f"/studio/annotate/{{p}}?file={one}" for one in (plain, boxed)]
    more = (
        "/",
        "/studio/upload/{p}",
        "/studio/upload/{p}?view=batches",
        "/studio/jobs/{p}",
        "/studio/labels/{p}",
    )
    for path in (*paths, *more, "/studio/annotate/{p}/explorer"):
        shown = re.sub(r"<[^>]*>", " ", page(diffgram_emulator, path))
        assert not re.search(r"\b(null|None|undefined|nan)\b", shown), path


def new_batch(emulator: EmulatorProcess) -> int:
    answer = call(emulator, "POST", "/api/v1/project/{p}/input-batch/new", json={})
    return int(answer.json()["input_batch"]["id"])


def of_batch(emulator: EmulatorProcess, batch_id: int) -> list[str]:
    """Return the cells of a batch's line."""
    html = page(emulator, "/studio/upload/{p}?view=batches")
    line = html.partition(f'href="?batch_id={batch_id}">')[2].partition("</tr>")[0]
    return [
        re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r'<td class="number">(.*?)</td>', line)
    ]


def test_inputs_by_batch_with_their_progress(diffgram_emulator: EmulatorProcess) -> None:
    good = in_default(diffgram_emulator, "good.png")
    body = {"file_id": good, "project_string_id": diffgram_emulator.project}
    shown = call(diffgram_emulator, "POST", "/api/v1/file/view", json=body).json()
    url = shown["file"]["image"]["url_signed"]
    batch, other = new_batch(diffgram_emulator), new_batch(diffgram_emulator)
    for n in range(3):
        send(diffgram_emulator, f"{n}.png", url, batch_id=batch)
    send(diffgram_emulator, "gone.png", diffgram_emulator.url + "/nothing-here", batch_id=batch)
    until(lambda: of_batch(diffgram_emulator, batch) == ["3", "1", "0", "4"], "the batch's end")
    html = page(diffgram_emulator, "/studio/upload/{p}?view=batches")
    assert '<rect class="bar-success" x="0" width="75.0" height="6"/>' in html
    assert '<rect class="bar-failed" x="75.0" width="25.0" height="6"/>' in html
    assert of_batch(diffgram_emulator, 0) == ["1", "0", "0", "1"]
    assert of_batch(diffgram_emulator, other) == ["0", "0", "0", "0"]
    rows = page(diffgram_emulator, f"/studio/upload/{{p}}?batch_id={batch}&status=failed")
    assert "gone.png" in rows
    assert "0.png" not in rows
    assert "good.png" in page(diffgram_emulator, "/studio/upload/{p}?batch_id=0")


def test_an_update_is_named_by_its_file(diffgram_emulator: EmulatorProcess) -> None:
    cat = label(diffgram_emulator, "cat")
    file_id = in_default(diffgram_emulator, "named.png")
    body = {
        "file_id": file_id,
        "mode": "update",
        "instance_list": [box(cat)],
        "directory_id": default_dataset(diffgram_emulator),
    }
    answer = call(diffgram_emulator, "POST", "/api/walrus/v1/project/{p}/input/packet", json=body)
    assert answer.status_code == 200, answer.text
    html = page(diffgram_emulator, "/studio/upload/{p}?search=NAMED")
    assert html.count("named.png\n") == 2
    assert '<span class="pill plain">update</span>' in html


def reviewed(emulator: EmulatorProcess) -> tuple[int, list[int]]:
    """Make a job with a second look on three files; return it and its tasks."""
    for n in range(3):
        in_default(emulator, f"{n}.png")
    datasets = [{"directory_id": default_dataset(emulator), "selected": "sync"}]
    body = {
        "name": "<b>night</b>",
        "allow_reviews": True,
        "review_chance": 100,
        "attached_directories_dict": {"attached_directories_list": datasets},
    }
    answer = call(emulator, "POST", "/api/v1/project/{p}/job/new", json=body)
    job = int(answer.json()["job"]["id"])
    call(emulator, "POST", "/api/v1/job/launch", json={"job_id": job})
    call(emulator, "POST", "/api/v1/project/{p}/job/resync", json={"task_template_id": job})
    return job, [
        int(one) for one in re.findall(r'class="card" href="/task/(\d+)"', page(emulator, f"/job/{job}"))
    ]


def test_jobs_and_tasks(diffgram_emulator: EmulatorProcess) -> None:
    job, tasks = reviewed(diffgram_emulator)
    assert len(tasks) == 3
    person = Person.of(diffgram_emulator)
    person.complete(tasks[0])
    person.complete(tasks[1])
    person.approve(tasks[1])
    listed = page(diffgram_emulator, "/studio/jobs/{p}")
    assert "&lt;b&gt;night&lt;/b&gt;" in listed
    assert re.findall(r'<td class="number">(\d+)</td>', listed) == ["1", "3"]
    of_job = page(diffgram_emulator, f"/job/{job}")
    for word in ("complete", "in review", "available"):
        assert f'{word} <span class="quiet">1</span>' in of_job
    assert cards(page(diffgram_emulator, f"/job/{job}?status=in_review")) == ["0.png"]
    assert cards(page(diffgram_emulator, f"/job/{job}?status=complete")) == ["1.png"]
    assert f'href="/task/{tasks[2]}">Work on the tasks' in of_job


def test_a_task_offers_what_its_status_allows(diffgram_emulator: EmulatorProcess) -> None:
    job, tasks = reviewed(diffgram_emulator)
    person = Person.of(diffgram_emulator)

    def offered(task: int) -> set[str]:
        return set(re.findall(r'data-work="(\w+)"', page(diffgram_emulator, f"/task/{task}")))

    assert offered(tasks[1]) == {"complete", "toggle_deferred"}
    assert neighbours(page(diffgram_emulator, f"/task/{tasks[1]}")) == (str(tasks[0]), str(tasks[2]))
    person.complete(tasks[1])
    assert offered(tasks[1]) == {"approve", "request_change"}
    person.request_change(tasks[1], "smaller")
    assert offered(tasks[1]) == {"complete", "toggle_deferred"}
    person.complete(tasks[1])
    person.approve(tasks[1])
    assert offered(tasks[1]) == {"incomplete"}
    html = page(diffgram_emulator, f"/task/{tasks[2]}")
    assert f'data-following="{tasks[0]}"' in html
    assert f'data-job="{job}"' in html


@pytest.mark.parametrize(
    "path", ["/job/999999", "/job/x", "/task/999999", "/task/-1", "/static/app.py", "/static/../app.py"]
)
def test_what_is_not_there(diffgram_emulator: EmulatorProcess, path: str) -> None:
    assert requests.get(diffgram_emulator.url + path, timeout=5).status_code == 404


def test_a_picture_of_which_nothing_is_stored_has_its_boxes(diffgram_emulator: EmulatorProcess) -> None:
    file_id = filled(diffgram_emulator, 1, 2)
    for html in (
        explorer(diffgram_emulator),
        page(diffgram_emulator, f"/studio/annotate/{{p}}?file={file_id}"),
    ):
        assert "<img" not in html
        assert html.count("<rect x=") >= 2
