"""Finds where packets come from, in OpenLineage's names."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from posixpath import dirname
from typing import Any
from urllib.parse import urlsplit

from ..client import DiffgramError
from ..ingest.read.jsonlines import candidates
from ..ingest.read.paths import PathOpener
from ..ingest.read.storage import patient
from ..models import InvalidValueError

_log = logging.getLogger(__name__)

_LOOKED_AT = 1000
_MOST = 100

Source = tuple[str, str]
"""Namespace and name of a dataset; an empty namespace means Diffgram itself."""


def sources_of(packets: Iterable[Any]) -> list[Source]:
    """Return the folders of the media, and the model runs that made the predictions.

    A folder is a dataset, a single image is not. Queries of URLs are left out, because they may contain
    signatures.

    :param packets: models or mappings; anything else is ignored.
    """
    found: dict[Source, None] = {}
    for packet in islice(packets, _LOOKED_AT):
        fields = packet if isinstance(packet, Mapping) else _fields(packet)
        for source in (*_media(fields.get("media")), *_many(fields), *_runs(fields)):
            found[source] = None
        if len(found) >= _MOST:
            break
    return list(found)[:_MOST]


def _fields(packet: Any) -> Mapping[str, Any]:
    return packet.model_dump() if hasattr(packet, "model_dump") else {}


def _media(media: Any) -> Iterable[Source]:
    fields = media if isinstance(media, Mapping) else _fields(media)
    if fields.get("raw_data_blob_path"):
        yield f"blob://{fields.get('bucket_name')}", dirname(str(fields["raw_data_blob_path"])) or "/"
    elif fields.get("url") or fields.get("path"):
        namespace, path = source_of_path(str(fields.get("url") or fields["path"]))
        yield namespace, dirname(path) or "/"


def _many(fields: Mapping[str, Any]) -> Iterable[Source]:
    """Return the folder of a ``ChildFolder``, or the folder of the document of ``ChildPages``."""
    if fields.get("folder"):
        namespace, path = source_of_path(str(fields["folder"]))
        yield namespace, path.rstrip("/") or "/"
    if fields.get("pages"):
        yield from _media({"path": fields["pages"]})


def source_of_path(address: str) -> Source:
    """Return namespace and name of a path or URL, without its query."""
    parts = urlsplit(address)
    remote = parts.netloc and parts.scheme != "file"
    namespace = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if remote else "file"
    return namespace, parts.path


def _runs(fields: Mapping[str, Any]) -> Iterable[Source]:
    instances = fields.get("instance_list")
    for instance in instances if isinstance(instances, list | tuple) else []:
        values = instance if isinstance(instance, Mapping) else _fields(instance)
        if values.get("model_ref"):
            yield "", "/".join(["models", str(values["model_ref"]), *_run(values)])


def _run(values: Mapping[str, Any]) -> list[str]:
    return [str(values["model_run_ref"])] if values.get("model_run_ref") else []


def named(source: Any, what: str, path_of: PathOpener) -> Iterable[Any]:
    """Yield what a task was given to send, if it can be read again. Never raises, because it is only lineage.

    :param what: what to call an item, such as ``packet``.
    :param path_of: opens the path of a file with one item per line.
    """
    if isinstance(source, Iterator):
        return
    try:
        yield from candidates(source, what, patient(path_of, 0))
    except (InvalidValueError, DiffgramError, OSError) as error:
        _log.warning("cannot read the packets again, so the lineage lacks their sources: %s", error)
