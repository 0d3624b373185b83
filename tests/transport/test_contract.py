"""Each of our transports keeps the contract that we ask of others."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import pytest

from tests.transport.authority import Authority
from tests.transport.raw import Peer, RawServer
from tests.transport.test_proxy import proxying
from tuffet.storage.memory import MemoryStore
from tuffet.testing.transport_contract import TransportContract
from tuffet.transport import Transport
from tuffet.transport.http import HttpTransport
from tuffet.transport.local import LocalTransport
from tuffet.transport.memory import StoreTransport
from tuffet.transport.proxies import Proxies
from tuffet.transport.proxy import ProxyTransport


@contextmanager
def serving_raw(files: Mapping[str, bytes], authority: Authority | None = None) -> Iterator[str]:
    """Serve files by the names that appear in the requests, byte by byte the same."""

    def script(peer: Peer) -> None:
        while head := peer.hear():
            target = head.split()[1]
            body = files.get(target.partition("/repo/")[2])
            if body is None:
                peer.answer(b"no such file", "404 Not Found")
            else:
                peer.answer(body)

    server = RawServer(script, authority.server if authority else None)
    try:
        yield f"{server.url}/repo"
    finally:
        server.stop()


class TestHttp(TransportContract):
    @contextmanager
    def serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        with serving_raw(files) as url, HttpTransport() as transport:
            yield transport, url


class TestHttps(TransportContract):
    authority: Authority

    @pytest.fixture(autouse=True)
    def _believe(self, authority: Authority) -> None:
        self.authority = authority

    @contextmanager
    def serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        with serving_raw(files, self.authority) as url, HttpTransport(ssl_context=self.authority.client) as transport:
            yield transport, url


class TestProxyToHttp(TransportContract):
    @contextmanager
    def serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        with serving_raw(files) as url, proxying() as proxy, ProxyTransport(Proxies(http=proxy.url)) as transport:
            yield transport, url


class TestProxyToHttps(TestHttps):
    @contextmanager
    def serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        with (
            serving_raw(files, self.authority) as url,
            proxying() as proxy,
            ProxyTransport(Proxies(https=proxy.url), ssl_context=self.authority.client) as transport,
        ):
            yield transport, url


class TestLocal(TransportContract):
    as_url = False

    @contextmanager
    def serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        with TemporaryDirectory() as folder:
            for name, data in files.items():
                # A role's file keeps its encoded name, a target's has its plain one.
                path = Path(folder, name if name.endswith(".json") else unquote(name))
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)
            base = Path(folder).as_uri() if self.as_url else folder
            yield LocalTransport(base), base


class TestLocalUrl(TestLocal):
    as_url = True


class TestStore(TransportContract):
    def serving(self, files: Mapping[str, bytes]) -> AbstractContextManager[tuple[Transport, str]]:
        return self._serving(files)

    @contextmanager
    def _serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        store = MemoryStore()
        for name, data in files.items():
            store.create(name if name.endswith(".json") else unquote(name), data)
        yield StoreTransport(store, "https://example.com/repo/"), "https://example.com/repo"


def test_a_store_remembers_what_was_asked() -> None:
    transport = StoreTransport(MemoryStore(), "http://x")
    transport.ask("http://x/2.root.json")
    transport.ask("http://x/timestamp.json")

    assert transport.requests == ["2.root.json", "timestamp.json"]


def test_nothing_is_left_open() -> None:
    """An answer that is dropped after its first chunk closes its file."""
    with TemporaryDirectory() as folder:
        Path(folder, "a").write_bytes(b"a" * 1_000_000)
        answer = LocalTransport(folder).ask(f"{folder}/a")
        next(answer)
        del answer
        if (descriptors := Path("/proc/self/fd")).is_dir():
            assert not [each for each in descriptors.iterdir() if _target(each).startswith(folder)]


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""
