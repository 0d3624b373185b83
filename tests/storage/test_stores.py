"""Every store keeps the contract."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuffet.errors import ConflictError, UsageError
from tuffet.storage.directory import DirectoryStore
from tuffet.storage.disk import create_once
from tuffet.storage.memory import MemoryStore
from tuffet.storage.steps import Disk
from tuffet.storage.store import Store, checked_windows_name
from tuffet.testing.contracts import BAD_NAMES, StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestDirectoryStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return DirectoryStore(tmp_path / "made" / "when needed")


class PortableDisk(Disk):
    """A disk of a system without hard links and without syncfs."""

    def link(self, source: str, destination: str) -> None:
        raise PermissionError(1, "Operation not permitted", source)

    def syncfs(self, path: str) -> bool:
        return False


class SlowDisk(PortableDisk):
    """The same, with time for others between the look and the rename."""

    def replace(self, source: str, destination: str) -> None:
        time.sleep(0.01)
        super().replace(source, destination)


def test_without_links_a_lock_decides_who_creates(tmp_path: Path) -> None:
    """Eight find the name free, and still only one gets it."""

    def create(number: int) -> bool:
        try:
            create_once(tmp_path / "name", b"%d" % number, disk=SlowDisk())
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(create, range(8))).count(True) == 1


class TestDirectoryStoreWithoutLinks(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return DirectoryStore(tmp_path, disk=PortableDisk())


def test_a_fork_goes_its_own_way() -> None:
    """What either of the two stores gets later, the other does not see."""
    store = MemoryStore()
    store.create("old", b"old")
    fork = store.fork()
    store.create("here", b"")
    fork.delete("old")
    assert (store.contents(), fork.contents()) == ({"old": b"old", "here": b""}, {})


def test_contents_are_those_of_one_moment() -> None:
    """A copy is handed out, so that the store cannot be changed through it."""
    store = MemoryStore()
    contents = store.contents()
    contents["name"] = b""
    assert store.contents() == {}


@pytest.mark.parametrize("name", ["a:b", "a/con", "COM1.txt", "dot.", "space ", "a?", *BAD_NAMES])
def test_windows_takes_fewer_names(name: str) -> None:
    """There a colon opens a hidden stream, some names are devices, and final dots vanish."""
    with pytest.raises(UsageError):
        checked_windows_name(name)


def test_windows_takes_plain_names() -> None:
    """What repositories write by themselves can be kept everywhere."""
    for name in ("metadata/1.root.json", "targets/%3A/.config", "console"):
        assert checked_windows_name(name) == name
