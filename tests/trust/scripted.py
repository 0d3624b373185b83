"""A wire that says something else at first: for answers that change while an update is under way."""

from collections.abc import Iterator

from tuffet.errors import TuffetError
from tuffet.transport import Answer, Transport


class _Said:
    def __init__(self, said: bytes | TuffetError) -> None:
        self._said: bytes | TuffetError | None = said

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        said, self._said = self._said, None
        if isinstance(said, TuffetError):
            raise said
        if said is None:
            raise StopIteration
        return said

    def close(self) -> None:
        self._said = None


class Scripted:
    """Answers a file's first requests by what is scripted for them, and all others by the transport below."""

    def __init__(self, below: Transport, first: dict[str, list[bytes | TuffetError]]) -> None:
        self._below, self._first = below, first

    def ask(self, url: str) -> Answer:
        scripted = self._first.get(url.rpartition("/")[2])
        return _Said(scripted.pop(0)) if scripted else self._below.ask(url)
