"""A target that may be believed, as its application sees it."""

from typing import Any

import msgspec

from tuffet.errors import UsageError
from tuffet.trust.delegations import Found, Visit


class Target(msgspec.Struct, frozen=True):
    """A file that a role vouches for: its path, its length in bytes, its known hashes, and the application's own data."""

    path: str
    length: int
    hashes: dict[str, str]
    """Digests as lower-case hex by algorithm; only algorithms that tuffet checks, at least one."""
    custom: dict[str, Any]
    role: str

    @classmethod
    def from_found(cls, found: Found) -> "Target":
        """Return the target that a search found."""
        file = found.file
        return cls(found.path, file.length, file.hashes.known(), dict(file.custom or {}), found.role)


class Explanation(msgspec.Struct, frozen=True):
    """Which roles were asked about a path, in order, and what came of it."""

    path: str
    target: Target | None
    visits: tuple[Visit, ...]

    def sentences(self) -> list[str]:
        """Return the story, a sentence for each role."""
        told = []
        for visit in self.visits:
            why = f", asked because {visit.delegator} delegates to it" if visit.delegator else ""
            who = f"{visit.role} (version {visit.version}{why})"
            if visit.lists_it:
                told.append(f"{who} lists it.")
            elif visit.terminating:
                told.append(f"{who} does not list it and hands the search to {visit.terminating} for good.")
            elif visit.delegates_to:
                told.append(f"{who} does not list it and delegates its path to {', '.join(visit.delegates_to)}.")
            else:
                told.append(f"{who} neither lists it nor delegates its path.")
        return told


def require_text(path: str) -> None:
    """Refuse a path that no document can hold, such as one that came from a command line in another encoding."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"the path {path!a} holds characters that UTF-8 cannot write") from error
