"""Groups pictures of several cameras: each moment is a compound file, with its cameras in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, TypedDict

from ...models import InvalidValueError
from ...models.media import media_type_of
from .children import natural_key
from .paths import PathOpener, universal_path
from .storage import patient


class Scene(TypedDict):
    """A compound file to create.

    :param name: of the compound file.
    :param children: fields of children, one per camera that has a picture.
    """

    name: str
    children: list[dict[str, Any]]


def scenes(
    pictures: Mapping[Any, Mapping[str, Any]], *, cameras: Sequence[str] | None = None, prefix: str = ""
) -> list[Scene]:
    """Return a scene for each timestamp, earliest first as their text sorts.

    :param pictures: timestamp -> camera -> path of the picture, or media such as ``{"url": ...}``, or fields
        of a child with ``media`` and ``instance_list``.
    :param cameras: all cameras in the desired order. A camera's index is its ordinal, even if others have no
        picture. By default the cameras in ``pictures``, by name; a new one would then move the others.
    :param prefix: the beginning of the name of every scene.
    :raises InvalidValueError: with all cameras that are not in ``cameras``, and all scenes without pictures.
    """
    found = {camera for of_scene in pictures.values() for camera in of_scene}
    order = list(cameras) if cameras is not None else sorted(found, key=natural_key)
    problems = [
        f"camera {camera!r} is named twice" for camera in sorted({c for c in order if order.count(c) > 1})
    ]
    problems += [
        f"camera {camera!r} is not among {', '.join(order)}" for camera in sorted(found - set(order))
    ]
    problems += [f"{timestamp}: no picture" for timestamp, of_scene in pictures.items() if not of_scene]
    if problems:
        raise InvalidValueError("scenes", problems)
    places = {camera: place for place, camera in enumerate(order)}
    timestamps = sorted(pictures, key=lambda each: natural_key(str(each)))
    return [_scene(f"{prefix}{timestamp}", pictures[timestamp], places) for timestamp in timestamps]


def _scene(name: str, pictures: Mapping[str, Any], places: Mapping[str, int]) -> Scene:
    children = [_child(name, camera, given, places[camera]) for camera, given in pictures.items()]
    return Scene(name=name, children=sorted(children, key=lambda child: child["ordinal"]))


def _child(scene: str, camera: str, given: Any, place: int) -> dict[str, Any]:
    if isinstance(given, Mapping):
        fields = dict(given) if "media" in given else {"media": dict(given)}
    else:
        fields = {"media": {"path": str(given)}}
    media = fields["media"]
    source = str(media.get("path") or media.get("url") or "").partition("?")[0]
    return {
        "original_filename": f"{scene}-{camera}{PurePosixPath(source).suffix}",
        **fields,
        "ordinal": place,
    }


def pictures_in(folder: str, path_of: PathOpener = universal_path) -> dict[str, dict[str, str]]:
    """Return timestamp -> camera -> path of the media at ``folder/<timestamp>/<camera>.png``.

    :param folder: local or in object storage.
    :raises InvalidValueError: if there are none, or a camera has two media for the same moment.
    """
    found: dict[str, dict[str, str]] = {}
    problems = []
    for path in sorted(patient(path_of)(folder).glob("*/*"), key=str):
        is_hidden = path.name.startswith(".") or path.parent.name.startswith(".")
        if is_hidden or media_type_of(path.name) is None:
            continue
        of_scene = found.setdefault(path.parent.name, {})
        if path.stem in of_scene:
            problems.append(f"{path} and {of_scene[path.stem]} show the same camera at the same moment")
        of_scene[path.stem] = str(path)
    if not found:
        problems.append(f"no media at {folder}/<timestamp>/<camera>")
    if problems:
        raise InvalidValueError("scenes", problems)
    return found


def children_calls(found: Iterable[Scene], parents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the arguments of one upload of children per scene, for ``expand_kwargs``.

    :param found: what :func:`scenes` returned.
    :param parents: what the operator that creates compound files returned for each.
    :raises InvalidValueError: if a scene has no compound file.
    """
    by_name = {parent["name"]: parent["file_id"] for parent in parents}
    found = list(found)
    problems = [f"{scene['name']}: no compound file" for scene in found if scene["name"] not in by_name]
    if problems:
        raise InvalidValueError("scenes", problems)
    return [{"parent_file_id": by_name[scene["name"]], "children": scene["children"]} for scene in found]
