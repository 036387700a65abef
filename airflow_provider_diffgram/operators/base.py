"""What all operators and sensors share.

Every parse of a DAG imports this module, so operators import what they need only when they run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from ..hooks.diffgram import DiffgramHook
from ..links.diffgram import LINKS, recall_place, remember_place
from .rendering import RenderingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from ..client import DiffgramClient
    from ..lineage.diffgram import Outcome


_TRIGGERER_GRACE = 600.0
_LONGEST_NAME = 100
_LONGEST_PATH = 1000


def seconds_of(value: timedelta | float, name: str = "a duration") -> float:
    """Return a duration in seconds.

    :param name: name of the argument, for the message.
    :raises InvalidValueError: if it is not a duration.
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        return float(value)
    except (TypeError, ValueError):
        from ..models import InvalidValueError

        told = f"{name} must be a timedelta or a number of seconds, not {value!r}"
        raise InvalidValueError(name, [told]) from None


def check_flag(name: str, value: object) -> None:
    """Refuse a value that is not a bool: the text ``false`` would count as true.

    :param name: name of the argument, which cannot be a template.
    :raises InvalidValueError: if it is not a bool.
    """
    if not isinstance(value, bool):
        from ..models import InvalidValueError

        raise InvalidValueError(name, [f"{name} must be True or False, and is no template: {value!r}"])


def check_rendered_name(name: object) -> None:
    """Refuse to create a dataset whose name is what an empty template renders to.

    :raises InvalidValueError: if the name is such a text.
    """
    if name is None or str(name).strip() in ("", "None"):
        from ..models import InvalidValueError

        told = f"a template rendered to {name!r}, and no dataset is created by that name"
        raise InvalidValueError("dataset", [told])


def number_of(name: str, value: Any) -> float:
    """Return the number in a rendered template, which is text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        from ..models import InvalidValueError

        raise InvalidValueError(name, [f"{name} must be a number, not {value!r}"]) from None


def name_of_packets(given: Any) -> str | None:
    """Return a short name for an operator's packets: the name of the first one, or of their file."""
    if isinstance(given, str):
        return (
            given.rstrip("/").rpartition("/")[2] if len(given) < _LONGEST_PATH and "{" not in given else None
        )
    each = given[0] if isinstance(given, list | tuple) and given else given
    named = (
        each.get("original_filename")
        if isinstance(each, Mapping)
        else getattr(each, "original_filename", None)
    )
    if not isinstance(named, str):
        return None
    more = len(given) - 1 if isinstance(given, list | tuple) else 0
    return f"{named} and {more:,} more" if more else named


class Targets(TypedDict):
    """The dataset and label schema of a task."""

    dataset: str | int | None
    label_schema: str | int | None


class AnnouncingOperator(RenderingOperator):
    """Connects to Diffgram, and reports what it did there to links, outlets and lineage.

    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    """

    operator_extra_links = LINKS
    _outcome: Outcome | None = None
    _connected: DiffgramHook | None = None

    def __init__(self, *, diffgram_conn_id: str = DiffgramHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.diffgram_conn_id = diffgram_conn_id

    def pre_execute(self, context: Context) -> None:
        """Name a mapped task after its document or file, unless it has a ``map_index_template``."""
        super().pre_execute(context)
        name = self._document()
        if name and context.get("map_index_template") is None:
            name = name[:_LONGEST_NAME]
            if getattr(self.get_dag(), "render_template_as_native_obj", False):
                name = repr(name)  # otherwise a name of digits would become a number, which Airflow refuses
            context["diffgram_document"] = name  # type: ignore[typeddict-unknown-key]
            context["map_index_template"] = "{{ diffgram_document }}"

    def _hook(self) -> DiffgramHook:
        """Return the hook; every call returns the same one."""
        if self._connected is None:
            self._connected = DiffgramHook(self.diffgram_conn_id)
        return self._connected

    def _connect(self, context: Context, **place: Any) -> DiffgramClient:
        """Return a client. What the links need is kept first, so that a failed task has links, too."""
        self._remember(context, **place)
        return self._hook().get_conn()

    def _remember(self, context: Context, **place: Any) -> None:
        """Keep what the links need.

        :param place: as for :func:`~..links.diffgram.remember_place`.
        """
        remember_place(context, self._hook().get_settings(), **place)

    def _announce(self, context: Context, directory_id: int | None, **told: Any) -> None:
        """Report to links, outlets and lineage what the task did in a dataset.

        :param told: as for :func:`~..lineage.diffgram.announce`.
        """
        from ..lineage.diffgram import announce

        self._outcome = announce(self, context, self._hook().get_conn(), directory_id, **told)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the OpenLineage facets: the dataset, and where its media came from, if known."""
        from ..lineage.diffgram import facets_of

        return facets_of(self._outcome, self._sources())

    def _sources(self) -> Iterable[Any]:
        """Return the packets whose sources are reported."""
        return ()

    def _file_ids(self) -> Sequence[int]:
        """Return the known file ids of the task."""
        return ()

    def _document(self) -> str | None:
        """Return a short name for what the task works on: a document, or a file of packets."""
        return None


class DeferringOperator(AnnouncingOperator):
    """Hands a wait over to the triggerer, and resumes after it.

    :ivar _began: epoch seconds at which the wait began, before it first went to the triggerer (after which
        Airflow reports a new start); None if unknown.
    """

    _began: float | None = None

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after the triggerer, with the same links."""
        recall_place(context)
        return super().resume_execution(next_method, next_kwargs, context)

    def _patience(self) -> float:
        """Return the most seconds to wait."""
        raise NotImplementedError

    def _defer_until(self, deadline: float, trigger: BaseTrigger) -> NoReturn:
        """Hand the wait over to a trigger; does not return.

        :param deadline: epoch seconds; the same however often the wait goes to the triggerer.
        """
        self.log.info("waiting in the triggerer")
        # The trigger ends by itself at its deadline; this timeout is for a triggerer that has died.
        timeout = timedelta(seconds=max(0.0, deadline - time.time()) + _TRIGGERER_GRACE)
        self.defer(trigger=trigger, method_name="execute_complete", timeout=timeout)

    def _check_event(self, event: Mapping[str, Any] | None, *known: str) -> Mapping[str, Any]:
        """Return the event of a trigger, unless it reports an error.

        :param known: the valid statuses.
        :raises AirflowFailException: if the wait failed, and would fail again.
        :raises AirflowException: if it failed for another reason.
        """
        if not event or event.get("status") not in (*known, "error"):
            raise AirflowException(f"the trigger sent an event of unknown form: {event!r}")
        if event["status"] == "error":
            error = AirflowFailException if event.get("permanent") else AirflowException
            raise error(str(event.get("message")))
        return event


class DiffgramOperator(AnnouncingOperator):
    """What all operators share.

    :param dataset: name or id. None means the connection's default dataset.
    :param label_schema: name or id. None means the connection's default schema, or else the project's.
    """

    template_fields: Sequence[str] = ("dataset", "label_schema", "diffgram_conn_id")
    ui_color = "#dcebfa"

    def __init__(
        self,
        *,
        dataset: str | int | None = None,
        label_schema: str | int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset
        self.label_schema = label_schema

    def _targets(self, hook: DiffgramHook) -> Targets:
        defaults = hook.get_defaults()
        return {
            "dataset": self.dataset or defaults.dataset,
            "label_schema": self.label_schema or defaults.label_schema,
        }
