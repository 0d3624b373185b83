"""A slow wire on the loopback: `server.py FOLDER LOG` serves a folder over HTTP/1.1, each answer 50 ms late.

It prints its port, writes a line of JSON for every request it has answered, and ends when its standard input does.
"""

import json
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DELAY_SECONDS = 0.050


class Handler(BaseHTTPRequestHandler):
    """Answers GET, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Head and body leave together.
    files: dict[str, bytes]
    log: Path
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Wait, log, answer."""
        came = time.monotonic()
        time.sleep(DELAY_SECONDS)
        body = self.files.get(self.path)
        status = HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK
        with self.lock, self.log.open("a") as log:
            log.write(json.dumps([self.path, came, time.monotonic(), status]) + "\n")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server that takes it calmly when a client drops a connection whose answer it does not want any more."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of other failures only."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def main() -> None:
    """Serve until standard input ends."""
    folder, Handler.log = Path(sys.argv[1]), Path(sys.argv[2])
    Handler.files = {f"/{state}/{path.name}": path.read_bytes() for state in ("old", "new") for path in (folder / state).iterdir()}
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
