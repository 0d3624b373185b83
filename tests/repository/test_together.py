"""Several publish at once, from threads and from processes: nothing is lost, and clients always see something whole."""

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.repository.world import KEYS, QUICK, START, Make, make, served
from tuffet.errors import ConflictError
from tuffet.repository import Addition, Repository
from tuffet.repository.publish import patiently, publish, shortly_locked
from tuffet.repository.renew import renew
from tuffet.repository.signing import Signing
from tuffet.repository.site import Site
from tuffet.repository.staging import Staging
from tuffet.storage.lock import locked
from tuffet.testing.clock import FakeClock


def together(*runs: Callable[[], object]) -> None:
    """Run all at once; the first error is raised here."""
    errors: list[BaseException] = []

    def guarded(run: Callable[[], object]) -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001  it is raised again by whoever waits
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_publish_at_once(again: Make) -> None:
    """Each with a repository of its own, one staging area for all; a client that looks meanwhile sees something whole."""
    place = again().directory
    stop = threading.Event()
    seen: list[int] = []

    def publisher(number: int) -> None:
        repository = Repository.open(place, clock=FakeClock(START), disk=QUICK)
        for item in range(4):
            repository.add(f"{number}-{item}", b"%d %d" % (number, item))
            repository.publish(KEYS)

    def client() -> None:
        while not stop.is_set():
            seen.append(len(served(place, START)))

    watcher = threading.Thread(target=client)
    watcher.start()
    try:
        together(*(lambda number=number: publisher(number) for number in range(4)))
    finally:
        stop.set()
        watcher.join()
    expected = {f"{number}-{item}": b"%d %d" % (number, item) for number in range(4) for item in range(4)}
    assert served(place, START) == {"old.txt": b"old", **expected}
    assert seen == sorted(seen), "what a client has seen does not go away"
    assert Repository.open(place).staged() == ()


def test_the_lock_is_only_a_courtesy(again: Make, tmp_path: Path) -> None:
    """Without it publishers with staging areas of their own, and one that renews, are kept apart by compare-and-set alone (B125)."""
    repository = again()

    def publisher(number: int) -> None:
        staging = Staging(tmp_path / f"staging-{number}", disk=QUICK)
        for item in range(3):
            staging.add([Addition(f"{number}-{item}", b"x")])
            publish(Site(repository.store, repository.policy), staging, Signing(repository.policy, KEYS), FakeClock(START))

    def renewer() -> None:
        for _ in range(3):
            renew(Site(repository.store, repository.policy), Signing(repository.policy, KEYS), FakeClock(START), force=True)

    together(renewer, *(lambda number=number: publisher(number) for number in range(3)))
    names = {f"{number}-{item}" for number in range(3) for item in range(3)}
    assert set(served(repository.directory, START)) == {"old.txt", *names}


SCRIPT = """
import sys
from tuffet.repository import Repository
repository = Repository.open(sys.argv[1])
files = repository.key_files(lambda name: "")
for item in range(3):
    repository.add(f"{sys.argv[2]}-{item}", f"{sys.argv[2]} {item}".encode())
    repository.publish(files)
"""


def test_processes_publish_at_once(tmp_path: Path) -> None:
    repository = make(tmp_path / "releases", FakeClock(datetime.now(UTC)))
    command = [sys.executable, "-c", SCRIPT, str(repository.directory)]
    running = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    expected = {f"{number}-{item}": b"%d %d" % (number, item) for number in range(3) for item in range(3)}
    assert served(repository.directory, datetime.now(UTC)) == expected


def test_the_other_one_publishes_between_reading_and_writing(again: Make) -> None:
    """We lose, read what they published, and publish on top of it; both are there."""
    repository, other = again(), None
    repository.add("ours", b"ours")
    moments = iter(range(100))

    def clock() -> datetime:
        nonlocal other
        # The clock is looked at when the state has been read and nothing is written yet.
        if next(moments) == 0:
            other = Staging(repository.directory / "other", disk=QUICK)
            other.add([Addition("theirs", b"theirs")])
            publish(Site(repository.store, repository.policy), other, Signing(repository.policy, KEYS), FakeClock(START))
        return START

    slow = Repository.open(repository.directory, clock=clock, disk=QUICK)
    published = slow.publish(KEYS)
    assert published.roles["timestamp"] == 4
    assert served(repository.directory, START) == {"old.txt": b"old", "theirs": b"theirs", "ours": b"ours"}


def test_a_file_staged_while_another_is_published_waits(again: Make) -> None:
    repository = again()
    repository.add("first", b"1")

    def clock() -> datetime:
        if len(repository.staged()) == 1:
            repository.add("first", b"2")
            repository.add("second", b"2")
        return START

    Repository.open(repository.directory, clock=clock, disk=QUICK).publish(KEYS)
    assert served(repository.directory, START) == {"old.txt": b"old", "first": b"1"}
    assert [change.path for change in repository.staged()] == ["first", "second"]
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"old.txt": b"old", "first": b"2", "second": b"2"}


def test_somebody_holds_the_lock_for_ever(again: Make) -> None:
    """A publisher that hangs, perhaps waiting for a passphrase, keeps nobody from renewing for long."""
    lock = again().directory / ".tuffet-lock"
    with locked(lock), shortly_locked(lock, wait_seconds=0.05):
        pass


def test_others_are_always_quicker() -> None:
    """It is tried again often, and in the end said."""
    tries = []

    def attempt() -> None:
        tries.append(1)
        raise ConflictError("timestamp.json", "changed")

    with pytest.raises(ConflictError):
        patiently(attempt, longest_pause_seconds=0)
    assert len(tries) == 20
