"""What may stand in the way of a file: a full disk, wrong permissions, directories and links."""

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuffet.errors import ConflictError, StorageError
from tuffet.storage.directory import DirectoryStore
from tuffet.storage.disk import DISK, LOCK, Disk, create_once, make_directory, read_bounded, sweep, write_atomic
from tuffet.testing.crash import CrashingDisk


class FailingDisk(Disk):
    """A disk on which one kind of step fails."""

    def __init__(self, step: str, number: int) -> None:
        self._failing, self._number = step, number

    def __getattribute__(self, name: str) -> object:
        if name == super().__getattribute__("_failing"):
            return super().__getattribute__("_fail")
        return super().__getattribute__(name)

    def _fail(self, *_: object) -> None:
        raise OSError(self._number, os.strerror(self._number))


def writes(root: Path, disk: Disk) -> dict[str, Callable[[], None]]:
    """Return every way to write the file `root/name`, which holds `old`."""
    store = DirectoryStore(root, disk)
    return {
        "write_atomic": lambda: write_atomic(root / "name", b"new", disk=disk),
        "create_once": lambda: create_once(root / "other", b"new", disk=disk),
        "create": lambda: store.create("folder/other", b"new"),
        "create_many": lambda: store.create_many([(f"{number}", b"new") for number in range(9)]),
        "replace": lambda: store.replace("name", b"new", expected=b"old"),
    }


@pytest.mark.parametrize(
    ("number", "cause", "cure"),
    [
        (errno.ENOSPC, "full", "free some space"),
        (errno.EROFS, "read-only", "mount it writable"),
        (errno.EACCES, "permission is denied", "run as the owner"),
        (errno.EIO, "reports a failure", "check it"),
        (errno.ENOMEM, "cannot allocate memory", ""),
    ],
)
@pytest.mark.parametrize("way", ["write_atomic", "create_once", "create", "create_many", "replace"])
def test_a_step_fails(tmp_path: Path, way: str, number: int, cause: str, cure: str) -> None:
    """A full disk among others, at each step: the old file stays, nothing else stays, and the message says what to do (B060)."""
    good = CrashingDisk()
    (tmp_path / "good").mkdir()
    (tmp_path / "good/name").write_bytes(b"old")
    writes(tmp_path / "good", good)[way]()
    for step in sorted(set(good.steps) - {"open", "unlink"}):
        if step == "link" and number == errno.EACCES:
            continue  # So says a file system that has no links, and there is another way.
        root = tmp_path / step
        root.mkdir()
        (root / "name").write_bytes(b"old")
        with pytest.raises(StorageError, match=f"{cause}.*{cure}") as refused:
            writes(root, FailingDisk(step, number))[way]()

        assert refused.value.path.startswith(str(root))
        assert isinstance(refused.value.__cause__, OSError)
        if step != "fsync_directory":  # By then the name is given.
            assert [path.name for path in root.rglob("*") if path.is_file() and path.name != LOCK] == ["name"]
            assert (root / "name").read_bytes() == b"old"


@pytest.mark.usefixtures("mere_mortal")
def test_a_read_only_directory(tmp_path: Path) -> None:
    """The real thing, for those who are not root."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="permission is denied: run as the owner"):
            write_atomic(tmp_path / "file", b"")
    finally:
        tmp_path.chmod(0o700)


def test_a_directory_where_a_file_belongs(tmp_path: Path) -> None:
    """It is refused with the cure by whatever reads or writes, and stays."""
    (tmp_path / "name").mkdir()
    store = DirectoryStore(tmp_path)
    uses: list[Callable[[], object]] = [
        lambda: write_atomic(tmp_path / "name", b""),
        lambda: read_bounded(tmp_path / "name", 10),
        lambda: store.read("name"),
        lambda: store.open("name"),
        lambda: store.create("name", b""),
        lambda: store.replace("name", b"", expected=b""),
    ]
    for use in uses:
        with pytest.raises(StorageError, match="a directory is where a file belongs: move it away"):
            use()
    with pytest.raises(ConflictError):
        create_once(tmp_path / "name", b"")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["name"]


def test_a_file_where_a_directory_belongs(tmp_path: Path) -> None:
    """What would lie below it is absent, and cannot be made."""
    (tmp_path / "file").touch()
    store = DirectoryStore(tmp_path)
    assert (store.read("file/name"), store.open("file/name"), list(store.list("file/"))) == (None, None, [])
    uses: list[Callable[[], None]] = [
        lambda: store.create("file/name", b""),
        lambda: store.create("file/deeper/name", b""),
        lambda: make_directory(tmp_path / "file"),
        lambda: make_directory(tmp_path / "file/deeper"),
    ]
    for use in uses:
        with pytest.raises(StorageError, match="a file is where a directory belongs: move it away"):
            use()


def test_a_link_at_the_destination_is_never_followed(tmp_path: Path) -> None:
    """A link is replaced or refused; what it points at is neither read nor changed (B106)."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    store = DirectoryStore(root)
    for target in (outside, tmp_path / "dangling"):
        (root / "name").symlink_to(target)
        for use in (
            lambda: read_bounded(root / "name", 100),
            lambda: store.read("name"),
            lambda: store.open("name"),
            lambda: store.create("name", b"secret"),
            lambda: store.create_many([("name", b"secret")]),
            lambda: store.replace("name", b"x", expected=b"secret"),
            lambda: store.replace("name", b"x", expected=None),
            lambda: create_once(root / "name", b"x"),
        ):
            with pytest.raises(StorageError):
                use()
        assert list(store.list()) == []
        write_atomic(root / "name", b"mine")
        assert not (root / "name").is_symlink()
        store.delete("name")
    assert outside.read_bytes() == b"secret"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]


