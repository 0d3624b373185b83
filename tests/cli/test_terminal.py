"""What happens at a real terminal: passphrases typed, progress shown, colours, and Ctrl-C at any time."""

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("there is no pty on Windows", allow_module_level=True)

from tests.cli.harness import COMMAND, Mirror, Terminal, fake_repository
from tests.cli.terminals import Session, interrupt

SECRET = "correct horse"
INTERRUPTED = "interrupted: nothing is half done, and the same command may be run again\n"
# Python itself takes a while to start, and then dies of Ctrl-C as any program does.
_TELLING = (sys.executable, "-c", "from tuffet.cli import main; print(flush=True); main()")


class _Slow(http.server.SimpleHTTPRequestHandler):
    """Sends targets a little at a time."""

    def copyfile(self, source: object, outputfile: object) -> None:
        with suppress(OSError):  # A client that was interrupted is gone.
            while block := source.read(20_000):  # type: ignore[attr-defined]
                outputfile.write(block)  # type: ignore[attr-defined]
                if "/targets/" in self.path:
                    time.sleep(0.03)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[str, Mirror]]:
    """A server that takes about two seconds for `big.bin`."""
    repo = fake_repository()
    repo.publish("big.bin", os.urandom(1_000_000))
    mirror = Mirror(tmp_path / "mirror", repo)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Slow, directory=str(mirror)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", mirror
    server.shutdown()
    server.server_close()


def test_the_passphrase_is_asked_for_twice_by_init_and_once_by_publish(tuffet: Terminal) -> None:
    (tuffet.here / "app").write_bytes(b"app")
    with Session(tuffet, "init", "releases") as session:
        session.expect("Passphrase for the new keys:")
        session.type(SECRET)
        session.expect("The same once more:")
        session.type(SECRET)
        assert session.end() == 0
        assert SECRET not in session.text
    with Session(tuffet, "publish", "../app", cwd=tuffet.here / "releases") as session:
        session.expect("Passphrase of key")
        session.type(SECRET)
        assert session.end() == 0
        assert session.text.count("Passphrase of key") == 1
    with Session(tuffet, "renew", "--force", "-C", "releases") as session:
        session.expect("Passphrase of key")
        session.type("wrong")
        assert session.end() == 6
        assert "hint: the passphrase comes from" in session.text


def test_two_different_passphrases_make_nothing(tuffet: Terminal) -> None:
    with Session(tuffet, "init", "releases") as session:
        session.expect("new keys:")
        session.type(SECRET)
        session.expect("once more:")
        session.type("another")
        assert session.end() == 6
    with Session(tuffet, "init", "releases") as session:
        session.expect("new keys:")
        session.type("")
        assert session.end() == 6
    assert not (tuffet.here / "releases").exists()


def test_ctrl_c_at_the_prompt_is_one_line_and_130(tuffet: Terminal) -> None:
    with Session(tuffet, "init", "releases") as session:
        session.expect("new keys:")
        session.interrupt()
        assert session.end() == 130
        assert "interrupted: nothing is half done" in session.text
        assert "Traceback" not in session.text
    assert not (tuffet.here / "releases").exists()


def test_ctrl_c_ends_a_server_with_one_line_and_130(tuffet: Terminal) -> None:
    assert tuffet("init", "releases", "--no-passphrase").status == 0
    server = tuffet.start("serve", "-C", "releases", "--port", "0")
    assert server.stdout is not None
    server.stdout.readline()
    status, _, err = interrupt(server)
    assert (status, err) == (130, INTERRUPTED)


def test_ctrl_c_during_a_download_leaves_nothing(tuffet: Terminal, slow: tuple[str, Mirror]) -> None:
    url, mirror = slow
    assert tuffet("trust", url, "--sha256", mirror.root_sha256).status == 0
    process = tuffet.start("get", url, "big.bin", "--to", "there/")
    _wait_for(lambda: any((tuffet.here / "there").glob(".tuffet-*")))
    status, out, err = interrupt(process)
    assert (status, out, err.count("\n")) == (130, "", 1)
    assert not any((tuffet.here / "there").iterdir())


def test_ctrl_c_while_publishing_loses_nothing(tuffet: Terminal) -> None:
    """Interrupted at eight different moments, it publishes all the same when it is run again, and what was served stays whole."""
    assert tuffet("init", "releases", "--no-passphrase").status == 0
    digest = tuffet("status", "-C", "releases", "--json").json["root_sha256"]
    assert tuffet("trust", "releases/public", "--sha256", digest).status == 0
    big = tuffet.here / "big.bin"
    big.write_bytes(os.urandom(1 << 20) * 24)
    ended = []
    for moment in range(8):
        process = tuffet.start("publish", big, "-C", "releases", program=_TELLING)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.03 + 0.06 * moment)
        status, _, err = interrupt(process)
        assert status in {0, 130}
        assert err in {"", INTERRUPTED}
        ended.append(status)
        assert tuffet("list", "releases/public").status == 0
    assert 130 in ended
    assert tuffet("publish", big, "-C", "releases").status == 0
    assert tuffet("get", "releases/public", "big.bin", "--to", "there").status == 0


def test_progress_is_shown_on_a_terminal_only(tuffet: Terminal, slow: tuple[str, Mirror]) -> None:
    url, mirror = slow
    assert tuffet("trust", url, "--sha256", mirror.root_sha256).status == 0
    with Session(tuffet, "get", url, "big.bin") as session:
        session.expect("big.bin ━", 10)
        assert session.end() == 0
        assert "verified ./big.bin" in session.text or "verified big.bin" in session.text
    (tuffet.here / "big.bin").unlink()
    with Session(tuffet, "get", url, "big.bin", "--quiet") as session:
        assert session.end() == 0
        assert session.text == ""


def test_colours_are_for_terminals_that_want_them(tuffet: Terminal, mirror: Mirror) -> None:
    wanted: list[tuple[dict[str, Any], bool]] = [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
    for variables, colours in wanted:
        with Session(tuffet, "show", mirror, **variables) as session:
            assert session.end() == 0
            assert (b"\x1b[" in session.raw) is colours
    assert "\x1b" not in tuffet.process("show", mirror).out


def test_a_reader_that_goes_away_is_no_error(tuffet: Terminal, mirror: Mirror) -> None:
    """As in `tuffet show URL | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*COMMAND, "show", str(mirror), "-q"], cwd=tuffet.here, env=tuffet.environment, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 141
    assert err.decode().replace("warning: no root is pinned for this repository: what is shown is what it says of itself\n", "") == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_a_full_disk_is_told(tuffet: Terminal, mirror: Mirror) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [*COMMAND, "show", str(mirror)], cwd=tuffet.here, env=tuffet.environment, stdout=full, stderr=subprocess.PIPE
        )
        _, err = process.communicate(timeout=20)
    assert process.returncode == 5
    assert b"no space left" in err
    assert b"Exception ignored" not in err


def test_closed_streams_are_no_error(tuffet: Terminal, mirror: Mirror) -> None:
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        script = f'"$0" -m tuffet show "$1" {closed}'
        ended = subprocess.run(
            ["sh", "-c", script, sys.executable, str(mirror)], cwd=tuffet.here, env=tuffet.environment, capture_output=True, check=False
        )
        assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False), closed


def _wait_for(happened: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    assert callable(happened)
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
