"""The machine stops at every single step, by kill -9 or by losing power, and no file is ever seen in part.

After each death the old or the new content is there whole, and a new run succeeds. Power loss takes away whatever was
not flushed, so these tests also prove that what a call returned from is durable.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tuffet.storage.directory import DirectoryStore
from tuffet.storage.disk import LOCK, Disk, create_once, make_directory, read_bounded, sweep, write_atomic
from tuffet.testing.crash import Crash, CrashingDisk, crashes

OLD, NEW = b"old " * 100, b"new " * 200

power = pytest.mark.parametrize("power", [False, True], ids=["kill", "power"])


def visible(root: Path) -> dict[str, bytes]:
    """Return the files that a reader could find; temporary ones and locks are nobody's business."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file() and ".tuffet-" not in path.name}


@power
def test_write_atomic_dies_at_every_step(tmp_path: Path, *, power: bool) -> None:
    """A reader finds the old bytes or the new ones (B005)."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    deaths = 0
    for _ in crashes(lambda disk: write_atomic(path, NEW, disk=disk), power=power):
        deaths += 1
        assert visible(tmp_path) in ({"file": OLD}, {"file": NEW})
        write_atomic(path, NEW)
        assert visible(tmp_path) == {"file": NEW}
        path.write_bytes(OLD)
    assert deaths == 6
    assert visible(tmp_path) == {"file": NEW}


@power
def test_create_once_dies_at_every_step(tmp_path: Path, *, power: bool) -> None:
    """The file is there whole or not at all (B001, B005)."""
    path = tmp_path / "file"
    for _ in crashes(lambda disk: create_once(path, NEW, 0o600, disk=disk), power=power):
        assert visible(tmp_path) in ({}, {"file": NEW})
        path.unlink(missing_ok=True)
        create_once(path, NEW, 0o600)
        path.unlink()
    assert visible(tmp_path) == {"file": NEW}


@power
def test_what_a_call_returned_from_survives(tmp_path: Path, *, power: bool) -> None:
    """The machine stops right after each kind of write."""
    write_atomic(tmp_path / "replaced", OLD)
    writes: list[Callable[[CrashingDisk], object]] = [
        lambda disk: write_atomic(tmp_path / "replaced", NEW, disk=disk),
        lambda disk: create_once(tmp_path / "created", NEW, disk=disk),
        lambda disk: make_directory(tmp_path / "a/b/c", disk=disk),
        lambda disk: DirectoryStore(tmp_path / "s", disk).create("x/y/z", NEW),
        lambda disk: DirectoryStore(tmp_path / "s", disk).replace("x/y/z", OLD, expected=NEW),
        lambda disk: DirectoryStore(tmp_path / "s", disk).create_many([(f"n{i % 3}/{i}", NEW) for i in range(9)]),
        lambda disk: DirectoryStore(tmp_path / "s", disk).delete("n0/0"),
    ]
    for write in writes:
        disk = CrashingDisk(power=power)
        write(disk)
        disk.crash()
        with pytest.raises(Crash):
            write(disk)
    expected = {"replaced": NEW, "created": NEW, "s/x/y/z": OLD, **{f"s/n{i % 3}/{i}": NEW for i in range(1, 9)}}
    assert visible(tmp_path) == expected
    assert (tmp_path / "a/b/c").is_dir()


@power
@pytest.mark.parametrize("count", [1, 3, 8])
def test_create_many_dies_at_every_step(tmp_path: Path, count: int, *, power: bool) -> None:
    """Whatever name is visible holds all its bytes, and the same call goes on where the dead one stopped."""
    items = [(f"f{number % 2}/{number}", b"%d" % number * 50) for number in range(count)]
    for number, _ in enumerate(crashes(lambda disk: DirectoryStore(tmp_path / "latest", disk).create_many(items), power=power)):
        found = visible(tmp_path / "latest")
        assert found.items() <= dict(items).items()
        store = DirectoryStore(tmp_path / "latest")
        assert set(store.list()) == set(found)
        store.create_many(items)
        assert visible(tmp_path / "latest") == dict(items)
        (tmp_path / "latest").rename(tmp_path / f"dead-{number}")
    assert visible(tmp_path / "latest") == dict(items)


@power
def test_a_dead_creator_leaves_nothing_undurable_behind(tmp_path: Path, *, power: bool) -> None:
    """A second run, finding what the first made and could not flush, makes it durable before it says that it is there."""
    for number, _ in enumerate(crashes(lambda disk: DirectoryStore(tmp_path / "s", disk).create("a/b/name", NEW), power=False)):
        second = CrashingDisk(power=power)
        DirectoryStore(tmp_path / "s", second).create("a/b/name", NEW)
        flushed = second.steps.count("fsync_directory")
        second.crash()
        assert visible(tmp_path / "s") == {"a/b/name": NEW}
        assert flushed >= 3, "the name, and the names of both directories above it"
        (tmp_path / "s").rename(tmp_path / f"dead-{number}")


@power
@pytest.mark.parametrize("expected", [OLD, None])
def test_replace_dies_at_every_step(tmp_path: Path, expected: bytes | None, *, power: bool) -> None:
    """The dead process's lock is free again, and compare-and-set still tells whether its write took place."""
    root = tmp_path / "store"
    names: dict[str, bytes] = {} if expected is None else {"timestamp.json": expected}
    DirectoryStore(root).create_many(names.items())
    for _ in crashes(lambda disk: DirectoryStore(root, disk).replace("timestamp.json", NEW, expected=expected), power=power):
        store = DirectoryStore(root)
        now = store.read("timestamp.json")
        assert now in (expected, NEW)
        store.replace("timestamp.json", b"next", expected=now)
        store.delete("timestamp.json")
        store.create_many(names.items())
    assert visible(root) == {"timestamp.json": NEW}


