"""``python -m diffgram_emulator``: a local Diffgram."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import errno
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .options import Options

_HELP = {
    "host": "address to listen at",
    "port": "port to listen at; 0 is a free one",
    "project": "project_string_id a new data folder starts with",
    "cycle": "seconds between two looks into the queue",
    "rows_per_cycle": "rows that a worker takes at a time",
    "workers": "worker processes, each with four ingest threads",
    "image_seconds": "time one medium takes",
    "walrus_requests": "requests that the service walrus serves at once",
    "default_requests": "requests that the other service serves at once",
    "upload_seconds": "time that a file uploaded by from_local takes, besides its processor time",
    "upload_work": "processor time of a file uploaded by from_local",
    "read_work": "processor time of reading a file's instances",
    "update_work": "processor time of saving a file's instances",
    "update_work_per_row": "what each instance adds to it",
    "settle_seconds": "least time between success and the instances",
    "settle_per_instance": "what each instance adds to it",
    "busy_pause": "seconds that ingesting waits before each medium while the processor is busy",
    "video_hangs": "whether a video hangs if another row waits while it is read: true or false",
    "model_race_seconds": "time between looking for a model run and creating it",
    "name_race_seconds": "time between comparing names and storing a compound file",
    "limiter_processes": "server processes that count requests separately",
    "https_redirect": "answer plain http with a redirect: true or false",
    "keep_alive": "keep connections open: true or false",
    "media_timeout": "seconds to wait for the next byte of a medium",
    "documented_variant": "differ from the observed server as the documentation does: true or false",
    "s3_endpoint": "S3 server with the buckets of connections; without it they are folders",
    "dataset_cap": "files a dataset takes",
    "upload_minutes": "minutes after which an unfinished upload counts as interrupted",
    "task_seconds": "seconds between a file's arrival in a job's dataset and its task",
    "launch_task_seconds": "what each task adds to it when a job is launched",
    "event_lag": "seconds after which an event is listed at the latest",
    "eventhandlers": "whether the service runs that creates tasks for added files: true or false",
    "export_seconds": "seconds an export takes at least",
    "export_hangs": "whether exports are never made: true or false",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; its defaults are those of :class:`.options.Options`."""
    made = argparse.ArgumentParser(
        "python -m diffgram_emulator",
        description=__doc__,
        usage="%(prog)s [options]",
    )
    made.add_argument("--data", type=Path, help="folder for all data; default: a temporary one")
    made.add_argument("--ready-file", type=Path, help="JSON with url and credentials, written once it serves")
    made.add_argument("--parent", type=int, help="id of the parent process, to stop with it")
    made.add_argument("--no-rate-limit", action="store_true", help="do not limit requests")
    made.add_argument("--dataset", action="append", default=[], help="dataset to create; can be repeated")
    made.add_argument("--label", action="append", default=[], help="label to create; can be repeated")
    for field in dataclasses.fields(Options):
        if field.name in _HELP:
            made.add_argument(
                "--" + field.name.replace("_", "-"),
                type=_flag if field.type == "bool" else type(field.default),
                default=field.default,
                help=_HELP[field.name] + " (%(default)s)",
            )
    return made


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be true or false, not {text!r}")
    return text.lower() == "true"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the emulator until it is ended by a signal."""
    given = vars(parser().parse_args(arguments))
    ready_file, parent = given.pop("ready_file"), given.pop("parent")
    given["rate_limit"] = not given.pop("no_rate_limit")
    data, names = given.pop("data"), {"labels": given.pop("label"), "datasets": given.pop("dataset")}
    with contextlib.ExitStack() as stack:
        if data is None:
            folder = tempfile.TemporaryDirectory(prefix="diffgram-emulator-", ignore_cleanup_errors=True)
            data = Path(stack.enter_context(folder))
        from .server import serve

        try:
            serve(Options(data=data, **given), ready_file, parent, **names)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            address = f"{given['host']}:{given['port']}"
            raise SystemExit(f"{address} is in use by another program: give another --port, or 0") from None


if __name__ == "__main__":
    main()
