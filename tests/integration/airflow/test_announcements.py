"""What a task tells Airflow in real DAG runs: links, events of assets, lineage."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.ingest.check.lookup import find_dataset
from airflow_provider_diffgram.links.diffgram import KEY, LINKS
from diffgram_emulator.process import EmulatorProcess
from tests.integration.airflow.dags.announcing import ASSET, HOST, OTHER
from tests.secrets_scan import find_secrets
from tests.unit.client.small_proxy import proxying

ON_AIRFLOW_3 = hasattr(LINKS[0], "xcom_key")


@pytest.fixture(scope="module", autouse=True)
def known_outlets(dag_bag: Any) -> None:
    """Airflow 2 has to meet a DAG's outlets before it runs; later versions do that in ``dag.test``."""
    if not ON_AIRFLOW_3:
        dag_bag.sync_to_db()


def packets() -> list[dict[str, Any]]:
    """Return two packets that are new to every run."""
    names = (uuid.uuid4().hex, uuid.uuid4().hex)
    return [{"media": {"text_data": "hello"}, "original_filename": f"{name}.txt"} for name in names]


@pytest.fixture
def project(diffgram_emulator: EmulatorProcess, connection: Callable[..., None]) -> Iterator[EmulatorProcess]:
    """The project of the assets, behind a proxy that knows their host."""
    project = diffgram_emulator.with_project("a-project")
    with proxying(leads_to=project.url) as (proxy, _):
        connection(
            host=f"http://{HOST}",
            schema=project.project,
            login=project.client_id,
            password=project.client_secret,
            extra={"retry_timeout": 2, "proxy": proxy},
        )
        yield project


@pytest.fixture
def directory_id(project: EmulatorProcess) -> int:
    settings = Settings(project.url, project.project, project.client_id, project.client_secret)
    with DiffgramClient(settings) as client:
        return find_dataset(client, "Default").id


def links_of(dag_bag: Any, dag_id: str, of: Any) -> dict[str, str]:
    """Return what the buttons of a task lead to, as Airflow's user interface finds out.

    :param of: an instance, or the id of a task of the newest run.
    """
    instance = newest_run(dag_id).get_task_instance(of) if isinstance(of, str) else of
    task_id = instance.task_id
    task = dag_bag.dags[dag_id].get_task(task_id)
    if not ON_AIRFLOW_3:  # Airflow 2 makes them when it shows them
        return {link.name: link.get_link(task, ti_key=instance.key) for link in task.operator_extra_links}
    return {
        link.name: instance.xcom_pull(
            task_ids=task_id,
            key=link.xcom_key,
            map_indexes=instance.map_index if instance.map_index >= 0 else None,
        )
        for link in task.operator_extra_links
    }


def newest_run(dag_id: str) -> Any:
    from airflow.models.dagrun import DagRun

    return max(DagRun.find(dag_id=dag_id), key=lambda run: run.id)


def test_links_lead_to_dataset_file_and_inputs(run_dag, dag_bag, project, directory_id):
    ran = run_dag("announce_and_wait", send=packets())
    assert ran.state == "success", ran.states
    studio = f"http://{HOST}/studio"
    dataset = f"{studio}/annotate/a-project/explorer?dataset_id={directory_id}"
    (batch,) = ran.results["send"]["batches"]
    assert links_of(dag_bag, "announce_and_wait", "send") == {
        "Diffgram dataset": dataset,
        "Diffgram file": "",
        "Diffgram inputs": f"{studio}/upload/a-project?batch_id={batch['id']}",
        "Diffgram job": "",
    }
    (first, *_) = ran.results["wait"]["file_ids"]
    assert links_of(dag_bag, "announce_and_wait", "wait")["Diffgram file"] == (
        f"{studio}/annotate/a-project?file={first}"
    )


def test_the_compound_file_and_its_children_link_to_the_compound_file(run_dag, dag_bag, project):
    ran = run_dag("announce_compound", children=[{**packets()[0], "ordinal": 0}])
    assert ran.state == "success", ran.states
    page = f"http://{HOST}/studio/annotate/a-project?file={ran.results['create']['file_id']}"
    for task_id in ("create", "upload"):
        assert links_of(dag_bag, "announce_compound", task_id)["Diffgram file"] == page


