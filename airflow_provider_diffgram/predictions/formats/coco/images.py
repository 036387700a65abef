"""The images and categories of a COCO dataset, in columns."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.received import without_signatures

from ...core.files import Source
from ...core.reading import label_text, plain, shown, whole
from .files import members_of

_MOST_PIXELS = 2**30 - 1
_SHOWN = 100


@dataclass
class CocoCategory:
    """A class of the model.

    :param name: of the class.
    :param joints: names of the joints of its skeleton.
    :param bones: pairs of places in ``joints``, from 0.
    :param problem: what is wrong with its joints and bones; it matters only if a record has keypoints.
    """

    name: str
    joints: list[str] = field(default_factory=list)
    bones: list[tuple[int, int]] = field(default_factory=list)
    problem: str | None = None


@dataclass
class CocoImages:
    """Images and categories by place, which is their order in the file, and the places by id.

    :param widths: in pixels; 0 if unknown.
    :param heights: in pixels; 0 if unknown.
    """

    names: list[str] = field(default_factory=list)
    widths: array[int] = field(default_factory=lambda: array("i"))
    heights: array[int] = field(default_factory=lambda: array("i"))
    places: dict[Any, int] = field(default_factory=dict)
    categories: list[CocoCategory] = field(default_factory=list)
    category_places: dict[Any, int] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Source | Mapping[str, Any]) -> CocoImages:
        """Read the ``images`` and ``categories`` of a dataset.

        :raises InvalidValueError: with every one that is wrong.
        """
        found = cls()
        members = members_of(source, ("images", "categories"))
        problems = [*found._add_images(members["images"]), *found._add_categories(members["categories"])]
        if problems:
            where = "COCO dataset" if isinstance(source, Mapping) else without_signatures(str(source))
            unshown = max(0, len(problems) - _SHOWN)
            raise InvalidValueError(where, problems[:_SHOWN], unshown)
        return found

    def _add_images(self, images: Iterable[Any]) -> Iterator[str]:
        names: set[str] = set()
        for number, image in enumerate(images):
            where = f"image {number}"
            if not isinstance(image, Mapping) or not {"id", "file_name"} <= image.keys():
                yield f"{where}: needs id and file_name"
                continue
            name = image["file_name"]
            if not _is_name(name):
                yield f"{where}: file_name is {shown(name)}, not text"
                continue
            where = f"{where} ({name})"
            problem = _id_problem(image["id"], self.places, "image")
            try:
                sides = _side(image, "width"), _side(image, "height")
            except ValueError as error:
                yield f"{where}: {error}"
                continue
            if problem:
                yield f"{where}: {problem}"
            elif name in names:
                yield f"{where}: a second image has this file_name: which one do the predictions belong to?"
            else:
                names.add(name)
                self.places[image["id"]] = len(self.names)
                self.names.append(name)
                self.widths.append(sides[0])
                self.heights.append(sides[1])
        if not self.names:
            yield "no images: give the dataset file that has images and categories"

    def _add_categories(self, categories: Iterable[Any]) -> Iterator[str]:
        for number, category in enumerate(categories):
            where = f"category {number}"
            if not isinstance(category, Mapping) or not {"id", "name"} <= category.keys():
                yield f"{where}: needs id and name"
                continue
            try:
                name = label_text(category["name"])
            except ValueError:
                yield f"{where}: name is {shown(category['name'])}, not text"
                continue
            problem = _id_problem(category["id"], self.category_places, "category")
            if problem:
                yield f"{where} ({name}): {problem}"
                continue
            self.category_places[category["id"]] = len(self.categories)
            self.categories.append(_category(name, category.get("keypoints"), category.get("skeleton")))
        if not self.categories:
            yield "there are no categories: predictions name their classes by category_id"


def _id_problem(value: Any, known: Mapping[Any, int], what: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, Hashable) or not isinstance(value, int | float | str):
        return f"its id is {shown(value)}, neither a number nor text"
    return f"a second {what} has the id {value!r}" if value in known else None


def _side(image: Mapping[str, Any], side: str) -> int:
    """Return the width or the height of an image; 0 if it is missing, null or 0."""
    value = image.get(side)
    pixels = 0 if value is None else whole(value, side)
    if not 0 <= pixels <= _MOST_PIXELS:
        raise ValueError(f"{side} is {pixels}, not a number of pixels")
    return pixels


def _category(name: str, joints: Any, bones: Any) -> CocoCategory:
    joints, bones = ([] if each is None else plain(each) for each in (joints, bones))
    if not isinstance(joints, list | tuple) or not all(map(_is_name, joints)):
        return CocoCategory(name, problem=f"keypoints of {name!r} are {shown(joints)}, not a list of names")
    pairs = isinstance(bones, list | tuple) and all(_are(bone, int) and len(bone) == 2 for bone in bones)
    if not pairs:
        cause = f"skeleton of {name!r} is {shown(bones)}, not pairs of keypoints, counted from 1"
        return CocoCategory(name, list(joints), problem=cause)
    if any(end < 1 for bone in bones for end in bone):
        cause = f"skeleton of {name!r} names keypoint {min(map(min, bones))}; COCO counts them from 1"
        return CocoCategory(name, list(joints), problem=cause)
    return CocoCategory(name, list(joints), [(a - 1, b - 1) for a, b in bones])


def _is_name(value: Any) -> bool:
    """Tell whether something is a text that Diffgram takes as a name."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _are(values: Any, kind: type) -> bool:
    """Tell whether values are a list of one kind."""
    return isinstance(values, list | tuple) and all(type(each) is kind for each in values)
