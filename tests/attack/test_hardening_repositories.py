"""Bugs that other publishers had (HARDENING.md): what must not happen to a repository in a directory, or to whoever runs it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.attack.story import table
from tests.repository.world import KEYS, START, make
from tuffet import __version__
from tuffet.cli.commands import tuffet
from tuffet.cli.server import Server
from tuffet.client import Client
from tuffet.keys.signer import Signer
from tuffet.repository import Repository
from tuffet.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def repository(tmp_path: Path, clock: FakeClock) -> Repository:
    """Give a repository with one published target."""
    made = make(tmp_path / "releases", clock)
    made.add("app.bin", b"one")
    made.publish(signers)
    return made


def signers(role: str) -> list[Signer]:
    names = ("root-1", "root-2") if role == "root" else (role,)
    return [KEYS[name] for name in names]


def test_a_new_root_survives_the_loss_and_the_theft_of_a_key(repository: Repository) -> None:
    """Unless told otherwise, two of three keys sign for root: one may be lost, and one stolen is worth nothing (B068)."""
    root = repository.state().trusted.root.payload.roles["root"]
    assert (root.threshold, len(root.keyids)) == (2, 3)
    others = {keyid for name in ("targets", "snapshot", "timestamp") for keyid in repository.policy.of(name).keys}
    assert others.isdisjoint(repository.policy.of("root").keys)
    offline = set(root.keyids)
    published = repository.state().trusted.root.payload.roles
    assert all(offline.isdisjoint(published[name].keyids) for name in ("targets", "snapshot", "timestamp"))


def _options(command: click.Command) -> Iterator[click.Option]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield parameter
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below
            yield from _options(below)


def test_no_secret_is_an_argument() -> None:
    """Arguments are shown to every user of the machine: a passphrase comes by descriptor, environment or terminal (B046)."""
    words = ("pass", "pin", "secret", "token", "key")
    suspicious = {flag for option in _options(tuffet) for flag in option.opts if any(word in flag for word in words)}
    assert suspicious <= {"--passphrase-fd", "--root-keys", "--keys", "--key", "--no-passphrase"}
    assert "--passphrase-fd" in suspicious


REQUESTS = [
    ("a file that is there", b"GET /metadata/timestamp.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
    ("figures about itself", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ("its version", b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ("a way out", b"GET /../tuffet.toml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ("a name that is no UTF-8", b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ("a name with a NUL", b"GET /a%00b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ("a range that means nothing", b"GET /metadata/timestamp.json HTTP/1.1\r\nHost: x\r\nRange: bytes=9-1\r\n\r\n", None),
    ("no request at all", b"\x16\x03\x01\x00\xa5\r\n\r\n", None),
    ("a header that is none", b"GET / HTTP/1.1\r\nno colon here\r\nConnection: close\r\n\r\n", None),
]  # fmt: skip


@pytest.mark.parametrize(("request_bytes", "status"), table(REQUESTS))
def test_the_server_talks_about_files_only(repository: Repository, request_bytes: bytes, status: int | None) -> None:
    """Never about its version, its figures, or what went wrong inside (B040, B079)."""
    with Server(str(repository.public)) as server, socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head = answer.partition(b"\r\n\r\n")[0]
    assert status is None or head.split()[1] == str(status).encode()
    assert not any(word in answer for word in (b"Python", b"Traceback", b".py", __version__.encode()))


def test_publisher_and_client_ask_the_same_question(repository: Repository, tmp_path: Path, clock: FakeClock) -> None:
    """Whose a path is, the publisher finds out by the client's own search, so their patterns cannot differ (B120)."""
    for path in ("a/b/c.bin", "a/[b].bin", "A/b.bin", "a/*.bin", "ü/日本.bin"):
        repository.add(path, path.encode())
    repository.publish(signers)
    root = (repository.public / "metadata" / "1.root.json").read_bytes()
    client = Client(
        str(repository.public / "metadata"), str(repository.public / "targets"), cache_dir=tmp_path / "cache", root=root, clock=clock
    )
    for path in ("a/b/c.bin", "a/[b].bin", "A/b.bin", "a/*.bin", "ü/日本.bin", "a/b.bin", "a/x.bin", "app.bin"):
        ours, theirs = repository.find(path), client.find(path)
        assert (ours.role if ours else None) == (theirs.role if theirs else None)
    assert {each.path for each in client.targets()} == {each.path for each in repository.targets()}
