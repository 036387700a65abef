"""Datasets (server.md 2.3)."""

from __future__ import annotations

from ...models.received import Dataset
from ..request import Request
from .common import PAGE, given, item, items, path_of


def list_datasets(project: str, nickname: str | None = None, limit: int = PAGE) -> Request[list[Dataset]]:
    """List datasets whose name contains ``nickname``, newest first (server.md 2.3)."""
    path = path_of("/api/v1/project/{p}/directory/list", project)
    body = {"limit": limit, **given(nickname=nickname)}
    return Request("list datasets", "POST", path, items(Dataset, "directory_list"), json=body)


def find_dataset(project: str, nickname: str) -> Request[Dataset | None]:
    """Find the dataset with exactly this name, the oldest of several; None if there is none.

    The server searches for parts of names (server.md 2.3), and only a check at creation keeps names unique.
    """
    path = path_of("/api/v1/project/{p}/directory/list", project)
    read = items(Dataset, "directory_list")

    def exact(body: object) -> Dataset | None:
        named = [dataset for dataset in read(body) if dataset.nickname == nickname]
        return min(named, key=lambda dataset: dataset.id, default=None)

    return Request(
        f"find dataset {nickname!r}", "POST", path, exact, json={"limit": PAGE, "nickname": nickname}
    )


def create_dataset(project: str, nickname: str) -> Request[Dataset]:
    """Create a dataset open to the whole project (server.md 2.3)."""
    path = path_of("/api/v1/project/{p}/directory/new", project)
    body = {"nickname": nickname, "access_type": "project"}
    return Request(
        f"create dataset {nickname!r}", "POST", path, item(Dataset, "new_directory"), json=body, write=True
    )
