"""A repository as its clients reach it: in memory, or over real HTTP from a directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuffet.cli.server import Server
from tuffet.client import Client
from tuffet.testing import FakeRepository


class World:
    """A repository and where it is served; `requests` are the names asked for, in order."""

    def __init__(self, repo: FakeRepository, requests: list[str], **places: Any) -> None:
        self.repo, self.requests, self._places = repo, requests, places
        self.metadata_url: str = places["metadata_url"]

    def client(self, cache: Path, **options: Any) -> Client:
        return Client(**{"cache_dir": cache, "root": self.repo.root_bytes(), "clock": self.repo.clock, **self._places, **options})

    def sync(self) -> None:
        """Let the world see what the repository has published."""


class HttpWorld(World):
    """The same, over HTTP."""

    def __init__(self, repo: FakeRepository, folder: Path, requests: list[str], url: str) -> None:
        super().__init__(repo, requests, metadata_url=url, target_url=f"{url}/targets")
        self._folder = folder
        self.sync()

    def sync(self) -> None:
        write_out(self.repo, self._folder)


def write_out(repo: FakeRepository, folder: Path) -> None:
    """Write a repository's files into a directory, each in one step and the timestamp last."""
    files = repo.store.contents()
    for name in sorted(files, key=lambda name: name == "timestamp.json"):
        path = folder / name
        if path.exists() and path.read_bytes() == files[name]:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder / "new"
        temporary.write_bytes(files[name])
        temporary.replace(path)


@contextmanager
def in_memory(repo: FakeRepository, folder: Path) -> Iterator[World]:
    yield World(repo, repo.requests, metadata_url=repo.metadata_url, target_url=repo.target_url, transport=repo.transport)


@contextmanager
def over_http(repo: FakeRepository, folder: Path) -> Iterator[World]:
    folder.mkdir()
    asked: list[str] = []
    with Server(str(folder), log=lambda logged: asked.append(logged.target[1:])) as server:
        yield HttpWorld(repo, folder, asked, server.url)
