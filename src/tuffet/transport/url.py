"""An http or https URL, taken apart and otherwise left alone: what was signed for is asked for, byte by byte.

Whoever builds a URL percent-encodes its names. Nothing is decoded, re-encoded or tidied here; a URL that a server or a
proxy might read differently (spaces, control characters, dot segments, user names) is refused.
"""

from typing import NamedTuple

from tuffet.errors import UsageError

_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_HOST_IPV6 = frozenset("abcdef0123456789:.")
_PORTS = {"http": 80, "https": 443}
_PORT_DIGITS = 5
_LAST_PORT = 65535


class Address(NamedTuple):
    """Where a URL leads; `target` is the path and query exactly as they were given."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The `Host` of the request: with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The server without the path, `https://example.com`."""
        return f"{self.scheme}://{self.authority}"


def parse_url(url: str) -> Address:
    """Return where an http or https URL leads, or raise `UsageError` for one that could be read in two ways."""
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise UsageError(f"the URL {url!a} holds characters that must be percent-encoded")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _PORTS:
        raise UsageError(f"{url} is no http or https URL")
    if "#" in rest:
        raise UsageError(f"the URL {url} has a fragment, which no server ever sees")
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    authority, target = rest[:end], rest[end:]
    if "@" in authority:
        raise UsageError(f"the URL of {scheme}://{authority.rpartition('@')[2]} holds a user name; give credentials apart from it")
    host, port = _parse_authority(url, authority, _PORTS[scheme])
    path, mark, query = target.partition("?")
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in path.split("/")):
        raise UsageError(f"the URL {url} has a dot segment")
    return Address(scheme, host, port, f"{path or '/'}{mark}{query}")


def _parse_authority(url: str, authority: str, port: int) -> tuple[str, int]:
    if authority.startswith("["):
        host, closed, rest = authority[1:].lower().partition("]")
        good = bool(closed) and ":" in host and _HOST_IPV6.issuperset(host) and (not rest or rest.startswith(":"))
        digits = rest[1:]
    else:
        host, _, digits = authority.lower().partition(":")
        good = bool(host) and _HOST.issuperset(host)
    if digits:
        good = good and digits.isdigit() and len(digits) <= _PORT_DIGITS and 0 < int(digits) <= _LAST_PORT
        port = int(digits) if good else 0
    if not good:
        raise UsageError(f"the URL {url} names no host and port that can be connected to")
    return host, port
