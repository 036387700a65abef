"""The commands. Each takes its parsed arguments, and returns the exit code."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError, telling_of_connection
from .main import FAILED, OK
from .show import Bar, table

if TYPE_CHECKING:
    from ..client import DiffgramClient
    from ..hooks.diffgram import DiffgramHook
    from ..models import Handle


def doctor(given: Namespace) -> int:
    """Print what is right and what is wrong, one line each."""
    from .doctor import examine

    wrong = 0
    for finding in examine(_hook(given), dataset=given.dataset, label_schema=given.label_schema):
        wrong += finding.status == "wrong"
        _print(f"{finding.status:<7}  {finding.subject:<10}  {finding.words}")
    return FAILED if wrong else OK


def push(given: Namespace) -> int:
    """Send packets, and wait for them if requested."""
    from ..ingest import push as push_packets

    if given.handle is not None:
        _check_writable(given.handle)
    hook, client = _connected(given)
    path_of = hook.path_opener()
    options = {} if given.concurrency is None else {"concurrency": given.concurrency}
    if given.run is not None and given.model is None:
        raise UsageError("--run needs --model: the server ignores a run without its model")
    with Bar("sending") as bar:
        handle = push_packets(
            client,
            _candidates(given.packets, path_of),
            **_targets(given, hook),
            if_exists=given.if_exists,
            unknown_labels=given.unknown_labels,
            origin=None if given.model is None else (given.model, given.run),
            max_failed=given.max_failed,
            report=given.report,
            record=given.record,
            delivery=given.delivery,
            path_of=path_of,
            progress=bar.show,
            **options,
        )
    text = json.dumps(handle.to_xcom())
    if given.handle is not None:
        Path(given.handle).write_text(text + "\n")
    if given.wait:
        return _wait(client, handle, timeout=given.timeout, report=None, path_of=path_of)
    _print(text)
    return OK


def validate(given: Namespace) -> int:
    """Check packets against the models, the media and the project."""
    from ..ingest.validation import Limits, validate_packets

    hook, client = _connected(given)
    path_of = hook.path_opener()
    found = validate_packets(
        client,
        _candidates(given.packets, path_of),
        **_targets(given, hook),
        limits=Limits(max_invalid=given.max_invalid),
        report=given.report,
        page=given.page,
        path_of=path_of,
    )
    _print(found.summary())
    for cause in () if found.failures else found.causes:
        _print(cause)
    if given.page is not None:
        _print(f"page: {given.page}")
    found.raise_if_failed()
    return OK


def preview(given: Namespace) -> int:
    """Draw packets over their pictures."""
    from ..ingest.read.paths import universal_path
    from ..predictions import preview as draw

    packets = _candidates(given.packets, universal_path)
    _print(str(draw(packets, given.folder, most=given.most)))
    return OK


def wait(given: Namespace) -> int:
    """Wait for what a push sent."""
    handle = _handle(given.handle)
    hook, client = _connected(given)
    return _wait(client, handle, timeout=given.timeout, report=given.report, path_of=hook.path_opener())


def pull(given: Namespace) -> int:
    """Write annotations to a folder."""
    from ..review.pull import Options
    from ..review.pull import pull as pull_annotations

    hook, client = _connected(given)
    source: dict[str, Any] = {"dataset": given.dataset or hook.get_defaults().dataset}
    if given.job is not None:
        source = {"job": given.job}
    elif given.handle is not None:
        source = {"handle": _handle(given.handle)}
    elif source["dataset"] is None:
        raise UsageError("say what to pull: --dataset, --job or --handle")
    with Bar("reading") as bar:
        found = pull_annotations(
            client,
            given.folder,
            **source,
            only=given.only,
            options=Options(format=given.format, media=given.media),
            path_of=hook.path_opener(),
            progress=bar.show,
        )
    _print(found.summary())
    return OK


def compare(given: Namespace) -> int:
    """Print how people corrected predictions."""
    from ..review.comparison import Outputs, compare_in

    hook, client = _connected(given)
    written = {name: getattr(given, name) for name in ("metrics", "report", "page", "history")}
    found = compare_in(
        client,
        given.record,
        run=given.run,
        job_id=given.job,
        review=given.review,
        outputs=Outputs(**written),
        path_of=hook.path_opener(),
    )
    _print(found.summary())
    if given.page is not None:
        _print(f"page: {given.page}")
    if found.too_few is not None:
        _print(found.too_few)
    return OK if found.too_few is None else FAILED


def dataset(given: Namespace) -> int:
    """List datasets, or create one."""
    from ..client import routes
    from ..setup.datasets import ensure_dataset

    if given.action == "list" and given.name is not None:
        raise UsageError("list takes no name; to create one: diffgram-airflow dataset create NAME")
    if given.action == "create" and given.name is None:
        raise UsageError("give a name to create: diffgram-airflow dataset create NAME")
    _, client = _connected(given)
    if given.action == "create":
        made, is_new = ensure_dataset(client, given.name)
        _print(f"{'made' if is_new else 'there already'}: dataset {made.nickname!r}, id {made.id}")
        return OK
    found = client.send(routes.list_datasets(client.project))
    _print(table([("id", "name"), *((str(each.id), str(each.nickname)) for each in reversed(found))]))
    return OK


def labels(given: Namespace) -> int:
    """List labels, or create some."""
    from ..client import routes
    from ..ingest.check.lookup import find_schema
    from ..setup.description import DescribedSchema
    from ..setup.schema import apply_schema

    if given.action == "list" and given.names:
        raise UsageError("list takes no names; to create some: diffgram-airflow labels create cat dog")
    if given.action == "create" and not given.names:
        raise UsageError("give names to create: diffgram-airflow labels create cat dog")
    hook, client = _connected(given)
    schema = find_schema(client, _targets(given, hook)["label_schema"])
    if given.action == "create":
        wanted = {"schema": schema.name, "labels": list(dict.fromkeys(given.names))}
        made = apply_schema(client, DescribedSchema.from_fields(wanted, "labels")).made
        _print("\n".join(f"made: {each}" for each in made) or "all of them are there already")
        return OK
    found = client.send(routes.list_labels(client.project, schema.id)).labels
    _print(table([("label_file_id", "name"), *((str(label.id), label.name) for label in found)]))
    return OK


def schema(given: Namespace) -> int:
    """Plan, apply or export labels and attributes."""
    from ..setup.description import DescribedSchema
    from ..setup.schema import apply_schema, export_schema, plan_schema

    if (given.action == "export") == (given.file is not None):
        raise UsageError("give the file of a description to plan or apply; export writes one to the terminal")
    if given.action == "export":
        hook, client = _connected(given)
        _print(export_schema(client, _targets(given, hook)["label_schema"]).to_yaml().rstrip())
        return OK
    described = DescribedSchema.from_yaml(_text(given.file), given.file)
    _, client = _connected(given)
    if given.action == "plan":
        lacking = plan_schema(client, described)
        _print("\n".join(lacking.lines()) or "nothing is missing")
        return OK
    done = apply_schema(client, described)
    nothing = "nothing was made" if done.left else "nothing was missing"
    _print("\n".join(f"made: {each}" for each in done.made) or nothing)
    if done.left:
        _print(f"{done.left_in_words()}. Apply again tomorrow")
    return FAILED if done.left else OK


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "doctor": doctor,
    "push": push,
    "validate": validate,
    "preview": preview,
    "wait": wait,
    "pull": pull,
    "compare": compare,
    "dataset": dataset,
    "labels": labels,
    "schema": schema,
}


def _hook(given: Namespace) -> DiffgramHook:
    from ..hooks.diffgram import DiffgramHook

    return DiffgramHook(given.conn_id)


def _connected(given: Namespace) -> tuple[DiffgramHook, DiffgramClient]:
    hook = _hook(given)
    with telling_of_connection(given.conn_id):
        return hook, hook.get_conn()


def _targets(given: Namespace, hook: DiffgramHook) -> dict[str, Any]:
    defaults = hook.get_defaults()
    if given.command in ("push", "validate") and not (given.dataset or defaults.dataset):
        raise UsageError("say which dataset: --dataset, or a default dataset in the connection")
    targets = {"label_schema": given.label_schema or defaults.label_schema}
    return {"dataset": given.dataset or defaults.dataset, **targets} if "dataset" in given else targets


def _candidates(packets: str, path_of: Any) -> Iterable[Any]:
    from ..ingest.read.jsonlines import candidates

    return candidates(packets, "packet", path_of)


def _wait(client: DiffgramClient, handle: Handle, *, timeout: float, report: str | None, path_of: Any) -> int:
    from ..ingest import Report
    from ..ingest import wait as wait_for

    with Bar("waiting") as bar:
        receipt = wait_for(
            client,
            [handle],
            timeout=timeout,
            report=None if report is None else Report(report, path_of),
            progress=lambda seen: bar.show(seen.expected - seen.pending, seen.expected, seen.problems),
        )
    _print(receipt.summary())
    return OK


def _handle(source: str) -> Handle:
    from pydantic import ValidationError

    from ..models import Handle, InvalidValueError
    from ..models.problems import describe

    try:
        return Handle.model_validate_json(_text(source))
    except ValidationError as error:
        raise InvalidValueError("handle", describe(error)) from None


def _text(source: str) -> str:
    """Return the content of a file or of standard input (``-``), or the argument itself."""
    if source == "-":
        return sys.stdin.read()
    if source.lstrip().startswith("{"):
        return source
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {source}: {getattr(error, 'strerror', None) or error}") from None


def _check_writable(path: str) -> None:
    """Refuse a path that cannot be written, before anything is sent."""
    there = Path(path)
    if there.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder")
    if not there.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {there.parent}")
    if not os.access(there if there.exists() else there.parent, os.W_OK):
        raise UsageError(f"cannot write {path}: no permission")


def _print(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()
