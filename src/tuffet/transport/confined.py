"""Which file a name in a URL means: one below a directory, or none.

A role's file is stored under its percent-encoded name (`1.a%2Fb.json`), a target under its plain one. So a name is first
taken as it is, and only then decoded, once. Hidden names, dot segments and symbolic links that lead out mean no file.
"""

import os
import stat
from contextlib import suppress
from typing import BinaryIO, NamedTuple


def candidates(name: str) -> list[str]:
    """Return the names below a directory that a name in a URL may mean, the likelier first."""
    names = [name]
    if "%" in name:
        from urllib.parse import unquote

        with suppress(UnicodeDecodeError):  # No name of ours is anything but UTF-8.
            names.append(unquote(name, errors="strict"))
    return [each for each in names if _is_safe(each)]


class Found(NamedTuple):
    """A regular file below a directory: its name there, and its path with every link resolved."""

    name: str
    path: str


def find(directory: str, name: str) -> Found | None:
    """Return the regular file that a name in a URL means; None if there is none below the directory."""
    base = os.path.realpath(directory)
    for candidate in candidates(name):
        path = os.path.realpath(os.path.join(base, *candidate.split("/")))
        if os.path.commonpath((base, path)) == base and os.path.isfile(path):
            return Found(candidate, path)
    return None


def open_regular(path: str) -> BinaryIO:
    """Open a file to read, but never a pipe or a device, where reading could wait for ever."""
    # What was a file when it was looked for may be a pipe by now: opening one must not block either.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError(path)
    return open(handle, "rb", buffering=0)


def _is_safe(name: str) -> bool:
    # Control characters and backslashes are in no name of ours; a colon means a drive or a stream on Windows.
    bad = any(character < " " or character in "\\\x7f" for character in name) or (os.name == "nt" and ":" in name)
    return not bad and all(part and not part.startswith(".") for part in name.split("/"))
