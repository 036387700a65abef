"""Each number that a comment, a docstring, a test or a guide cites is in docs/server.md.

There is one form: ``server.md 2.14`` for sections, ``quirk 33`` for entries of section 7, ``E6`` for rows of
1.4. Names of tests have them as ``q33`` and ``e6``.
"""

from __future__ import annotations

import io
import os
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "server.md").read_text()
NUMBER = r"\d+(?:\.\d+)*"
BREAK = r"[\s#]+"
"""A citation may go on in the next line of a comment."""
AND = rf"(?:,{BREAK}(?:and{BREAK})?|{BREAK}(?:and|to|or){BREAK})"
SECTIONS = re.compile(rf"\bserver\.md{BREAK}({NUMBER}(?:{AND}{NUMBER})*)")
QUIRKS = re.compile(rf"\bquirks?{BREAK}(\d+(?:{AND}\d+)*)", re.IGNORECASE)
ROWS = re.compile(r"\bE(\d{1,2})\b(?![\w.])")
CASE = re.compile(r"""^[rf]?["'](\d+\.\d+)[ ,]""")
"""The name of a case in test_rules_of_instances begins with a section."""
OTHER_FORMS = {
    "wire contract": re.compile(rf"wire{BREAK}contract", re.IGNORECASE),
    "contract with a number": re.compile(rf"\bcontract,?{BREAK}(?:section{BREAK})?\d", re.IGNORECASE),
    "a mark of another page": re.compile(r"§"),
}
ALONE = re.compile(rf"\((?:[1-9]|10)\.\d{{1,2}}(?:\.\d)?(?:{AND}{NUMBER})*[);]")
"""A section in parentheses without ``server.md``. In code it would be a number, so only comments
and texts are searched."""


def found(pattern: str) -> set[str]:
    return set(re.findall(pattern, PAGE, flags=re.MULTILINE))


HAS_SECTIONS = found(rf"^#{{2,4}} ({NUMBER}) ")
HAS_QUIRKS = set(
    re.findall(r"^(\d+)\. ", PAGE.partition("\n## 7 ")[2].partition("\n## ")[0], flags=re.MULTILINE)
)
HAS_ROWS = found(r"^\| E(\d+) \|")


def files(*suffixes: str) -> list[Path]:
    """Return the project's own texts, without what a build or an environment left."""
    several = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if not name.startswith(".") and name not in ("build", "dist")]
        several += [Path(folder, name) for name in names if name.endswith(suffixes)]
    return sorted(several)


CODE = [path for path in files(".py") if path != Path(__file__)]
TEXT = [path for path in files(".md", ".toml", ".yml") if path.name not in ("server.md", "server-tests.md")]


def said(path: Path) -> Iterator[str]:
    """Yield the comments of a module, run together where they follow, and its texts; not its code."""
    comments: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            comments.append(token.string)
            continue
        if token.type == tokenize.NL:
            continue
        if comments:
            yield "\n".join(comments)
            comments = []
        if token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)):
            yield token.string
    yield "\n".join(comments)


def numbers(cited: str) -> list[str]:
    """Return the numbers of a citation, with those that ``12 to 14`` stands for.

    >>> numbers("2.9, 12 to 14")
    ['2.9', '12', '13', '14']
    """
    several: list[str] = []
    for part in re.split(rf",{BREAK}(?:and{BREAK})?|{BREAK}(?:and|or){BREAK}", cited):
        first, _, last = re.sub(rf"{BREAK}to{BREAK}", "-", part).partition("-")
        head, _, low = first.rpartition(".")
        high = last.rpartition(".")[2] or low
        several += [f"{head}.{number}" if head else str(number) for number in range(int(low), int(high) + 1)]
    return several


