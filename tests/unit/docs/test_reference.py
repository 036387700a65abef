"""The reference has a page for all that people use, with all that they can give it."""

import importlib
import inspect
import pkgutil
import re
from html import unescape
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import BaseNotifier, BaseOperator
from airflow.triggers.base import BaseTrigger

import airflow_provider_diffgram
from airflow_provider_diffgram import ingest, models, predictions
from airflow_provider_diffgram.models import received
from reference.catalogue import SECTIONS, Entry
from reference.docstrings import Docstring, paragraphs, words
from reference.pages import ENTRIES, finder, overview, page_of, write
from reference.parameters import parameters_of

TASKS = [
    entry
    for section in ("Operators", "Sensors and triggers", "Decorator, groups, notifier")
    for entry in SECTIONS[section]
]
OURS = "airflow_provider_diffgram"


def rows(page: str) -> dict[str, list[str]]:
    """Return the rows of the first table of a page: name -> what follows it."""
    table = page.partition("\n## Parameters\n")[2].partition("\n## ")[0].partition("**Raises**")[0]
    found = re.findall(r"^\| <code>(.*?)</code> \| (.*) \|$", table, re.MULTILINE)
    names = [unescape(name) for name, _ in found]
    assert len(names) == len(set(names))
    return {unescape(name): cells.split(" | ") for name, cells in found}


def accepted(cls: type) -> dict[str, inspect.Parameter]:
    """Return what a class takes, asked of Python, below what Airflow's own classes take."""
    found: dict[str, inspect.Parameter] = {}
    for each in cls.__mro__:
        init = inspect.unwrap(each.__dict__.get("__init__", each))
        if inspect.isfunction(init) and init.__module__.startswith(OURS):
            given = list(inspect.signature(init).parameters.items())[1:]
            found = {**{k: v for k, v in given if v.kind not in (v.VAR_POSITIONAL, v.VAR_KEYWORD)}, **found}
    return found


@pytest.mark.parametrize(
    "entry", [each for each in TASKS if inspect.isclass(each.load())], ids=lambda e: e.name
)
def test_a_page_has_all_parameters_of_its_class_the_inherited_ones_too(entry: Entry):
    shown = rows(page_of(entry))
    cls = entry.load()
    expected = {name: value for name, value in accepted(cls).items() if name not in entry.given}
    assert shown.keys() == expected.keys()
    if issubclass(cls, BaseOperator):
        assert "diffgram_conn_id" in shown
    for name, value in expected.items():
        default, meaning = shown[name][1], shown[name][-1]
        assert meaning.strip(), f"{entry.name}.{name} is not explained"
        assert (default == "required") == (value.default is inspect.Parameter.empty), name
        if hasattr(cls, "template_fields"):
            assert (shown[name][2] == "yes") == (name in cls.template_fields), name


@pytest.mark.parametrize(
    "entry", [each for each in TASKS if inspect.isfunction(each.load())], ids=lambda e: e.name
)
def test_a_page_has_all_parameters_of_its_function(entry: Entry):
    shown = rows(page_of(entry))
    assert list(shown) == list(inspect.signature(entry.load()).parameters)
    assert [name for name, cells in shown.items() if not cells[-1].strip()] == []


@pytest.mark.parametrize(
    "entry",
    [each for each in ENTRIES if not (inspect.isclass(each.load()) and issubclass(each.load(), Exception))],
    ids=lambda e: e.path,
)
def test_every_parameter_and_field_is_explained(entry: Entry):
    assert [each.name for each in parameters_of(entry) if not each.meaning.strip()] == []


def test_options_of_a_push_are_on_the_page_of_the_push():
    (entry,) = [each for each in ENTRIES if each.path == "ingest.push"]
    shown = rows(page_of(entry))
    assert {"packets", "dataset", "if_exists", "limits", "concurrency"} <= shown.keys()
    assert shown["if_exists"][1] == "<code>'skip'</code>"


def test_everything_for_people_has_a_page():
    named = {entry.load() for entry in ENTRIES if entry.package == OURS}
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(airflow_provider_diffgram.__path__, f"{OURS}.")
        if each.name.split(".")[1] in ("operators", "sensors", "triggers", "notifications", "hooks")
    ]
    classes = {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("Diffgram") and inspect.isclass(value) and value.__module__ == module.__name__
    }
    assert {each for each in classes if issubclass(each, BaseOperator | BaseTrigger | BaseNotifier)}
    assert {each.__name__ for each in classes - named} == {"DiffgramOperator"}
    for package, left_out in ((ingest, ()), (predictions, ()), (models, received.__all__)):
        public = {name for name in package.__all__ if name not in left_out}
        missing = {name for name in public if getattr(package, name) not in named}
        assert missing <= {"Instance", "Media"}  # unions of what has a page each


def test_no_page_is_endless_or_holds_raw_roles(tmp_path: Path):
    write(tmp_path)
    pages = list((tmp_path / "reference").glob("*.md"))
    assert len(pages) == len(ENTRIES) == len({entry.file for entry in ENTRIES})
    for page in [*pages, tmp_path / "overview.md"]:
        text = page.read_text()
        assert not re.search(r":(param|raises|returns?|class|func|meth|mod|attr|data)\b[^|\n]*:", text), page
        assert ".. code-block" not in text, page
        assert text.count("\n") < 400, page
        for target in re.findall(r"\]\(([^):]+\.md)\)", text):
            assert (page.parent / target).is_file(), (page, target)


def test_the_list_of_pages_leads_to_each():
    listed = re.findall(r"\]\(([^)]+)\)", overview())
    assert {entry.file for entry in ENTRIES} <= set(listed)


def test_a_table_of_a_docstring_becomes_one():
    text = """\
===== =======
Name  Holds
===== =======
``a`` words
``b`` more
      of them
===== =======
"""
    table = "| Name | Holds |\n|---|---|\n| <code>a</code> | words |\n| <code>b</code> | more of them |"
    assert paragraphs(text.rstrip(), finder("")) == table


def test_docstrings_become_markdown():
    text = Docstring.read(
        """Wait for :class:`~a.b.Packet`, ``x | y``.

        .. code-block:: python

            one()

            two()

        After.

        :param given: what
            is given.
        :raises ValueError: if not.
        """
    )
    assert text.params == {"given": "what is given."}
    assert text.raises == [("ValueError", "if not.")]
    assert paragraphs(text.body, lambda role: "p.md" if role == "a.b.Packet" else None) == (
        "Wait for [<code>Packet</code>](p.md), <code>x &#124; y</code>.\n\n"
        "```python\none()\n\ntwo()\n```\n\nAfter."
    )
    assert words("a|b <c> :func:`d`", finder("")) == "a&#124;b &lt;c&gt; <code>d</code>"
