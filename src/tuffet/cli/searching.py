"""Looking up names: all of them before anything is downloaded, and what a name that is not there may have meant."""

from collections.abc import Iterable
from typing import Final

from tuffet.cli.own_errors import NoTargetError
from tuffet.client import Client, Target

_MOST_COMPARED: Final = 20_000
"""Comparing takes about a second for so many names."""


def find_all(client: Client, url: str, names: Iterable[str]) -> list[Target]:
    """Return the targets; NoTargetError if there is none under one of the names."""
    found = []
    for name in dict.fromkeys(names):
        target = client.find(name)
        if target is None:
            raise NoTargetError(url, name, _similar(client, name))
        found.append(target)
    return found


def _similar(client: Client, name: str) -> list[str]:
    """Return listed names that look like this one; only those of the top-level role, which is here already."""
    from difflib import get_close_matches

    listed = client.trusted.targets.payload.targets
    if len(listed) > _MOST_COMPARED:
        return []
    last = name.rpartition("/")[2]
    return get_close_matches(name, listed, n=2) or [path for path in listed if path.rpartition("/")[2] == last][:2]
