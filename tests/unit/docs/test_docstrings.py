"""The form of docstrings: fields after a blank line, and no stray indents."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import airflow_provider_diffgram

PACKAGE = Path(airflow_provider_diffgram.__file__).parent
FIELD = re.compile(r":(param|return|raises|ivar)\b")


def docstrings() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield f"{path.relative_to(PACKAGE)} {getattr(node, 'name', '')}", text


def faults(text: str) -> list[str]:
    """Return fields that follow text without a blank line, and lines indented more than their paragraph."""
    found, last, is_field, in_table = [], "", False, False
    for line in text.split("\n"):
        if FIELD.match(line):
            if last.strip() and not is_field:
                found.append(line)
            is_field = True
        elif line.strip():
            in_table = in_table or line.startswith("===")
            if not line.startswith(" "):
                is_field = False
            elif last.strip() and not is_field and not last.startswith(" ") and not in_table:
                found.append(line)
        last = line
    return found


def test_the_form_of_docstrings():
    texts = list(docstrings())
    assert len(texts) > 1000
    assert not {where: faults(text) for where, text in texts if faults(text)}


def test_faults_are_found():
    assert faults("Do it.\n:param a: one.") == [":param a: one."]
    assert faults("Do it.\n\n:param a: one\n    thing.\n:param b: two.") == []
    assert faults("Do it, and return\n    what it was.") == ["    what it was."]
    assert faults("Do it.\n\n:param a: one.\n\nMore.\n:raises B: never.") == [":raises B: never."]
