"""Lists the inputs of one batch, or of the children of one parent in it (server.md 2.12)."""

from __future__ import annotations

from dataclasses import dataclass

from ...client import routes
from ...client.request import Steps, ask, ask_together
from ...client.routes import StatusFilter
from ...models import InputRow, SentBatch
from ..limits import LIMITS
from ..server.rows import identity_of, is_collision, is_pending


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists inputs.

    :param sent: the batch that was sent, which says where to find them.
    :param page: most rows in one listing.
    """

    project: str
    sent: SentBatch
    page: int = LIMITS.page

    def every_row(self) -> Steps[list[InputRow]]:
        """List all inputs, even if more than one page was sent."""
        rows = yield from self.rows("All", self.page)
        identities = {identity_of(row) for row in rows}
        again = len(identities) < (self.sent.inputs or 0) or any(map(is_collision, rows))
        if again and len(rows) >= self.page:
            # Packets that were sent again push others off the end of the list (quirk 13).
            more = yield from ask_together(self._request(each, self.page) for each in ("Success", "Failed"))
            rows = list({row.id: row for listed in (rows, *more) for row in listed}.values())
        if self.sent.id is None and self.sent.parent_file_id is not None:
            rows = _without_superseded(rows)
        return rows

    def rows(self, status: StatusFilter, limit: int, *, archived: bool = False) -> Steps[list[InputRow]]:
        """List the newest inputs with a status.

        :param archived: whether to list archived ones, too.
        """
        only = self.sent.only
        if self.sent.id is None and self.sent.parent_file_id is None:
            rows = yield from ask_together(routes.view_row(self.project, each) for each in only or [])
            if not archived:
                rows = [row for row in rows if not row.archived]
            if status == "All":
                return rows
            return [row for row in rows if (row.failed if status == "Failed" else is_pending(row))]
        rows = yield from ask(self._request(status, limit if only is None else self.page, archived))
        return rows if only is None else [row for row in rows if row.id in only]

    def hanging(self, limit: int) -> Steps[list[InputRow]]:
        """List the videos that hang, which the server lists as pending (quirk 62)."""
        if self.sent.id is None and self.sent.parent_file_id is None:
            rows = yield from self.rows("All", limit)
        else:
            # Only inputs being worked on: few rows, however long the queue is.
            rows = yield from ask(self._request("Processing", limit, deferred=False))
        only = self.sent.only
        return [row for row in rows if row.hangs and (only is None or row.id in only)]

    def _request(
        self, status: StatusFilter, limit: int, archived: bool = False, deferred: bool | None = None
    ) -> routes.Request[list[InputRow]]:
        return routes.list_rows(
            self.project,
            batch_id=self.sent.id,
            parent_file_id=self.sent.parent_file_id,
            status=status,
            show_archived=archived,
            show_deferred=deferred,
            limit=limit,
        )


def _without_superseded(rows: list[InputRow]) -> list[InputRow]:
    """Leave out failures after which a medium with the same name succeeded."""
    newest = {row.original_filename: row.id for row in sorted(rows, key=lambda row: row.id) if row.succeeded}
    return [row for row in rows if not (row.failed and newest.get(row.original_filename, 0) > row.id)]
