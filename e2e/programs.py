"""Programs from Debian's packages, installed where that may be."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "chromium": ("chromium", "fonts-dejavu-core"),
    "postgres": ("postgresql",),
    "redis-server": ("redis-server",),
}

_OF_POSTGRES = "usr/lib/postgresql/*/bin"
"""Debian keeps them out of the path, by version."""
_APT_SECONDS = 900.0


class CannotRunError(Exception):
    """The machine lacks something that a part needs; says what."""


def program(name: str, log: Path) -> Path:
    """Return where a program is, installed if it is missing.

    :param name: a key of :data:`PACKAGES`, or another one that comes with one of them.
    :param log: for what apt-get says.
    :raises CannotRunError: if it is missing and cannot be installed.
    """
    found = _find(name)
    if found is None and name in PACKAGES:
        _install(PACKAGES[name], log)
        found = _find(name)
    if found is None:
        raise CannotRunError(f"there is no {name} on this machine")
    return found


def _find(name: str) -> Path | None:
    of_debian = map(str, sorted(Path("/").glob(_OF_POSTGRES), reverse=True))
    found = shutil.which(name, path=os.pathsep.join([*of_debian, os.environ.get("PATH", os.defpath)]))
    return Path(found) if found else None


def _install(packages: tuple[str, ...], log: Path) -> None:
    wanted = " ".join(packages)
    if not shutil.which("apt-get"):
        raise CannotRunError(f"{wanted}: not installed, and there is no apt-get on this machine")
    if os.geteuid() != 0:
        raise CannotRunError(f"{wanted}: not installed, and only root may; apt-get install {wanted}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with log.open("ab") as output:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            status = subprocess.run(
                ["apt-get", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=_APT_SECONDS,
                check=False,
            ).returncode
    if status:
        raise CannotRunError(f"{wanted}: apt-get could not install it; see {log}")
