"""Files from a directory on this machine, by the same names as from a server, and from nowhere outside it."""

import os
from typing import BinaryIO

from tuffet.errors import UsageError
from tuffet.transport.confined import find, open_regular
from tuffet.transport.file_answer import FileAnswer


class LocalTransport:
    """A transport for URLs that begin with `base`: a `file://` URL or the plain path of a directory.

    After the base comes a name as a server would be asked for it: percent-encoded, parts separated by `/`.
    """

    def __init__(self, base: "str | os.PathLike[str]") -> None:
        text = os.fspath(base)
        self._directory = _directory_of(text)
        self._prefix = text.rstrip("/") + "/"

    def ask(self, url: str) -> FileAnswer:
        """Return the file that a URL names; see `Transport`."""
        if not url.startswith(self._prefix):
            raise UsageError(f"{url} is not below {self._prefix}")
        name = url[len(self._prefix) :]
        return FileAnswer(url, lambda: self._open(name))

    def _open(self, name: str) -> BinaryIO | None:
        found = find(self._directory, name)
        try:
            return None if found is None else open_regular(found.path)
        except FileNotFoundError:
            return None


def _directory_of(base: str) -> str:
    if not base.lower().startswith("file:"):
        return base
    from urllib.request import url2pathname

    host, slash, path = base[5:].removeprefix("//").partition("/")
    if not base[5:].startswith("//"):
        host, slash, path = "", "/", base[5:].lstrip("/")
    if host.lower() not in ("", "localhost") or not slash:
        raise UsageError(f"{base} names no directory of this machine")
    return url2pathname(slash + path)
