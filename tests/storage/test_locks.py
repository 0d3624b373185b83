"""One at a time: threads and processes take turns, and whoever dies lets go."""

import multiprocessing
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tuffet.errors import ConflictError, StorageError
from tuffet.storage.directory import DirectoryStore
from tuffet.storage.disk import locked


def test_a_planted_lock_is_not_followed(tmp_path: Path) -> None:
    """The lock file, too, could be a link to somebody else's file (B106)."""
    (tmp_path / "lock").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError, match="never followed"), locked(tmp_path / "lock"):
        pass
    assert not (tmp_path / "outside").exists()


def test_a_lock_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    """The message says who holds it for how long, and what to do; afterwards the lock is free."""
    path = tmp_path / "lock"
    with (
        locked(path),
        pytest.raises(ConflictError, match=r"held this lock for 0.02 seconds: try again when it has ended"),
        locked(path, 0.02),
    ):
        pytest.fail("two hold the lock")
    with pytest.raises(KeyError), locked(path):
        raise KeyError
    with locked(path, 0):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_take_turns(tmp_path: Path) -> None:
    """Never are two of them within, and each gets in."""
    within: list[int] = []
    most: list[int] = []

    def visit() -> None:
        with locked(tmp_path / "lock"):
            within.append(1)
            most.append(len(within))
            time.sleep(0.001)
            within.pop()

    threads = [threading.Thread(target=visit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 10


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    """The lock goes with its holder, even by kill -9; no stale lock needs a human."""
    program = (
        "import sys, time; from tuffet.storage.disk import locked\nwith locked(sys.argv[1]):\n print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConflictError), locked(tmp_path / "lock", 0):
            pass
        holder.kill()
    with locked(tmp_path / "lock", 5):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A child has the same open file; what its parent lets go of is free all the same."""
    program = (
        "import os, signal, sys; from tuffet.storage.disk import locked\n"
        "with locked(sys.argv[1]):\n"
        "    child = os.fork()\n"
        "    if not child: signal.pause()\n"
        "try:\n"
        "    with locked(sys.argv[1], 0): print('free')\n"
        "finally:\n"
        "    os.kill(child, signal.SIGKILL)\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "lock")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(arguments, capture_output=True, check=True, env=environment).stdout == b"free\n"


def count_up(root: str, times: int) -> None:
    """Run in another process."""
    store = DirectoryStore(root)
    for _ in range(times):
        while True:
            seen = store.read("count") or b""
            try:
                store.replace("count", b"%d" % (int(seen) + 1), expected=seen)
            except ConflictError:
                continue
            break


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Both count up one file, and no update is lost."""
    DirectoryStore(tmp_path).create("count", b"0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up, args=(str(tmp_path), 25)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert DirectoryStore(tmp_path).read("count") == b"50"
