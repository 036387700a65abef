"""Spans of characters become the tokens that Diffgram makes of a text: NLTK's, and one for a line's end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nltk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktParameters, save_punkt_params

from airflow_provider_diffgram.models import InvalidValueError, TextToken
from airflow_provider_diffgram.predictions import RawTokens, from_token_classification, instances_of, words_of
from airflow_provider_diffgram.predictions.core.tokens import character_spans, tokens_between

RECORDED = json.loads((Path(__file__).parents[2] / "model_outputs" / "transformers.json").read_text())
TEXT = RECORDED["text"]
WORDS = [
    *("Alice", "Johnson", "flew", "to", "Paris", ".", "\n"),
    *("She", "met", "``", "Bob", "''", "at", "Acme", "Corp.", "there", ".", "\n"),
]


def split(text: str) -> list[str]:
    """NLTK's tokens of a text of one sentence; this needs no model of sentences."""
    return NLTKWordTokenizer().tokenize(text)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A model of sentences where NLTK looks for it, made here, since NLTK's own has to be downloaded."""
    data = tmp_path_factory.mktemp("nltk_data")
    folder = data / "tokenizers" / "punkt_tab" / "english"
    folder.mkdir(parents=True)
    before = list(nltk.data.path)
    nltk.data.path[:] = [str(data)]
    model = PunktParameters()
    model.abbrev_types.add("corp")
    save_punkt_params(model, dir=str(folder))
    yield
    nltk.data.path[:] = before


def entities(text: str, found: list[dict[str, Any]], words: Any) -> list[Any]:
    (image,) = from_token_classification([found], ["a.txt"], texts=[text], words=words)
    return image.predictions


@pytest.mark.usefixtures("sentences")
def test_a_text_is_split_line_by_line():
    assert words_of(TEXT) == WORDS


def test_without_a_model_of_sentences_the_remedy_is_told():
    """In a process of its own, since NLTK keeps a model that it has found."""
    code = (
        "import nltk; nltk.data.path[:] = []\n"
        "from airflow_provider_diffgram.predictions import words_of; words_of('One line.')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "ValueError: NLTK has no model of sentences here: run python -m nltk.downloader punkt_tab"
    )


def test_each_token_is_found_in_the_text():
    spans = character_spans(WORDS, TEXT)
    assert len(spans) == len(WORDS)
    for word, (start, end) in zip(WORDS, spans, strict=True):
        assert TEXT[start:end] == {"``": '"', "''": '"', "\n": ""}.get(word, word)


def test_a_pipeline_s_entities_become_spans_of_tokens():
    found = [{**each, "score": each["score"]["value"]} for each in RECORDED["token-classification"]["simple"]]
    assert found
    spans = character_spans(WORDS, TEXT)
    for prediction, entity in zip(entities(TEXT, found, lambda text: WORDS), found, strict=True):
        assert (prediction.label, prediction.score) == (entity["entity_group"], entity["score"])
        tokens = prediction.tokens
        assert spans[tokens.start][0] <= entity["start"] < entity["end"] <= spans[tokens.end][1]


@pytest.mark.usefixtures("sentences")
def test_a_name_of_two_words_over_a_line():
    start = TEXT.index("Acme")
    found = [{"entity_group": "ORG", "score": 0.9, "start": start, "end": start + len("Acme Corp.")}]
    (prediction,) = entities(TEXT, found, words_of)
    assert [WORDS[number] for number in range(prediction.tokens.start, prediction.tokens.end + 1)] == [
        "Acme",
        "Corp.",
    ]
    converted = instances_of([prediction], width=None, height=None)
    assert converted.account.unknown_size == 0
    (instance,) = converted.instances
    assert isinstance(instance, TextToken)
    assert (instance.start_token, instance.end_token) == (13, 14)
    assert (instance.start_char, instance.end_char) == (start, start + 10)


@given(st.text(alphabet="ab \"'.,(é", min_size=1).filter(str.strip), st.data())
def test_a_span_touches_the_tokens_that_share_a_character_with_it(text: str, data: st.DataObject):
    spans = character_spans(split(text), text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if not text[start:end].strip():
        with pytest.raises(ValueError, match="touch no word of the text"):
            tokens_between(start, end, spans)
        return
    tokens = tokens_between(start, end, spans)
    touched = "".join(text[slice(*spans[number])] for number in range(tokens.start, tokens.end + 1))
    assert "".join(text[start:end].split()) in touched
    assert spans[tokens.start][1] > start
    assert spans[tokens.end][0] < end


def test_ends_of_lines_hold_no_character():
    assert tokens_between(0, 4, character_spans(["a", "\n", "b", "\n"], "a\n\nb")) == RawTokens(0, 2, 0, 4)


def test_tokens_of_another_text_are_told():
    with pytest.raises(ValueError, match=r"token 1, 'cat', is not at character 4 of the text \('dog'\)"):
        character_spans(["The", "cat"], "The dog")


def test_pieces_of_words_are_refused():
    found = RECORDED["token-classification"]["none"]
    with pytest.raises(InvalidValueError, match="aggregation_strategy='simple'") as caught:
        entities(TEXT, found, lambda text: WORDS)
    assert len(caught.value.problems) == len(found)


def test_each_output_needs_its_text():
    with pytest.raises(ValueError, match=r"texts: end before b\.txt"):
        list(from_token_classification([[], []], ["a.txt", "b.txt"], texts=["one"], words=split))
