"""A mirror on the loopback that is honest but for one file, which it answers as badly as it likes."""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from tests.transport.raw import Peer, RawServer
from tuffet.client import Client, Speed
from tuffet.testing import FakeRepository
from tuffet.transport.http import HttpTransport

Mischief = Callable[[Peer, bytes], None]
"""How a request is answered instead of with these honest bytes; returning closes the connection."""

PACE = Speed(min_bytes_per_second=2_000, grace_seconds=0.1, tries=1)
TIMEOUT_SECONDS = 0.25


class Mirror:
    """Serves a repository; while `mischief` is set, `place` is answered by it."""

    def __init__(self, repo: FakeRepository) -> None:
        self.repo = repo
        self.place = ""
        self.mischief: Mischief | None = None
        self.server = RawServer(self._serve)

    @property
    def requests(self) -> list[str]:
        return [target.removeprefix("/") for target in self.server.targets]

    def client(self, cache: Path, transport: HttpTransport) -> Client:
        url = f"{self.server.url}/"
        return Client(
            url, f"{url}targets/", cache_dir=cache, root=self.repo.root_bytes(), transport=transport, clock=self.repo.clock, speed=PACE
        )

    def _serve(self, peer: Peer) -> None:
        while head := peer.hear():
            name = head.split()[1].removeprefix("/")
            data = self.repo.store.read(name) or self.repo.store.read(unquote(name))
            if name == self.place and self.mischief:
                self.mischief(peer, data or b'{"signed": "nothing"}')
                return
            if data is None:
                peer.answer(b"no such file", "404 Not Found")
            else:
                peer.answer(data)


@contextmanager
def mirror_of(repo: FakeRepository) -> Iterator[tuple[Mirror, HttpTransport]]:
    mirror = Mirror(repo)
    try:
        with HttpTransport(timeout=TIMEOUT_SECONDS) as transport:
            yield mirror, transport
    finally:
        mirror.mischief = None
        mirror.server.stop()


def answering(body: bytes, status: str = "200 OK", *headers: str) -> Mischief:
    """Return a mischief that says this, whatever it was asked."""
    return lambda peer, honest: peer.answer(body, status, *headers)


def saying(text: bytes) -> Mischief:
    return lambda peer, honest: peer.say(text)


def endless(opening: str, piece: bytes) -> Mischief:
    """Return a mischief that begins like this and goes on with this piece until the client hangs up."""

    def answer(peer: Peer, honest: bytes) -> None:
        with contextlib.suppress(OSError):
            peer.say(opening)
            for _ in itertools.repeat(None):
                peer.say(piece)

    return answer


def drip(peer: Peer, honest: bytes) -> None:
    with contextlib.suppress(OSError):
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n")
        for _ in range(300):
            peer.say(b" ")
            time.sleep(0.02)


def stall(peer: Peer, honest: bytes) -> None:
    peer.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(honest)}\r\n\r\n".encode() + honest[:10])
    peer.wait_for_end()


def silence(peer: Peer, honest: bytes) -> None:
    peer.wait_for_end()


def cut(peer: Peer, honest: bytes) -> None:
    peer.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(honest)}\r\n\r\n".encode() + honest[:-1])


def too_short(peer: Peer, honest: bytes) -> None:
    peer.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(honest) - 2}\r\n\r\n".encode() + honest)


def two_lengths(peer: Peer, honest: bytes) -> None:
    peer.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(honest)}\r\nContent-Length: 7\r\n\r\n".encode() + honest)


def redirect(location: str) -> Mischief:
    return answering(b"", "302 Found", f"Location: {location}")


def redirect_to_itself(peer: Peer, honest: bytes) -> None:
    """Redirect to the very name that was asked for; it will be asked for again."""
    name = peer.server.heads[-1].split()[1]
    peer.answer(b"", "302 Found", "Connection: close", f"Location: {name}")
