"""Reads children of a compound file from any source: single ones, a folder, the pages of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ...models import Child, ChildFolder, ChildPages, InvalidValueError, PageMedia, PathMedia
from ...models.media import media_type_of
from ...models.problems import describe
from .jsonlines import candidates
from .pages import Documents
from .paths import PathOpener, universal_path
from .storage import patient

_FIRST_KEYS: dict[str, type[ChildFolder] | type[ChildPages]] = {"folder": ChildFolder, "pages": ChildPages}


def children_of(source: Any, path_of: PathOpener = universal_path) -> list[Any]:
    """Return the children of a source: each is a child, a mapping of its fields, or a problem.

    :param source: a child, a folder, the pages of a document, a list of these, the path of a JSON Lines file,
        or JSON text from a rendered template. In a list, ordinals continue after a folder or a document,
        unless the next item has its own.
    :param path_of: opens the paths.
    :raises InvalidValueError: if it is anything else.
    :raises StorageError: if its storage fails, which may pass.
    """
    found: list[Any] = []
    for number, each in enumerate(candidates(source, "child", path_of)):
        kind = _kind(each)
        if kind is None:
            found.append(each)
            continue
        try:
            first = max((_ordinal(child) for child in found), default=-1) + 1
            found += _expanded(each if isinstance(each, kind) else kind.model_validate(each), first, path_of)
        except ValidationError as error:
            found.append(describe(error, f"child {number}"))
        except InvalidValueError as error:
            found.append([f"child {number}: {problem}" for problem in error.problems])
        except (OSError, ImportError, ValueError) as error:
            found.append([f"child {number}: {error}"])
    return found


def _kind(each: Any) -> type[ChildFolder] | type[ChildPages] | None:
    if isinstance(each, ChildFolder | ChildPages):
        return type(each)
    if not isinstance(each, Mapping):
        return None
    return next((kind for key, kind in _FIRST_KEYS.items() if key in each), None)


def _ordinal(child: Any) -> int:
    ordinal = child.get("ordinal") if isinstance(child, Mapping) else getattr(child, "ordinal", None)
    return ordinal if isinstance(ordinal, int) else -1


def _expanded(source: ChildFolder | ChildPages, first: int, path_of: PathOpener) -> Iterator[Child]:
    if isinstance(source, ChildFolder):
        media: Iterable[PathMedia] = _files(source, path_of)
    else:
        with Documents(path_of) as documents:
            pages = range(documents.count(source.pages))
        media = [PageMedia(path=source.pages, page=page, dpi=source.dpi) for page in pages]
    return (Child(media=each, ordinal=ordinal) for ordinal, each in enumerate(media, first))


def _files(source: ChildFolder, path_of: PathOpener) -> list[PathMedia]:
    """Return the media of a folder in order.

    :raises InvalidValueError: if there are none, or one of them is not a child.
    """
    folder = patient(path_of)(source.folder)
    matched = [path for path in folder.glob(source.glob) if not path.name.startswith(".")]
    paths = [path for path in matched if path.is_file()]
    files = set(map(str, paths))
    lost = sorted(str(path) for path in matched if str(path) not in files and not path.is_dir())
    if lost:
        raise InvalidValueError(
            "folder", [f"{path} is a broken link, or not a file: give the file itself" for path in lost]
        )
    if not paths:
        raise InvalidValueError("folder", [f"no file {source.glob!r} in {source.folder}"])
    strangers = sorted(str(path) for path in paths if media_type_of(path.name) is None)
    if strangers:
        raise InvalidValueError(
            "folder",
            [f"{path} is not a medium that Diffgram ingests: give a narrower glob" for path in strangers],
        )
    return [PathMedia(path=str(path)) for path in _sorted(paths, source)]


def _sorted(paths: Sequence[Any], source: ChildFolder) -> list[Any]:
    if source.sort == "name":
        return sorted(paths, key=str)
    by_name = sorted(paths, key=lambda path: natural_key(str(path)))
    if source.sort == "natural":
        return by_name
    times = {str(path): path.stat().st_mtime for path in paths}
    if not all(times.values()):
        told = f"{source.folder} does not say when files were changed: sort by name"
        raise InvalidValueError("folder", [told])
    return sorted(by_name, key=lambda path: times[str(path)])


def natural_key(text: str) -> tuple[list[tuple[int, int | str]], str]:
    """Return a sort key that compares numbers in a text by value: ``page-9`` before ``page-10``."""
    parts = re.split(r"(\d+)", text.casefold())
    # Text and numbers alternate, so that only like is compared with like; the text itself orders 01 and 1.
    return [(1, int(part)) if part.isdecimal() else (0, part) for part in parts], text
