"""Requests go out in the order asked, so many at once, and their answers may be read in any order, by any thread."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import pytest

from tests.transport.authority import Authority
from tests.transport.raw import Peer, Serve
from tuffet.errors import ConnectError, TransportError
from tuffet.transport.http import HttpTransport


@contextmanager
def arrivals() -> Iterator[tuple[str, list[str]]]:
    """Run a server of one thread that logs requests in the order in which they reach the machine.

    A server with a thread for each connection logs them as its threads happen to run. The kernel knows better: an
    edge-triggered epoll hands out connections in the order in which their bytes came.
    """
    seen: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, select.epoll() as poll:
        stop, stopped = socket.socketpair()
        poll.register(stopped, select.EPOLLIN)
        poll.register(listener, select.EPOLLIN)
        connections: dict[int, socket.socket] = {}

        def run() -> None:
            while True:
                for number, _ in poll.poll():
                    if number == stopped.fileno():
                        return
                    if number == listener.fileno():
                        connection = listener.accept()[0]
                        connections[connection.fileno()] = connection
                        poll.register(connection, select.EPOLLIN | select.EPOLLET)
                    elif head := connections[number].recv(1 << 16):
                        seen.append(head.split()[1].decode())
                        connections[number].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        finally:
            stop.close()
            thread.join()
            for each in (stopped, *connections.values()):
                each.close()


def echo(peer: Peer) -> None:
    """Answer each request with its target."""
    while head := peer.hear():
        peer.answer(head.split()[1].encode())


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="only Linux tells the order of arrival")
def test_of_a_thousand_pairs_the_first_asked_arrives_first(http: HttpTransport) -> None:
    """Each pair travels on two connections; the answers are read in reverse."""
    with arrivals() as (url, seen):
        for pair in range(1000):
            first, second = http.ask(f"{url}/{pair}a"), http.ask(f"{url}/{pair}b")
            assert b"".join(second) + b"".join(first) == b"hihi"
        http.close()

    assert seen == [f"/{pair}{which}" for pair in range(1000) for which in "ab"]


def test_plain_requests_are_sent_before_ask_returns_and_without_threads(serve: Serve, http: HttpTransport) -> None:
    released = threading.Event()

    def script(peer: Peer) -> None:
        target = peer.hear().split()[1]
        released.wait(5)
        peer.answer(target.encode())

    server = serve(script)
    before = set(threading.enumerate())
    answers = []
    for number in range(5):
        answers.append(http.ask(f"{server.url}/{number}"))
        while len(server.heads) <= number:
            time.sleep(0.001)
    assert {thread for thread in threading.enumerate() if thread not in before and thread.name.endswith("(send)")} == set()
    released.set()
    assert [b"".join(answer) for answer in reversed(answers)] == [b"/4", b"/3", b"/2", b"/1", b"/0"]
    assert server.targets == ["/0", "/1", "/2", "/3", "/4"]


def test_tls_handshakes_run_side_by_side_and_requests_wait_for_those_before(serve: Serve, authority: Authority) -> None:
    """One handshake hangs; the others go through meanwhile, and of the requests only those before the one that hangs go out."""
    shaken, arrived = threading.Semaphore(0), list[int]()

    def script(peer: Peer) -> None:
        shaken.release()
        arrived.append(int(peer.hear().split()[1].removeprefix("/")))
        peer.answer(b"hi")
        peer.wait_for_end()

    server = serve(script, authority.server)
    with SlowFirst(server.port) as gate, HttpTransport(ssl_context=authority.client) as http:
        answers = [http.ask(f"https://127.0.0.1:{gate.port}/{number}") for number in range(4)]
        for _ in range(3):
            assert shaken.acquire(timeout=10)
        early = sorted(arrived)
        gate.released.set()
        assert all(b"".join(answer) == b"hi" for answer in reversed(answers))

    assert early == list(range(len(early)))
    assert sorted(arrived) == [0, 1, 2, 3]


class SlowFirst:
    """Passes bytes on to a server; those of the first connection when it is `released`."""

    def __init__(self, port: int) -> None:
        self.released = threading.Event()
        self._onward = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        late, prompt = self.released, threading.Event()
        prompt.set()
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._onward))
            for source, sink, starts in ((near, far, late), (far, near, prompt)):
                thread = threading.Thread(target=self._pass_on, args=(source, sink, starts), daemon=True)
                self._threads.append(thread)
                thread.start()
            late = prompt

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket, starts: threading.Event) -> None:
        starts.wait(10)
        with source:
            try:
                while data := source.recv(1 << 16):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def test_more_requests_than_connections_wait_their_turn(serve: Serve) -> None:
    server = serve(echo)
    with HttpTransport(connections=2) as http:
        answers = [http.ask(f"{server.url}/{number}") for number in range(6)]
        assert server.connections <= 2
        assert [b"".join(answer) for answer in answers] == [f"/{number}".encode() for number in range(6)]

    assert server.connections == 2
    assert sorted(server.targets) == [f"/{number}" for number in range(6)]


def test_the_last_answer_can_be_read_first(serve: Serve) -> None:
    """Nobody else reads, so waiting for room would be waiting for oneself: the limit gives way, the order stays."""
    server = serve(echo)
    with HttpTransport(connections=1) as http:
        answers = [http.ask(f"{server.url}/{number}") for number in range(4)]
        assert [b"".join(answer) for answer in reversed(answers)] == [b"/3", b"/2", b"/1", b"/0"]
        assert [b"".join(http.ask(f"{server.url}/{number}")) for number in (5, 6)] == [b"/5", b"/6"]


def test_an_answer_that_is_closed_or_dropped_makes_room(serve: Serve) -> None:
    server = serve(echo)
    with HttpTransport(connections=1) as http:
        first, second, third, fourth = (http.ask(f"{server.url}/{number}") for number in range(4))
        second.close()
        del third
        first.close()
        assert b"".join(fourth) == b"/3"

    assert "/3" in server.targets
    assert "/1" not in server.targets
    assert "/2" not in server.targets


def test_many_threads_share_few_connections(serve: Serve) -> None:
    server = serve(echo)
    came: list[bytes] = []

    def work(worker: int) -> None:
        for number in range(20):
            target = f"/{worker}-{number}"
            assert b"".join(http.ask(server.url + target)) == target.encode()
            came.append(target.encode())

    with HttpTransport(connections=3) as http:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    assert len(set(came)) == 240
    assert server.connections == 3


def test_many_threads_share_few_tls_connections(serve: Serve, authority: Authority) -> None:
    server = serve(echo, authority.server)
    came: list[bytes] = []

    def work(worker: int) -> None:
        targets = [f"/{worker}-{number}" for number in range(10)]
        came.extend(b"".join(answer) for answer in [http.ask(server.url + target) for target in targets])

    with HttpTransport(connections=8, ssl_context=authority.client) as http:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    assert len(set(came)) == 60


def test_another_thread_can_end_the_reading(serve: Serve, http: HttpTransport) -> None:
    server = serve(lambda peer: (peer.hear(), peer.say("HTTP/1.1 200 OK\r\n\r\nhi"), peer.wait_for_end())[2])
    answer = http.ask(server.url)
    assert next(answer) == b"hi"
    closer = threading.Timer(0.1, answer.close)
    closer.start()
    with pytest.raises(TransportError, match="closed before it had come whole"):
        next(answer)
    closer.join()


def test_a_dead_server_costs_each_request_no_more_than_the_first(http: HttpTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    answers = [http.ask(f"{url}/{number}") for number in range(20)]
    for answer in answers:
        with pytest.raises(ConnectError):
            next(answer)
