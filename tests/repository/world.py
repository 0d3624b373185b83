"""What stands around a repository under test: keys that exist already, disks, and a client that has seen nothing yet."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tuffet.keys.files import write_key_file
from tuffet.keys.memory import MemorySigner
from tuffet.metadata import Dialect
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.names import target_file
from tuffet.repository import Choices, Repository
from tuffet.storage.disk import Disk
from tuffet.testing.clock import FakeClock
from tuffet.testing.crash import Crash, CrashingDisk
from tuffet.testing.driver import MemoryDriver
from tuffet.transport import receive
from tuffet.transport.local import LocalTransport
from tuffet.trust.delegations import Search
from tuffet.trust.workflow import refresh

START = datetime(2030, 1, 1, tzinfo=UTC)

KEYS = {name: MemorySigner.generate() for name in ("root-1", "root-2", "root-3", "targets", "bins", "snapshot", "timestamp")}
"""Private keys by name; making them anew for each test would take longer than most tests."""

Make = Callable[..., Repository]


class QuickDisk(Disk):
    """A disk that waits for nothing: these tests never cut the power of the real machine."""

    def fsync(self, descriptor: int) -> None:
        pass

    def fsync_file(self, path: str) -> None:
        pass

    def fsync_directory(self, path: str) -> None:
        pass

    def syncfs(self, path: str) -> bool:
        return True


QUICK = QuickDisk()


class DyingDisk(CrashingDisk, QuickDisk):
    """A disk that dies, and can also take back the renaming of a directory."""

    def replace(self, source: str, destination: str) -> None:
        if not Path(source).is_dir():
            super().replace(source, destination)
            return
        QUICK.replace(source, destination)
        self._remember(destination, lambda: Path(destination).rename(source))


def deaths(story: Callable[[DyingDisk], object], *, power: bool) -> Iterator[int]:
    """Tell the story with a disk that dies one step later each time; yield after each death, until it gets through."""
    for number in range(10_000):
        try:
            story(DyingDisk(number, power=power))
        except Crash:
            yield number
        else:
            return
    raise AssertionError("the story never ends")


def write_key(name: str, path: Path, disk: Disk) -> MemorySigner:
    """Write the file of a key, as a factory of keys does."""
    write_key_file(disk, path, KEYS[name], None, unencrypted=True)
    return KEYS[name]


def make(directory: Path, clock: FakeClock, disk: Disk = QUICK, choices: Choices | None = None) -> Repository:
    """Make a repository with the keys above."""
    return Repository.create(directory, write_key, choices or Choices(), clock=clock, disk=disk)


def served(repository: Path, start: datetime, dialect: Dialect = TUF_JSON, root: bytes | None = None) -> dict[str, bytes]:
    """Return what a client that has only the first root gets: every target's bytes, checked in every way."""
    public = repository / "public"
    metadata, targets = f"{public / 'metadata'}{os.sep}", f"{public / 'targets'}{os.sep}"
    pinned = root or (public / "metadata/1.root.json").read_bytes()
    driver = MemoryDriver(LocalTransport(metadata), metadata)
    search = Search(driver.run(refresh(pinned, start, dialect)))
    transport, found = LocalTransport(targets), {}
    for each in driver.run(search.targets()):
        names = [target_file(each.path, digest) for digest in each.file.hashes.known().values()]
        copies = {b"".join(receive(transport.ask(targets + name), name, at_most=each.file.length)) for name in names}
        (found[each.path],) = copies
        assert each.file.hashes.mismatch(found[each.path]) is None
        assert each.file.length == len(found[each.path])
    return found


def versions(repository: Repository) -> dict[str, int]:
    """Return the published versions of the top-level roles."""
    trusted = repository.state().trusted
    return {each.role: each.payload.version for each in (trusted.root, trusted.targets, trusted.snapshot, trusted.timestamp)}


def snapshot_of(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory but locks and what dead runs left."""
    files = (path for path in directory.rglob("*") if path.is_file() and ".tuffet-" not in str(path.relative_to(directory)))
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}
