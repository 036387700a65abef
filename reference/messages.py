"""The messages of all errors, read from the source.

A message is a text of two words or more in a ``raise``, and every text of three words or more elsewhere: most
problems are gathered before one error names them all. What a log, a help, a page or a receipt says is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VALUE = "…"
"""Stands for what is put into a message when it is raised."""
_PERCENT = re.compile(r"%[.\d]*[sdrf]")
_LOGGING = {"debug", "info", "warning", "error", "exception", "log", "warn"}
_WITH_A_PLACE = {"InvalidValueError", "refusal"}
"""Their first argument says where something is wrong, not what."""
_OF_A_PAGE = re.compile(r"<(/?[a-z]+[ >/]|!doctype)|^[A-Z]+ (OR|INTO|FROM|cache_size|KEY) |SELECT ")
"""HTML and SQL."""


@dataclass(frozen=True)
class Message:
    """A text of the source.

    :param module: the file, below the package.
    :param line: where it begins.
    :param text: with ``…`` for each value.
    :param raised: whether it stands in a ``raise``.
    """

    module: str
    line: int
    text: str
    raised: bool


def _modules(package: Path) -> list[Path]:
    """Return its modules; the example DAGs, which only the wheel has in it, raise nothing of their own."""
    return [path for path in sorted(package.rglob("*.py")) if "example_dags" not in path.parts]


def messages(package: Path) -> list[Message]:
    """Return the texts of a package that may be messages of errors, in the order of the source."""
    found = []
    for path in _modules(package):
        module = path.relative_to(package).as_posix()
        for line, text, raised in _texts(ast.parse(path.read_text(encoding="utf-8")), raised=False):
            if not _OF_A_PAGE.search(text):
                found.append(Message(module, line, " ".join(text.split()), raised))
    return found


def pattern(quoted: str) -> re.Pattern[str]:
    """Return a pattern for the messages that a quoted one stands for.

    Within it ``…`` is a value and nothing else, so that no quoted message stands for many. At its ends it is
    anything.
    """
    parts = quoted.removeprefix(VALUE).removesuffix(VALUE).split(VALUE)
    return re.compile(f"{VALUE}+".join(map(re.escape, parts)))


def text_of(node: ast.AST) -> str | None:
    """Return the text that a literal makes; None for another expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _PERCENT.sub(VALUE, node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values]
        return "".join(parts)
    return None


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _texts(node: ast.AST, raised: bool) -> Iterator[tuple[int, str, bool]]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Call):
        if _name_of(node.func) in _LOGGING and isinstance(node.func, ast.Attribute):
            return
        if any(each.arg in ("help", "description", "pattern") for each in node.keywords):
            return
        if _name_of(node.func) in _WITH_A_PLACE:
            for what in node.args[1:]:
                yield from _texts(what, raised)
            return
    text = text_of(node)
    if text is not None:
        words = len(re.findall(r"(?<!\S)[^\w\s]*[A-Za-z]", text))
        if words >= (2 if raised else 3):
            yield getattr(node, "lineno", 0), text, raised
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.AnnAssign | ast.arg) and child is node.annotation:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and child is node.returns:
            continue
        yield from _texts(child, raised or isinstance(node, ast.Raise))


def texts(package: Path) -> list[str]:
    """Return every text of a package, what a log says too."""
    found = []
    for path in _modules(package):
        inner: set[int] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = text_of(node)
            if isinstance(node, ast.JoinedStr):
                inner |= {id(part) for part in node.values}
            if text is not None and id(node) not in inner:
                found.append(" ".join(text.split()))
    return found