def test_a_mapped_task_of_a_group_has_its_own_name_and_links_and_the_group_one_event(
    run_dag, dag_bag, project, directory_id, tmp_path
):
    chunks = [tmp_path / "monday.jsonl", tmp_path / "tuesday.jsonl"]
    for chunk in chunks:
        chunk.write_text("".join(json.dumps(each) + "\n" for each in packets()))
    before = len(events_of(ASSET))
    ran = run_dag("announce_chunks", chunks=[str(each) for each in chunks])
    assert ran.state == "success", ran.states
    run = newest_run("announce_chunks")
    instances = [
        run.get_task_instance("push_predictions.send", map_index=number) for number in range(len(chunks))
    ]
    assert [each.rendered_map_index for each in instances] == ["monday.jsonl", "tuesday.jsonl"]
    inputs = [links_of(dag_bag, "announce_chunks", each)["Diffgram inputs"] for each in instances]
    batches = [handle["batches"][0]["id"] for handle in ran.results["push_predictions.send"]]
    assert inputs == [f"http://{HOST}/studio/upload/a-project?batch_id={batch}" for batch in batches]
    (event,) = events_of(ASSET)[before:]
    assert (event["expected"], event["succeeded"]) == (4, 4)


def capturing_log() -> Any:
    """Capture what Airflow 3 logs; Airflow 2 makes links when it shows them, not in a run."""
    return pytest.importorskip("structlog.testing").capture_logs()


@pytest.mark.parametrize("send", [packets(), [{"media": {"path": "/nowhere.jpg"}}]], ids=["well", "badly"])
def test_a_task_that_ends_logs_no_error_of_its_links(run_dag, project, send):
    with capturing_log() as logged:
        run_dag("announce_failure", send=send)
    assert [each for each in logged if each["event"] == "XCom not found"] == []


def test_a_connection_that_is_wrong_logs_no_error_of_the_links(run_dag, project, connection):
    connection(password=None)
    with capturing_log() as logged:
        run_dag("announce_failure", send=packets())
    assert [each for each in logged if each["event"] == "XCom not found"] == []


def test_a_deferred_wait_that_failed_keeps_its_links(run_dag, dag_bag, project, directory_id):
    project.pause_queue()
    try:
        ran = run_dag("announce_in_vain", send=packets())
    finally:
        project.pause_queue(False)
    assert ran.states["wait"] == {"failed"}
    links = links_of(dag_bag, "announce_in_vain", "wait")
    assert links["Diffgram dataset"].endswith(f"dataset_id={directory_id}")


def test_a_task_that_failed_links_to_the_inputs(run_dag, dag_bag, project):
    ran = run_dag(
        "announce_failure", send=[{**packets()[0], "instance_list": [{"type": "tag", "label": "x"}]}]
    )
    assert ran.state == "failed"
    links = links_of(dag_bag, "announce_failure", "send")
    assert links["Diffgram inputs"] == f"http://{HOST}/studio/upload/a-project"
    assert links["Diffgram dataset"] == links["Diffgram file"] == ""


def test_what_is_kept_for_the_links_holds_no_secret(run_dag, project):
    run_dag("announce_and_wait", send=packets())
    kept = newest_run("announce_and_wait").get_task_instance("send").xcom_pull(task_ids="send", key=KEY)
    assert set(kept) == {"dataset", "inputs"}
    assert all(each.startswith(f"http://{HOST}/studio/") for each in kept.values())


def test_a_run_leaves_no_secret_in_logs_database_or_rendered_fields(run_dag, project):
    run_dag("announce_and_wait", send=packets())
    run_dag("announce_failure", send=[{"media": {"path": "/nowhere.jpg"}}])
    home = Path(os.environ["AIRFLOW_HOME"])
    assert (home / "airflow.db").is_file()
    assert find_secrets([home], [project.client_secret, f"{project.client_id}:{project.client_secret}"]) == []


