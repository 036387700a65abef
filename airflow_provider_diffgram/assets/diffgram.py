"""A dataset in Diffgram as an asset: ``diffgram://host/project/dataset``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from airflow.providers.common.compat.sdk import Asset

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset as OpenLineageDataset

SCHEME = "diffgram"
_FORM = "diffgram://host/project/dataset"


def create_asset(
    *, host: str, project: str, dataset: str | int, extra: dict[str, Any] | None = None
) -> Asset:
    """Return the asset of a dataset, for outlets and schedules.

    :param host: as in the connection, with or without ``https://`` or ``http://``.
    :param project: project_string_id.
    :param dataset: name or id.
    :param extra: stored with the asset.
    :raises ValueError: if host, project or dataset is empty.
    """
    address = host.rpartition("://")[2].strip("/").lower()
    if not (address and project and str(dataset)):
        raise ValueError(f"a Diffgram asset needs host, project and dataset: {_FORM}")
    uri = f"{SCHEME}://{address}/{quote(project, safe='')}/{quote(str(dataset), safe='')}"
    return Asset(uri=uri, extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return the URI in the normal form, in which assets are compared.

    :raises ValueError: if it is not of the form ``diffgram://host/project/dataset``.
    """
    parts = uri.path.split("/")[1:]
    if not uri.hostname or len(parts) != 2 or not all(parts) or uri.query:
        raise ValueError(
            f"{uri.scheme}://{uri.netloc.rpartition('@')[2]}{uri.path} does not name a Diffgram dataset: "
            f"write {_FORM}, with %2F for a / in a name"
        )
    path = "".join(f"/{quote(unquote(part), safe='')}" for part in parts)
    return uri._replace(netloc=uri.netloc.rpartition("@")[2].lower(), path=path)


def is_diffgram(uri: str) -> bool:
    """Return whether a URI is that of a Diffgram asset."""
    return uri.partition(":")[0].lower() == SCHEME


def parse_uri(uri: str) -> tuple[str, str, str]:
    """Return host, project and dataset of an asset's URI."""
    parts = urlsplit(uri)
    project, dataset = (unquote(part) for part in parts.path.strip("/").split("/"))
    return parts.netloc, project, dataset


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> OpenLineageDataset:
    """Return the asset as an OpenLineage dataset, with the name that the operators use."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    host, project, dataset = parse_uri(asset.uri)
    return Dataset(namespace=f"{SCHEME}://{host}", name=f"{project}/{dataset}")
