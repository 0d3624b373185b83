"""What `tuffet serve` gives out, to whom, how long it may be kept, and what it does with clients that misbehave."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import pytest

from tuffet.cli.handler import Limits, Logged
from tuffet.cli.served import wanted_part
from tuffet.cli.server import Server, serve
from tuffet.errors import UsageError
from tuffet.testing.transport_contract import TransportContract
from tuffet.transport import Transport
from tuffet.transport.http import HttpTransport

HASH = "5" * 64
BODY = bytes(range(256)) * 4


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    for name, data in {
        "metadata/timestamp.json": b'{"signed":1}',
        "metadata/7.root.json": b'{"signed":7}',
        "metadata/root.json": b'{"signed":7}',
        "metadata/1.a%2Fb.json": b'{"signed":"a/b"}',
        f"targets/dir/{HASH}.na me": BODY,
        f"targets/{HASH * 2}.x.json": b"{}",
        "targets/5.notes.json": b"{}",
        "targets/plain": b"",
        "targets/.tmp-1": b"unfinished",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "outside").write_bytes(b"outside")
    (folder / "way-out").symlink_to(tmp_path)
    return folder


@pytest.fixture
def server(public: Path) -> Iterator[Server]:
    with Server(str(public)) as running:
        yield running


Ask = Callable[..., HTTPResponse]


@pytest.fixture
def ask(server: Server) -> Iterator[Ask]:
    """Send a request on a connection that lasts as long as the test."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)

    def request(target: str, method: str = "GET", **headers: str) -> HTTPResponse:
        connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        # The body stays readable after the next request.
        response.body = response.read()  # type: ignore[attr-defined]
        return response

    yield request
    connection.close()


def body(response: HTTPResponse) -> bytes:
    return response.body  # type: ignore[attr-defined, no-any-return]


class TestServerAndClient(TransportContract):
    @contextmanager
    def serving(self, files: Mapping[str, bytes]) -> Iterator[tuple[Transport, str]]:
        with TemporaryDirectory() as folder:
            for name, data in files.items():
                path = Path(folder, name if name.endswith(".json") else unquote(name))
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)
            with HttpTransport() as transport, Server(folder) as server:
                yield transport, server.url


FOREVER = "public, max-age=31536000, immutable"
JSON, BYTES = "application/json", "application/octet-stream"


@pytest.mark.parametrize(
    ("target", "kept", "content_type"),
    [
        ("/metadata/timestamp.json", "no-cache", JSON),
        ("/metadata/root.json", "no-cache", JSON),
        ("/metadata/7.root.json", FOREVER, JSON),
        ("/metadata/7.root.json?x=/../y", FOREVER, JSON),
        ("/metadata/1.a%2Fb.json", FOREVER, JSON),
        (f"/targets/dir/{HASH}.na%20me", FOREVER, BYTES),
        (f"/targets/{HASH * 2}.x.json", FOREVER, BYTES),
        ("/targets/5.notes.json", "no-cache", BYTES),
        ("/targets/plain", "no-cache", BYTES),
        ("http://example.com/metadata/7.root.json", FOREVER, JSON),
    ],
)
def test_a_file_says_how_long_it_may_be_kept(ask: Ask, target: str, kept: str, content_type: str) -> None:
    """Only what can never change is kept for good; a target that looks like metadata is none."""
    whole, head = ask(target), ask(target, "HEAD")

    assert (whole.status, head.status) == (200, 200)
    assert whole.getheader("Cache-Control") == kept
    assert whole.getheader("Content-Type") == content_type
    assert whole.getheader("X-Content-Type-Options") == "nosniff"
    assert (len(body(whole)), body(head)) == (int(whole.getheader("Content-Length", "")), b"")
    assert {name: value for name, value in head.getheaders() if name != "Date"} == {
        name: value for name, value in whole.getheaders() if name != "Date"
    }


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/metadata",
        "/metadata/",
        "/metadata//root.json",
        "/8.root.json",
        "/metadata/8.root.json",
        "/targets/.tmp-1",
        "/targets/%2Etmp-1",
        "/../outside",
        "/%2e%2e/outside",
        "/..%2foutside",
        "/metadata/../metadata/root.json",
        "/way-out/outside",
        "/%00",
        "/%ff",
        "/metadata%5Croot.json",
        "/%252e%252e/outside",
        "/x" * 4000,
        "*",
        "x",
        "http://a",
    ],
)
def test_everything_else_is_absent_and_that_is_never_kept(ask: Ask, target: str) -> None:
    response = ask(target)

    assert response.status == 404
    assert response.getheader("Cache-Control") == "no-store"
    assert b"outside" not in body(response)
    assert ask("/metadata/root.json").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(ask: Ask, method: str) -> None:
    response = ask("/metadata/root.json", method)

    assert (response.status, response.getheader("Allow")) == (405, "GET, HEAD")


