"""Servers that drip, stall, cut and never end: each costs a bounded time, and only a broken connection is tried again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import MakeClient
from tests.client.worlds import write_out
from tests.transport.raw import Peer, RawServer, Script
from tuffet.client import Client, Speed, Target
from tuffet.errors import ConnectError, MismatchError, StatusError, TooLargeError, TooSlowError, TuffetError
from tuffet.testing import FakeRepository
from tuffet.transport.http import HttpTransport

DATA = b"0123456789" * 1000


class Shop:
    """A client whose metadata is on a stick, and whose targets come from a server that does what a test says."""

    def __init__(self, repo: FakeRepository, folder: Path) -> None:
        repo.publish("app", DATA)
        write_out(repo, folder / "stick")
        self._repo, self._folder = repo, folder
        self.server: RawServer | None = None
        self.place = folder / "app"
        self.place.write_bytes(b"old")

    def open(self, script: Script) -> RawServer:
        self.server = RawServer(script)
        return self.server

    def download(self, speed: Speed, **options: Any) -> Target:
        assert self.server is not None
        places = [str(self._folder / "stick"), self.server.url]
        settings: dict[str, Any] = {"cache_dir": self._folder / "cache", "root": self._repo.root_bytes(), "clock": self._repo.clock}
        with Client(*places, **settings, speed=speed) as client:
            target = client.find("app")
            assert target is not None
            client.download(target, self.place, **options)
        return target

    def refuses(self, error: type[TuffetError], speed: Speed, *, requests: int, **options: Any) -> TuffetError:
        """Say that it was refused by name, in time, after so many requests, with nothing kept."""
        assert self.server is not None
        with pytest.raises(error) as refused:
            self.download(speed, **options)
        assert len(self.server.heads) == requests
        assert self.place.read_bytes() == b"old"
        assert not list(self._folder.glob(".tuffet-*"))
        return refused.value


@pytest.fixture
def shop(repo: FakeRepository, tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "stick").mkdir()
    shop = Shop(repo, tmp_path)
    yield shop
    if shop.server:
        shop.server.stop()


def head(length: int) -> str:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"


def test_a_connection_that_breaks_is_tried_again(shop: Shop) -> None:
    """Half of the file and then nothing is no file (B021); the second try brings it whole."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(head(len(DATA)).encode() + (DATA if peer.number == 2 else DATA[:5000]))

    server = shop.open(script)
    told: list[int] = []
    shop.download(Speed(tries=2), progress=lambda came, _: told.append(came))
    assert shop.place.read_bytes() == DATA
    assert len(server.heads) == 2
    assert told[-1] == len(DATA)


@pytest.mark.parametrize("tries", [1, 2])
def test_a_connection_that_breaks_too_often(shop: Shop, tries: int) -> None:
    """Tries are counted, and what came is not taken for a whole."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(head(len(DATA)).encode() + DATA[:-1])

    shop.open(script)
    shop.refuses(ConnectError, Speed(tries=tries), requests=tries)


def test_a_file_without_a_length_that_is_cut(shop: Shop) -> None:
    """Where the end of the connection is the end of the file, the signed length tells (B059)."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(b"HTTP/1.0 200 OK\r\n\r\n" + DATA[:-1])

    shop.open(script)
    assert "length" in str(shop.refuses(MismatchError, Speed(), requests=1))


def test_what_fails_verification_is_not_tried_again(shop: Shop) -> None:
    """Asking again would bring the same, and help nobody but an attacker."""

    def script(peer: Peer) -> None:
        while peer.hear():
            peer.answer(DATA[::-1])

    shop.open(script)
    shop.refuses(MismatchError, Speed(), requests=1)


def test_a_refusal_is_not_tried_again(shop: Shop) -> None:
    def script(peer: Peer) -> None:
        while peer.hear():
            peer.answer(b"no", "500 Internal Server Error")

    shop.open(script)
    shop.refuses(StatusError, Speed(), requests=1)


@pytest.mark.parametrize("opening", ["HTTP/1.1 200 OK\r\n\r\n", head(1 << 40), "chunked"])
def test_a_file_that_never_ends(shop: Shop, opening: str) -> None:
    """One byte more than was signed is too many (endless data)."""

    def script(peer: Peer) -> None:
        peer.hear()
        chunked = opening == "chunked"
        peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if chunked else opening)
        while True:
            peer.say(b"2710\r\n" + DATA + b"\r\n" if chunked else DATA)

    shop.open(script)
    assert shop.refuses(TooLargeError, Speed(), requests=1).attack == "endless-data"


def drip(peer: Peer) -> None:
    """Send a byte now and then."""
    peer.hear()
    peer.say(head(len(DATA)))
    while True:
        peer.say(b"0")
        time.sleep(0.01)


def test_a_file_that_drips(shop: Shop) -> None:
    """Slow retrieval: too few bytes per second, once the grace is over; it is not tried again."""
    shop.open(drip)
    refused = shop.refuses(TooSlowError, Speed(min_bytes_per_second=1000, grace_seconds=0.1), requests=1)
    assert refused.attack == "slow-retrieval"


def test_a_deadline(shop: Shop) -> None:
    """However fast bytes come: not after it."""
    shop.open(drip)
    assert "deadline" in str(shop.refuses(TooSlowError, Speed(min_bytes_per_second=1), requests=1, deadline_seconds=0.15))


METADATA = ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]


@pytest.mark.parametrize(
    "speed",
    [Speed(min_bytes_per_second=1000, grace_seconds=0.1), Speed(min_bytes_per_second=1, metadata_seconds=0.1)],
    ids=["slow", "late"],
)
@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_drips(repo: FakeRepository, make_client: MakeClient, name: str, speed: Speed) -> None:
    """Every file of a refresh is bounded in time; what came before it in the workflow is kept, and nothing else."""

    def script(peer: Peer) -> None:
        while asked := peer.hear():
            path = asked.split()[1][1:]
            if path == name:
                peer.say(head(400))
                while True:
                    peer.say(b" ")
                    time.sleep(0.01)
            data = repo.store.read(path)
            peer.answer(data or b"", "200 OK" if data else "404 Not Found")

    server = RawServer(script)
    transport = HttpTransport(timeout=1)
    client = make_client(metadata_url=server.url, transport=transport, speed=speed)
    with pytest.raises(TooSlowError):
        client.refresh()
    assert len(client.cache.contents()) == max(METADATA.index(name) - 1, 0)
    transport.close()
    server.stop()


@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_breaks_off(repo: FakeRepository, make_client: MakeClient, name: str) -> None:
    """Each request that breaks is sent again, and only those; an absent root is no break."""
    broken: list[str] = []

    def script(peer: Peer) -> None:
        while asked := peer.hear():
            path = asked.split()[1][1:]
            data = repo.store.read(path)
            if path == name and not broken:
                broken.append(path)
                peer.say(head(1000))
                return
            peer.answer(data or b"", "200 OK" if data else "404 Not Found")

    server = RawServer(script)
    transport = HttpTransport(timeout=1)
    client = make_client(metadata_url=server.url, transport=transport, speed=Speed(tries=2))
    client.refresh()
    assert sorted(server.targets) == sorted(f"/{each}" for each in [*METADATA, name])
    transport.close()
    server.stop()
