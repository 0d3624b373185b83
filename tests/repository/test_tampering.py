"""Somebody changed what is published or staged behind the publisher's back: nothing of it is believed or signed."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.repository.world import KEYS, QUICK, START, Make, served, snapshot_of
from tuffet.errors import MismatchError, RollbackError, StorageError, TuffetError, VerificationError
from tuffet.keys.memory import MemorySigner
from tuffet.metadata import TUF_JSON, RoleKeys
from tuffet.repository import Repository
from tuffet.repository.key_files import NewKeyFiles
from tuffet.storage.disk import Disk
from tuffet.testing.clock import FakeClock
from tuffet.testing.repository import FakeRepository


def refuses(repository: Repository, kind: type[TuffetError]) -> TuffetError:
    """Return the error with which everything is refused, having changed nothing."""
    before = snapshot_of(repository.directory)
    errors: list[TuffetError] = []
    for act in (repository.state, lambda: repository.publish(KEYS), lambda: repository.renew(KEYS, force=True), repository.status):
        with pytest.raises(kind) as refused:
            act()
        errors.append(refused.value)
    assert snapshot_of(repository.directory) == before
    assert len({str(error) for error in errors}) == 1
    return errors[0]


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


def test_an_older_state_was_put_back(again: Make) -> None:
    """All of it is well signed; the publisher remembers better, and does not sign the old state anew."""
    repository = again()
    old = (repository.public / "metadata/timestamp.json").read_bytes()
    repository.add("new", b"new")
    repository.publish(KEYS)
    (repository.public / "metadata/timestamp.json").write_bytes(old)
    repository.add("newer", b"newer")
    error = refuses(repository, RollbackError)
    assert isinstance(error, RollbackError)
    assert (error.role, error.trusted, error.offered) == ("timestamp", 3, 2)


def test_an_older_state_is_put_back_while_we_publish(again: Make) -> None:
    """Compare-and-set sees that it is not the state on which we built, and then the same holds."""
    repository = again()
    old = (repository.public / "metadata/timestamp.json").read_bytes()
    repository.add("new", b"new")
    repository.publish(KEYS)
    repository.add("newer", b"newer")

    def clock() -> datetime:
        (repository.public / "metadata/timestamp.json").write_bytes(old)
        return START

    with pytest.raises(RollbackError):
        Repository.open(repository.directory, clock=clock, disk=QUICK).publish(KEYS)
    assert (repository.public / "metadata/timestamp.json").read_bytes() == old


def test_an_older_state_was_put_back_after_a_rotation(again: Make) -> None:
    """A timestamp key was taken long ago (5.3.11); that is no way around the memory of what was published since."""
    repository, key = again(), MemorySigner.generate()
    root = repository.state().trusted.root.payload
    roles = {**root.roles, "timestamp": RoleKeys(keyids=(key.keyid,), threshold=1)}
    rotated = replace(root, version=2, keys={**root.keys, key.keyid: key.key}, roles=roles)
    signed = TUF_JSON.signed_bytes(rotated)
    signatures = [(KEYS[name].keyid, KEYS[name].sign(signed)) for name in ("root-1", "root-2")]
    signers = {**KEYS, "timestamp": key}
    timestamp = repository.public / "metadata/timestamp.json"
    thawed = replace(repository.state().trusted.timestamp.payload, version=3)
    repository.store.create("metadata/2.root.json", TUF_JSON.seal(rotated, signatures))
    timestamp.write_bytes(TUF_JSON.seal(thawed, [(key.keyid, key.sign(TUF_JSON.signed_bytes(thawed)))]))

    repository.add("new", b"new")
    assert repository.publish(signers).roles["timestamp"] == 4
    old = timestamp.read_bytes()
    repository.add("newer", b"newer")
    repository.publish(signers)
    timestamp.write_bytes(old)
    with pytest.raises(RollbackError):
        repository.state()


def test_staged_bytes_are_changed(repository: Repository) -> None:
    """They are hashed again on their way, whether read whole or in pieces (B002)."""
    for size in (10, 3_000_000):
        for bad in (b"y" * size, b"x" * (size + 1), b"x" * (size - 1), b""):
            change = repository.add("app", b"x" * size)
            assert change.blob
            (repository.directory / "staged/blobs" / change.blob).write_bytes(bad)
            before = snapshot_of(repository.public)
            with pytest.raises(MismatchError, match=r"^staged app has the wrong"):
                repository.publish(KEYS)
            assert snapshot_of(repository.public) == before
            repository.unstage()


def test_staged_files_are_gone_or_damaged(repository: Repository) -> None:
    change = repository.add("app", b"x")
    assert change.blob
    (repository.directory / "staged/blobs" / change.blob).unlink()
    with pytest.raises(StorageError, match="app are gone: stage the file again"):
        repository.publish(KEYS)
    (entry,) = (repository.directory / "staged/entries").iterdir()
    entry.write_bytes(b"[{}]")
    with pytest.raises(StorageError, match="damaged: take it away"):
        repository.staged()


def test_a_file_lies_where_a_target_belongs(repository: Repository) -> None:
    """A name that holds a digest is never given to other bytes, and never taken for them."""
    change = repository.add("app", b"x")
    assert change.file
    repository.store.create(f"targets/{change.file.hashes.sha256}.app", b"other")
    with pytest.raises(StorageError, match="is not what its name says"):
        repository.publish(KEYS)
    repository.store.delete(f"targets/{change.file.hashes.sha256}.app")
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"app": b"x"}


def test_links_in_the_public_directory_are_not_followed(repository: Repository, tmp_path: Path) -> None:
    """Nothing is written through them (B106)."""
    (tmp_path / "elsewhere").mkdir()
    (repository.public / "targets").symlink_to(tmp_path / "elsewhere")
    repository.add("app", b"x")
    with pytest.raises(StorageError, match="symbolic link"):
        repository.publish(KEYS)
    assert list((tmp_path / "elsewhere").iterdir()) == []
