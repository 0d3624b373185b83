"""Under which names a cache keeps its files, which version the bytes in them claim, and the note that it leaves itself."""

from typing import Final

import msgspec

from tuffet.metadata.dsse import decode_base64
from tuffet.names import TOP_LEVEL, metadata_file
from tuffet.storage.disk import RESERVED

_LONGEST_NAME: Final = 200
_SHOWN_OF_LONG: Final = 100


def kept_file(role: str) -> str:
    """Return the file name of a role other than root: percent-encoded, no other role's, and good for every file system."""
    name = metadata_file(role)
    if name.lower().startswith(RESERVED) or (role not in TOP_LEVEL and role.lower() in TOP_LEVEL):
        # No role hides among the locks and temporary files; and where case does not count, a delegated role `Timestamp`
        # must not take the place of the timestamp.
        return f"%{ord(name[0]):X}{name[1:]}"
    if len(name) > _LONGEST_NAME:
        import hashlib

        # `%~` encodes no character, so no role that is named in full has this name.
        return f"{name[:_SHOWN_OF_LONG]}%~{hashlib.sha256(role.encode()).hexdigest()}.json"
    return name


class Note(msgspec.Struct, frozen=True):
    """These roles are to be forgotten if the root of this version was kept."""

    root: int = 0
    roles: list[str] = []

    @classmethod
    def parse(cls, data: bytes | None) -> "Note":
        """Return the note, an empty one where it is damaged."""
        try:
            return msgspec.json.decode(data or b"{}", type=cls)
        except (msgspec.DecodeError, ValueError):
            return cls()

    def encode(self) -> bytes:
        """Return the note's bytes."""
        return msgspec.json.encode(self)


class _Signed(msgspec.Struct, frozen=True):
    version: int = 0


class _Shown(msgspec.Struct, frozen=True):
    signed: _Signed = _Signed()
    payload: str = ""


def claimed_version(data: bytes | None) -> int:
    """Return the version that kept bytes claim, 0 where they are damaged."""
    try:
        shown = msgspec.json.decode(data or b"{}", type=_Shown)
        return msgspec.json.decode(decode_base64(shown.payload), type=_Signed).version if shown.payload else shown.signed.version
    except (msgspec.DecodeError, ValueError, RecursionError):
        return 0
