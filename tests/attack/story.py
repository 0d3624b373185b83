"""How an attack is told, and the three endings that every one of them has.

Refused by name: the exact class of error, its fields, its class of attack. Nothing kept: the cache is what it was, but
for documents that were rightly believed before the refusal, and no file is left in the download directory. No further
request: the log of requests ends where the refusal happened.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tuffet.client import Client
from tuffet.errors import TuffetError
from tuffet.storage.disk import LOCK, RESERVED
from tuffet.testing import FakeRepository
from tuffet.transport import Answer
from tuffet.trust.workflow import Trusted

E = TypeVar("E", bound=TuffetError)

UP_TO_TIMESTAMP = ("2.root.json", "timestamp.json")
"""What a client asks for that holds root 1, until it judges the timestamp (docs/decisions/0005)."""


class Story:
    """A repository, a client that has refreshed from it, and the directory that this client downloads to."""

    def __init__(self, repo: FakeRepository, folder: Path, **settings: Any) -> None:
        self.repo, self.folder = repo, folder
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        self.client: Client = repo.client(folder / "cache", **settings)
        self.believed: Trusted | None = None

    def refresh(self) -> Trusted:
        """Let the client refresh, which succeeds."""
        self.believed = self.client.refresh()
        return self.believed

    def refused(
        self,
        kind: type[E],
        action: Callable[[], object],
        *,
        attack: str | None,
        asked: Sequence[str],
        kept: Sequence[str] = (),
        forgot: Sequence[str] = (),
    ) -> E:
        """Do what must be refused and return the error, having looked at all three endings.

        `asked` is every request of the action, in order; `kept` names the files of the cache that were rightly believed on
        the way, `forgot` those that a rotation of keys took away.
        """
        before, heard = self.client.cache.contents(), len(self.repo.requests)
        files = files_below(self.downloads)
        with pytest.raises(TuffetError) as refusal:
            action()
        error = refusal.value
        assert type(error) is kind, f"{type(error).__name__}: {error}"
        assert error.attack == attack
        after = self.client.cache.contents()
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert changed == {*kept, *forgot}
        assert not after.keys() & set(forgot)
        assert leftovers(self.folder) == []
        assert files_below(self.downloads) == files
        assert self.repo.requests[heard:] == list(asked)
        if self.believed is not None:
            assert self.client.trusted is self.believed
        assert isinstance(error, kind)
        return error

    def recovers(self) -> Trusted:
        """Serve the honest repository again; the client then believes its newest documents."""
        self.repo.replay(self.repo)
        trusted = self.refresh()
        assert trusted.root.payload == self.repo.root
        assert trusted.timestamp.payload == self.repo.timestamp
        assert trusted.snapshot.payload == self.repo.snapshot
        assert trusted.targets.payload == self.repo.roles["targets"]
        return trusted


class Tampering:
    """A transport that answers some names with bodies of its own, and passes on what others are asked for."""

    def __init__(self, repo: FakeRepository, bodies: Mapping[str, Callable[[], Iterator[bytes]]]) -> None:
        self._repo, self.bodies = repo, dict(bodies)
        self.read: dict[str, int] = {}

    def ask(self, url: str) -> Answer:
        name = url.removeprefix(self._repo.metadata_url)
        if name not in self.bodies:
            return self._repo.transport.ask(url)
        self._repo.requests.append(name)
        return _Body(self, name, self.bodies[name]())


class _Body:
    def __init__(self, transport: Tampering, name: str, chunks: Iterator[bytes]) -> None:
        self._transport, self._name, self._chunks = transport, name, chunks
        transport.read[name] = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._transport.read[self._name] += len(chunk)
        return chunk

    def close(self) -> None:
        """Nothing is held."""


def files_below(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files that lie about; locks may stay."""
    return [name for _, _, names in os.walk(folder) for name in names if name.startswith(RESERVED) and name != LOCK]


def table(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return rows that begin with a sentence as parameters that bear it as their name."""
    return [pytest.param(*row[1:], id=row[0]) for row in rows]
