"""The pages of the reference, as Markdown."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .catalogue import SECTIONS, Entry
from .docstrings import Docstring, Find, code_of, paragraphs, words
from .parameters import Parameter, is_ours, parameters, parameters_of

ENTRIES = [entry for entries in SECTIONS.values() for entry in entries]
_AIRFLOW = "https://airflow.apache.org/docs/apache-airflow/stable/_api/airflow/sdk/index.html"


def write(folder: Path) -> None:
    """Write all pages, and ``index.json``: section -> title and page of each."""
    (folder / "reference").mkdir(parents=True, exist_ok=True)
    for stale in (folder / "reference").glob("*.md"):
        stale.unlink()
    for entry in ENTRIES:
        (folder / entry.file).write_text(page_of(entry), encoding="utf-8")
    (folder / "overview.md").write_text(overview(), encoding="utf-8")
    index = {name: [[each.heading, each.file] for each in entries] for name, entries in SECTIONS.items()}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")


def overview() -> str:
    """Return all classes and functions with their first sentences, by section."""
    parts = []
    for name, entries in SECTIONS.items():
        parts += [f"## {name}", "", "| Name | What it is or does |", "|---|---|"]
        for entry in entries:
            first = Docstring.of(entry.load()).body.partition("\n\n")[0]
            said = words(" ".join(first.split()), finder(""))
            parts.append(f"| [{code_of(entry.heading)}]({entry.file}) | {said} |")
        parts.append("")
    return "\n".join(parts)


def page_of(entry: Entry) -> str:
    """Return the page of a class or function."""
    thing = entry.load()
    find = finder("../")
    text = Docstring.of(thing)
    parts = [f"# {entry.heading}", "", "```python", _how_to_get(entry), "```", ""]
    parts += [paragraphs(text.body, find), ""]
    if isinstance(thing, type) and issubclass(thing, Enum):
        parts += ["| Value | |", "|---|---|"]
        parts += [f"| {code_of(each.name)} | {words(str(each.value), find)} |" for each in thing]
    found = parameters_of(entry)
    if isinstance(thing, type) and issubclass(thing, Exception):
        found = [each for each in found if each.meaning]  # nobody but this package makes one
    if found:
        heading = "Fields" if isinstance(thing, type) and issubclass(thing, BaseModel) else "Parameters"
        parts += [f"## {heading}", "", *table(found, find, hasattr(thing, "template_fields")), ""]
    parts += _rest_of_airflow(thing)
    parts += _raised(text, find)
    if isinstance(thing, type) and not hasattr(thing, "template_fields"):
        parts += _members(thing, find)
    page = "\n".join(parts).rstrip() + "\n"
    return page if page.count("\n## ") > 1 else f"{_WITHOUT_CONTENTS}{page}"


_WITHOUT_CONTENTS = "---\nhide:\n  - toc\n---\n\n"
"""A page of one table needs no list of its headings, and gives the table that room."""


def _how_to_get(entry: Entry) -> str:
    if entry.heading.startswith("@"):
        return f"from airflow.sdk import task  # {entry.heading}(...)"
    return f"from {entry.module} import {entry.name}"


def table(found: Iterable[Parameter], find: Find, with_templates: bool) -> list[str]:
    """Return the table of parameters, a row each."""
    templated = (" Templated |", "---|") if with_templates else ("", "")
    lines = [f"| Name | Type | Default |{templated[0]} Meaning |", f"|---|---|---|{templated[1]}---|"]
    for each in found:
        cells = [
            code_of(each.name),
            code_of(each.type) if each.type else "",
            "required" if each.default is None else code_of(each.default),
            *(["yes" if each.templated else ""] if with_templates else []),
            words(each.meaning, find),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _rest_of_airflow(thing: Any) -> list[str]:
    if not isinstance(thing, type):
        return []
    bases = {each.__name__ for each in thing.__mro__}
    if "BaseSensorOperator" in bases:
        return [
            f"It also takes the parameters of [every Airflow sensor]({_AIRFLOW}), such as `timeout`.",
            "",
        ]
    if "BaseOperator" in bases:
        return [
            f"It also takes the parameters of [every Airflow operator]({_AIRFLOW}), such as `retries`.",
            "",
        ]
    return []


def _raised(text: Docstring, find: Find) -> list[str]:
    if not text.raises:
        return []
    lines = [f"| {words(f':class:`{name}`', find)} | {words(why, find)} |" for name, why in text.raises]
    return ["**Raises**", "", "| Error | When |", "|---|---|", *lines, ""]


def _members(cls: type, find: Find) -> Iterator[str]:
    """Yield what the methods and properties of a class do, those it inherits from our classes too."""
    seen = set()
    for each in filter(is_ours, cls.__mro__):
        for name, member in each.__dict__.items():
            function = _function_of(member)
            if name.startswith("_") or name in seen or function is None or not is_ours(function):
                continue
            seen.add(name)
            text = Docstring.of(function)
            yield f"## {name.replace('_', chr(92) + '_')}"
            yield ""
            if isinstance(member, property):
                returned = inspect.signature(function).return_annotation
                yield f"Property, {code_of(str(returned))}."
            else:
                yield f"```python\n{_call_of(name, function)}\n```"
            yield ""
            yield paragraphs(text.body, find)
            yield ""
            found = [one for one in parameters(function) if one.name not in ("self", "cls")]
            if found:
                yield from table(found, find, False)
                yield ""
            yield from _raised(text, find)


def _function_of(member: Any) -> Any:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    return member if inspect.isfunction(member) else None


def _call_of(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    given = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
    names = [stars.get(one.kind, "") + one.name for one in given]
    returned = signature.return_annotation
    arrow = "" if returned in (signature.empty, "None") else f" -> {returned}"
    return f"{name}({', '.join(names)}){arrow}"


def finder(up: str) -> Find:
    """Return what finds the page that a role names.

    :param up: from the page that links to the folder of all guides, such as ``../``.
    """

    def find(role: str) -> str | None:
        path = role.lstrip("~.")
        name = path.rpartition(".")[2]
        ends = [entry for entry in ENTRIES if f"{entry.package}.{entry.path}".endswith(path)]
        named = [entry for entry in ENTRIES if entry.name == name]
        found = ends or named
        return f"{up}{found[0].file}" if len(found) == 1 else None

    return find
