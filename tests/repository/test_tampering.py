"""Somebody changed what is published or staged behind the publisher's back: nothing of it is believed or signed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.world import KEYS, QUICK, START, Make, make, served, snapshot_of
from tuffet.errors import ConflictError, MismatchError, RollbackError, StorageError, TuffetError, UsageError, VerificationError
from tuffet.keys.memory import MemorySigner
from tuffet.repository import Repository, walk
from tuffet.repository.key_files import NewKeyFiles
from tuffet.storage.disk import Disk
from tuffet.testing.clock import FakeClock
from tuffet.testing.repository import FakeRepository


def refuses(repository: Repository, kind: type[TuffetError]) -> TuffetError:
    """Return the error with which everything is refused, having changed nothing."""
    before = snapshot_of(repository.directory)
    errors = []
    for act in (repository.state, lambda: repository.publish(KEYS), lambda: repository.renew(KEYS, force=True), repository.status):
        with pytest.raises(kind) as refused:
            act()
        errors.append(str(refused.value))
    assert snapshot_of(repository.directory) == before
    assert len(set(errors)) == 1
    return refused.value


@pytest.mark.parametrize("name", ["1.root.json", "timestamp.json", "2.snapshot.json", "1.targets.json"])
@pytest.mark.parametrize("damage", [b"\x01", b"1", b"e"])
def test_a_published_document_is_changed(again: Make, name: str, damage: bytes) -> None:
    """Every byte of it is under a signature or a digest that follows from the pinned root (B064, B123)."""
    repository = again()
    repository.add("new", b"new")
    path = repository.public / "metadata" / name
    data = path.read_bytes()
    middle = data.index(b'"expires":"2') + 12
    path.write_bytes(data[:middle] + damage + data[middle + 1 :])
    refuses(repository, VerificationError)


def test_a_published_bin_is_changed(again: Make) -> None:
    repository = again()
    repository.add("old.txt", b"new")
    owner = repository.state().owner_of("old.txt")
    path = repository.public / f"metadata/2.{owner}.json"
    path.write_bytes(path.read_bytes().replace(b"old.txt", b"bad.txt"))
    with pytest.raises(VerificationError):
        repository.publish(KEYS)
    with pytest.raises(VerificationError):
        repository.renew(KEYS, force=True)


def test_the_whole_directory_is_another_repository(repository: Repository, tmp_path: Path, clock: FakeClock) -> None:
    """It is sound in itself, but does not follow from the pinned root, so none of our keys signs on top of it (B064)."""
    other = Repository.create(tmp_path / "other", NewKeyFiles(unencrypted=True), clock=clock, disk=QUICK)
    shutil.rmtree(repository.public)
    shutil.copytree(other.public, repository.public)
    error = refuses(repository, MismatchError)
    assert "root version 1" in str(error)


def test_a_root_of_somebody_else_is_appended(repository: Repository) -> None:
    thief = FakeRepository(FakeClock(START))
    thief.new_root()
    data = thief.root_bytes(2)
    repository.store.create("metadata/2.root.json", data)
    refuses(repository, VerificationError)


@pytest.mark.parametrize("name", ["1.root.json", "timestamp.json", "2.snapshot.json", "1.targets.json"])
def test_a_published_document_is_missing(again: Make, name: str) -> None:
    """That is said, and never taken for a reason to start anew at version 1 (B124)."""
    repository = again()
    repository.add("new", b"new")
    (repository.public / "metadata" / name).unlink()
    error = refuses(repository, StorageError)
    assert f"metadata/{name}: this published file is missing" in str(error)


class FailingDisk(Disk):
    """A disk on which one file cannot be read just now."""

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, path: str) -> int:
        if path.endswith(self.name):
            raise OSError(5, "Input/output error")
        return super().open(path)


@pytest.mark.parametrize("name", ["1.root.json", "2.root.json", "timestamp.json", "2.snapshot.json", "1.targets.json", ".json"])
def test_a_file_cannot_be_read_for_a_moment(again: Make, name: str) -> None:
    """A failing disk is not an absent file (B124, B126)."""
    repository = again(disk=FailingDisk(name))
    Repository.open(repository.directory).add("new", b"new")
    refuses(repository, StorageError)


def test_published_state_went_back(again: Make, clock: FakeClock) -> None:
    """A release is judged by a client that saw what is published: a signed older snapshot cannot slip under it (B080)."""
    repository = again()
    old = (repository.public / "metadata/timestamp.json").read_bytes()
    repository.add("new", b"new")

    def put_back() -> object:
        # Between reading and writing somebody restores an old timestamp.
        (repository.public / "metadata/timestamp.json").write_bytes(old)
        return START

    repository.publish(KEYS)
    repository.add("newer", b"newer")
    Repository.open(repository.directory, clock=put_back, disk=QUICK)  # type: ignore[arg-type]
    slow = Repository.open(repository.directory, clock=put_back, disk=QUICK)  # type: ignore[arg-type]
    slow.publish(KEYS)
    assert set(served(repository.directory, START)) == {"old.txt", "newer"}
