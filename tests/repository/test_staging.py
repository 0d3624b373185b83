"""Which names and which files may be staged; everything else is refused before a byte of it is kept."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.repository.world import KEYS, START, make, served, snapshot_of
from tuffet.errors import StorageError, UsageError
from tuffet.repository import Addition, Choices, Repository, walk
from tuffet.testing.clock import FakeClock

HOSTILE = [
    "",
    "/etc/passwd",
    "../up",
    "a/../../up",
    "a/./b",
    "a//b",
    "a/",
    "nul\0",
    "line\nbreak",
    "\x1b[2J",
    "back\\slash",
    "C:/windows",
    "x" * 300,
    "x" * 191,
    "/".join(["d" * 200] * 6),
    ".hidden/file",
    "a/.git/config",
    "lone\ud800",
    "caf\udce9",
]


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
def test_names_that_no_client_should_see(repository: Repository, path: str) -> None:
    """The whole call is refused, the good name beside it as well (B016, B099)."""
    before = snapshot_of(repository.directory)
    with pytest.raises(UsageError, match=r"^target path: "):
        repository.add_many([Addition("good", b"x"), Addition(path, b"x")])
    assert snapshot_of(repository.directory) == before


PEACEFUL = [
    "ä/ö ü.txt",
    "日本語",
    "e\u0301",
    "\u00e9",
    "a%2Fb",
    "%",
    "a b",
    "?x=1#y",
    "x" * 190,
    "d" * 255 + "/x",
    ".hidden",
    "...",
    "con",
    "[x]*",
    "\u202egnp.exe",
    "a:b",
]


def test_names_that_are_only_unusual(repository: Repository) -> None:
    """Each is found and downloaded as what it is."""
    repository.add_many([Addition(path, path.encode()) for path in PEACEFUL])
    repository.publish(KEYS)
    assert served(repository.directory, START) == {path: path.encode() for path in PEACEFUL}


def test_longer_digests_leave_shorter_names(tmp_path: Path, clock: FakeClock) -> None:
    repository = make(tmp_path / "r", clock, choices=Choices(hashes=("sha512",)))
    repository.add("x" * 126, b"")
    with pytest.raises(UsageError, match="too long to be stored with a digest before its name"):
        repository.add("x" * 127, b"")
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"x" * 126: b""}


NOT_JSON: list[Any] = [
    {"x": 1.5},
    {"x": float("nan")},
    {1: "x"},
    {"x": {2, 3}},
    {"x": (1,)},
    {"x": b"1"},
    {"x": 2**64},
    [1],
    "x",
    {"x": "\ud800"},
]


@pytest.mark.parametrize("custom", NOT_JSON, ids=repr)
def test_custom_data_that_documents_cannot_hold(repository: Repository, custom: Any) -> None:
    with pytest.raises(UsageError, match=r"^custom data must be a JSON object"):
        repository.add("app", b"x", custom)


def test_custom_data_that_is_too_deep(repository: Repository) -> None:
    deep: dict[str, Any] = {}
    for _ in range(80):
        deep = {"x": deep}
    with pytest.raises(UsageError, match=r"^custom data must be"):
        repository.add("app", b"x", deep)


def test_custom_data_comes_back_as_it_was(repository: Repository) -> None:
    custom = {"a": [1, -1, 2**63, None, True, {"ä": '\x00\n\\"'}], "": {}}
    repository.add("app", b"x", custom)
    repository.publish(KEYS)
    found = repository.find("app")
    assert found
    assert found.file.custom == custom


def test_only_regular_files_are_staged(repository: Repository, tmp_path: Path) -> None:
    """A pipe is not waited for, and a link is not followed to who knows where."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    before = snapshot_of(repository.directory)
    for name in ("pipe", "link", "absent", "."):
        with pytest.raises(StorageError, match=str(tmp_path / name)):
            repository.add_many([Addition("good", b"x"), Addition("app", tmp_path / name)])
    assert snapshot_of(repository.directory) == before
    assert list((repository.directory / "staged").rglob(".tuffet-tmp-*")) == []


def test_what_is_staged_is_private(repository: Repository) -> None:
    """It may be a fix that nobody shall know of yet."""
    repository.add("app", b"x")
    for path in (repository.directory / "staged").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_directory_is_walked(tmp_path: Path) -> None:
    for name in ("b/2", "a", "b-c", "b/10", ".hidden", ".git/config", "b/.x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(walk(tmp_path, "linux/")) == [(f"linux/{name}", tmp_path / name) for name in ("a", "b-c", "b/10", "b/2")]
    assert [path for path, _ in walk(tmp_path)] == ["a", "b-c", "b/10", "b/2"]


@pytest.mark.parametrize("name", ["link", "folder", "pipe", "b\udce9"])
def test_what_a_directory_should_not_hold(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / name
    match name:
        case "link":
            path.symlink_to("/etc/hostname")
        case "folder":
            path.symlink_to("/etc")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.write_text("x")
    with pytest.raises(UsageError):
        list(walk(tmp_path))


def test_what_else_lies_there(repository: Repository) -> None:
    """An editor's or a desktop's own file is no entry; nothing staged is no entry either."""
    repository.add("app", b"x")
    for name in (".DS_Store", "notes~", "000000000009-notes.json"):
        (repository.directory / "staged/entries" / name).write_bytes(b"x")
    repository.add("app", b"y")
    assert repository.add_many([]) == ()
    assert [change.path for change in repository.staged()] == ["app"]
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"app": b"y"}
    assert len(list((repository.directory / "staged/entries").iterdir())) == 3


def test_what_dead_runs_staged_is_swept(repository: Repository) -> None:
    """Old bytes that no entry mentions go with the next publishing, young ones may belong to somebody who lives."""
    blobs = repository.directory / "staged/blobs"
    for name in ("young", "old", ".tuffet-tmp-old"):
        (blobs / name).write_bytes(b"x")
    for name in ("old", ".tuffet-tmp-old"):
        os.utime(blobs / name, (0, 0))
    repository.add("app", b"x")
    repository.publish(KEYS)
    assert [path.name for path in blobs.iterdir()] == ["young"]
