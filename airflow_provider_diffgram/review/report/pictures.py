"""Pictures for the page: of a record's medium, or from Diffgram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...client import DiffgramClient, DiffgramError, routes
from ...drawing import Picture
from ...ingest.read.paths import PathOpener
from ...ingest.read.pictures import Pictures
from ...models import Media, UrlMedia
from ..quality.compare import SentFile

_MEDIA: TypeAdapter[Any] = TypeAdapter(Media)


class PictureFinder:
    """Finds the picture of a file where it came from, or else in Diffgram."""

    def __init__(self, client: DiffgramClient, path_of: PathOpener) -> None:
        self._client = client
        self._pictures = Pictures(client, path_of)

    def __call__(self, sent: SentFile) -> Picture:
        """Return it; without one, why there is none."""
        medium = _medium(sent.media)
        if medium is not None:
            found = self._pictures.of(medium)
            if found.data is not None:
                return found
        if sent.file_id is None:
            return Picture(reason="no picture: the file is not known")
        try:
            file = self._client.send(routes.view_file(self._client.project, sent.file_id))
        except DiffgramError as error:
            return Picture(reason=f"Diffgram did not tell where the picture is ({type(error).__name__})")
        url = (file.image or {}).get("url_signed")
        if not isinstance(url, str):
            return Picture(reason=f"no picture: a file of type {file.type}")
        return self._pictures.of(UrlMedia(url=url, type="image"))


def _medium(media: Mapping[str, Any] | None) -> Any:
    try:
        return None if media is None else _MEDIA.validate_python(media)
    except ValidationError:
        return None