def missing(text: str) -> list[str]:
    """Return what a text cites and docs/server.md does not have."""
    return [
        *(
            f"server.md {n}"
            for cited in SECTIONS.findall(text)
            for n in numbers(cited)
            if n not in HAS_SECTIONS
        ),
        *(f"quirk {n}" for cited in QUIRKS.findall(text) for n in numbers(cited) if n not in HAS_QUIRKS),
        *(f"E{n}" for n in ROWS.findall(text) if n not in HAS_ROWS),
    ]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_page_has_its_numbers_in_order() -> None:
    assert len(HAS_SECTIONS) > 50
    assert sorted(map(int, HAS_QUIRKS)) == list(range(1, len(HAS_QUIRKS) + 1))
    assert sorted(map(int, HAS_ROWS)) == list(range(1, len(HAS_ROWS) + 1))


def test_the_page_cites_itself_rightly() -> None:
    cited = set(re.findall(rf"§({NUMBER})", PAGE))
    assert len(cited) > 30
    assert cited - HAS_SECTIONS == set()
    assert missing(PAGE) == []


@pytest.mark.parametrize(
    "text, told",
    [
        ("(server.md 99.1)", ["server.md 99.1"]),
        ("server.md 2.7, 2.99 and 3", ["server.md 2.99"]),
        ("server.md\n    # 2.99", ["server.md 2.99"]),
        ("server.md 2.17 to 2.19", ["server.md 2.19"]),
        ("quirks 60 to 64", ["quirk 63", "quirk 64"]),
        ("(quirk\n    99)", ["quirk 99"]),
        ("E1 to E15", ["E15"]),
        ("E501, E2E and 1E9", []),
        ("server.md 10.8.5; quirk 1; E14", []),
    ],
)
def test_a_number_that_is_not_there_is_found(text: str, told: list[str]) -> None:
    assert missing(text) == told


@pytest.mark.parametrize(
    "text, form",
    [
        ("(wire\n    contract, 2.4)", "wire contract"),
        ("(contract 2.4)", "contract with a number"),
        ("§2.14", "a mark of another page"),
    ],
)
def test_another_form_is_found(text: str, form: str) -> None:
    assert OTHER_FORMS[form].search(text)


@pytest.mark.parametrize("text", ["a row (2.14)", "two (2.7, 2.17)", "(2.14; quirk 3)", "(10.8.5)"])
def test_a_number_alone_is_found(text: str) -> None:
    assert ALONE.search(text)


def test_every_citation_resolves() -> None:
    told = {shown(path): wrong for path in [*CODE, *TEXT] if (wrong := missing(path.read_text()))}
    assert told == {}


def test_citations_were_looked_at() -> None:
    code = [path.read_text() for path in CODE]
    assert len([n for text in code for n in (*SECTIONS.findall(text), *QUIRKS.findall(text))]) > 300


def test_every_numbered_name_and_case_resolves() -> None:
    wrong = []
    for path in CODE:
        if path.name.startswith("test_"):
            names = re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), flags=re.MULTILINE)
            quirks = [n for name in names for n in re.findall(r"_q(?:uirk_)?(\d+)(?=_|$)", name)]
            rows = [n for name in names for n in re.findall(r"_e(\d+)(?=_)", name)]
            wrong += [f"{shown(path)}: quirk {n}" for n in quirks if str(int(n)) not in HAS_QUIRKS]
            wrong += [f"{shown(path)}: E{n}" for n in rows if n not in HAS_ROWS]
        if path.name == "test_rules_of_instances.py":
            cases = [match[1] for text in said(path) if (match := CASE.match(text))]
            assert len(cases) > 50
            wrong += [f"{shown(path)}: {n}" for n in cases if n not in HAS_SECTIONS]
    assert wrong == []


def test_there_is_no_other_form() -> None:
    told = [
        f"{shown(path)}: {form}: {match[0]}"
        for path in [*CODE, *TEXT]
        for form, pattern in OTHER_FORMS.items()
        if (match := pattern.search(path.read_text()))
    ]
    assert told == []


def test_no_number_stands_alone() -> None:
    told = [
        f"{shown(path)}: {match[0]}"
        for path in CODE
        if ALONE.search(path.read_text())
        for text in said(path)
        if (match := ALONE.search(text))
    ]
    assert told == []
