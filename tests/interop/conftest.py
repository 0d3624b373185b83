"""What the tests against other implementations share: the three clients, and a server for what they read."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.readers import PypiTuf, Reader, Site, Tuffet, TufJs, missing_tufjs
from tests.interop.serving import AnyRepository, Serve, serving


@pytest.fixture(scope="session")
def tuffet() -> Tuffet:
    return Tuffet()


@pytest.fixture(scope="session")
def tuf() -> PypiTuf:
    return PypiTuf()


@pytest.fixture(scope="session")
def tufjs() -> Iterator[TufJs]:
    missing = missing_tufjs()
    if missing:
        pytest.skip(f"tuf-js cannot be asked: {missing}")
    reader = TufJs()
    yield reader
    reader.close()


@pytest.fixture(params=["tuffet", "tuf", "tufjs"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each of the clients in turn."""
    client: Reader = request.getfixturevalue(request.param)
    return client


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve repositories until the test ends."""
    with ExitStack() as servers:

        def start(repository: AnyRepository) -> Site:
            return servers.enter_context(serving(repository, tmp_path / "served"))

        yield start
