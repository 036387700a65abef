"""Renders templates so that texts stay texts, even in a DAG that renders to native objects.

``render_template_as_native_obj`` turns the text ``"9"`` into a number, which would mean the dataset with that
id instead of the one with that name, and ``"{{ ds_nodash }}"`` into a number, which is not a name at all. It
does so even with texts that contain no template. So a field that takes a text is rendered as in other DAGs,
except that a template of ``None`` gives None. If a field takes a name or an id, a template that is itself a
number, such as ``"{{ params.dataset_id }}"``, stays a number, which may be an id. All other fields are
rendered as the DAG says.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from pydantic import BaseModel

TEXTS = frozenset(
    {
        "dataset",
        "delivery",
        "diffgram_conn_id",
        "file_type",
        "format",
        "history",
        "if_exists",
        "instance_type",
        "label_schema",
        "media",
        "metrics",
        "model_ref",
        "model_run_ref",
        "name",
        "on_missed",
        "on_stuck",
        "on_too_few",
        "only",
        "page",
        "path",
        "record",
        "report",
        "review",
        "reviewed",
        "run_name",
        "table",
        "unknown_labels",
        "unsupported",
        "valid_packets",
        "verify",
        "wait_report",
    }
)
"""Fields of operators that are names, words and paths."""

_NESTED = frozenset({"packets", "children", "instance_list"})
"""Fields of operators that hold packets, or parts of packets."""

_LISTS = frozenset({"datasets", "tags"})
"""Fields of operators that hold names."""

_WORDS = frozenset({"attributes", "attribute_groups"})
"""Keys of packets whose values are texts throughout: names of options, dates."""

NAMES_OR_IDS = frozenset({"dataset", "datasets", "label_schema", "connection_id", *_WORDS})
"""Fields of operators, and keys of packets, that take a name or an id."""


class RenderingOperator(BaseOperator):
    """Renders templates as this module describes."""

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Any,
        jinja_env: Any,
        seen_oids: set[int],
        **more: Any,
    ) -> None:
        texts = _Texts(self, context, jinja_env, seen_oids) if _is_native(jinja_env) else None
        others = []
        for name in template_fields:
            value = getattr(parent, name, None)
            if texts is not None and name in TEXTS and isinstance(value, str):
                setattr(parent, name, texts.text_of(name, value))
            elif texts is not None and name in _NESTED and isinstance(value, list | tuple | dict):
                setattr(parent, name, texts.nested(value))
            elif texts is not None and name in _LISTS and isinstance(value, list | tuple | str):
                setattr(parent, name, texts.nested(value, name, words=True))
            else:
                others.append(name)
        super()._do_render_template_fields(parent, others, context, jinja_env, seen_oids, **more)


class _Texts:
    """Renders values of one operator.

    :param operator: the operator with the templates.
    :param environment: Jinja environment that renders to native objects.
    :param seen: ids of values that came from other tasks and are not rendered again.
    """

    def __init__(self, operator: Any, context: Any, environment: Any, seen: set[int]) -> None:
        self._operator = operator
        self._context = context
        self._native = environment
        self._environment = operator.get_dag().get_template_env(force_sandboxed=True)
        self._seen = seen

    def text_of(self, key: str, value: str) -> str | int | None:
        """Render the template of a field: to a number only if the field takes an id."""
        number = self._number(value) if key in NAMES_OR_IDS else None
        return self._text(value) if number is None else number

    def _text(self, value: str) -> str | None:
        """Render a template to text; None if it renders to None."""
        text = "".join(self._parts(self._environment, value))
        return None if text == "None" and self._object(value) is None else text

    def _number(self, value: str) -> int | None:
        """Return the value of a template that is a single number; otherwise None."""
        parts = list(self._parts(self._native, value))
        return parts[0] if len(parts) == 1 and type(parts[0]) is int else None

    def _parts(self, environment: Any, value: str) -> Iterator[Any]:
        template = environment.from_string(value)
        known = ChainMap(self._context, template.globals)
        parts: Iterator[Any] = template.root_render_func(template.new_context(known, shared=True))
        return parts

    def nested(self, value: Any, key: str = "", *, words: bool = False) -> Any:
        """Return packets, or a part of them, with all templates in them rendered.

        :param key: the key of the value; inside a value that holds only texts, the key of that value.
        :param words: whether every text in it is a text, a name or an id, unless it renders to a list or an
            object.
        """
        if id(value) in self._seen:
            return value
        if type(value) in (list, tuple):
            return type(value)(self.nested(each, key, words=words) for each in value)
        if type(value) is dict:
            return {
                name: self.nested(each, key if words else name, words=words or name in _WORDS)
                for name, each in value.items()
            }
        if not isinstance(value, str):
            return self._object(value)
        if words:
            found = self._object(value)
            return found if isinstance(found, list | dict) else self.text_of(key, value)
        return self.text_of(key, value) if key in _text_keys() else self._object(value)

    def _object(self, value: Any) -> Any:
        return self._operator.render_template(value, self._context, self._native, self._seen)


def _is_native(environment: Any) -> bool:
    from jinja2.nativetypes import NativeEnvironment

    return isinstance(environment, NativeEnvironment)


@cache
def _text_keys() -> frozenset[str]:
    """Return the fields that take a text, in packets and everything inside them."""
    from ..models.base import Sent  # and with it, all that are derived from it

    fields = [item for model in _below(Sent) for item in model.model_fields.items()]
    return frozenset(name for name, field in fields if _takes_text(field.annotation))


def _below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _takes_text(annotation: Any) -> bool:
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Literal:
        return all(isinstance(each, str) for each in inner)
    if kind in (dict, list, tuple, set):
        return False
    return annotation is str or any(map(_takes_text, inner))
