"""The four top-level documents but targets: root, timestamp, snapshot (specification 4.3, 4.4, 4.6) and mirrors (4.7).

Values are frozen. Every number, name and time has its bounds, checked once, when the value is made; a refusal names the
path inside the document.
"""

from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType

from tuffet.errors import FormatError
from tuffet.metadata.canonical import check_free
from tuffet.metadata.expiry import parse_time
from tuffet.metadata.hashes import Hashes, require_digests
from tuffet.metadata.keys import Key, RoleKeys
from tuffet.metadata.schema import Document
from tuffet.names import TOP_LEVEL

MAX_VERSION: Final = 2**53 - 1
"""The largest version: what every JSON implementation can count (B043, B052)."""

PositiveVersion = Annotated[int, Meta(ge=1, le=MAX_VERSION)]
Length = Annotated[int, Meta(ge=0, le=MAX_VERSION)]
Text = Annotated[str, Meta(min_length=1, max_length=4096)]


class Dated(Document, frozen=True):
    """What all signed documents share: the version of the specification, their own, and when they expire."""

    expires: str
    spec_version: str
    version: PositiveVersion

    @property
    def expires_at(self) -> datetime:
        """The instant from which on the document is expired."""
        return parse_time(self.expires)

    def __post_init__(self) -> None:
        require_dates(self.expires, self.spec_version)


def require_dates(expires: str, spec_version: str) -> None:
    """Refuse a time that is none, and a specification that is not version 1 (4.2, TAP 6)."""
    try:
        parse_time(expires)
    except FormatError as error:
        raise ValueError(str(error)) from error
    parts = spec_version.split(".")
    if parts[0] != "1" or not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"spec_version: {spec_version[:20]!r} is not a version 1 of the specification")


class Root(Dated, frozen=True, tag_field="_type", tag="root"):
    """Which keys speak for the top-level roles (4.3)."""

    keys: dict[str, Key]
    roles: dict[str, RoleKeys]
    consistent_snapshot: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        require_dates(self.expires, self.spec_version)
        missing = [role for role in TOP_LEVEL if role not in self.roles]
        if missing:
            raise ValueError(f"roles: {missing[0]} is missing")


class MetaFile(Document, frozen=True, gc=False):
    """What a timestamp or snapshot says of another document: its version, and perhaps its length and hashes."""

    version: PositiveVersion
    length: Length | UnsetType = UNSET
    hashes: Hashes | UnsetType = UNSET


def require_meta(meta: dict[str, MetaFile], needed: str) -> None:
    """Refuse metadata about files that leaves out the needed one, or lists hashes that are none."""
    if needed not in meta:
        raise ValueError(f"meta: {needed} is missing")
    listed = [file.hashes for file in meta.values() if file.hashes]
    if listed:
        require_digests(listed, lambda: ((f"meta[{name!r}].hashes", file.hashes) for name, file in meta.items() if file.hashes))


class Timestamp(Dated, frozen=True, tag_field="_type", tag="timestamp"):
    """Which snapshot is the newest (4.6)."""

    meta: dict[str, MetaFile]

    @property
    def snapshot(self) -> MetaFile:
        """What is said of the newest snapshot."""
        return self.meta["snapshot.json"]

    def __post_init__(self) -> None:
        require_dates(self.expires, self.spec_version)
        require_meta(self.meta, "snapshot.json")


class Snapshot(Dated, frozen=True, tag_field="_type", tag="snapshot"):
    """The versions of all targets roles that belong together (4.4)."""

    meta: dict[Text, MetaFile]

    def __post_init__(self) -> None:
        require_dates(self.expires, self.spec_version)
        require_meta(self.meta, "targets.json")


class Mirror(Document, frozen=True):
    """Where copies of metadata and targets are, and what part of them (4.7)."""

    metapath: str
    targetspath: str
    urlbase: Text
    custom: dict[str, Any] | UnsetType = UNSET
    metacontent: tuple[str, ...] | UnsetType = UNSET
    targetscontent: tuple[str, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_free(self.custom or {}, "mirrors", 4)


class Mirrors(Dated, frozen=True, tag_field="_type", tag="mirrors"):
    """The mirrors of a repository, vouched for by the mirrors role (4.7)."""

    mirrors: tuple[Mirror, ...]
