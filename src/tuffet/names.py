"""The small types that keep names apart, and the one way a name becomes part of a file name or a URL.

Role names and target paths come from documents, so they may hold `/`, `..` or worse. They are percent-encoded
wherever they become a file name, and never joined raw.
"""

from typing import Any, Final, NewType

RoleName = NewType("RoleName", str)
KeyId = NewType("KeyId", str)
TargetPath = NewType("TargetPath", str)
Version = NewType("Version", int)

Json = Any
"""A JSON value without floats: None, bool, int, str, list or dict of these."""

ROOT: Final = RoleName("root")
TIMESTAMP: Final = RoleName("timestamp")
SNAPSHOT: Final = RoleName("snapshot")
TARGETS: Final = RoleName("targets")
TOP_LEVEL: Final = (ROOT, TIMESTAMP, SNAPSHOT, TARGETS)

_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE: Final = {byte: chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256)}


def quote(name: str) -> str:
    """Return the name percent-encoded but for RFC 3986's unreserved characters; `/` is encoded too."""
    return name if name.isalnum() and name.isascii() else "".join(_ESCAPE[byte] for byte in name.encode())


def metadata_file(role: str, version: int | None = None) -> str:
    """Return the name under which a repository serves a role: `5.root.json`, `timestamp.json` (specification 3.1.2)."""
    return f"{quote(role)}.json" if version is None else f"{version}.{quote(role)}.json"


def target_file(path: str, digest: str | None = None) -> str:
    """Return the name under which a target is served: each part quoted, the last led by the digest if one is given (5.7.3)."""
    folder, slash, name = path.rpartition("/")
    name = f"{digest}.{name}" if digest else name
    return "/".join(quote(part) for part in f"{folder}{slash}{name}".split("/"))
