"""What can be given to a class or a function, over all classes that it inherits from.

Values come from the objects themselves; types and words from the source. Airflow's own parameters stay out.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from .catalogue import OPTIONS, PROVIDER, Entry
from .docstrings import Docstring

_OURS = (PROVIDER, "diffgram_emulator")


@dataclass(frozen=True)
class Parameter:
    """What a page says of one parameter.

    :param name: its name.
    :param type: its type, as in the source.
    :param default: its default, as Python writes it; None: it must be given.
    :param meaning: from a docstring; empty if none explains it.
    :param module: where that docstring is.
    :param templated: whether Airflow renders templates in it.
    """

    name: str
    type: str
    default: str | None
    meaning: str
    module: str
    templated: bool = False


def parameters_of(entry: Entry) -> list[Parameter]:
    """Return all parameters of a class or function that has a page."""
    thing = entry.load()
    found = parameters(thing)
    return [each for each in found if each.name not in entry.given]


def parameters(thing: Any) -> list[Parameter]:
    """Return all parameters of a class or function, its own first."""
    if not inspect.isclass(thing):
        return list(_of_function(thing))
    if issubclass(thing, Enum):
        return []
    if issubclass(thing, BaseModel):
        return list(_of_model(thing))
    return list(_of_class(thing))


def is_ours(thing: Any) -> bool:
    """Whether it is written in this project."""
    return str(thing.__module__).split(".")[0] in _OURS


def _of_class(cls: type) -> Iterator[Parameter]:
    templated = set(getattr(cls, "template_fields", ()))
    seen = set()
    for each in filter(is_ours, cls.__mro__):
        init = each.__dict__.get("__init__")
        # Airflow wraps the inherited one anew in each class.
        if init is None or not is_ours(inspect.unwrap(init)):
            continue
        given = list(inspect.signature(init).parameters.values())[1:]
        for one in filter(_is_named, given):
            if one.name not in seen:
                seen.add(one.name)
                yield _explained(cls, one, one.name in templated)
        if not any(one.kind is one.VAR_KEYWORD for one in given):
            return


def _of_function(function: Any) -> Iterator[Parameter]:
    function = inspect.unwrap(getattr(function, "__wrapped__", function))
    text = Docstring.of(function)
    for one in inspect.signature(function).parameters.values():
        options = _unpacked(function, one)
        if options is not None:
            yield from options
        elif _is_named(one):
            yield Parameter(
                one.name,
                _type(one),
                _default(one.default),
                text.params.get(one.name, ""),
                function.__module__,
            )


def _unpacked(function: Any, one: inspect.Parameter) -> list[Parameter] | None:
    """Return the keyword arguments that ``**options: Unpack[...]`` stands for."""
    name = str(one.annotation).removeprefix("Unpack[").removesuffix("]")
    if one.kind is not one.VAR_KEYWORD or name not in OPTIONS:
        return None
    keys = typing.get_type_hints(
        inspect.getmodule(function).__dict__[name], include_extras=True
    )  # its own keys and those it inherits
    module, _, explaining = OPTIONS[name].rpartition(".")
    explained = parameters(getattr(import_module(f"{PROVIDER}.{module}"), explaining))
    return [each for each in explained if each.name in keys]


def _of_model(cls: type[BaseModel]) -> Iterator[Parameter]:
    lines = _annotations(cls)
    for name, field in cls.model_fields.items():
        meaning, module = _meaning(cls, name)
        if field.is_required():
            default = None
        elif field.default_factory is not None:
            default = _default(field.get_default(call_default_factory=True, validated_data={}))
        else:
            default = _default(field.default)
        yield Parameter(name, lines.get(name, ""), default, field.description or meaning, module)


def _annotations(cls: type) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        found |= {name: _words(value) for name, value in inspect.get_annotations(each).items()}
    return found


def _explained(cls: type, one: inspect.Parameter, templated: bool) -> Parameter:
    meaning, module = _meaning(cls, one.name)
    return Parameter(one.name, _type(one), _default(one.default), meaning, module, templated)


def _meaning(cls: type, name: str) -> tuple[str, str]:
    """Return what the nearest docstring says, of the class, its ``__init__`` or a class it inherits from."""
    for each in filter(is_ours, cls.__mro__):
        for thing in (each, each.__dict__.get("__init__")):
            words = Docstring.of(thing).params.get(name) if thing is not None else None
            if words:
                return words, each.__module__
    return "", cls.__module__


def _is_named(one: inspect.Parameter) -> bool:
    return one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)


def _type(one: inspect.Parameter) -> str:
    return "" if one.annotation is one.empty else _words(one.annotation)


def _words(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _default(value: Any) -> str | None:
    if value is inspect.Parameter.empty:
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}()"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    return repr(value)
