"""Which proxy stands before a server: what `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say.

Names in lower case win. `HTTP_PROXY` in upper case is ignored where `REQUEST_METHOD` is set, because a CGI program's
caller can set it with a `Proxy:` header.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tuffet.errors import UsageError
from tuffet.transport.url import Address, parse_url


class Proxy(NamedTuple):
    """An http or https proxy, and the value of its `Proxy-Authorization` header if it wants one."""

    address: Address
    authorization: str | None


class Proxies:
    """The proxies by scheme, and the hosts that are reached without one."""

    def __init__(self, *, http: str | None = None, https: str | None = None, no_proxy: str = "") -> None:
        """Take proxy URLs, which may hold `user:password@`, and a comma-separated list of exempt hosts and networks."""
        self._by_scheme = {"http": _parse_proxy(http), "https": _parse_proxy(https)}
        self._exempt = [entry.strip().lower() for entry in no_proxy.split(",") if entry.strip()]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Proxies":
        """Return what the environment's variables say."""

        def variable(name: str) -> str:
            if name == "http_proxy" and "REQUEST_METHOD" in environment:
                return environment.get(name, "")
            return environment.get(name) or environment.get(name.upper(), "")

        every = variable("all_proxy")
        return cls(http=variable("http_proxy") or every, https=variable("https_proxy") or every, no_proxy=variable("no_proxy"))

    def before(self, address: Address) -> Proxy | None:
        """Return the proxy that stands before an address, if there is one."""
        proxy = self._by_scheme[address.scheme]
        return None if proxy is None or any(_exempts(entry, address) for entry in self._exempt) else proxy


def _parse_proxy(url: str | None) -> Proxy | None:
    if not url:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    login, at, host = rest.partition("/")[0].rpartition("@")
    if scheme.lower() not in ("http", "https"):
        raise UsageError(f"the proxy {scheme}://{host} is of a kind that is not supported; http and https are")
    address = parse_url(f"{scheme}://{host}/")
    return Proxy(address, _basic(login) if at else None)


def _basic(login: str) -> str:
    from base64 import b64encode
    from urllib.parse import unquote_to_bytes

    user, _, password = login.partition(":")
    return "Basic " + b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password)).decode()


def _exempts(entry: str, address: Address) -> bool:
    if entry == "*" or entry.strip("[]") == address.host:
        return True
    if "/" in entry:
        return _network_holds(entry, address.host)
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and not (":" in host and not host.endswith("]")):
        if int(port) != address.port:
            return False
        entry = host.strip("[]")
    name = entry.removeprefix("*").lstrip(".")
    return bool(name) and (address.host == name or address.host.endswith(f".{name}"))


def _network_holds(network: str, host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
