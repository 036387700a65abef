"""The package's client against the server: each of its routes, and the typed value that comes back.

``create_attribute_group`` and ``create_attribute_option`` are tried on the emulator alone
(tests/integration/test_client_routes_of_a_day.py): the server allows ten groups a day, and options stay
for ever.
"""

from __future__ import annotations

import io
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.errors import RefusedError
from airflow_provider_diffgram.client.request import Upload
from airflow_provider_diffgram.client.sync import DiffgramClient
from airflow_provider_diffgram.models.received import File, Input

from .attributes import Attribute, needed, prompt_of
from .deployment import Deployment, until
from .media_server import picture
from .review import Review
from .test_blob import connection_of
from .test_reviews import PATIENCE
from .test_uploads import large_picture
from .world import World


def upload_of(name: str, content: bytes) -> Upload:
    return Upload(name, len(content), lambda: io.BytesIO(content))


def uploaded(client: DiffgramClient, world: World, name: str, content: bytes = b"", **body: Any) -> File:
    """Upload a file with the client; its row is archived at the end."""
    fields = {"directory_id": world.dataset, **body}
    reply = client.send(routes.upload_local(client.project, upload_of(name, content or picture()), fields))
    assert reply.file is not None
    assert reply.input.id is not None
    world.deployment.inputs.add(reply.input.id)
    assert reply.input.succeeded
    return reply.file


@pytest.fixture(scope="module")
def boxed(client: DiffgramClient, module_world: World) -> File:
    """An image with two boxes."""
    boxes = [module_world.box(), module_world.box(label_file_id=module_world.labels[1])]
    return uploaded(client, module_world, "boxed.png", instance_list=boxes)


@pytest.fixture(scope="module")
def parent(client: DiffgramClient, module_world: World) -> File:
    """A compound file with one child of ordinal 3."""
    instances = [module_world.box()]
    request = routes.create_compound(client.project, module_world.dataset, "parent", "compound", instances)
    made = client.send(request)
    assert made.input is not None
    assert made.input.id is not None
    module_world.deployment.inputs.add(made.input.id)
    uploaded(client, module_world, "child.png", parent_file_id=made.id, ordinal=3)
    return made


@pytest.fixture(scope="module")
def packet(client: DiffgramClient, module_world: World) -> Input:
    """The settled row of a packet, in a batch of its own; it introduces a model run (quirk 48)."""
    world = module_world
    run = f"{world.deployment.prefix}-run"
    batch = client.send(routes.create_batch(client.project)).id
    world.deployment.batches.add(batch)
    body = {
        "directory_id": world.dataset,
        "batch_id": batch,
        "original_filename": "packet.png",
        "media": {"url": f"{world.media.url}/tiny.png", "type": "image"},
        "instance_list": [world.box(model_ref=world.deployment.prefix, model_run_ref=run)],
    }
    patience = world.deployment.patience
    assert client.send(routes.send_packet(client.project, body, "packet.png")).log.success
    listing = routes.list_inputs(client.project, batch_id=batch)
    (row,) = until(lambda: client.send(listing), "the row of the packet", patience)
    world.settled(row.id)
    return client.send(routes.view_input(client.project, row.id))


@pytest.mark.parametrize("service", ["default", "walrus"])
def test_health(client: DiffgramClient, service: Any) -> None:
    assert client.send(routes.health(service)) is True


def test_schemas(client: DiffgramClient, deployment: Deployment) -> None:
    before = deployment.schema
    made = client.send(routes.create_schema(client.project, f"{deployment.prefix} by the client"))
    assert made.name == f"{deployment.prefix} by the client"
    listed = {schema.id: schema.name for schema in client.send(routes.list_schemas(client.project))}
    assert listed[made.id] == made.name
    assert listed[before] == deployment.prefix


def test_labels(client: DiffgramClient, deployment: Deployment) -> None:
    expected = set(deployment.labels)
    label = client.send(routes.create_label(client.project, "by the client", deployment.schema))
    assert label.name == "by the client"
    listed = client.send(routes.list_labels(client.project, deployment.schema))
    assert (label.id, label.name) in [(one.id, one.name) for one in listed.labels]
    assert expected <= listed.project_ids


