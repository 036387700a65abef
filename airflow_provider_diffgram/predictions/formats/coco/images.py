"""The images and categories of a COCO dataset, in columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError

from .files import Source, member

_MOST_PIXELS = 2**30 - 1
_SHOWN = 100


@dataclass
class CocoCategory:
    """A class of the model.

    :param name: of the class.
    :param joints: names of the joints of its skeleton.
    :param bones: pairs of places in ``joints``, from 0.
    """

    name: str
    joints: list[str] = field(default_factory=list)
    bones: list[tuple[int, int]] = field(default_factory=list)


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
        problems = [*found._add_images(_member(source, "images"))]
        problems += found._add_categories(_member(source, "categories"))
        if problems:
            unshown = max(0, len(problems) - _SHOWN)
            raise InvalidValueError("COCO images", problems[:_SHOWN], unshown)
        return found

    def _add_images(self, images: Iterable[Any]) -> Iterator[str]:
        for number, image in enumerate(images):
            where = f"image {number}"
            if not isinstance(image, Mapping) or not {"id", "file_name"} <= image.keys():
                yield f"{where}: needs id and file_name"
                continue
            sides = image.get("width") or 0, image.get("height") or 0
            if not all(type(side) is int and 0 <= side <= _MOST_PIXELS for side in sides):
                yield f"{where} ({image['file_name']}): width {sides[0]!r}, height {sides[1]!r} are no pixels"
            elif image["id"] in self.places:
                yield f"{where} ({image['file_name']}): a second image has the id {image['id']!r}"
            else:
                self.places[image["id"]] = len(self.names)
                self.names.append(str(image["file_name"]))
                self.widths.append(sides[0])
                self.heights.append(sides[1])
        if not self.names:
            yield "no images: give the dataset file that has images and categories"

    def _add_categories(self, categories: Iterable[Any]) -> Iterator[str]:
        for number, category in enumerate(categories):
            if not isinstance(category, Mapping) or not {"id", "name"} <= category.keys():
                yield f"category {number}: needs id and name"
                continue
            joints = [str(name) for name in category.get("keypoints") or []]
            bones = [(int(a) - 1, int(b) - 1) for a, b in category.get("skeleton") or []]
            if any(not 0 <= end < len(joints) for bone in bones for end in bone):
                yield f"category {number} ({category['name']}): skeleton names keypoints that do not exist"
            self.category_places[category["id"]] = len(self.categories)
            self.categories.append(CocoCategory(str(category["name"]), joints, bones))
        if not self.categories:
            yield "there are no categories: predictions name their classes by category_id"


def _member(source: Source | Mapping[str, Any], key: str) -> Iterable[Any]:
    return source.get(key) or [] if isinstance(source, Mapping) else member(source, f"{key}.item")
