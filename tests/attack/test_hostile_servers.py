"""Hostile servers, from the socket up: whatever one of them answers, the client ends with an error of ours, in time, and can go on.

Every mischief is played in the place of every file of a refresh and of a download. The cache holds what was rightly
believed before that file and nothing else, nothing later was asked for, and the next honest answer is believed.
"""

import gzip
from pathlib import Path

import pytest

from tests.attack.hostile_server import (
    Mirror,
    Mischief,
    answering,
    cut,
    drip,
    endless,
    mirror_of,
    redirect,
    redirect_to_itself,
    saying,
    silence,
    stall,
    too_short,
    two_lengths,
)
from tests.attack.story import files_below, leftovers, table
from tuffet.client import Client
from tuffet.errors import (
    AbsentError,
    ConnectError,
    FormatError,
    MismatchError,
    StatusError,
    ThresholdError,
    TooLargeError,
    TooSlowError,
    TransportError,
    TuffetError,
)
from tuffet.testing import FakeRepository
from tuffet.transport.http import HttpTransport

LOGIN = b"<!DOCTYPE html><html><title>Welcome to the hotel</title><form>Room number</form></html>"
BOMB = gzip.compress(b"\0" * 10_000_000)
NEWS = b"two" * 100
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNMEASURED = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

ORDER = ("2.root.json", "timestamp.json", "3.snapshot.json", "3.targets.json", "target")
KEPT = ("timestamp.json", "snapshot.json", "targets.json")
DOCUMENT, FILE = FormatError, MismatchError

TABLE: list[tuple[str, Mischief, type[TuffetError], type[TuffetError]]] = [
    # the mischief, how it is refused in the place of metadata, and in the place of a target
    ("chunks without end", endless(CHUNKED, b"8000\r\n" + b" " * 0x8000 + b"\r\n"), TooLargeError, TooLargeError),
    ("bytes without end or length", endless(UNMEASURED, b" " * 0x8000), TooLargeError, TooLargeError),
    ("a length of a petabyte", endless(f"{UNMEASURED[:-2]}Content-Length: {10**15}\r\n\r\n", b" " * 4096), TooLargeError, TooLargeError),
    ("headers without end", endless("HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"), TransportError, TransportError),
    ("one header without end", endless("HTTP/1.1 200 OK\r\nX-A: ", b"a" * 1000), TransportError, TransportError),
    ("a status line without end", endless("HTTP/1.1 200 ", b"O" * 1000), TransportError, TransportError),
    ("one byte now and then", drip, TooSlowError, TooSlowError),
    ("a body that stops coming", stall, TooSlowError, TooSlowError),
    ("no answer at all", silence, ConnectError, ConnectError),
    ("a connection that is cut before the end", cut, ConnectError, ConnectError),
    ("a length that is too short", too_short, DOCUMENT, FILE),
    ("two lengths", two_lengths, TransportError, TransportError),
    ("a negative length", saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), TransportError, TransportError),
    ("a length and chunks at once", saying(CHUNKED[:-2].encode() + b"Content-Length: 5\r\n\r\n0\r\n\r\n"), TransportError, TransportError),
    ("a redirect to itself", redirect_to_itself, TransportError, TransportError),
    ("a redirect to a file of this machine", redirect("file:///etc/passwd"), TransportError, TransportError),
    ("a redirect to another kind of server", redirect("ftp://127.0.0.1/evil"), TransportError, TransportError),
    ("a redirect without a place", answering(b"", "302 Found"), StatusError, StatusError),
    ("a gzip bomb that says so", answering(BOMB, "200 OK", "Content-Encoding: gzip"), TransportError, TransportError),
    ("a gzip bomb that says nothing", answering(BOMB), DOCUMENT, TooLargeError),
    ("a login page instead", answering(LOGIN, "200 OK", "Content-Type: text/html"), DOCUMENT, FILE),
    ("nothing instead", answering(b""), DOCUMENT, FILE),
    ("no HTTP at all", saying(b"\x16\x03\x01\x00\xa5\x01\x00" * 50 + b"\r\n\r\n"), TransportError, TransportError),
    ("a part of the file, unasked", answering(b"{}", "206 Partial Content", "Content-Range: bytes 0-1/2"), StatusError, StatusError),
    ("an error of the server", answering(LOGIN, "500 Internal Server Error"), StatusError, StatusError),
    ("a server that is busy", answering(b"", "503 Service Unavailable", "Retry-After: 86400"), StatusError, StatusError),
    ("a server that wants a password", answering(LOGIN, "401 Unauthorized", "WWW-Authenticate: Basic"), StatusError, StatusError),
    ("a file that is not there", answering(LOGIN, "404 Not Found"), AbsentError, AbsentError),
    ("a file that is said to be forbidden, as stores do", answering(LOGIN, "403 Forbidden"), AbsentError, AbsentError),
    ("a file that is gone", answering(LOGIN, "410 Gone"), AbsentError, AbsentError),
]  # fmt: skip


class Visitor:
    """A client that believes version 2, of a mirror that has version 3 by now."""

    def __init__(self, mirror: Mirror, transport: HttpTransport, folder: Path) -> None:
        self.mirror, self.cache, self.downloads = mirror, folder / "cache", folder / "downloads"
        self.downloads.mkdir(parents=True)
        self.client: Client = mirror.client(self.cache, transport)

    def update(self) -> None:
        self.client.refresh()
        target = self.client.find("app.bin")
        assert target
        self.client.download(target, to=self.downloads)