def test_attributes(client: DiffgramClient, attributes: dict[str, Attribute]) -> None:
    expected = needed(attributes, "select")
    prompt = prompt_of("select")
    client.send(
        routes.update_attribute_group(client.project, expected.id, name=prompt, prompt=prompt, kind="select")
    )
    groups = client.send(routes.list_attributes(client.project))
    (group,) = (group for group in groups if group.id == expected.id)
    assert (group.prompt, group.kind) == (prompt, "select")
    assert {option.name: option.id for option in group.options} == expected.options


def test_datasets(client: DiffgramClient, deployment: Deployment) -> None:
    name = f"{deployment.prefix} dataset of the client"
    made = client.send(routes.create_dataset(client.project, name))
    assert made.nickname == name
    found = client.send(routes.find_dataset(client.project, name))
    assert found is not None
    assert (found.id, found.nickname) == (made.id, name)
    assert client.send(routes.find_dataset(client.project, name[:-1])) is None
    assert made.id in [one.id for one in client.send(routes.list_datasets(client.project, name[:-1]))]


def test_compound_files(client: DiffgramClient, module_world: World, parent: File) -> None:
    assert (parent.type, parent.count_instances_changed) == ("compound", 1)
    (child,) = client.send(routes.list_children(client.project, parent.id, with_instances=True))
    assert (child.original_filename, child.ordinal, child.instance_list) == ("child.png", 3, [])
    moved = client.send(routes.update_metadata(client.project, child.id, ordinal=5))
    assert moved.ordinal == 5
    assert client.send(routes.view_file(client.project, child.id)).ordinal == 5


def test_what_is_on_a_file(client: DiffgramClient, module_world: World, boxed: File) -> None:
    assert client.send(routes.view_file(client.project, boxed.id)).count_instances_changed == 2
    stored = client.send(routes.list_annotations(client.project, boxed.id)).instance_list
    assert {one["label_file_id"] for one in stored} == set(module_world.labels[:2])


def test_lists_of_files(client: DiffgramClient, module_world: World, boxed: File, parent: File) -> None:
    dataset = module_world.dataset
    page = client.send(routes.list_files(client.project, dataset, search_term="BOXED"))
    assert [(file.id, file.count_instances_changed) for file in page.file_list] == [(boxed.id, 2)]
    assert page.next_page is None
    roots = {file.id for file in client.send(routes.list_files(client.project, dataset)).file_list}
    assert {boxed.id, parent.id} <= roots
    explored = client.send(routes.explore_files(client.project, dataset)).file_list
    assert [len(file.instance_list) for file in explored if file.id == boxed.id] == [2]


def test_a_packet_and_its_row(client: DiffgramClient, packet: Input) -> None:
    assert (packet.succeeded, packet.source, packet.media_type) == (True, "from_url", "image")
    assert packet.batch_id is not None
    listed = client.send(routes.list_inputs(client.project, batch_id=packet.batch_id, status="Success"))
    assert [row.id for row in listed] == [packet.id]
    assert client.send(routes.list_inputs(client.project, batch_id=packet.batch_id, status="Failed")) == []


def test_rows_as_a_wait_reads_them(client: DiffgramClient, packet: Input) -> None:
    assert packet.batch_id is not None
    assert packet.id is not None
    (row,) = client.send(routes.list_rows(client.project, batch_id=packet.batch_id))
    alone = client.send(routes.view_row(client.project, packet.id))
    assert (alone.id, alone.status, alone.file_id) == (row.id, row.status, row.file_id)
    for name in ("status", "file_id", "batch_id", "original_filename", "media_type", "source", "mode"):
        assert getattr(row, name) == getattr(packet, name)
    assert len(row.instance_list) == len(packet.instance_list)
    assert client.send(routes.list_rows(client.project, batch_id=packet.batch_id, status="Processing")) == []


def test_writing_is_proved_without_a_packet(client: DiffgramClient) -> None:
    with pytest.raises(RefusedError) as refused:
        client.send(routes.probe_write(client.project))
    assert (refused.value.status, list(refused.value.fields)) == (400, ["directory"])


def test_rows_are_archived(client: DiffgramClient, module_world: World) -> None:
    file = uploaded(client, module_world, "archived.png")
    (row,) = client.send(routes.list_inputs(client.project, file_id=file.id))
    assert row.id is not None
    client.send(routes.update_inputs(client.project, [row.id], "ARCHIVE"))
    module_world.deployment.inputs.discard(row.id)
    assert client.send(routes.view_file(client.project, file.id)).removed
    assert client.send(routes.list_inputs(client.project, file_id=file.id)) == []
    (shown,) = client.send(routes.list_inputs(client.project, file_id=file.id, show_archived=True))
    assert (shown.id, shown.archived) == (row.id, True)


