"""All jobs of a project, page by page (server.md 10.2)."""

from __future__ import annotations

from ...client import routes
from ...client.request import Steps, ask
from ...models import Job


def every_job(project: str, search: str | None = None, *, names_only: bool = False) -> Steps[list[Job]]:
    """Return all jobs that are not archived, drafts included; parameters as for the route ``list_jobs``."""
    found: list[Job] = []
    page = pages = 1
    while page <= pages:
        listed = yield from ask(routes.list_jobs(project, search=search, page=page, names_only=names_only))
        found += listed.jobs
        pages = (listed.pages or page) if listed.jobs else 0
        page += 1
    return found
