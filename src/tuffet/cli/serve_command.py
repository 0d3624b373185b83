"""`tuffet serve`: the public files over http, and the line to type on another machine."""

import shlex
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from tuffet.cli.errors import Status
from tuffet.cli.options import in_repository, reporting
from tuffet.cli.output import Output, Styled
from tuffet.errors import TuffetError

if TYPE_CHECKING:
    from tuffet.cli.handler import Logged

EXAMPLES = """\b
Examples:
  tuffet serve
  tuffet serve --host 0.0.0.0 --port 8080
"""
_EVERYWHERE = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104  compared with, not listened on


@click.command(epilog=EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for other machines.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 for a free one.")
@in_repository
@reporting
@click.pass_obj
def serve(out: Output, *, host: str, port: int, directory: str | None) -> int:
    """Serve the public files until Ctrl-C, and print the line to type on another machine.

    It reads no keys. For the world, put public/ on any web server instead.
    """
    from tuffet.cli.repository import open_repository
    from tuffet.cli.server import serve as serve_directory

    repository = open_repository(directory)
    digest = repository.policy.repository.root_sha256
    envelope = " --envelope" if repository.policy.repository.envelope == "dsse" else ""
    try:
        listed = repository.state().trusted.targets.payload.targets
        # A name that a shell or a terminal could take for something else is no example.
        name = next((path for path in listed if path.isprintable() and path[0] != "-"), "NAME")
    except TuffetError as error:
        out.warn(f"clients will refuse what is served: {error}")
        name = "NAME"

    def ready(url: str) -> None:
        shown = f"{_reachable(url, host)}/"
        out.answer("serving at", Styled(shown, "cyan"), "until Ctrl-C; on the other machine type")
        out.answer(f"  tuffet get {shown} {shlex.quote(name)} --sha256 {digest}{envelope}")
        if host in {"127.0.0.1", "localhost", "::1"}:
            out.say("only this machine can reach it; `--host 0.0.0.0` lets others")
        out.result({"url": shown, "root_sha256": digest}, lines=True)

    def log(each: "Logged") -> None:
        # Who reads the log may go away; the files are served all the same.
        with suppress(OSError):
            out.say(f"{each.client} {each.method} {each.target} {each.status} {each.size}")
            if not out.quiet:
                out.result(each._asdict(), lines=True)

    ended_by = serve_directory(str(repository.public), host, port, ready=ready, log=log)
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt
    return Status.DONE


def _reachable(url: str, host: str) -> str:
    """Return the URL as another machine would type it."""
    if host not in _EVERYWHERE:
        return url
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the system only says from which of its addresses it would be.
            probe.connect((_EVERYWHERE[host], 9))
            address = str(probe.getsockname()[0])
        except OSError:
            return url
    port = url.rpartition(":")[2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
