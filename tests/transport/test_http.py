"""What is an answer over http, and what only looks like one: a server that misbehaves in every way we know of."""

import gzip
import time

import pytest

from tests.transport.raw import Peer, Script, Serve
from tuffet.errors import AbsentError, ConnectError, StatusError, TooSlowError, TransportError, UsageError
from tuffet.transport.http import HttpTransport

OK = "HTTP/1.1 200 OK\r\n"


def fetch(transport: HttpTransport, url: str) -> bytes:
    return b"".join(transport.ask(url))


def once(data: bytes | str, *, hold: bool = False) -> Script:
    """Return a script that says this to each request's head; with `hold`, the connection stays open."""

    def script(peer: Peer) -> None:
        while peer.hear():
            peer.say(data)
            if not hold:
                return

    return script


def test_the_request_is_what_was_asked(serve: Serve, http: HttpTransport) -> None:
    """Upper and lower case, double slashes and `%2F` reach the server as they were given."""
    server = serve(once(OK + "Content-Length: 2\r\n\r\nhi", hold=True))

    assert fetch(http, server.url + "/a//b/%2f%2F%e2{}|^?q=%20") == b"hi"
    assert server.heads[0].split("\r\n") == [
        "GET /a//b/%2f%2F%e2{}|^?q=%20 HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: tuffet",
        "Accept: */*",
        "Accept-Encoding: identity",
        "",
        "",
    ]


