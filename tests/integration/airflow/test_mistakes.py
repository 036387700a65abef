"""Arguments that cannot be: refused before anything is sent, in one sentence, without a retry."""

from __future__ import annotations

import re

from airflow_provider_diffgram.client import routes

SAID = {
    "durations": [
        "parameters: 2 problems; nothing was sent. The first: wait_timeout must be a timedelta or a number "
        "of seconds, not 'an hour'",
        "poke_interval must be a timedelta or a number of seconds, not 'soon'",
    ],
    "many": ["parameters: concurrency must be 1 to 32, not 'many'; nothing was sent"],
    "rendered": ["a template rendered to 'None': does the task that it names return packets?"],
    "nameless": ["a template rendered to 'None', and no dataset is created by that name"],
    "sends_to_nothing": ["a template rendered to 'None', and no dataset is created by that name"],
    "plans": ["dry_run must be True or False, and is no template: '{{ false }}'"],
    "flags": ["wait_for_completion must be True or False, and is no template: 'false'"],
    "repairs": ["repair must be True or False, and is no template: 'no'"],
    "defers": ["deferrable must be True or False, and is no template: 'no'"],
    "skips": ["skip_unchanged must be True or False, and is no template: 'no'"],
    "sends_nowhere": [
        "there is no connection 'diffgram_nowhere'. Make one of type Diffgram in Airflow, or export"
    ],
    "waits_nowhere": ["AIRFLOW_CONN_DIFFGRAM_NOWHERE='diffgram://"],
    "pulls_nowhere": ["there is no connection 'diffgram_nowhere'"],
    "pulls_into_a_file": ["path: cannot write", "mistaken.py/pulled"],
}


def test_each_is_told_in_a_sentence_and_not_tried_again(run_dag, client, caplog, capfd):
    ran = run_dag("mistaken")
    said = re.sub(r"\s+", " ", caplog.text + "".join(capfd.readouterr()))
    assert ran.states == {task_id: {"failed"} for task_id in SAID}
    assert set(ran.tries.values()) == {1}
    for words in SAID.values():
        for each in words:
            assert each in said
    assert "The conn_id" not in said
    assert "During handling of the above exception" not in said
    assert client.send(routes.list_inputs(client.project)) == []
    assert [each.nickname for each in client.send(routes.list_datasets(client.project))] == ["Default"]
