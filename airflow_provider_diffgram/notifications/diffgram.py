"""A notifier that says how a task of this provider ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook, BaseNotifier

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_TIMEOUT = (5, 20)


class DiffgramReceiptNotifier(BaseNotifier):
    """Posts the summary of a task to a webhook that accepts ``{"text": ...}``.

    Slack, Mattermost, Google Chat and others have such webhooks. As a success callback it posts what a push
    sent, or what a wait found; as a failure callback, the first lines of the error.

    .. code-block:: python

        DiffgramInputSensor(..., on_success_callback=DiffgramReceiptNotifier(webhook_conn_id="team"))

    :param webhook_conn_id: id of a connection of type HTTP: host and schema are the address of the webhook.
        The password is appended to it, because such addresses are secrets.
    :param text: the text to post, which can be a template; ``{words}`` stands for the summary.
    """

    template_fields: Sequence[str] = ("webhook_conn_id", "text")

    def __init__(
        self, webhook_conn_id: str, text: str = "{{ dag.dag_id }} / {{ ti.task_id }}: {words}", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.webhook_conn_id = webhook_conn_id
        self.text = text

    def notify(self, context: Context) -> None:
        """Post the text.

        :raises RuntimeError: if the webhook does not accept it; its address is not shown.
        """
        import requests

        text = self.text.replace("{words}", words_of(context))
        try:
            answer = requests.post(self._address(), json={"text": text}, timeout=_TIMEOUT)
        except requests.RequestException as error:
            raise RuntimeError(f"webhook {self.webhook_conn_id!r}: {type(error).__name__}") from None
        if not answer.ok:
            raise RuntimeError(f"webhook {self.webhook_conn_id!r} answered {answer.status_code}")

    def _address(self) -> str:
        connection = BaseHook.get_connection(self.webhook_conn_id)
        host = connection.host or ""
        base = host if "://" in host else f"{connection.schema or 'https'}://{host}"
        port = f":{connection.port}" if connection.port else ""
        secret = f"/{connection.password.lstrip('/')}" if connection.password else ""
        return f"{base.rstrip('/')}{port}{secret}"


def words_of(context: Context | Mapping[str, Any]) -> str:
    """Return what a task did: of its receipt, its handle, or what it failed with."""
    from ..models import Handle, Receipt

    error = context.get("exception")
    if error:
        return "failed: " + "\n".join(str(error).splitlines()[:5])
    ti = context["ti"]
    value = ti.xcom_pull(task_ids=ti.task_id)
    if not isinstance(value, Mapping):
        return "done"
    for kind in (Receipt, Handle):
        if set(value) <= set(kind.model_fields) and "project" in value:
            return kind.model_validate(value).summary()
    return ", ".join(f"{name} {each}" for name, each in value.items() if isinstance(each, int | float | str))
