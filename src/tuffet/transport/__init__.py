"""Bytes that come: one small protocol, and the transports that keep it.

Importing this package imports no transport; `default_transport` picks and imports the one that a URL needs.
"""

import os

from tuffet.errors import UsageError
from tuffet.transport.receive import receive
from tuffet.transport.transport import Answer, Transport

__all__ = ["Answer", "Transport", "default_transport", "receive"]

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def default_transport(url: str) -> Transport:
    """Return a transport for all URLs that begin with this one: http, https, file, or the path of a directory.

    A transport for http and https serves other URLs of these schemes as well, and uses its connections again: share it.
    """
    scheme = url.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _http_transport(url)
    if "://" in url and scheme != "file":
        raise UsageError(f"there is no transport for {url}; http, https, file and plain directories have one")
    from tuffet.transport.local import LocalTransport

    return LocalTransport(url)


def _http_transport(url: str) -> Transport:
    # The environment is looked at before anything about proxies is imported: most machines have none.
    if any(name in os.environ for name in _PROXY_VARIABLES):
        from tuffet.transport.proxies import Proxies
        from tuffet.transport.proxy import ProxyTransport
        from tuffet.transport.url import parse_url

        proxies = Proxies.from_environment(os.environ)
        if proxies.before(parse_url(url)) is not None:
            return ProxyTransport(proxies)
    from tuffet.transport.http import HttpTransport

    return HttpTransport()
