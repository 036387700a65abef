"""Finds ids of models and runs, because a write of annotations takes no references (server.md 10.8.1)."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from ....client import DiffgramClient, routes
from ....client.request import Steps, ask
from ....models import Input
from ...check.labels import Ref
from ...server.rows import ids_resolved

Ids = tuple[int, int | None]
"""The id of a model, and of its run if there is one."""

_RECENT = 100

_AGAIN_AFTER = 10.0
"""Seconds before a run that a known model did not have is looked up again."""


class ModelIds:
    """The ids of models and runs that the server knows. Safe to use from several threads.

    An input contains both ids of the run that it names. A run of a known model is also in the list of runs,
    but its name alone is not enough, because runs of two models may have the same name.
    """

    def __init__(self, client: DiffgramClient) -> None:
        self._client = client
        self._known: dict[Ref, Ids] = {}
        self._missing: dict[Ref, float] = {}
        self._lock = threading.Lock()

    def of(
        self, refs: Collection[Ref], file_id: int, parent_file_id: int | None, *, anew: bool = True
    ) -> dict[Ref, Ids] | None:
        """Return the ids of models and runs; None if one of them is not found.

        :param file_id: file whose inputs are searched if the project's newest inputs do not name them.
        :param parent_file_id: its compound file, if it is a child.
        :param anew: whether to look again for a run that was missing a moment ago.
        """
        with self._lock:
            if not self._has(refs) and (anew or not self._was_missing(refs)):
                self._client.run(self._look(refs, file_id, parent_file_id))
                seen = self._client.clock.monotonic()
                self._missing |= {
                    ref: seen for ref in refs if (ref[0], None) in self._known and ref not in self._known
                }
            return {ref: self._known[ref] for ref in refs} if self._has(refs) else None

    def _was_missing(self, refs: Collection[Ref]) -> bool:
        since = self._client.clock.monotonic() - _AGAIN_AFTER
        return any(self._missing.get(ref, since) > since for ref in refs)

    def _has(self, refs: Collection[Ref]) -> bool:
        return all(ref in self._known for ref in refs)

    def _look(self, refs: Collection[Ref], file_id: int, parent_file_id: int | None) -> Steps[None]:
        project = self._client.project
        listings = [
            routes.list_inputs(project, status="Success", limit=_RECENT),
            routes.list_inputs(project, file_id=file_id, parent_file_id=parent_file_id),
        ]
        for listing in listings:
            yield from self._learn((yield from ask(listing)))
            if self._has(refs):
                return

    def _learn(self, rows: Iterable[Input]) -> Steps[None]:
        for row in rows:
            self._known |= ids_resolved(row)
        models = {ref[0]: ids[0] for ref, ids in self._known.items()}
        runs = yield from ask(routes.list_model_runs(self._client.project))
        for name, model_id in models.items():
            self._known.setdefault((name, None), (model_id, None))
            of_model = {
                run.reference_id: run.id for run in runs if run.model_id == model_id and run.reference_id
            }
            self._known |= {(name, run): (model_id, run_id) for run, run_id in of_model.items()}