def test_an_unchanged_file_is_not_sent_again(public: Path, ask: Ask) -> None:
    first = ask("/metadata/timestamp.json")
    etag = first.getheader("ETag", "")
    assert not etag.startswith("W/")
    for tags in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = ask("/metadata/timestamp.json", If_None_Match=tags)
        assert (again.status, body(again)) == (304, b"")
        assert (again.getheader("ETag"), again.getheader("Cache-Control")) == (etag, "no-cache")
        assert again.getheader("Content-Length") is None
    replacement = public / "new"
    replacement.write_bytes(b'{"signed":2}')
    replacement.replace(public / "metadata" / "timestamp.json")
    changed = ask("/metadata/timestamp.json", If_None_Match=etag)
    assert (changed.status, body(changed)) == (200, b'{"signed":2}')


@pytest.mark.parametrize(
    ("header", "size", "part"),
    [
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=2-4", 10, (2, 5)),
        ("bytes=2-", 10, (2, 10)),
        ("bytes=2-99", 10, (2, 10)),
        ("bytes=-3", 10, (7, 10)),
        ("bytes=-30", 10, (0, 10)),
        ("bytes=10-", 10, (10, 10)),
        ("bytes=-0", 10, (10, 10)),
        ("bytes=-1", 0, (0, 0)),
        ("bytes=0-", 0, (0, 0)),
        ("", 10, None),
        ("bytes=-", 10, None),
        ("bytes=4-2", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("lines=0-1", 10, None),
        ("bytes=a-b", 10, None),
        ("bytes=\u0661-", 10, None),
        (f"bytes={'9' * 30}-", 10, None),
    ],
)
def test_a_range_means_a_part(header: str, size: int, part: tuple[int, int] | None) -> None:
    assert wanted_part(header, size) == part


def test_a_download_is_resumed(ask: Ask) -> None:
    target = f"/targets/dir/{HASH}.na%20me"
    etag = ask(target, "HEAD").getheader("ETag", "")
    for header, data, content_range in (
        ("bytes=1000-", BODY[1000:], "bytes 1000-1023/1024"),
        ("bytes=-5", BODY[-5:], "bytes 1019-1023/1024"),
        ("bytes=3-4", BODY[3:5], "bytes 3-4/1024"),
    ):
        part = ask(target, Range=header, If_Range=etag)
        assert (part.status, body(part), part.getheader("Content-Range")) == (206, data, content_range)
    beyond = ask(target, Range="bytes=1024-")
    assert (beyond.status, beyond.getheader("Content-Range")) == (416, "bytes */1024")
    for stale in ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        whole = ask(target, Range="bytes=1000-", If_Range=stale)
        assert (whole.status, body(whole)) == (200, BODY)
    assert ask(target, "HEAD", Range="bytes=1000-").status == 200


def test_the_log_hears_of_an_answer_before_the_client(public: Path) -> None:
    """Nothing that a client sends can reach a terminal as a control character."""
    seen: list[Logged] = []
    with Server(str(public), log=seen.append) as server:
        assert say(server, b"GET /metadata/root.json HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
        say(server, b"GET /\x1b[2J\xff HTTP/1.1\r\nConnection: close\r\n\r\n")
        say(server, b"BREW / HTTP/1.1\r\n\r\n")

    assert seen == [
        ("127.0.0.1", "GET", "/metadata/root.json", 200, 12),
        ("127.0.0.1", "GET", "/?[2J?", 404, 14),
        ("127.0.0.1", "BREW", "/", 501, 0),
    ]


def say(server: Server, data: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as client:
        client.sendall(data)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    came = b""
    try:
        while data := client.recv(1 << 16):
            came += data
    except ConnectionResetError:
        pass  # The server closed with bytes of ours unread.
    return came


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"505"),
        (b"GET\r\n\r\n", b""),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 60_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\n\r\n", b""),
    ],
)
def test_a_strange_request_loses_its_connection(server: Server, request_: bytes, status: bytes) -> None:
    reply = say(server, request_)

    assert status in reply.split(b"\r\n")[0]
    assert reply.count(b"HTTP/1.1") <= 1
    assert b"200 OK" in say(server, b"GET /metadata/root.json HTTP/1.0\r\n\r\n")


