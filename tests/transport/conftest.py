"""What the tests of transports share; every server stops with its test."""

import ssl
from collections.abc import Iterator

import pytest

from tests.transport.authority import Authority
from tests.transport.raw import RawServer, Script, Serve
from tuffet.transport.http import HttpTransport


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that end with the test: `serve(script, context=None)`."""
    servers: list[RawServer] = []

    def start(script: Script, context: ssl.SSLContext | None = None) -> RawServer:
        servers.append(RawServer(script, context))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def http() -> Iterator[HttpTransport]:
    """Give a transport that is closed at the end."""
    with HttpTransport(timeout=5) as transport:
        yield transport


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority whose certificate is for another host."""
    return Authority(tmp_path_factory.mktemp("stranger"), "127.0.0.2")
