"""A real terminal for a command: what it shows there, and what somebody types."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cli.harness import COMMAND, Terminal

_TAKE_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Session:
    """A command whose three streams are one terminal, which is also the one that `/dev/tty` means."""

    def __init__(self, user: Terminal, *arguments: object, cwd: Path | None = None, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        self.raw = b""
        environment = {"TERM": "xterm", **user.environment, **variables}
        environment.pop("NO_COLOR", None)
        environment |= {name: value for name, value in variables.items() if name == "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *COMMAND, *map(str, arguments)],
            cwd=cwd or user.here,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    @property
    def text(self) -> str:
        """What the terminal shows, without colours and movements."""
        return _SEQUENCE.sub("", self.raw.decode(errors="replace")).replace("\r", "")

    def expect(self, wanted: str, seconds: float = 20.0) -> None:
        """Wait until the text was shown."""
        deadline = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"{wanted!r} did not come: {self.text!r}"
            assert self._read(0.1) or self.process.poll() is None, f"{wanted!r} did not come: {self.text!r}"

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, text.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._ours, b"\x03")

    def end(self, seconds: float = 20.0) -> int:
        """Wait for the end and return the exit status."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on: {self.text!r}"
            self._read(0.05)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            came = os.read(self._ours, 65_536)
        except OSError:  # Linux says so that the other end is closed.
            time.sleep(0.01)
            return False
        self.raw += came
        return bool(came)


def interrupt(process: "subprocess.Popen[bytes]") -> tuple[int, str, str]:
    """Send SIGINT and return the exit status and what was printed."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out.decode(), err.decode()
