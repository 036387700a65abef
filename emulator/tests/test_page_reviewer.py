"""The reviewer on the page: who may be one, and what their requests leave.

The requests are those that the page's scripts send; e2e/correcting.py has a browser send them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from starlette.requests import Request

from diffgram_emulator.process import EmulatorProcess
from diffgram_emulator.web.login import may_log_in
from helpers import call, default_dataset, label, upload

MARK = {"X-Emulator-Page": "1"}


def entered(emulator: EmulatorProcess) -> requests.Session:
    """Return the session of a browser that is logged in."""
    browser = requests.Session()
    browser.headers["User-Agent"] = "Mozilla/5.0"
    answer = browser.post(f"{emulator.url}/studio/login/{emulator.project}", headers=MARK, timeout=10)
    assert answer.status_code == 200, answer.text
    return browser


def post(browser: requests.Session, emulator: EmulatorProcess, path: str, body: Any) -> requests.Response:
    return browser.post(emulator.url + path.replace("{p}", emulator.project), json=body, timeout=10)


def sides(x: int) -> dict[str, int]:
    return {"x_min": x, "y_min": 5, "x_max": x + 8, "y_max": 20}


def boxed(emulator: EmulatorProcess) -> tuple[int, int]:
    """Upload a picture with three boxes; return it and another label."""
    cat, dog = label(emulator, "cat"), label(emulator, "dog")
    machine = {"machine_made": True, "score": 0.5, "model_ref": "m", "model_run_ref": "r"}
    boxes = [
        {"type": "box", "label_file_id": cat, "creation_ref_id": f"p{n}", **sides(10 * n), **machine}
        for n in range(3)
    ]
    made = upload(emulator, "a.png", directory_id=default_dataset(emulator), instance_list=boxes)
    return int(made["file"]["id"]), dog


def test_what_the_reviewer_saves_are_versions_by_a_person(diffgram_emulator: EmulatorProcess) -> None:
    file_id, dog = boxed(diffgram_emulator)
    browser = entered(diffgram_emulator)
    opened = post(browser, diffgram_emulator, f"/api/project/{{p}}/file/{file_id}/annotation/list", {}).json()
    rows = {row["creation_ref_id"]: row for row in opened["file_serialized"]["instance_list"]}
    rows["p0"] |= {"x_min": 1, "x_max": 9, "width": 8, "height": 15}
    rows["p1"] |= {"label_file_id": dog}
    rows["p2"] |= {"soft_delete": True}
    drawn = {"type": "box", "label_file_id": dog, "creation_ref_id": "drawn", "x_min": 30, "y_min": 30}
    drawn |= {"x_max": 50, "y_max": 40, "width": 20, "height": 10, "change_source": "ui_diffgram_frontend"}
    body = {"instance_list": [*rows.values(), drawn], "and_complete": False, "gold_standard_file": None}
    path = f"/api/project/{{p}}/file/{file_id}/annotation/update"
    saved = post(browser, diffgram_emulator, path, {**body, "video_data": None}).json()
    done = {row["creation_ref_id"]: (row["action_type"], row["version"]) for row in saved["added_instances"]}
    assert done == {"p0": ("edited", 2), "p1": ("edited", 2), "p2": ("deleted", 2), "drawn": ("created", 1)}
    newest = next(row for row in saved["added_instances"] if row["creation_ref_id"] == "p0")
    history = post(
        browser, diffgram_emulator, f"/api/v1/project/{{p}}/instance/{newest['id']}/history", {}
    ).json()
    assert [one["version"] for one in history["instance_history"]] == [2, 1]
    assert history["instance_history"][0]["member_created"]["first_name"] == "Reviewer"
    assert newest["machine_made"] is True
    shown = browser.get(f"{diffgram_emulator.url}/studio/annotate/{diffgram_emulator.project}?file={file_id}")
    assert "m / r, then reviewer@example.com" in shown.text


def test_the_cookie_is_for_this_page_alone(diffgram_emulator: EmulatorProcess) -> None:
    path = f"{diffgram_emulator.url}/studio/login/{diffgram_emulator.project}"
    answer = requests.post(path, headers=MARK, timeout=10)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert not cookie.startswith("session="), "it would log a browser out of an Airflow on this computer"


def test_a_second_login_is_the_same_one(diffgram_emulator: EmulatorProcess) -> None:
    browser = entered(diffgram_emulator)
    path = f"{diffgram_emulator.url}/studio/login/{diffgram_emulator.project}"
    assert "Set-Cookie" not in browser.post(path, headers=MARK, timeout=10).headers
    other = diffgram_emulator.with_project(diffgram_emulator.project + "-b")
    path = f"{other.url}/studio/login/{other.project}"
    assert "Set-Cookie" in browser.post(path, headers=MARK, timeout=10).headers
    assert post(browser, other, "/api/v1/project/{p}/directory/list", {}).status_code == 200


def test_a_page_of_another_origin_gets_in_by_no_way(diffgram_emulator: EmulatorProcess) -> None:
    path = f"{diffgram_emulator.url}/studio/login/{diffgram_emulator.project}"
    port = urlsplit(diffgram_emulator.url).port
    assert requests.post(path, timeout=10).status_code == 403
    rebound = requests.post(path, headers={**MARK, "Host": f"evil.example:{port}"}, timeout=10)
    assert rebound.status_code == 403
    assert "Set-Cookie" not in rebound.headers
    assert requests.get(path, timeout=10).status_code == 405
    unknown = requests.post(f"{diffgram_emulator.url}/studio/login/nowhere", headers=MARK, timeout=10)
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "host, client, expected",
    [
        ("127.0.0.1:8085", "127.0.0.1", True),
        ("localhost:8085", "::1", True),
        ("[::1]:8085", "::1", True),
        ("diffgram.localhost", "127.0.0.1", True),
        ("192.168.0.7:8085", "192.168.0.9", False),
        ("127.0.0.1:8085", "192.168.0.9", False),
        ("evil.example", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_who_may_log_in(host: str, client: str, expected: bool) -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "scheme": "http",
        "headers": [(b"host", host.encode())], "client": (client, 5), "server": None,
    }  # fmt: skip
    assert may_log_in(Request(scope)) is expected


def test_without_a_login_nothing_is_changed(diffgram_emulator: EmulatorProcess) -> None:
    file_id, _ = boxed(diffgram_emulator)
    stranger = requests.Session()
    stranger.headers["User-Agent"] = "Mozilla/5.0"
    stranger.cookies.set("diffgram_emulator_login", "guessed")
    path = f"/api/project/{{p}}/file/{file_id}/annotation/update"
    assert post(stranger, diffgram_emulator, path, {"instance_list": []}).status_code == 401
    assert post(stranger, diffgram_emulator, "/api/v1/task/1/complete", {}).status_code == 401


def test_faults_for_people_strike_the_page_too(diffgram_emulator: EmulatorProcess) -> None:
    browser = entered(diffgram_emulator)
    diffgram_emulator.fault("/directory/list", "status", status=503, by="person")
    assert call(diffgram_emulator, "POST", "/api/v1/project/{p}/directory/list", json={}).status_code == 200
    assert post(browser, diffgram_emulator, "/api/v1/project/{p}/directory/list", {}).status_code == 503


def test_a_browser_elsewhere_may_look_but_is_offered_nothing(diffgram_emulator: EmulatorProcess) -> None:
    file_id, _ = boxed(diffgram_emulator)
    path = f"{diffgram_emulator.url}/studio/annotate/{diffgram_emulator.project}?file={file_id}"
    here = requests.get(path, timeout=10).text
    elsewhere = requests.get(path, headers={"Host": "diffgram.example"}, timeout=10).text
    assert 'id="editor"' in here
    assert 'id="editor"' not in elsewhere
    assert "data-may-write" not in elsewhere
    assert elsewhere.count("<g ") == 3
