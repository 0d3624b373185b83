"""Targets: which files there are, and who else may speak for which of them (specification 4.5, TAP 15)."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType

from tuffet.errors import FormatError
from tuffet.metadata.canonical import check_free
from tuffet.metadata.hashes import Hashes, require_digests
from tuffet.metadata.keys import Key, RoleKeys
from tuffet.metadata.roles import Dated, Length, Text, require_dates
from tuffet.metadata.schema import Document
from tuffet.names import TOP_LEVEL

MAX_BIT_LENGTH: Final = 32
"""The most bits of a path's hash that may choose a bin (TAP 15)."""

_HEX: Final = frozenset("0123456789abcdef")

RoleText = Annotated[str, Meta(min_length=1, max_length=512)]


class TargetFile(Document, frozen=True, gc=False):
    """What a role says of one file: its length in bytes, its hashes, and whatever the application wants to know."""

    hashes: Hashes
    length: Length
    custom: dict[str, Any] | UnsetType = UNSET


class DelegatedRole(RoleKeys, frozen=True):
    """A role that may speak for paths by pattern, or by the prefix of their hash (4.5)."""

    name: RoleText
    terminating: bool
    path_hash_prefixes: tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...] | UnsetType = UNSET
    paths: tuple[Text, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        RoleKeys.__post_init__(self)
        _require_free_name(self.name)
        if self.paths is not UNSET and self.path_hash_prefixes is not UNSET:
            raise ValueError("paths and path_hash_prefixes exclude each other")
        if any(not _HEX.issuperset(prefix) for prefix in self.path_hash_prefixes or ()):
            raise ValueError("path_hash_prefixes: expected lower-case hexadecimal digits")


class SuccinctRoles(RoleKeys, frozen=True):
    """Bins of equal standing that share keys; the first bits of a path's SHA-256 choose one (TAP 15)."""

    bit_length: Annotated[int, Meta(ge=1, le=MAX_BIT_LENGTH)]
    name_prefix: RoleText

    @property
    def count(self) -> int:
        """How many bins there are."""
        return 1 << self.bit_length

    def bin_name(self, number: int) -> str:
        """Return the name of a bin, its number padded with zeros to as many hexadecimal digits as the last one needs."""
        return f"{self.name_prefix}-{number:0{-(-self.bit_length // 4)}x}"

    def bin_of(self, path: str) -> int:
        """Return the number of the bin that speaks for a path."""
        import hashlib

        return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") >> (32 - self.bit_length)

    def names(self) -> Iterator[str]:
        """Yield the names of all bins in order."""
        return (self.bin_name(number) for number in range(self.count))


class Delegations(Document, frozen=True):
    """To whom a role delegates, in order, with the keys of all of them; either listed roles or succinct bins."""

    keys: dict[str, Key]
    roles: tuple[DelegatedRole, ...] | UnsetType = UNSET
    succinct_roles: SuccinctRoles | UnsetType = UNSET

    def __post_init__(self) -> None:
        if (self.roles is UNSET) == (self.succinct_roles is UNSET):
            raise ValueError("expected either roles or succinct_roles")
        names = [role.name for role in self.roles or ()]
        if len(set(names)) != len(names):
            raise ValueError("roles: a name is listed twice")


class Targets(Dated, frozen=True, tag_field="_type", tag="targets"):
    """The files that a role vouches for, and its delegations (4.5)."""

    targets: dict[Text, TargetFile]
    delegations: Delegations | UnsetType = UNSET

    def __post_init__(self) -> None:
        require_dates(self.expires, self.spec_version)
        files = self.targets.values()
        require_digests(
            [file.hashes for file in files],
            lambda: ((f"targets[{name!r}].hashes", file.hashes) for name, file in self.targets.items()),
        )
        for custom in [file.custom for file in files if file.custom]:
            check_free(custom, "targets", 4)


def _require_free_name(name: str) -> None:
    """Refuse a delegated role that bears the name of a top-level one: it could stand in for it in a snapshot."""
    if name in TOP_LEVEL:
        raise ValueError(f"name: {name} is a top-level role")


def require_target_path(path: str) -> str:
    """Return the path if it can name a file below a folder on every system; FormatError says what is wrong.

    Documents may list other names. They are carried, listed and found, but never written to a disk (B016, B099, B106).
    """
    parts = path.split("/")
    problem = None
    if any("\ud800" <= letter <= "\udfff" for letter in path):
        problem = "holds half a character"
    elif not path or any(not part for part in parts):
        problem = "is empty, absolute, or has an empty part"
    elif any(part in {".", ".."} for part in parts):
        problem = "leads out of its folder"
    elif any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        problem = "holds a control character"
    elif "\\" in path or (len(parts[0]) == 2 and parts[0][1] == ":"):
        problem = "means something else on Windows"
    elif any(len(part.encode()) > 255 for part in parts) or len(path.encode()) > 4096:
        problem = "is longer than file systems allow"
    if problem:
        raise FormatError("target path", f"{path[:80]!r} {problem}")
    return path
