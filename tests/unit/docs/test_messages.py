"""docs/troubleshooting.md has every message of every error, and none that no error has."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from reference.messages import VALUE, Message, messages, pattern, texts

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "airflow_provider_diffgram"
GUIDE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
OF_THE_SERVER = "What the server says of an input"

NOT_ERRORS = {
    "__init__.py": "the connection form",
    "cli/doctor.py": "what doctor finds, with its remedy beside it",
    "cli/main.py": "the help of the command line",
    "client/causes.py": "the causes within two messages, which have rows",
    "client/request.py": "a type",
    "client/remedies.py": "what to do: the second sentence of a message",
    "client/routes/": "what was asked: the beginning of a message",
    "client/upload_body.py": "the body of a request",
    "drawing/": "captions of pictures",
    "ingest/read/pictures.py": "captions of pictures",
    "ingest/send/decisions/decide.py": "the table of decisions",
    "ingest/validation/page.py": "a page",
    "models/handle.py": "the words of handles and receipts",
    "predictions/core/account.py": "the words of an account",
    "predictions/core/preview.py": "a page",
    "pulse.py": "progress",
    "review/report/charts.py": "a page",
    "review/report/page.py": "a page",
    "review/report/pictures.py": "captions of pictures",
    "review/progress.py": "progress, but for its rules, which are in the table",
    "review/quality/shares.py": "figures",
    "review/sets/shelf.py": "SQL",
}
"""Files whose texts outside of a ``raise`` are no messages of errors."""

OTHERS = {
    "what to do: the second sentence of a message": """
        Correct the request: the same would be refused again
        Check the client ID, client secret and project of the connection
        Check the host and port of the connection
        …Check the host and port of the connection…
        , or leave out http:// if it speaks TLS only
        Check the host and port of the connection, and whether a proxy asks for a login
        Check the host and port of the connection. If the server speaks TLS there, …
        Set the CA bundle of the connection, or its client certificate if …
        Send fewer instances at once, or a smaller file; a proxy may allow less than Diffgram
        Send it again
        Send fewer requests at once: everyone behind this address shares the limit
        Put it there, or let the worker read it
        Check whether it arrived before you send it again
        This may be another version of Diffgram, or a proxy that changes answers: please report it
        Check the ids. If they exist, wait until the service is back
        Wait until the service is back, or ask whoever runs the proxy
        Check the ids and the medium. If they are right, look into the server's log
        Run it again
        Check that this is a Diffgram, and that the host of the connection has no path
        , and check packet_path of the connection
        Put the login into HTTPS_PROXY in the environment, and leave proxy of the connection empty
        Set the client certificate of the connection
        write … as the host of the connection, if that is your Diffgram
        Use https and the address at which Diffgram itself answers…
        Check which login that proxy expects
        Check Project (the project_string_id) of the connection
        The client ID or client secret is wrong or belongs to another project, or …
        Only a person who has logged in may do this; an API credential may not
        Check the client ID and client secret of the connection
        save it as UTF-8
        give the encoding that it has
        …. A retry finds what arrived.
        Labels or attributes are missing from the schema: …
        … invalid packets are allowed, but a push refuses the whole set for one: …
        Correct what the problems name, and clear this task. …
        Look at the pictures. If the model is right and its scores are low, …
    """,
    "a part of a message that the table has": """
        by a proxy in front of Diffgram
        ; a job that does not exist gets the same refusal
        ; a storage connection of another project gets the same refusal
        a number of seconds
        a number of seconds,
        a number of inputs, or a share below 1,
        a number of retries,
        is there for other reasons
        (file … holds the name now)
        nothing was sent
        children of file …
        is not in the schema
        the default dataset
        (did you mean …?)
        once it is turned as its EXIF orientation says
        no files at all
        an edge of its box
        score of a joint
        a list of records
        an object with images and categories
        a polygon has
        a run length
        3 for each of … joints
        3 for each joint
        a coordinate of points
        of … is …, not text
        ; … have annotations, which people made
        a percentage of the width
        a percentage of the height
        visibility of a keypoint
        one of its numbers
        a line without a name
        … of … at IoU 0.5…
        (… that are gone without a known reason count as deleted)
        ; … are gone, and nothing shows why
        in any job
    """,
    "what is asked of the server, or what it says": """
        does not match
        Can't find project
        Failed API Permissions
        already exists in dataset
        uploads that broke off
        children that failed, to send them again
        a video that the server lost
        a video that the server lost, to upload it again
        an update that is stuck
        what is stuck, to send it again
        what is stuck
        what is pending after a kill
        See Update Log
        parse error: trailing garbage
    """,
    "a log, a report, a receipt or figures": """
        Connected to …, project …, with permission to write
        no default dataset
        nothing to send: no packet was given
        all of them are there already
        nothing is missing
        nothing was missing
        nothing was made
        …. Apply again tomorrow
        option … of attribute …
        file …: others saved while it was written; … given back
        compound file …: file … has its name, and children
        by an earlier attempt
        an earlier run predicted it, and it is as it was pushed
        a run predicted it, and somebody changed it since, or may have
        this run predicted it, and it is as it was pushed
        a later run predicted it
        a person drew it
        another model, or nobody that can be told
        would be taken back
        were taken back
        … of … predictions in … …; of the others … were touched by people…
        …: … new, … there already
        … of … did not come within … s
        … inputs or more
        nothing: there is none
        written into their files
        by the queue
        … of them there already
        sent … one at a time, after … s of waiting for the other inputs
        a person deleted it
        it was deleted by the API
        it went with a list that did not name it: a stale page's, or a replacement by the queue
        …, … of them invalid; … of …, …
        the predictions reach their limits
        {{ dag.dag_id }} / {{ ti.task_id }}: {words}
        Diffgram would refuse it again
        the rate limit of Diffgram is used up by everyone behind this address
        Diffgram or the storage of the media is down or cannot be reached
        … of … (…): reaches beyond the picture, and was cut
        image of unknown size
        … (not an image)
        average precision and bounds by file: install airflow-provider-diffgram[metrics]
        nothing changed since version …
        ; left out: … x …
        ; … changed while they were read
        + option … of attribute …
        ! Diffgram takes … new attributes a day: apply again tomorrow for …
        ~ …: stays as it is
        … is not described: stays
    """,
    "a pattern or a type": r"""
        Exchange | Reading | Pause
        per \d+ (hour|day)
        ^(packet|child) (\d+( …
        Already Exists in Dir\. Existing ID is:\s*(\d+)\s*$
    """,
}
"""Texts of the other files that are no message of an error, by what they are."""

NAMED = [line.strip() for lines in OTHERS.values() for line in lines.splitlines() if line.strip()]
SOURCE = messages(PACKAGE)
EVERY = sorted({f"{VALUE}{text}{VALUE}" for text in texts(PACKAGE) if " " in text})


def quoted(guide: str) -> list[str]:
    """Return the messages of all tables of the guide."""
    return [each.replace("\\|", "|") for each in re.findall(r"^\| `([^`]+)`", guide, re.MULTILINE)]


OURS, _, AFTER = GUIDE.partition(f"## {OF_THE_SERVER}\n")
QUOTED = [*quoted(OURS), *quoted(AFTER.partition("\n## ")[2])]


def is_other(text: str) -> bool:
    return any(text == each or (each.endswith(VALUE) and text.startswith(each[:-1])) for each in NAMED)


def lacking(rows: list[str], found: list[Message]) -> list[str]:
    """Return the messages without a row."""
    patterns = [pattern(row) for row in rows]
    return [
        f"{each.module}:{each.line}: {each.text}"
        for each in found
        if (each.raised or not each.module.startswith(tuple(NOT_ERRORS)))
        and not is_other(each.text)
        and not any(row.search(f"{VALUE}{each.text}{VALUE}") for row in patterns)
    ]


def test_every_message_of_an_error_has_a_row():
    assert len(SOURCE) > 800
    assert lacking(QUOTED, SOURCE) == []


def test_every_row_is_a_message_of_the_source():
    assert len(QUOTED) > 500
    every = "\n".join(EVERY)
    assert [row for row in QUOTED if not pattern(row).search(every)] == []


def test_a_row_is_there_once_and_says_something():
    assert [row for row, times in Counter(QUOTED).items() if times > 1] == []
    assert [row for row in QUOTED if sum(map(str.isalpha, row)) < 7] == []
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in GUIDE.splitlines() if line.startswith("| `")]
    assert [each for each in cells if not all(cell.strip() for cell in each)] == []


def test_what_is_named_as_no_error_is_there():
    assert [each for each in NAMED if not any(is_named(text, each) for text in EVERY)] == []
    modules = {each.module for each in SOURCE}
    assert [each for each in NOT_ERRORS if not any(module.startswith(each) for module in modules)] == []


def is_named(text: str, named: str) -> bool:
    return text[1:-1] == named or (named.endswith(VALUE) and text[1:].startswith(named[:-1]))


@pytest.mark.parametrize("raised", [True, False])
def test_a_message_without_a_row_is_found(raised):
    made = Message("ingest/made.py", 1, "the moon is made of … cheese", raised)
    assert lacking(QUOTED, [made]) == ["ingest/made.py:1: the moon is made of … cheese"]
    assert lacking(["the moon is made of …"], [made]) == []


def test_within_a_row_only_a_value_stands_for_a_value():
    assert pattern("… must be …, not …").search("…a must be …, not ……")
    assert not pattern("… must be …, not …").search("…a must be a whole number, not ……")


def test_what_is_raised_or_gathered_is_read_and_what_is_logged_is_not(tmp_path: Path):
    (tmp_path / "made.py").write_text(
        '"""A docstring of a module."""\n'
        "def made(problems, log, name):\n"
        '    """A docstring of a function."""\n'
        '    problems.append(f"{name} is not what it was")\n'
        '    log.warning("%s is not what it was yesterday", name)\n'
        '    raise ValueError(f"no {name!r} here")\n'
        '    raise InvalidValueError("the place of it", [f"too few of {name}"])\n'
    )
    assert [(each.text, each.raised) for each in messages(tmp_path)] == [
        ("… is not what it was", False),
        ("no … here", True),
        ("too few of …", True),
    ]
    assert "… is not what it was yesterday" in texts(tmp_path)
