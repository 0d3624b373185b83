"""Where a server may send us: so far and no further, never from https to http, and credentials stay at home."""

import pytest

from tests.transport.authority import Authority
from tests.transport.raw import Peer, Serve
from tuffet.errors import StatusError, TransportError
from tuffet.transport.http import HttpTransport


def redirecting(peer: Peer) -> None:
    """Answer `/n` with a redirect to `/n-1`, and `/0` with its own name."""
    while head := peer.hear():
        number = int(head.split()[1][1:])
        if number:
            peer.answer(b"over there", "302 Found", f"Location: /{number - 1}#part")
        else:
            peer.answer(b"here")


def test_redirects_are_followed_on_one_connection(serve: Serve, http: HttpTransport) -> None:
    server = serve(redirecting)

    assert b"".join(http.ask(server.url + "/3")) == b"here"
    assert server.targets == ["/3", "/2", "/1", "/0"]
    assert server.connections == 1


def test_a_chain_of_redirects_ends(serve: Serve, http: HttpTransport) -> None:
    server = serve(redirecting)
    with pytest.raises(TransportError, match="more than 3 redirects"):
        b"".join(http.ask(server.url + "/4"))
    with HttpTransport(max_redirects=0) as unmoved, pytest.raises(TransportError, match="more than 0 redirects"):
        b"".join(unmoved.ask(server.url + "/1"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_may_lead_to_another_server(serve: Serve, http: HttpTransport, status: int) -> None:
    there = serve(lambda peer: peer.answer(peer.hear().split()[1].encode()))
    here = serve(lambda peer: (peer.hear(), peer.answer(b"", f"{status} Go", f"Location: {there.url}/x%2Fy"))[1])

    assert b"".join(http.ask(here.url)) == b"/x%2Fy"


@pytest.mark.parametrize(
    "location",
    ["ftp://127.0.0.1/", "http://user@127.0.0.1/", "/a b", "/\xe9", "http://[::1", "http://127.0.0.1:99999/", "file:///etc/passwd"],
)
def test_a_redirect_to_nowhere_is_refused(serve: Serve, http: HttpTransport, location: str) -> None:
    data = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    server = serve(lambda peer: (peer.hear(), peer.say(data))[1])
    with pytest.raises(TransportError, match="redirected to nowhere"):
        b"".join(http.ask(server.url))


def test_a_redirect_without_a_place_is_no_success(serve: Serve, http: HttpTransport) -> None:
    server = serve(lambda peer: (peer.hear(), peer.answer(b"", "302 Found"))[1])
    with pytest.raises(StatusError):
        b"".join(http.ask(server.url))


def test_https_never_becomes_http(serve: Serve, authority: Authority) -> None:
    """The redirect is refused, and nothing is asked of the place where it leads."""
    plain = serve(lambda peer: peer.answer(peer.hear().encode()))
    safe = serve(lambda peer: (peer.hear(), peer.answer(b"", "302 Found", f"Location: {plain.url}/"))[1], authority.server)
    with HttpTransport(ssl_context=authority.client) as http, pytest.raises(TransportError, match="from https to http"):
        b"".join(http.ask(safe.url))

    assert plain.heads == []


def test_credentials_stay_with_their_origin(serve: Serve) -> None:
    there = serve(lambda peer: peer.answer(peer.hear().encode()))
    here = serve(lambda peer: (peer.hear(), peer.answer(b"", "302 Found", f"Location: {there.url}/"))[1])
    with HttpTransport(credentials={here.url: "Bearer secret"}) as http:
        came = b"".join(http.ask(here.url))

    assert "Authorization: Bearer secret\r\n" in here.heads[0]
    assert b"secret" not in came