class PortableDisk(CrashingDisk):
    """A disk of a system that cannot flush a whole file system."""

    def syncfs(self, path: str) -> bool:
        return False


def test_many_files_are_durable_where_they_cannot_be_flushed_together(tmp_path: Path) -> None:
    """Each is flushed by itself then, and each directory too."""
    items = {f"f{number % 7}/{number}": NEW for number in range(20)}
    disk = PortableDisk(power=True)
    DirectoryStore(tmp_path, disk).create_many(items.items())
    disk.crash()
    assert visible(tmp_path) == items


def test_many_files_cost_few_barriers(tmp_path: Path) -> None:
    """However many files: one flush for their bytes, and no more waits than directories for their names."""
    disk = CrashingDisk()
    flushable = disk.syncfs(os.fspath(tmp_path))
    if not flushable:
        pytest.skip("no syncfs here")
    disk.steps.clear()
    DirectoryStore(tmp_path, disk).create_many([(f"one/{number}", b"") for number in range(50)])
    barriers = [step for step in disk.steps if "sync" in step]
    assert barriers == ["syncfs", "fsync_directory", "fsync_directory"]
    assert disk.steps.index("link") > disk.steps.index("syncfs")


def test_leftovers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    """Only old temporary files go: not young ones, which may be in use, no lock, no link, no file of the user's."""
    store = DirectoryStore(tmp_path)
    store.create("folder/kept", NEW)
    store.replace("folder/kept", OLD, expected=NEW)
    for dies_at in (1, 2, 3, 4):
        with pytest.raises(Crash):
            DirectoryStore(tmp_path, CrashingDisk(dies_at)).create(f"folder/{dies_at}", NEW)
    with pytest.raises(Crash):
        write_atomic(tmp_path / "file", NEW, disk=CrashingDisk(2))
    left = sorted(path for path in tmp_path.rglob(".tuffet-tmp-*"))
    assert len(left) >= 3
    (tmp_path / ".tuffet-tmp-link").symlink_to(tmp_path / "folder/kept")
    assert (store.sweep(), sorted(tmp_path.rglob(".tuffet-tmp-*"))) == (0, sorted([*left, tmp_path / ".tuffet-tmp-link"]))
    for path in left:
        os.utime(path, (0, 0))
    assert sweep(tmp_path) + store.sweep() == len(left)
    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "kept", LOCK, ".tuffet-tmp-link"}


def test_a_disk_that_lives_counts_the_same_steps(tmp_path: Path) -> None:
    """The order is the promise: bytes, then the name, then the directory."""
    disk = CrashingDisk()
    write_atomic(tmp_path / "file", NEW, disk=disk)
    assert disk.steps == ["create", "write", "fsync", "close", "replace", "fsync_directory"]
    disk.steps.clear()
    assert read_bounded(tmp_path / "file", None, disk=disk) == NEW
    assert disk.steps == ["open"]
    assert isinstance(disk, Disk)