def events_of(asset: Any) -> list[Any]:
    """Return the extras of an asset's events, oldest first."""
    try:
        from airflow.models.asset import AssetEvent, AssetModel
    except ImportError:
        from airflow.models.dataset import DatasetEvent as AssetEvent
        from airflow.models.dataset import DatasetModel as AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id).where(AssetModel.uri == asset.uri))
        column = getattr(AssetEvent, "asset_id", None) or AssetEvent.dataset_id
        events = session.scalars(select(AssetEvent).where(column == asset_id).order_by(AssetEvent.id)).all()
        return [dict(event.extra) for event in events]


def test_outlets_get_the_counts_and_an_alias_learns_its_dataset(run_dag, project, directory_id):
    before, of_other = len(events_of(ASSET)), len(events_of(OTHER))
    assert run_dag("announce_and_wait", send=packets()).state == "success"
    sent, waited = events_of(ASSET)[before:]
    assert sent == {
        "directory_id": directory_id,
        "expected": 2,
        "sent": 2,
        "skipped": 0,
        "done_at_send": 0,
        "not_sent": 0,
    }
    assert (waited["expected"], waited["succeeded"], waited["directory_id"]) == (2, 2, directory_id)
    (other,) = events_of(OTHER)[of_other:]
    assert other == {}, "it is not the dataset that was sent to"


def test_a_task_that_waits_by_itself_tells_once_and_then_what_is_in(run_dag, dag_bag, project, directory_id):
    before = len(events_of(ASSET))
    ran = run_dag("announce_once_it_is_in", send=packets(), deferred=packets())
    assert ran.state == "success", ran.states
    here, deferred = events_of(ASSET)[before:]
    told = {"send": here.pop("file_ids"), "deferred": deferred.pop("file_ids")}
    assert told == {task_id: ran.results[task_id]["file_ids"] for task_id in told}
    assert here == deferred
    assert (here["expected"], here["succeeded"], here["directory_id"]) == (2, 2, directory_id)
    for task_id in ("send", "deferred"):
        (first, *_) = ran.results[task_id]["file_ids"]
        links = links_of(dag_bag, "announce_once_it_is_in", task_id)
        assert links["Diffgram file"] == f"http://{HOST}/studio/annotate/a-project?file={first}"
        assert links["Diffgram dataset"].endswith(f"dataset_id={directory_id}")


def test_a_wait_for_batches_knows_no_dataset_but_links_to_a_file(run_dag, dag_bag, project):
    before = len(events_of(OTHER))
    ran = run_dag("announce_batches", send=packets())
    assert ran.state == "success", ran.states
    assert events_of(OTHER)[before:] == [{}]
    links = links_of(dag_bag, "announce_batches", "wait")
    assert links["Diffgram file"].endswith(f"?file={ran.results['wait']['file_ids'][0]}")
    assert links["Diffgram dataset"] == ""


def test_a_dag_that_is_scheduled_on_the_dataset_is_run_by_the_scheduler(run_dag, project, directory_id):
    scheduler = pytest.importorskip("airflow.jobs.scheduler_job_runner")
    from airflow.jobs.job import Job
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(DagModel).filter_by(dag_id="after_the_dataset").update({"is_paused": False})
    assert run_dag("announce_and_wait", send=packets()).state == "success"
    runner = scheduler.SchedulerJobRunner(job=Job())
    with create_session() as session:
        runner._create_dagruns_for_dags(_Committing(session), session)
    (run,) = DagRun.find(dag_id="after_the_dataset")
    with create_session() as session:
        run = session.merge(run)
        events = run.consumed_asset_events if ON_AIRFLOW_3 else run.consumed_dataset_events
        consumed = [event.extra for event in events]
    assert {event.get("directory_id") for event in consumed} == {directory_id}
    assert 2 in [event.get("succeeded") for event in consumed]


class _Committing:
    """What the scheduler commits with, which otherwise guards against commits elsewhere."""

    def __init__(self, session: Any) -> None:
        self.commit = session.commit
