"""Through a proxy: the whole URL for http, a tunnel for https, and only where the environment says so."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.transport.authority import Authority
from tests.transport.raw import Peer, RawServer, Serve
from tuffet.errors import ConnectError, TransportError, UsageError
from tuffet.transport import default_transport
from tuffet.transport.http import HttpTransport
from tuffet.transport.local import LocalTransport
from tuffet.transport.proxies import Proxies
from tuffet.transport.proxy import ProxyTransport
from tuffet.transport.url import parse_url

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def forward(peer: Peer) -> None:
    """Be a proxy: open tunnels, and answer whole URLs by asking for them."""
    while head := peer.hear():
        method, target, _ = head.split("\r\n")[0].split()
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            peer.say("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            peer.relay(host, int(port))
            return
        try:
            with HttpTransport() as onward:
                peer.answer(b"".join(onward.ask(target)))
        except TransportError as error:
            peer.answer(b"", f"{getattr(error, 'status', 502)} No")


@contextmanager
def proxying() -> Iterator[RawServer]:
    proxy = RawServer(forward)
    try:
        yield proxy
    finally:
        proxy.stop()


def hello(peer: Peer) -> None:
    while peer.hear():
        peer.answer(b"hello")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_http_names_the_whole_url_and_keeps_the_connection(serve: Serve) -> None:
    server, proxy = serve(hello), serve(forward)
    with ProxyTransport(Proxies(http=proxy.url)) as transport:
        assert [b"".join(transport.ask(f"{server.url}/a%2fb?c")) for _ in range(2)] == [b"hello"] * 2

    assert proxy.heads[0].startswith(f"GET {server.url}/a%2fb?c HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n")
    assert (proxy.connections, server.targets) == (1, ["/a%2fb?c"] * 2)


def test_https_goes_through_a_tunnel(serve: Serve, authority: Authority) -> None:
    """The proxy learns the server's name and port, and neither the path nor the credentials for the server."""
    server, proxy = serve(hello, authority.server), serve(forward)
    origin = f"https://127.0.0.1:{server.port}"
    with ProxyTransport(Proxies(https=proxy.url), ssl_context=authority.client, credentials={origin: "Bearer secret"}) as transport:
        assert [b"".join(transport.ask(f"{origin}/a")) for _ in range(2)] == [b"hello"] * 2

    assert proxy.heads == [f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"]
    assert "Authorization: Bearer secret" in server.heads[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_proxys_password_is_the_proxys_alone(serve: Serve, authority: Authority, scheme: str) -> None:
    server, proxy = serve(hello, authority.server if scheme == "https" else None), serve(forward)
    login = proxy.url.replace("//", "//us%40er:pass%3Aword@")
    with ProxyTransport(Proxies(http=login, https=login), ssl_context=authority.client) as transport:
        assert b"".join(transport.ask(server.url)) == b"hello"

    expected = base64.b64encode(b"us@er:pass:word").decode()
    assert f"\r\nProxy-Authorization: Basic {expected}\r\n" in proxy.heads[0]
    assert "Proxy-Authorization" not in server.heads[0]


@pytest.mark.parametrize(
    ("reply", "retried"),
    [
        ("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", False),
        ("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", False),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", True),
        ("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", False),
        ("nonsense\r\n\r\n", False),
        ("", True),
        ("HTTP/1.1 200 OK\r\n", True),
    ],
)
def test_a_tunnel_that_is_refused(serve: Serve, reply: str, retried: bool) -> None:
    proxy = serve(lambda peer: (peer.hear(), peer.say(reply))[1])
    with ProxyTransport(Proxies(https=proxy.url)) as transport, pytest.raises(TransportError) as refused:
        b"".join(transport.ask("https://127.0.0.1:1/"))

    assert (type(refused.value) is ConnectError) == retried


def test_a_silent_proxy_is_given_up(serve: Serve) -> None:
    proxy = serve(lambda peer: peer.wait_for_end())
    with ProxyTransport(Proxies(https=proxy.url), timeout=0.2) as transport, pytest.raises(ConnectError):
        b"".join(transport.ask("https://127.0.0.1:1/"))


def test_a_proxy_behind_tls(serve: Serve, authority: Authority) -> None:
    server, proxy = serve(hello), serve(forward, authority.server)
    proxies = Proxies(http=proxy.url, https=proxy.url)
    with ProxyTransport(proxies, ssl_context=authority.client) as transport:
        assert b"".join(transport.ask(server.url)) == b"hello"
        with pytest.raises(TransportError, match="https proxy"):
            b"".join(transport.ask("https://127.0.0.1:1/"))


def test_a_redirect_to_an_exempt_host_goes_straight(serve: Serve) -> None:
    there = serve(hello)
    proxy = serve(lambda peer: (peer.hear(), peer.answer(b"", "302 Found", f"Location: {there.url}/x"))[1])
    with ProxyTransport(Proxies(http=proxy.url, no_proxy="127.0.0.1")) as transport:
        assert b"".join(transport.ask("http://example.com/")) == b"hello"

    assert (proxy.targets, there.targets) == (["http://example.com/"], ["/x"])


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "http://a/", None),
        ({"http_proxy": "http://p:1"}, "http://a/", "http://p:1"),
        ({"http_proxy": "p:1"}, "http://a/", "http://p:1"),
        ({"http_proxy": "http://p:1"}, "https://a/", None),
        ({"https_proxy": "http://p:1/"}, "https://a/", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a/", "http://p:1"),
        ({"all_proxy": "http://p:1"}, "https://a/", "http://p:1"),
        ({"all_proxy": "http://p:1", "http_proxy": "http://q:1"}, "http://a/", "http://q:1"),
        ({"HTTP_PROXY": "http://p:1"}, "http://a/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a/", None),
        ({"http_proxy": "http://q:1", "HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a/", "http://q:1"),
        ({"http_proxy": ""}, "http://a/", None),
    ],
)
def test_the_environment_names_the_proxy(environment: dict[str, str], url: str, proxy: str | None) -> None:
    found = Proxies.from_environment(environment).before(parse_url(url))

    assert (found and found.address.origin) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "url", "exempt"),
    [
        ("*", "http://a.example/", True),
        ("example", "http://a.example/", True),
        (".example", "http://a.example/", True),
        ("*.example", "http://a.example/", True),
        ("a.example, b", "http://A.Example/", True),
        ("ample", "http://a.example/", False),
        ("b.a.example", "http://a.example/", False),
        (",, ,", "http://a.example/", False),
        (".", "http://a.example/", False),
        ("a.example:80", "http://a.example/", True),
        ("a.example:81", "http://a.example/", False),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("10.0.0.0/8", "http://a.example/", False),
        ("::1", "http://[::1]/", True),
        ("[::1]", "http://[::1]/", True),
        ("[::1]:80", "http://[::1]/", True),
        ("fc00::/7", "http://[fc00::1]/", True),
    ],
)
def test_some_hosts_are_exempt(no_proxy: str, url: str, exempt: bool) -> None:
    assert (Proxies(http="http://p:1", no_proxy=no_proxy).before(parse_url(url)) is None) == exempt


@pytest.mark.parametrize("proxy", ["socks5://p:1", "http://", "http://p:x", "http://p q"])
def test_a_proxy_that_we_cannot_use_is_said_so(proxy: str) -> None:
    with pytest.raises(UsageError):
        Proxies(http=proxy)


def test_the_default_is_chosen_by_url_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(default_transport("http://a/")) is HttpTransport
    assert type(default_transport("HTTPS://a/")) is HttpTransport
    assert type(default_transport("file:///srv/repo")) is LocalTransport
    assert type(default_transport("some/folder")) is LocalTransport
    with pytest.raises(UsageError):
        default_transport("ftp://a/")
    monkeypatch.setenv("https_proxy", "http://p:1")
    monkeypatch.setenv("NO_PROXY", "b")
    assert type(default_transport("http://a/")) is HttpTransport
    assert type(default_transport("https://a/")) is ProxyTransport
    assert type(default_transport("https://b/")) is HttpTransport
