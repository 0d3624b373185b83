"""Files straight from a store, without a wire: for tests, demonstrations and repositories that check themselves."""

import threading
from typing import BinaryIO, Protocol

from tuffet.errors import UsageError
from tuffet.transport.confined import candidates
from tuffet.transport.file_answer import FileAnswer


class Openable(Protocol):
    """What a store must be able to do; every `Store` is."""

    def open(self, name: str) -> BinaryIO | None:
        """Open what is stored under a name, if anything is."""


class StoreTransport:
    """A transport for URLs that begin with `prefix_url`; `requests` lists the names asked for, in order."""

    def __init__(self, store: Openable, prefix_url: str) -> None:
        self._store, self._prefix = store, prefix_url.rstrip("/") + "/"
        self._lock = threading.Lock()
        self.requests: list[str] = []

    def ask(self, url: str) -> FileAnswer:
        """Return the file that the store holds under the rest of a URL; see `Transport`."""
        if not url.startswith(self._prefix):
            raise UsageError(f"{url} is not below {self._prefix}")
        name = url[len(self._prefix) :]
        with self._lock:
            self.requests.append(name)
        return FileAnswer(url, lambda: self._open(name))

    def _open(self, name: str) -> BinaryIO | None:
        for candidate in candidates(name):
            if (file := self._store.open(candidate)) is not None:
                return file
        return None
