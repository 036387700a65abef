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

    # Not the text: Airflow would replace it by the words of one task, for all tasks of this notifier.
    template_fields: Sequence[str] = ("webhook_conn_id",)

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

        text = str(self.render_template(self.text, context)).replace("{words}", words_of(context))
        try:
            answer = requests.post(self._address(), json={"text": text}, timeout=_TIMEOUT)
        except requests.RequestException as error:
            raise RuntimeError(f"webhook {self.webhook_conn_id!r}: {_cause(error)}") from None
        if not answer.ok:
            raise RuntimeError(
                f"webhook {self.webhook_conn_id!r} answered {answer.status_code}: "
                "check host, schema and password of the connection"
            )

    def _address(self) -> str:
        connection = BaseHook.get_connection(self.webhook_conn_id)
        scheme, separator, host = (connection.host or "").rpartition("://")
        host, _, path = host.partition("/")
        schema = connection.schema or ""
        if schema in ("http", "https"):
            scheme = scheme if separator else schema
        elif schema:  # the path of a URI, which Airflow stores as the schema
            path = f"{path.rstrip('/')}/{schema}"
            scheme = scheme or str(connection.conn_type)
        port = f":{connection.port}" if connection.port else ""
        parts = [path.strip("/"), (connection.password or "").lstrip("/")]
        return "/".join([f"{scheme or 'https'}://{host}{port}", *(each for each in parts if each)])


def _cause(error: Exception) -> str:
    """Return why nothing was posted, without the address, which is a secret."""
    import requests

    if isinstance(error, requests.Timeout):
        return "it does not answer"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS failed: is its certificate trusted here?"
    if isinstance(error, requests.ConnectionError):
        return "cannot connect: check host and schema of the connection"
    return f"{type(error).__name__}: check host and schema of the connection"


def words_of(context: Context | Mapping[str, Any]) -> str:
    """Return what a task did, from its receipt, its handle, or its error."""
    from ..models import Handle, Receipt
    from ..review.progress import ReviewReceipt
    from ..review.pull import Pulled

    error = context.get("exception")
    if error:
        return "failed: " + "\n".join((str(error) or type(error).__name__).splitlines()[:5])
    ti = context["ti"]
    value = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
    if not isinstance(value, Mapping):
        return "done"
    for kind in (Receipt, Handle, ReviewReceipt, Pulled):
        required = {name for name, field in kind.model_fields.items() if field.is_required()}
        if required <= set(value) <= set(kind.model_fields):
            return kind.model_validate(value).summary()
    return ", ".join(f"{name} {each}" for name, each in value.items() if isinstance(each, int | float | str))
