"""Servers that do exactly what a test says, byte by byte, on the loopback."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: "RawServer", connection: socket.socket, number: int) -> None:
        self.server, self.number = server, number
        self._socket = connection

    def hear(self) -> str:
        """Return the head of the next request, "" if the client has gone."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self._socket.recv(1)
            if not byte:
                return ""
            head += byte
        text = head.decode()
        self.server.heads.append(text)
        return text

    def say(self, data: bytes | str) -> None:
        self._socket.sendall(data.encode() if isinstance(data, str) else data)

    def answer(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        self.say("\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body)

    def wait_for_end(self) -> None:
        """Do nothing until the client closes, or the server stops."""
        while self._socket.recv(1 << 16):
            pass

    def relay(self, host: str, port: int) -> None:
        """Pass bytes both ways."""
        with socket.create_connection((host, port), 5) as onward:
            back = threading.Thread(target=_copy, args=(onward, self._socket), daemon=True)
            back.start()
            _copy(self._socket, onward)
            back.join(5)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


Script = Callable[[Peer], None]


class RawServer:
    """Runs a script for each connection; `heads` are the requests heard, in order."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self.connections = 0
        self._script, self._context = script, context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def targets(self) -> list[str]:
        return [head.split()[1] for head in self.heads]

    def stop(self) -> None:
        # Closing alone would not wake up the thread that accepts.
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self._script(Peer(self, connection, number))
            # Unread bytes would turn the end into a reset, which loses what was sent.
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            connection.close()


Serve = Callable[..., RawServer]