def test_a_link_on_the_way_is_never_followed(tmp_path: Path) -> None:
    """A link planted in place of a folder leads nothing out of the root (B106)."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "name").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a/b").symlink_to(outside, target_is_directory=True)
    store = DirectoryStore(root)
    for use in (
        lambda: store.read("a/b/name"),
        lambda: store.open("a/b/name"),
        lambda: store.create("a/b/new", b""),
        lambda: store.create("a/b/c/new", b""),
        lambda: store.replace("a/b/name", b"", expected=b"secret"),
        lambda: store.delete("a/b/name"),
    ):
        with pytest.raises(StorageError, match="never followed"):
            use()
    assert list(store.list()) == []
    assert [path.name for path in outside.iterdir()] == ["name"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """Opening a pipe would hang until somebody writes."""
    os.mkfifo(tmp_path / "name")
    with pytest.raises(StorageError, match="no regular file"):
        read_bounded(tmp_path / "name", 10)
    assert list(DirectoryStore(tmp_path).list()) == []


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_private_files_are_private_under_any_umask(tmp_path: Path, umask: Callable[[int], int], mask: int) -> None:
    """0600 from the first moment, so that there is no instant at which others could open it (B001, B095)."""
    umask(mask)
    seen: list[int] = []

    class WatchingDisk(Disk):
        def create(self, path: str, mode: int) -> int:
            descriptor = super().create(path, mode)
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
            return descriptor

    create_once(tmp_path / "key", b"", 0o600, disk=WatchingDisk())
    write_atomic(tmp_path / "cache", b"", 0o600, disk=WatchingDisk())
    make_directory(tmp_path / "made/private", 0o700)
    store = DirectoryStore(tmp_path / "store", file_mode=0o600)
    store.create("folder/file", b"")
    assert seen == [0o600, 0o600]
    modes = {str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert modes["made/private"] == modes["store/folder"] == 0o700


def test_served_files_can_be_read_by_the_server(tmp_path: Path, umask: Callable[[int], int]) -> None:
    """A store is 0644 in directories of 0755 unless the umask says less."""
    umask(0o022)
    DirectoryStore(tmp_path / "store").create("folder/file", b"")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("store", "store/folder", "store/folder/file")] == [
        0o755,
        0o755,
        0o644,
    ]


def test_a_directory_that_others_may_write_to_is_not_private(tmp_path: Path) -> None:
    """One that was there before, with broad permissions, is refused with the cure and not used (B061, B095)."""
    for mode in (0o770, 0o707, 0o777):
        tmp_path.chmod(mode)
        with pytest.raises(StorageError, match="chmod go-w"):
            make_directory(tmp_path, 0o700)
    make_directory(tmp_path, 0o755)
    for mode in (0o700, 0o755):
        tmp_path.chmod(mode)
        make_directory(f"{tmp_path}/", 0o700)


def test_a_private_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """Its secret may be out already, and the message says chmod 600 (B001)."""
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    for mode in (0o640, 0o604, 0o620, 0o601):
        path.chmod(mode)
        with pytest.raises(StorageError, match="chmod 600"):
            read_bounded(path, 100, private=True)
    path.chmod(0o600)
    assert read_bounded(path, 100, private=True) == b"secret"


def test_temporary_names_cannot_be_guessed(tmp_path: Path) -> None:
    """Two are never the same, and one that exists is not opened (B005)."""
    names: list[str] = []

    class WatchingDisk(Disk):
        def create(self, path: str, mode: int) -> int:
            names.append(path)
            return super().create(path, mode)

    for _ in range(50):
        write_atomic(tmp_path / "file", b"", disk=WatchingDisk())
    assert len(set(names)) == 50
    assert {os.path.dirname(name) for name in names} == {str(tmp_path)}  # noqa: PTH120
    with pytest.raises(FileExistsError):
        DISK.create(str(tmp_path / "file"), 0o600)


def test_a_file_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without a directory is as good as any."""
    monkeypatch.chdir(tmp_path)
    write_atomic("file", b"1")
    create_once("other", b"2")
    make_directory("folder")
    assert (read_bounded("file", 1), read_bounded("other", 1), sweep(".")) == (b"1", b"2", 0)


def test_what_the_client_imports_stays_small() -> None:
    """Start-up time is a goal: the disk and the store load none of these."""
    program = "import sys; before = set(sys.modules); import tuffet.storage.store; print(*sorted(set(sys.modules) - before))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()
    assert {"tempfile", "pathlib", "dataclasses", "shutil", "logging", "ctypes", "random", "threading"}.isdisjoint(loaded)


def test_a_sweep_meets_a_writer_that_is_alive(tmp_path: Path) -> None:
    """A temporary file that gets its name while we look is none of ours, and no error (many processes share a directory)."""
    ends = threading.Event()

    def write_again_and_again() -> None:
        while not ends.is_set():
            write_atomic(tmp_path / "name", b"x")

    writers = [threading.Thread(target=write_again_and_again) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        assert [sweep(tmp_path, older_than_seconds=3600) for _ in range(300)] == [0] * 300
    finally:
        ends.set()
        for writer in writers:
            writer.join()

    assert [path.name for path in tmp_path.iterdir()] == ["name"]
