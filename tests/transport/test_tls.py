"""Over https the certificate decides, and a connection cut by somebody in between is no end of a file."""

import ssl

import pytest

from tests.transport.authority import Authority
from tests.transport.raw import Peer, Serve
from tuffet.errors import ConnectError, TransportError
from tuffet.transport.http import HttpTransport


def hello(peer: Peer) -> None:
    while peer.hear():
        peer.answer(b"hello")


def test_a_certificate_that_is_vouched_for(serve: Serve, authority: Authority) -> None:
    server = serve(hello, authority.server)
    with HttpTransport(ssl_context=authority.client) as http:
        assert [b"".join(http.ask(server.url)) for _ in range(3)] == [b"hello"] * 3

    assert server.connections == 1


def test_a_certificate_of_an_unknown_authority_is_refused_for_good(serve: Serve, authority: Authority) -> None:
    """Trying again would meet the same impostor, so this is no ConnectError."""
    server = serve(hello, authority.server)
    with HttpTransport() as http, pytest.raises(TransportError, match=r"certificate of 127\.0\.0\.1 was refused") as refused:
        b"".join(http.ask(server.url))

    assert type(refused.value) is TransportError
    assert server.heads == []


def test_a_certificate_for_another_host_is_refused(serve: Serve, stranger: Authority) -> None:
    server = serve(hello, stranger.server)
    with HttpTransport(ssl_context=stranger.client) as http, pytest.raises(TransportError, match="was refused") as refused:
        b"".join(http.ask(server.url))

    assert type(refused.value) is TransportError
    assert server.heads == []


def test_a_server_without_tls_is_not_tried_again(serve: Serve) -> None:
    server = serve(lambda peer: peer.say("HTTP/1.1 400 Bad Request\r\n\r\n"))
    with HttpTransport() as http, pytest.raises(TransportError) as refused:
        b"".join(http.ask(server.url.replace("http:", "https:")))

    assert type(refused.value) is TransportError


def test_a_handshake_that_is_cut_is_worth_another_try(serve: Serve) -> None:
    server = serve(lambda peer: None)
    with HttpTransport() as http, pytest.raises(ConnectError):
        b"".join(http.ask(server.url.replace("http:", "https:")))


def test_a_handshake_that_hangs_is_given_up(serve: Serve) -> None:
    server = serve(lambda peer: peer.wait_for_end())
    with HttpTransport(timeout=0.2) as http, pytest.raises(ConnectError, match="timed out"):
        b"".join(http.ask(server.url.replace("http:", "https:")))


@pytest.mark.parametrize("properly", [True, False])
def test_a_body_without_length_ends_with_a_signed_goodbye(serve: Serve, authority: Authority, properly: bool) -> None:
    """Whoever cuts the connection cannot forge TLS's goodbye, so without it the body is not whole (B021)."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say("HTTP/1.1 200 OK\r\n\r\nhello")
        if properly:
            assert isinstance(peer._socket, ssl.SSLSocket)
            peer._socket.unwrap()

    server = serve(script, authority.server)
    with HttpTransport(ssl_context=authority.client) as http:
        answer = http.ask(server.url)
        if properly:
            assert b"".join(answer) == b"hello"
        else:
            assert next(answer) == b"hello"
            with pytest.raises(ConnectError):
                next(answer)


def test_a_tls_connection_closed_while_idle_is_replaced(serve: Serve, authority: Authority) -> None:
    server = serve(lambda peer: (peer.hear(), peer.answer(b"hello"))[1], authority.server)
    with HttpTransport(ssl_context=authority.client) as http:
        assert [b"".join(http.ask(server.url)) for _ in range(3)] == [b"hello"] * 3

    assert server.connections == 3
