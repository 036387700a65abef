"""Creates a dataset unless it exists."""

from __future__ import annotations

from ..client import DiffgramClient, RefusedError, routes
from ..ingest.server.once import send_once
from ..models import Dataset, InvalidValueError

_LOOKS = (0.5, 1.0, 2.0)


def ensure_dataset(client: DiffgramClient, name: str) -> tuple[Dataset, bool]:
    """Return the dataset with that name, and whether this call created it.

    Two callers at the same time get the same one, because the server refuses a second dataset with the same
    name (server.md 2.3).

    :param client: connected to the project.
    :param name: exact name, as people see it in Diffgram.
    :raises InvalidValueError: if that is not a valid name.
    """
    if not name.strip() or name != name.strip() or "\x00" in name:
        raise InvalidValueError("dataset", [f"{name!r} is not a name: it is empty, or has spaces around it"])
    request = routes.find_dataset(client.project, name)
    found = client.send(request)
    if found is not None:
        return found, False

    def make() -> tuple[Dataset, bool]:
        try:
            return client.send(routes.create_dataset(client.project, name)), True
        except RefusedError:
            there = client.send(request)
            if there is None:
                raise
            return there, False

    def look() -> tuple[Dataset, bool] | None:
        there = client.send(request)
        return None if there is None else (there, True)

    return send_once(client, make, look, looks=_LOOKS, patience=client.settings.retry_timeout)
