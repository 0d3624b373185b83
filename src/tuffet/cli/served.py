"""Which file a request means, and what may be said of it: its type, its tag, how long it may be kept, which part is wanted.

Metadata that carries its version in its name and targets that carry their hash never change, so caches may keep them for
good. Everything else, `timestamp.json` first of all, is asked for again each time, and that something is absent is never
remembered: a root that is not there today is how a client learns that it has the newest (specification 5.3.3).
"""

import os
import re
from typing import BinaryIO, NamedTuple

from tuffet.transport.confined import find, open_regular

_VERSIONED = re.compile(r"[1-9][0-9]*\..+\.json")
_HASHED = re.compile(r"([0-9a-f]{64}|[0-9a-f]{128})\..+")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_TARGETS = "targets"

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
NEVER_KEPT = "no-store"


class Served(NamedTuple):
    """An open file and the headers that belong to it."""

    file: BinaryIO
    size: int
    etag: str
    content_type: str
    cache_control: str


def open_served(directory: str, target: str) -> Served | None:
    """Return the file that a request's target means, None if there is none; the caller closes it."""
    name = _name_of(target)
    found = None if name is None else find(directory, name)
    if found is None:
        return None
    try:
        file = open_regular(found.path)
    except OSError:
        return None
    status = os.fstat(file.fileno())
    # A file is created once or replaced by another one as a whole, never written in place: the same inode, time and
    # size mean the same bytes, so the tag is a strong one and parts of the file may be put together by it.
    etag = f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"'
    return Served(file, status.st_size, etag, *_kind(found.name))


def wanted_part(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that a `Range` asks for; None where the whole is the answer.

    A part that begins after the end has no bytes: its start is the size or more. Several parts at once, which nobody
    needs, and whatever cannot be understood are answered with the whole, as RFC 9110 allows (14.2).
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return (max(size - int(last), 0), size) if int(last) and size else (size, size)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def names_tag(header: str, etag: str) -> bool:
    """Whether an `If-None-Match` names the tag (RFC 9110, 13.1.2)."""
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in header.split(","))


def _name_of(target: str) -> str | None:
    if not target.isascii():
        return None
    path = target.partition("?")[0]
    # A client may name the whole URL, as it does to a proxy (RFC 9112, 3.2.2).
    scheme, separator, rest = path.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        path = "/" + rest.partition("/")[2]
    return path[1:] if path.startswith("/") else None


def _kind(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    if last.endswith(".json") and folder.partition("/")[0] != _TARGETS:
        return "application/json", IMMUTABLE if _VERSIONED.fullmatch(last) else REVALIDATED
    return "application/octet-stream", IMMUTABLE if _HASHED.fullmatch(last) else REVALIDATED
