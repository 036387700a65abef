"""A person who annotates the files of a case in the web page, and what a save of theirs changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffgram_emulator.people import Page, Person

from .reader import Diffgram, Prediction, prediction

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Saved:
    """What a save changed.

    :param gone: rows that were there and are not any more, those taken among them, and what others had
        deleted since it was shown, and the save made anew in another way.
    :param taken: rows that the page did not show, since it was older than them: a save takes them away
        (server.md 10.3.4). That is the person's doing.
    :param made: rows that are there since.
    """

    gone: Counter[Prediction]
    taken: Counter[Prediction]
    made: Counter[Prediction]

    def applied(self, held: Counter[Prediction]) -> Counter[Prediction]:
        """Return what is right once it is saved, given what was right before."""
        return (held - self.gone) + self.made


class Annotator:
    """Works through the endpoints of the web page.

    :param diffgram: tells what a row was that a save took away.
    """

    def __init__(self, person: Person, diffgram: Diffgram) -> None:
        self._person, self._diffgram = person, diffgram
        self._names = diffgram.labels()
        self._ids = {name: label_id for label_id, name in self._names.items()}
        self._number = 0

    @property
    def edits(self) -> int:
        """The number of rows that they changed."""
        return len(self._person.edits)

    def open(self, file_id: int) -> Page:
        """Open a file; the page stays as it is now, however old it gets."""
        return self._person.open(file_id)

    def draw(self, page: Page, label: str = "dog") -> None:
        """Draw a box like no other."""
        x = self._next()
        page.draw(self._ids[label], (x, 180, x + 45, 215))

    def relabel(self, page: Page, index: int, label: str) -> None:
        """Give a box another label, and move it: it would else be like the one of that label at its place."""
        page.relabel(index, self._ids[label])
        page.move(index, self._next())

    def move(self, page: Page, index: int) -> None:
        """Move a box."""
        page.move(index, self._next())

    def _next(self) -> int:
        self._number += 1
        return self._number

    def save(self, page: Page) -> Saved:
        """Save a page.

        :raises SaveRefused: if the server does not take it; then nothing is changed.
        """
        answer = self._person.save(page)
        missing = set((answer["log"].get("warning") or {}).get("missing_ids", ()))
        replaced = {row["previous_id"] for row in answer["added_instances"]} - {None}
        gone = {row_id: self._what_was(row_id) for row_id in {*answer["deleted_instances"], *replaced}}
        return Saved(
            gone=Counter(gone.values()),
            taken=Counter(held for row_id, held in gone.items() if row_id in missing),
            made=Counter(
                self._prediction(row) for row in answer["added_instances"] if not row["soft_delete"]
            ),
        )

    def give_up(self, file_id: int) -> None:
        """Care no more for what was done to a file."""
        for key in [each for each in self._person.edits if each[0] == file_id]:
            del self._person.edits[key]

    def undone(self) -> int:
        """Return the number of rows that they changed and that are not as they left them."""
        return len(self._person.undone())

    def _what_was(self, row_id: int) -> Prediction:
        return self._prediction(next(row for row in self._diffgram.history(row_id) if row["id"] == row_id))

    def _prediction(self, row: Row) -> Prediction:
        return prediction(row, self._names.get(row["label_file_id"]))


def boxes(page: Page) -> list[int]:
    """Return the indexes of the boxes of a page, by their reference."""
    found = [index for index, row in enumerate(page.rows) if row["type"] == "box" and row["creation_ref_id"]]
    return sorted(found, key=lambda index: str(page.rows[index]["creation_ref_id"]))