@pytest.mark.parametrize(("mischief", "of_metadata", "of_target"), table(TABLE))
def test_a_mirror_that_misbehaves(
    repo: FakeRepository, tmp_path: Path, mischief: Mischief, of_metadata: type[TuffetError], of_target: type[TuffetError]
) -> None:
    """An absent next root is none (5.3.3, B097); all else that is absent, false, late or too much is an error (B056, B059, B126)."""
    believer = repo.client(tmp_path / "held")
    believer.refresh()
    held = believer.cache.contents()
    file = repo.publish("app.bin", NEWS)
    served = f"targets/{file.hashes.sha256}.app.bin"
    with mirror_of(repo) as (mirror, transport):
        for number, name in enumerate(ORDER):
            visitor = Visitor(mirror, transport, tmp_path / str(number))
            for kept, data in held.items():
                (visitor.cache / kept).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                (visitor.cache / kept).write_bytes(data)
            visitor.cache.chmod(0o700)
            mirror.place, mirror.mischief = served if name == "target" else name, mischief
            heard = len(mirror.requests)
            expected = of_target if name == "target" else of_metadata
            if name == "2.root.json" and expected is AbsentError:
                visitor.update()
            else:
                with pytest.raises(TuffetError) as refused:
                    visitor.update()
                assert type(refused.value) is expected, f"{name}: {refused.value!r}"
                after = visitor.client.cache.contents()
                changed = {each for each in after.keys() | held.keys() if after.get(each) != held.get(each)}
                assert changed == set(KEPT[: max(0, number - 1)])
                # The timestamp is asked for together with the next root (docs/decisions/0005).
                assert set(mirror.requests[heard:]) <= {*ORDER[: max(2, number + 1)], served if name == "target" else ""}
                assert files_below(visitor.downloads) == {}
                assert leftovers(tmp_path) == []
            mirror.mischief = None
            visitor.update()
            assert files_below(visitor.downloads) == {"app.bin": NEWS}


def _stranger(repo: FakeRepository) -> FakeRepository:
    other = FakeRepository(repo.clock)
    other.publish("app.bin", b"one")
    other.publish("app.bin", b"evil")
    other.new_root()
    return other


@pytest.mark.parametrize("name", ORDER[:-1])
def test_metadata_of_another_repository(repo: FakeRepository, tmp_path: Path, name: str) -> None:
    """Well signed, by the keys of somebody else."""
    repo.publish("app.bin", NEWS)
    foreign = _stranger(repo).served(name) or b""
    with mirror_of(repo) as (mirror, transport):
        visitor = Visitor(mirror, transport, tmp_path)
        mirror.place, mirror.mischief = name, answering(foreign)
        with pytest.raises(ThresholdError) as refused:
            visitor.update()
        assert refused.value.role == name.split(".")[-2]
        assert refused.value.proved == ()
        mirror.mischief = None
        visitor.update()


@pytest.mark.parametrize("name", ORDER)
@pytest.mark.parametrize("other", ORDER)
def test_files_that_are_swapped(repo: FakeRepository, tmp_path: Path, name: str, other: str) -> None:
    """Each in the place of each: good bytes, and not those that were asked for."""
    file = repo.publish("app.bin", NEWS)
    repo.new_root()
    served = {**{each: each for each in ORDER}, "target": f"targets/{file.hashes.sha256}.app.bin"}
    data = repo.served(served[other])
    assert data
    with mirror_of(repo) as (mirror, transport):
        visitor = Visitor(mirror, transport, tmp_path)
        mirror.place, mirror.mischief = served[name], answering(data)
        if name == other:
            visitor.update()
        else:
            kinds = (TooLargeError, MismatchError) if name == "target" else (FormatError,)
            with pytest.raises(kinds):
                visitor.update()
        mirror.mischief = None
        visitor.update()


def test_a_server_on_which_case_does_not_count(repo: FakeRepository, tmp_path: Path) -> None:
    """It finds `1.Team.json` when asked for `1.team.json`; the bytes are judged, not the name (B128)."""
    repo.delegate("Team", paths=["upper"])
    repo.delegate("team", paths=["lower"])
    with mirror_of(repo) as (mirror, transport):
        visitor = Visitor(mirror, transport, tmp_path)
        mirror.place, mirror.mischief = "1.team.json", answering(repo.served("1.Team.json") or b"")
        assert visitor.client.find("upper") is None
        with pytest.raises(ThresholdError) as refused:
            visitor.client.find("lower")
        assert (refused.value.role, refused.value.by) == ("team", "targets")
        mirror.mischief = None
        assert visitor.client.find("lower") is None


def test_a_proxy_that_changes_names_is_no_excuse(repo: FakeRepository, tmp_path: Path) -> None:
    """A redirect to the same file under another name is followed, because bytes count; to a false one it leads to a refusal."""
    repo.serve("elsewhere/TIMESTAMP.JSON", repo.served("timestamp.json") or b"")
    repo.serve("elsewhere/false.json", b"{}")
    with mirror_of(repo) as (mirror, transport):
        visitor = Visitor(mirror, transport, tmp_path)
        mirror.place, mirror.mischief = "timestamp.json", redirect("/elsewhere/TIMESTAMP.JSON")
        visitor.client.refresh()
        mirror.mischief = redirect("/elsewhere/false.json")
        with pytest.raises(FormatError):
            visitor.client.refresh()
