"""A repository is made where nothing was, whole or not at all."""

import hashlib
import os
from contextlib import chdir
from pathlib import Path

import pytest

from tests.repository.world import KEYS, QUICK, START, make, served, write_key
from tuffet.errors import SigningError, StorageError, UsageError
from tuffet.keys.memory import MemorySigner
from tuffet.repository import Choices, Repository
from tuffet.storage.disk import Disk
from tuffet.testing.clock import FakeClock


def test_a_directory_that_is_not_empty(tmp_path: Path, clock: FakeClock) -> None:
    """Nothing of it is touched, be it a file, a repository or somebody's letters."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/letter").write_text("x")
    make(tmp_path / "repository", clock)
    before = sorted(tmp_path.rglob("*"))
    for name in ("file", "folder", "repository"):
        with pytest.raises(UsageError, match="exists and is not an empty directory: name a new one"):
            make(tmp_path / name, clock)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_directory_and_one_that_is_not_there(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "linked")
    for name in ("empty", "a/b/new", "link"):
        assert served(make(tmp_path / name, clock).directory, START) == {}
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "empty", "link", "linked"]


def test_the_directory_that_one_is_in(tmp_path: Path, clock: FakeClock) -> None:
    """It would have to be replaced under one's feet."""
    with chdir(tmp_path), pytest.raises(UsageError, match="name a new directory below it"):
        make(Path(), clock)
    assert list(tmp_path.iterdir()) == []


def test_the_first_root_is_pinned(repository: Repository) -> None:
    root = (repository.public / "metadata/1.root.json").read_bytes()
    assert repository.policy.repository.root_sha256 == hashlib.sha256(root).hexdigest()
    trusted = repository.state().trusted.root.payload
    assert {name: (keys.keyids, keys.threshold) for name, keys in trusted.roles.items()} == {
        "root": ((KEYS["root-1"].keyid, KEYS["root-2"].keyid, KEYS["root-3"].keyid), 2),
        "targets": ((KEYS["targets"].keyid,), 1),
        "snapshot": ((KEYS["snapshot"].keyid,), 1),
        "timestamp": ((KEYS["timestamp"].keyid,), 1),
    }
    assert root.count(b'"sig"') == 3, "every root key proves that it can sign (B050)"
    assert trusted.consistent_snapshot is True


def test_whoever_makes_keys_must_make_different_ones(tmp_path: Path, clock: FakeClock) -> None:
    """One key under several names would make every threshold worth one (B023)."""
    same = MemorySigner.generate()
    with pytest.raises(SigningError, match="must be another one"):
        Repository.create(tmp_path / "r", lambda *_: same, clock=clock, disk=QUICK)
    assert list(tmp_path.iterdir()) == []


def test_making_a_key_fails(tmp_path: Path, clock: FakeClock) -> None:
    """Nobody types the passphrase twice alike, say; nothing of the rest stays."""

    def new_key(name: str, path: Path, disk: Disk) -> MemorySigner:
        if name == "snapshot":
            raise KeyboardInterrupt
        return write_key(name, path, disk)

    with pytest.raises(KeyboardInterrupt):
        Repository.create(tmp_path / "r", new_key, clock=clock, disk=QUICK)
    assert list(tmp_path.iterdir()) == []


def test_young_leftovers_may_belong_to_somebody(tmp_path: Path, clock: FakeClock) -> None:
    for name, age in ((".tuffet-new-young", None), (".tuffet-new-old", (0, 0))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keys").mkdir()
        (tmp_path / name / "keys/root").write_text("x")
        os.utime(tmp_path / name, age)
    make(tmp_path / "r", clock)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tuffet-new-young", "r"]


def test_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no tuffet.toml: make one, or name the right directory"):
        Repository.open(tmp_path)
    (tmp_path / "tuffet.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8"):
        Repository.open(tmp_path)
    (tmp_path / "tuffet.toml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(StorageError, match="more than the"):
        Repository.open(tmp_path)


def test_a_clock_without_a_time_zone(repository: Repository, tmp_path: Path) -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(UsageError, match="aware"):
        Repository.open(repository.directory, clock=lambda: naive).status()
    with pytest.raises(UsageError, match="aware"):
        Repository.create(tmp_path / "r", write_key, clock=lambda: naive, disk=QUICK)


def test_a_single_root_key(tmp_path: Path, clock: FakeClock) -> None:
    repository = make(tmp_path / "r", clock, choices=Choices(root_keys=1, root_threshold=1))
    repository.renew(KEYS, force=True)
    assert served(repository.directory, START) == {}


class ReadOnlyDisk(Disk):
    """A file system on which nothing can be made."""

    def create(self, path: str, mode: int) -> int:
        raise OSError(30, "Read-only file system")

    def mkdir(self, path: str, mode: int) -> None:
        if Path(path).exists():
            raise FileExistsError(17, "File exists")
        raise OSError(30, "Read-only file system")


def test_a_read_only_file_system(repository: Repository, tmp_path: Path, clock: FakeClock) -> None:
    """It says so, and reading still works."""
    with pytest.raises(StorageError, match="read-only"):
        make(tmp_path / "r", clock, ReadOnlyDisk())
    repository.add("app", b"app")
    reader = Repository.open(repository.directory, clock=clock, disk=ReadOnlyDisk())
    for act in (lambda: reader.add("b", b"b"), lambda: reader.publish(KEYS), lambda: reader.renew(KEYS, force=True)):
        with pytest.raises(StorageError, match="read-only"):
            act()
    assert [change.path for change in reader.status().staged] == ["app"]
    assert served(repository.directory, START) == {}
