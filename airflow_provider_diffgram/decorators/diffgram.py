"""``@task.diffgram_push``: a task that sends the packets its function yields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    DecoratedOperator,
    TaskDecorator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

from ..operators.diffgram import DiffgramSendPacketOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..ingest.read.paths import PathOpener
    from ..ingest.send.push import Packets as SentPackets
    from ..models import Packet

    Packets = Iterable[Packet | Mapping[str, Any]]

_OWN_FIELDS = tuple(field for field in DiffgramSendPacketOperator.template_fields if field != "packets")


class _DiffgramPushDecoratedOperator(DecoratedOperator, DiffgramSendPacketOperator):
    """Sends packets while a function yields them; returns the handle.

    :param python_callable: returns an iterable of packets, such as a generator.
    :param op_args: positional arguments of the function.
    :param op_kwargs: keyword arguments of the function.
    """

    custom_operator_name = "@task.diffgram_push"
    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *_OWN_FIELDS)

    def __init__(
        self,
        *,
        python_callable: Callable[..., Packets],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            packets=[],
            **kwargs,
        )

    def execute(self, context: Context) -> dict[str, Any]:
        """Call the function and send what it yields or returns."""
        return DiffgramSendPacketOperator.execute(self, context)

    def _candidates(self, context: Context, path_of: PathOpener) -> SentPackets:
        """Return the function, to be called once everything else has been checked."""
        from ..ingest.read.jsonlines import candidates

        context_merge(context, self.op_kwargs)
        kwargs = determine_kwargs(self.python_callable, self.op_args, context)

        def run() -> Iterable[Any]:
            self.packets = self.python_callable(*self.op_args, **kwargs)
            return candidates(self.packets, "packet", path_of)

        return run


def diffgram_push_task(python_callable: Callable[..., Packets] | None = None, **kwargs: Any) -> TaskDecorator:
    """Turn a function that yields packets into a task; the arguments are those of the operator.

    .. code-block:: python

        @task.diffgram_push(dataset="night", report="s3://logs/{{ run_id }}.jsonl")
        def predictions(day):
            for image in images_of(day):
                yield {"media": {"url": image.url, "type": "image"}, "instance_list": model(image)}
    """
    return task_decorator_factory(
        python_callable=python_callable,
        decorated_operator_class=_DiffgramPushDecoratedOperator,
        **kwargs,
    )
