"""Files over http and https through a proxy, with everything that `HttpTransport` promises.

An https server is reached through a tunnel (CONNECT), so the proxy sees its name and nothing else. Only the way to the
connection and the request's first line differ, hence this is no second implementation. Not supported are SOCKS and a
tunnel to an https server inside a TLS connection to the proxy.
"""

from typing import TYPE_CHECKING, TypedDict

from tuffet.errors import ConnectError, TransportError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Unpack

from tuffet.transport.connect import connect_plain, reason, secure
from tuffet.transport.framing import read_head
from tuffet.transport.http import HttpTransport
from tuffet.transport.proxies import Proxies, Proxy
from tuffet.transport.url import Address
from tuffet.transport.wire import Wire

_OK, _LOGIN_WANTED = 200, 407
# What a proxy says when it could not reach the server: another try may help.
_UNREACHABLE = frozenset((502, 503, 504))


class Options(TypedDict, total=False):
    """What `HttpTransport` takes."""

    timeout: float
    connections: int
    ssl_context: "ssl.SSLContext | None"
    user_agent: str
    max_redirects: int
    credentials: "Mapping[str, str] | None"


class ProxyTransport(HttpTransport):
    """A transport for http and https URLs that goes through proxies where they stand."""

    def __init__(self, proxies: Proxies, **options: "Unpack[Options]") -> None:
        super().__init__(**options)
        self._proxies = proxies

    def request(self, address: Address) -> bytes:
        """Return the request; to a proxy it names the whole URL, unless it goes through a tunnel (RFC 9112, 3.2.2)."""
        proxy = self._proxies.before(address)
        if proxy is None or address.scheme == "https":
            return super().request(address)
        return self.render(address, f"{address.origin}{address.target}", *_authorization(proxy))

    def connect(self, url: str, address: Address) -> Wire:
        """Return a connection to the address's server, or to its proxy where that speaks for it."""
        proxy = self._proxies.before(address)
        if proxy is None:
            return super().connect(url, address)
        over_tls = proxy.address.scheme == "https"
        if over_tls and address.scheme == "https":
            raise TransportError(url, f"an https server cannot be reached through the https proxy {proxy.address.origin}")
        connected = connect_plain(url, proxy.address.host, proxy.address.port, self._timeout)
        if over_tls:
            connected = secure(url, connected, proxy.address.host, self._timeout, self.tls())
        wire = Wire(connected, self._timeout)
        if address.scheme == "http":
            return wire
        try:
            _open_tunnel(wire, url, address, proxy)
        except OSError as error:
            wire.close()
            raise ConnectError(url, f"the proxy {proxy.address.origin} did not answer: {reason(error)}") from error
        except TransportError:
            wire.close()
            raise
        return Wire(secure(url, wire.surrender(), address.host, self._timeout, self.tls()), self._timeout)


def _open_tunnel(wire: Wire, url: str, address: Address, proxy: Proxy) -> None:
    host = f"[{address.host}]" if ":" in address.host else address.host
    place = f"{host}:{address.port}"
    wire.send("\r\n".join([f"CONNECT {place} HTTP/1.1", f"Host: {place}", *_authorization(proxy), "", ""]).encode())
    wire.begin_step()
    head = read_head(wire, url)
    if head.status == _LOGIN_WANTED:
        raise TransportError(url, f"the proxy {proxy.address.origin} asks for other credentials (status 407)")
    if head.status in _UNREACHABLE:
        raise ConnectError(url, f"the proxy {proxy.address.origin} did not reach the server: status {head.status}")
    if head.status != _OK:
        raise TransportError(url, f"the proxy {proxy.address.origin} refused to connect: status {head.status}")
    if not wire.rests():
        raise TransportError(url, f"the proxy {proxy.address.origin} sent bytes of its own into the tunnel")


def _authorization(proxy: Proxy) -> list[str]:
    return [] if proxy.authorization is None else [f"Proxy-Authorization: {proxy.authorization}"]
