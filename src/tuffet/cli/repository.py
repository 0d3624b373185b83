"""Which repository a command means."""

import os
from typing import TYPE_CHECKING, Final

from tuffet.cli.own_errors import NoRepositoryError

if TYPE_CHECKING:
    from tuffet.repository import Repository

POLICY: Final = "tuffet.toml"


def open_repository(directory: str | None) -> "Repository":
    """Return the repository in a directory, or the nearest one upward from here; NoRepositoryError if there is none."""
    found = _named(directory) if directory else _nearest()
    from tuffet.repository import Repository

    return Repository.open(found)


def _named(directory: str) -> str:
    if not os.path.isfile(os.path.join(directory, POLICY)):
        raise NoRepositoryError(f"{directory} is no repository: there is no {POLICY} in it")
    return directory


def _nearest() -> str:
    here = directory = os.getcwd()
    while not os.path.isfile(os.path.join(directory, POLICY)):
        above = os.path.dirname(directory)
        if above == directory:
            raise NoRepositoryError(f"there is no repository in {here} or above it")
        directory = above
    return os.path.relpath(directory)
