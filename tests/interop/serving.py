"""Puts repositories where the clients can read them: in a directory, behind tuffet's own server, on this machine alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.pypi_repository import PypiRepository
from tests.interop.readers import Site
from tuffet.cli.server import Server
from tuffet.metadata.dsse import DSSE
from tuffet.repository import Repository
from tuffet.testing import FakeRepository

AnyRepository = PypiRepository | FakeRepository | Repository
Serve = Callable[[AnyRepository], Site]


@contextmanager
def serving(repository: AnyRepository, folder: Path) -> Iterator[Site]:
    """Serve a repository until the end; one in memory as it is now, from a new folder."""
    if isinstance(repository, FakeRepository):
        write_files(repository, folder)
        with Server(str(folder)) as server:
            yield Site(server.url, repository.root_bytes(), metadata="/", dsse=repository.dialect is DSSE)
    elif isinstance(repository, Repository):
        root = (repository.public / "metadata/1.root.json").read_bytes()
        with Server(str(repository.public)) as server:
            yield Site(server.url, root, dsse=repository.policy.dialect is DSSE)
    else:
        with Server(str(repository.folder)) as server:
            yield Site(server.url, repository.first_root, dsse=repository.dsse)


def write_files(repository: FakeRepository, folder: Path) -> None:
    """Write what a repository in memory serves to a directory."""
    for name, data in repository.store.contents().items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
