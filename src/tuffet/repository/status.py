"""How a repository is: what is published and until when, what waits, which keys are here, and what is wrong."""

from datetime import timedelta
from typing import Literal, TypeAlias

import msgspec

from tuffet.repository.staging import Change

Presence: TypeAlias = Literal["encrypted", "unencrypted", "absent", "unusable"]


class KeyStatus(msgspec.Struct, frozen=True):
    """A key of the policy and its file."""

    name: str
    keyid: str | None
    file: str
    presence: Presence
    problem: str | None = None

    @property
    def here(self) -> bool:
        """Whether the file is here and can be read."""
        return self.presence in {"encrypted", "unencrypted"}


class RoleStatus(msgspec.Struct, frozen=True):
    """A published role; all bins together are one, with their highest version and their earliest expiry."""

    role: str
    version: int
    expires: str
    left: timedelta
    """Until it expires; not positive once it has."""
    threshold: int
    keyids: tuple[str, ...]
    """The keys that count, as published."""
    keys: tuple[KeyStatus, ...]
    """The keys that the policy names."""
    due: bool
    """Whether `renew` signs it again if it can."""
    signable: bool
    """Whether enough key files are here; an encrypted one still needs its passphrase."""


class Status(msgspec.Struct, frozen=True):
    """The whole report; `problems` are sentences, the worst first."""

    directory: str
    root_sha256: str
    roles: tuple[RoleStatus, ...]
    targets: int
    bins: int | None
    staged: tuple[Change, ...]
    problems: tuple[str, ...]