GOOD = {
    "a length": (OK + "Content-Length: 5\r\n\r\nhello", True),
    "a length said twice alike": (OK + "Content-Length: 5\r\ncontent-length:5\r\n\r\nhello", True),
    "no body at all": (OK + "Content-Length: 0\r\n\r\n", True),
    "chunks": (OK + "Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n00002;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n", True),
    "until the connection's end": (OK + "\r\nhello", False),
    "HTTP/1.0": ("HTTP/1.0 200 OK\r\n\r\nhello", False),
    "no reason": ("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", True),
    "identity by name": (OK + "Content-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", True),
    "early hints": ("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + OK + "Content-Length: 5\r\n\r\nhello", True),
    "100 Continue": ("HTTP/1.1 100 Continue\r\n\r\n" + OK + "Content-Length: 5\r\n\r\nhello", True),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_whole_answer_comes_whole(serve: Serve, http: HttpTransport, case: str) -> None:
    data, lasting = GOOD[case]
    server = serve(once(data, hold=lasting))
    expected = b"" if case == "no body at all" else b"hello"

    assert [fetch(http, server.url) for _ in range(2)] == [expected] * 2
    assert server.connections == (1 if lasting else 2)


@pytest.mark.parametrize("case", ["a length", "chunks", "early hints", "until the connection's end"])
def test_an_answer_may_come_byte_by_byte(serve: Serve, http: HttpTransport, case: str) -> None:
    data, _ = GOOD[case]

    def script(peer: Peer) -> None:
        peer.hear()
        for at in range(len(data)):
            peer.say(data[at])

    assert fetch(http, serve(script).url) == b"hello"


@pytest.mark.parametrize("case", ["a length", "chunks", "early hints"])
def test_every_answer_cut_short_is_a_broken_connection(serve: Serve, http: HttpTransport, case: str) -> None:
    """Not one prefix of a good answer looks like a whole one (B021)."""
    data, _ = GOOD[case]
    lengths = iter(range(len(data)))

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(data[: next(lengths)])

    server = serve(script)
    for _ in range(len(data)):
        with pytest.raises(ConnectError):
            fetch(http, server.url)


REFUSED = {
    "two lengths": OK + "Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
    "two lengths in one": OK + "Content-Length: 5, 4\r\n\r\nhello",
    "no number": OK + "Content-Length: five\r\n\r\nhello",
    "an empty length": OK + "Content-Length:\r\n\r\nhello",
    "a negative length": OK + "Content-Length: -5\r\n\r\nhello",
    "a signed length": OK + "Content-Length: +5\r\n\r\nhello",
    "a huge length": OK + f"Content-Length: {'9' * 5000}\r\n\r\nhello",
    "a length and chunks": OK + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "gzip in transfer": OK + "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunks twice": OK + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "a chunk of 0x5": OK + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk of -5": OK + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk without length": OK + "Transfer-Encoding: chunked\r\n\r\n;x\r\nhello\r\n0\r\n\r\n",
    "a huge chunk": OK + f"Transfer-Encoding: chunked\r\n\r\n{'F' * 16}\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than it says": OK + "Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
    "endless chunk extensions": OK + "Transfer-Encoding: chunked\r\n\r\n5;" + "x" * 10_000 + "\r\nhello\r\n0\r\n\r\n",
    "endless trailers": OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + "X: y\r\n" * 20_000,
    "5,000 headers": OK + "X: y\r\n" * 5000 + "Content-Length: 5\r\n\r\nhello",
    "a header line of 3 MB": OK + "X: " + "y" * 3_000_000 + "\r\nContent-Length: 5\r\n\r\nhello",
    "a large head": OK + ("X: " + "y" * 1000 + "\r\n") * 70 + "Content-Length: 5\r\n\r\nhello",
    "a folded header": OK + "X: y\r\n z\r\nContent-Length: 5\r\n\r\nhello",
    "a blank before the colon": OK + "Content-Length : 5\r\n\r\nhello",
    "no colon": OK + "Content-Length\r\n\r\nhello",
    "a bare return in a header": OK + "X: a\rb\r\nContent-Length: 5\r\n\r\nhello",
    "lines without return": "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello\r\n",
    "HTTP/2": "HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/0.9": "hello\r\n\r\n",
    "ICY": "ICY 200 OK\r\n\r\nhello",
    "status 99": "HTTP/1.1 099 Odd\r\nContent-Length: 5\r\n\r\nhello",
    "status 2000": "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello",
    "interim answers without end": "HTTP/1.1 103 Early Hints\r\n\r\n" * 20 + OK + "Content-Length: 5\r\n\r\nhello",
    "gzip unasked": OK + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "gzip after identity": OK + "Content-Encoding: identity\r\nContent-Encoding: x-gzip\r\nContent-Length: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_ambiguous_answer_is_refused(serve: Serve, http: HttpTransport, case: str) -> None:
    """It is refused as it is, not tried again, and its connection is not used again."""
    server = serve(once(REFUSED[case], hold=True))
    answer = http.ask(server.url)
    with pytest.raises(TransportError) as refused:
        b"".join(answer)

    assert type(refused.value) is TransportError
    with pytest.raises(TransportError):
        next(answer)
    with pytest.raises(TransportError):
        fetch(http, server.url)
    assert server.connections == 2


def test_a_gzip_bomb_stays_small(serve: Serve, http: HttpTransport) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    server = serve(lambda peer: (peer.hear(), peer.answer(bomb, "200 OK", "Content-Encoding: gzip"), None)[-1])
    with pytest.raises(TransportError, match="gzip"):
        fetch(http, server.url)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_missing_file_is_absent_and_its_connection_used_again(serve: Serve, http: HttpTransport, status: int) -> None:
    def script(peer: Peer) -> None:
        while peer.hear():
            peer.answer(b"no such file", f"{status} No")

    server = serve(script)
    for _ in range(3):
        with pytest.raises(AbsentError) as absent:
            fetch(http, server.url)
        assert absent.value.status == status
    assert server.connections == 1


@pytest.mark.parametrize("status", [101, 201, 204, 206, 300, 302, 304, 400, 401, 416, 429, 500, 503])
def test_any_other_status_is_no_success(serve: Serve, http: HttpTransport, status: int) -> None:
    server = serve(once(f"HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n", hold=True))
    with pytest.raises(StatusError) as refused:
        fetch(http, server.url)

    assert (type(refused.value), refused.value.status) == (StatusError, status)


@pytest.mark.parametrize("body", [b"x" * 200_000, None])
def test_an_endless_refusal_is_not_read(serve: Serve, body: bytes | None) -> None:
    """The text of an error is nothing we need: a large one, or one that never comes, costs a connection and a second."""

    def script(peer: Peer) -> None:
        peer.hear()
        if body is None:
            peer.say("HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n")
            peer.wait_for_end()
        else:
            peer.answer(body, "404 No")

    server = serve(script)
    with HttpTransport() as http, pytest.raises(AbsentError):
        fetch(http, server.url)


def test_the_tail_of_an_overlong_body_poisons_nothing(serve: Serve, http: HttpTransport) -> None:
    """The first answer is longer than it says; what is left over must not become the second one."""
    evil = OK + "Content-Length: 4\r\n\r\nevil"

    def script(peer: Peer) -> None:
        while peer.hear():
            peer.say((OK + "Content-Length: 4\r\n\r\ngood" + evil) if peer.number == 1 else (OK + "Content-Length: 4\r\n\r\nfine"))

    server = serve(script)

    assert fetch(http, server.url) == b"good"
    assert fetch(http, server.url) == b"fine"
    assert server.connections == 2


def test_a_connection_closed_while_idle_is_replaced(serve: Serve, http: HttpTransport) -> None:
    server = serve(once(OK + "Content-Length: 2\r\n\r\nhi"))

    assert [fetch(http, server.url) for _ in range(5)] == [b"hi"] * 5
    assert server.connections == 5


def test_a_connection_closed_upon_the_next_request_is_replaced_once(serve: Serve, http: HttpTransport) -> None:
    """The server hears the second request and hangs up; it is sent again on a new connection, and only once."""

    def script(peer: Peer) -> None:
        if "/dead" in peer.hear():
            return
        peer.answer(b"hi")
        peer.hear()

    server = serve(script)
    assert fetch(http, server.url + "/1") == b"hi"
    assert fetch(http, server.url + "/2") == b"hi"
    with pytest.raises(ConnectError):
        fetch(http, server.url + "/dead")
    assert server.targets == ["/1", "/2", "/2", "/dead", "/dead"]


def test_half_an_answer_is_not_asked_for_again(serve: Serve, http: HttpTransport) -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        peer.answer(b"hi")
        peer.hear()
        peer.say("HTTP/1.1 2")

    server = serve(script)
    assert fetch(http, server.url) == b"hi"
    with pytest.raises(ConnectError):
        fetch(http, server.url)
    assert len(server.heads) == 2


def test_a_silent_server_is_given_up(serve: Serve) -> None:
    server = serve(lambda peer: (peer.hear(), peer.wait_for_end(), None)[-1])
    with HttpTransport(timeout=0.2) as http, pytest.raises(ConnectError):
        fetch(http, server.url)


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        ("", "X"),
        (OK, "X"),
        (OK + "Transfer-Encoding: chunked\r\n\r\n", "1"),
        (OK + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "x"),
    ],
)
def test_a_drip_without_a_body_is_slow(serve: Serve, start: str, drop: str) -> None:
    """Bytes keep coming, but no step of the answer is ever done."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(start)
        while True:
            peer.say(drop)
            time.sleep(0.02)

    server = serve(script)
    with HttpTransport(timeout=0.2) as http, pytest.raises(TooSlowError):
        fetch(http, server.url)


def test_a_body_that_stops_is_slow(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(OK + "Content-Length: 9\r\n\r\nhi")
        peer.wait_for_end()

    with HttpTransport(timeout=0.2) as http:
        answer = http.ask(serve(script).url)
        assert next(answer) == b"hi"
        with pytest.raises(TooSlowError):
            next(answer)


def test_a_dripping_body_comes_as_it_comes(serve: Serve, http: HttpTransport) -> None:
    """Each byte is handed on, so that whoever measures the speed can."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(OK + "Content-Length: 100\r\n\r\n")
        for _ in range(3):
            peer.say("x")
            time.sleep(0.05)
        peer.wait_for_end()

    answer = http.ask(serve(script).url)
    assert [next(answer) for _ in range(3)] == [b"x"] * 3
    answer.close()


def test_nobody_listens(http: HttpTransport, serve: Serve) -> None:
    server = serve(once(OK))
    server.stop()
    answer = http.ask(server.url)
    with pytest.raises(ConnectError):
        next(answer)


def test_an_answer_that_was_closed_never_looks_whole(serve: Serve, http: HttpTransport) -> None:
    server = serve(once(GOOD["a length"][0], hold=True))
    answer = http.ask(server.url)
    answer.close()
    with pytest.raises(TransportError):
        b"".join(answer)
    whole = http.ask(server.url)
    assert b"".join(whole) == b"hello"
    whole.close()
    assert b"".join(whole) == b""


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a b", "http://u:p@127.0.0.1:1/", "http://127.0.0.1:1/../x", "file:///x"])
def test_a_bad_url_is_the_callers_mistake(http: HttpTransport, url: str) -> None:
    with pytest.raises(UsageError):
        http.ask(url)


def test_a_closed_transport_asks_no_more(serve: Serve) -> None:
    server = serve(once(GOOD["a length"][0], hold=True))
    http = HttpTransport()
    answer = http.ask(server.url)
    http.close()
    assert b"".join(answer) == b"hello"
    with pytest.raises(UsageError):
        http.ask(server.url)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"connections": 0},
        {"max_redirects": -1},
        {"user_agent": "a\r\nb"},
        {"credentials": {"https://a": "b\n"}},
        {"credentials": {"a": "b"}},
    ],
)
def test_settings_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        HttpTransport(**options)  # type: ignore[arg-type]
