"""Spans of characters -> numbers of Diffgram's tokens.

Diffgram splits a text with NLTK when it ingests it, and text_token instances refer to its tokens by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .raw import RawTokens

Words = Callable[[str], Sequence[str]]
"""Gives the tokens of a text, as Diffgram has them."""

_QUOTES = ("``", "''")
"""How NLTK writes double quotes, opening and closing, however the text has them."""


def words_of(text: str) -> list[str]:
    """Split a text as Diffgram does: each line that is not empty by NLTK, with a token for its end.

    This follows the source of a Diffgram server. To see how your server split a text, read the list
    ``nltk.words`` in the JSON at ``tokens_url_signed`` of the file.

    :param text: the whole text of the file.
    :raises ValueError: if NLTK lacks its model of sentences.
    """
    from nltk.tokenize import word_tokenize

    words: list[str] = []
    try:
        for line in filter(None, text.split("\n")):
            words += [*word_tokenize(line), "\n"]
    except LookupError:
        raise ValueError(
            "NLTK has no model of sentences here: run python -m nltk.downloader punkt_tab, or give words, "
            "a function that splits a text as your Diffgram does"
        ) from None
    return words


def tokens_between(start: int, end: int, spans: Sequence[tuple[int, int]]) -> RawTokens:
    """Return the tokens that a span of characters touches.

    :param start: first character, from 0.
    :param end: the character after the last one.
    :param spans: of all tokens, as from :func:`character_spans`.
    :raises ValueError: if there is none.
    """
    touched = [number for number, (first, last) in enumerate(spans) if first < end and last > start]
    if not touched:
        raise ValueError(
            f"characters {start} to {end} touch no word of the text: do they belong to another text?"
        )
    return RawTokens(touched[0], touched[-1], start, end)


def character_spans(words: Iterable[str], text: str) -> list[tuple[int, int]]:
    """Find each token in its text: first character, and the one after the last; equal for the end of a line.

    :raises ValueError: if the tokens are not those of the text.
    """
    spans = []
    at = 0
    for number, word in enumerate(words):
        if word.isspace():
            spans.append((at, at))
            continue
        while at < len(text) and text[at].isspace():
            at += 1
        written = ('"', *_QUOTES) if word in _QUOTES else (word,)
        found = next((each for each in written if text.startswith(each, at)), None)
        if found is None:
            raise ValueError(
                f"token {number}, {word!r}, is not at character {at} of the text ({text[at : at + 20]!r}): "
                "words returns the tokens of another text, or changes them"
            )
        spans.append((at, at + len(found)))
        at += len(found)
    return spans
