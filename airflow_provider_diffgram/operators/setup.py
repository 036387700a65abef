"""Operators that create datasets, labels and attributes. They import as little as :mod:`.base`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..hooks.diffgram import failing_for_good
from .base import AnnouncingOperator, check_flag, check_rendered_name

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..setup.description import DescribedSchema


class DiffgramCreateDatasetOperator(AnnouncingOperator):
    """Create a dataset, or find the one with that name.

    Returns ``{"dataset_id", "name", "created"}``. Each is also a separate XCom, so that
    ``create.output["dataset_id"]`` can be passed on as ``dataset``.

    :param name: exact name.
    """

    template_fields: Sequence[str] = ("name", "diffgram_conn_id")
    ui_color = "#dcebfa"

    def __init__(self, *, name: str, **kwargs: Any) -> None:
        super().__init__(**{"multiple_outputs": True, **kwargs})
        self.name = name

    def execute(self, context: Context) -> dict[str, Any]:
        """Find or create the dataset, and return it."""
        from ..setup.datasets import ensure_dataset

        with failing_for_good():
            check_rendered_name(self.name)
            client = self._connect(context)
            dataset, created = ensure_dataset(client, str(self.name))
        self.log.info("%s dataset %r: id %s", "Created" if created else "Found", dataset.nickname, dataset.id)
        self._announce(context, dataset.id, dataset=self.name, counts={"created": int(created)})
        return {"dataset_id": dataset.id, "name": dataset.nickname, "created": created}


class DiffgramApplySchemaOperator(AnnouncingOperator):
    """Create the described labels and attributes that a project lacks; nothing is ever removed.

    Returns ``{"schema_id", "made", "missing", "differing", "beyond"}``; all but the first are lists of lines.

    :param schema: the description: a mapping as in the guide "Command line", or the path of a YAML file with
        it, local or in object storage.
    :param dry_run: whether only to return what is missing, without creating it.
    """

    template_fields: Sequence[str] = ("schema", "diffgram_conn_id")
    ui_color = "#dcebfa"

    def __init__(
        self,
        *,
        schema: Mapping[str, Any] | str,
        dry_run: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.schema = schema
        self.only_plans = dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        """Create what is missing, and return what was created."""
        from ..models import InvalidValueError
        from ..models.problems import count_of
        from ..setup.schema import apply_schema, plan_schema

        with failing_for_good():
            check_flag("dry_run", self.only_plans)
            client = self._connect(context)
            described = self._described()
            planned = plan_schema(client, described)
            for line in planned.lines():
                self.log.info("%s", line)
            done = None if self.only_plans else apply_schema(client, described)
            if done is not None and done.left:
                made = count_of(len(done.made), "part")
                sent = f"{made} of the schema made. Run the task again tomorrow"
                raise InvalidValueError("schema", [done.left_in_words()], sent=sent)
        return {
            "schema_id": None if done is None else done.schema_id,
            "made": [] if done is None else done.made,
            "missing": planned.made_lines() if done is None else [],
            "differing": planned.differing,
            "beyond": planned.beyond,
        }

    def _described(self) -> DescribedSchema:
        from ..models import InvalidValueError
        from ..setup.description import DescribedSchema

        if isinstance(self.schema, Mapping):
            return DescribedSchema.from_fields(self.schema)
        try:
            with self._hook().path_opener()(str(self.schema)).open("rb") as file:
                text = file.read().decode()
        except (OSError, ImportError, ValueError) as error:
            raise InvalidValueError("schema", [f"cannot read {self.schema}: {error}"]) from None
        return DescribedSchema.from_yaml(text, str(self.schema))
