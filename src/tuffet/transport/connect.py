"""How a connection is made, and in which of our errors its failures end.

A connection that fails or breaks is worth another try; a certificate that proves nothing is not, for whoever stands in
the way would be there again.
"""

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from tuffet.errors import ConnectError, TransportError
from tuffet.transport.url import Address
from tuffet.transport.wire import Wire

if TYPE_CHECKING:  # ssl costs milliseconds, and plain http never needs it.
    import ssl


def connect_plain(url: str, host: str, port: int, timeout: float) -> socket.socket:
    """Return a connected socket; each of the host's addresses is tried, for so many seconds."""
    try:
        # A host given as bytes spares the import of the IDNA codec, 3 ms; the type stubs do not know that it may be.
        connected = socket.create_connection(cast(tuple[str, int], (host.encode(), port)), timeout)
    except OSError as error:
        raise ConnectError(url, f"no connection to {host} port {port}: {reason(error)}") from error
    # Without this, a request waits a round trip for the acknowledgement of the handshake's last message.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def secure(url: str, plain: socket.socket, host: str, timeout: float, context: "ssl.SSLContext") -> socket.socket:
    """Return the socket with TLS on it, its certificate checked for the host; on failure the socket is closed."""
    import ssl

    plain.settimeout(timeout)
    try:
        # A connection that ends without TLS's own goodbye was cut, and must not look like the end of a body (B021).
        return context.wrap_socket(plain, server_hostname=host.encode(), suppress_ragged_eofs=False)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise TransportError(url, f"the certificate of {host} was refused: {error.verify_message}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        plain.close()
        raise ConnectError(url, f"{host} closed the connection during the TLS handshake") from error
    except ssl.SSLError as error:
        plain.close()
        raise TransportError(url, f"no TLS connection to {host}: {reason(error)}") from error
    except ValueError as error:
        plain.close()
        raise TransportError(url, f"no TLS connection to {host}: {error}") from error
    except OSError as error:
        plain.close()
        raise ConnectError(url, f"the TLS handshake with {host} failed: {reason(error)}") from error


def connect(url: str, address: Address, timeout: float, context: "Callable[[], ssl.SSLContext]") -> Wire:
    """Return a new connection straight to a server, over TLS where the scheme is https."""
    connected = connect_plain(url, address.host, address.port, timeout)
    if address.scheme == "https":
        connected = secure(url, connected, address.host, timeout, context())
    return Wire(connected, timeout)


def reason(error: OSError) -> str:
    """Return what an operating system's or TLS error says, as the end of a sentence."""
    text = getattr(error, "reason", None) or error.strerror or str(error) or type(error).__name__
    return "timed out" if isinstance(error, TimeoutError) else str(text).replace("_", " ").lower()