def test_an_upload_in_chunks(client: DiffgramClient, module_world: World) -> None:
    world = module_world
    patience = world.deployment.patience
    batch = client.send(routes.create_batch(client.project)).id
    world.deployment.batches.add(batch)
    requests = routes.upload_large(
        client.project,
        upload_of("by-the-client.png", large_picture()),
        directory_id=world.dataset,
        upload_id=f"{world.deployment.prefix}-by-the-client",
        chunk_size=routes.MIN_CHUNK,
        batch_id=batch,
    )
    assert [client.send(request) for request in requests] == [True, True]
    listing = routes.list_inputs(client.project, batch_id=batch)
    (row,) = until(lambda: client.send(listing), "the row of the upload", patience)
    assert world.settled(row.id)["status"] == "success"


def test_a_video(client: DiffgramClient, module_world: World) -> None:
    world = module_world
    frames = {"0": [world.box(x_max=40, y_max=60)], "5": [world.box(x_max=41, y_max=60)]}
    body = {
        "original_filename": "clip.mp4",
        "media": {"url": f"{world.media.url}/clip.mp4", "type": "video"},
        "frame_packet_map": frames,
        "video_split_duration": 0,
    }
    file_id = world.settled_video(world.accepted(**body))["file_id"]
    request = routes.list_frame_instances(client.project, file_id, world.dataset, 0, 20)

    def stored() -> dict[int, list[int]]:
        found = client.send(request)
        return {frame: [one["x_max"] for one in units] for frame, units in found.items() if units}

    until(lambda: stored() == {0: [40], 5: [41]}, "the instances of both frames", seen=stored)
    assert client.send(routes.list_annotations(client.project, file_id)).instance_list == []


def test_jobs_and_tasks(client: DiffgramClient, review: Review) -> None:
    page = client.send(routes.list_jobs(client.project, job_ids=[review.id]))
    assert [(job.id, job.name) for job in page.jobs] == [(review.id, review.name)]
    tasks = client.send(routes.list_job_tasks(client.project, review.id)).task_list
    assert {task.file.id for task in tasks if task.file} == set(review.files)
    assert not any(task.done for task in tasks)
    (task,) = client.send(routes.list_tasks(client.project, file_id=review.files[0])).task_list
    assert (task.job.id if task.job else None, task.status) == (review.id, "available")


def test_a_job_of_its_own(client: DiffgramClient, deployment: Deployment, world: World) -> None:
    file = uploaded(client, world, "to-review.png")
    name = f"job on dataset {world.dataset}"
    made = client.send(routes.create_job(client.project, name, schema_id=deployment.schema))
    assert (made.name, made.status) == (name, "draft")
    client.send(routes.launch_job(client.project, made.id))
    client.send(routes.add_files(client.project, made.id, [file.id]))
    (job,) = client.send(routes.list_jobs(client.project, search=name)).jobs
    assert (job.id, job.status) == (made.id, "active")
    states = routes.list_task_states(client.project, made.id)
    try:
        until(lambda: len(client.send(states)) == 1, "the task of the file", PATIENCE)
    except AssertionError:
        pytest.skip("added files get no task: the service eventhandlers does not run there")
    (task,) = client.send(routes.list_job_tasks(client.project, made.id)).task_list
    assert task.file is not None
    assert task.file.id == file.id
    assert [(each.id, each.status) for each in client.send(states)] == [(task.id, "available")]


def test_connections(client: DiffgramClient, deployment: Deployment) -> None:
    connection = connection_of(deployment, "amazon_aws")
    listed = client.send(routes.list_connections(client.project))
    assert [one.integration_name for one in listed if one.id == connection] == ["amazon_aws"]


def test_model_runs(client: DiffgramClient, deployment: Deployment, packet: Input) -> None:
    assert packet.file_id is not None
    (stored,) = client.send(routes.list_annotations(client.project, packet.file_id)).instance_list
    runs = {run.id: run for run in client.send(routes.list_model_runs(client.project))}
    run = runs[stored["model_run_id"]]
    assert (run.reference_id, run.model_id) == (f"{deployment.prefix}-run", stored["model_id"])
    assert [one.id for one in client.send(routes.list_model_runs(client.project, [run.id]))] == [run.id]