def drip(client: socket.socket) -> None:
    """Send single bytes, for four seconds at most."""
    for _ in range(200):
        client.sendall(b"y")
        time.sleep(0.02)


def knock(server: Server) -> None:
    """Connect until that fails, for a second at most."""
    for _ in range(100):
        socket.create_connection(("127.0.0.1", server.port), 5).close()
        time.sleep(0.01)


LIMITS = Limits(idle_seconds=0.1, request_seconds=0.2, block_seconds=0.2)


@pytest.mark.parametrize("drips", [False, True])
def test_a_client_that_stalls_loses_its_connection(public: Path, drips: bool) -> None:
    """Slow loris: a header line that grows by one byte at a time never counts as progress."""
    with Server(str(public), limits=LIMITS) as server, socket.create_connection(("127.0.0.1", server.port), 5) as client:
        if drips:
            client.sendall(b"GET / HTTP/1.1\r\nX: ")
            with pytest.raises(OSError):  # noqa: PT011  # Reset or broken pipe, as it happens.
                drip(client)
        else:
            assert read_all(client) == b""


def test_a_client_that_takes_nothing_loses_its_connection(public: Path) -> None:
    (public / "large").write_bytes(bytes(20_000_000))
    with Server(str(public), limits=LIMITS) as server, socket.create_connection(("127.0.0.1", server.port), 5) as client:
        client.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        server.stop()
        assert len(read_all(client)) < 20_000_000


def test_a_client_that_hangs_up_disturbs_nobody(public: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (public / "large").write_bytes(bytes(20_000_000))
    with Server(str(public)) as server:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port), 5) as client:
                client.sendall(b"GET /large HTTP/1.1\r\n\r\n")
                client.recv(10)
        assert b"200 OK" in say(server, b"GET /metadata/root.json HTTP/1.0\r\n\r\n")
    assert capfd.readouterr() == ("", "")


def test_there_are_only_so_many_connections(public: Path) -> None:
    with Server(str(public), connections=2) as server:
        clients = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(2)]
        for client in clients:
            client.sendall(b"HEAD /metadata/root.json HTTP/1.1\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        assert say(server, b"").startswith(b"HTTP/1.1 503 ")
        clients.pop().close()
        while (reply := say(server, b"HEAD /metadata/root.json HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 503 "):
            time.sleep(0.01)
        assert reply.startswith(b"HTTP/1.1 200")
        clients.pop().close()


def test_stopping_lets_an_answer_finish_and_ends_idle_connections(public: Path) -> None:
    (public / "large").write_bytes(bytes(20_000_000))
    server = Server(str(public))
    server.start()
    with (
        socket.create_connection(("127.0.0.1", server.port), 5) as idle,
        socket.create_connection(("127.0.0.1", server.port), 5) as busy,
    ):
        busy.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        head = busy.recv(100)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        assert read_all(idle) == b""
        with pytest.raises(OSError):  # noqa: PT011  # Nobody listens any more, whatever the system calls it.
            knock(server)
        assert len(head + read_all(busy)) > 20_000_000
        stopper.join(5)
        assert not stopper.is_alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it(public: Path, number: signal.Signals) -> None:
    program = f"from tuffet.cli.server import serve\nserve({str(public)!r}, '127.0.0.1', 0, ready=lambda url: print(url, flush=True))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().decode().strip()
        with HttpTransport() as http:
            assert b"".join(http.ask(f"{url}/metadata/root.json")) == b'{"signed":7}'
            process.send_signal(number)
            assert process.wait(5) == 0
        assert process.stderr.read() == b""


def test_signals_are_given_back(public: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    serve(str(public), "127.0.0.1", 0, ready=lambda url: os.kill(os.getpid(), signal.SIGTERM))

    assert signal.getsignal(signal.SIGTERM) == before


def test_a_port_that_is_taken_is_the_callers_mistake(public: Path, server: Server) -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        Server(str(public), port=server.port)
    with pytest.raises(UsageError):
        Server(str(public), port=70_000)


def test_many_clients_at_once(public: Path, server: Server) -> None:
    target = f"{server.url}/targets/dir/{HASH}.na%20me"
    came: list[bytes] = []

    def work() -> None:
        with HttpTransport() as http:
            came.extend(b"".join(answer) for answer in [http.ask(target) for _ in range(25)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert came == [BODY] * 200
