"""Target files: only the right bytes get their name, what was there stays until then, and no name leads elsewhere."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import MakeClient
from tuffet.client import Client, Target
from tuffet.errors import AbsentError, FormatError, MismatchError, StorageError, TooLargeError, TuffetError, UsageError
from tuffet.metadata import TargetFile
from tuffet.metadata.hashes import make_hashes
from tuffet.testing import FakeRepository

DATA = b"the right bytes"
NAME = f"targets/dir/{hashlib.sha256(DATA).hexdigest()}.app"


@pytest.fixture
def target(repo: FakeRepository, client: Client) -> Target:
    repo.publish("dir/app", DATA)
    found = client.find("dir/app")
    assert found is not None
    repo.requests.clear()
    return found


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


WRONG = [
    ("wrong bytes of the right length", b"the wrong bytes", MismatchError, "sha256"),
    ("too few", DATA[:-1], MismatchError, "length: 14, expected 15"),
    ("none", b"", MismatchError, "length"),
    ("one too many", DATA + b"!", TooLargeError, "15 bytes"),
    ("far too many", DATA * 100_000, TooLargeError, "15 bytes"),
]


@pytest.mark.parametrize(("data", "error", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
@pytest.mark.parametrize("there", [True, False], ids=["an old file is there", "nothing is there"])
def test_wrong_bytes(
    repo: FakeRepository, client: Client, target: Target, tmp_path: Path, data: bytes, error: type[TuffetError], says: str, *, there: bool
) -> None:
    """Refused by name, nothing kept, asked for once and not again; what was there is still there."""
    place = tmp_path / "files" / "app"
    place.parent.mkdir()
    if there:
        place.write_bytes(b"old")
    repo.serve(NAME, data)
    with pytest.raises(error, match=says) as refused:
        client.download(target, place)
    assert refused.value.attack in {"arbitrary-software", "endless-data"}
    assert repo.requests == [NAME]
    assert files_below(place.parent) == (["app"] if there else [])
    assert not there or place.read_bytes() == b"old"
    repo.serve(NAME, DATA)
    assert client.download(target, place) == str(place)
    assert place.read_bytes() == DATA


def test_a_file_that_is_not_there(repo: FakeRepository, client: Client, target: Target, tmp_path: Path) -> None:
    repo.withdraw(NAME)
    with pytest.raises(AbsentError):
        client.download(target, tmp_path / "app")
    assert (repo.requests, (tmp_path / "app").exists()) == ([NAME], False)


@pytest.mark.parametrize("wrong", ["sha256", "sha512", "blake2b-256"])
def test_one_of_several_hashes_is_wrong(repo: FakeRepository, client: Client, tmp_path: Path, wrong: str) -> None:
    """All known ones are checked (B049); one that nobody knows is carried and says nothing."""
    digests = {
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "sha512": hashlib.sha512(DATA).hexdigest(),
        "blake2b-256": hashlib.blake2b(DATA, digest_size=32).hexdigest(),
    }
    good = TargetFile(hashes=make_hashes({**digests, "md5": "0" * 32}), length=len(DATA))
    bad = TargetFile(hashes=make_hashes({**digests, wrong: "0" * len(digests[wrong])}), length=len(DATA))
    repo.change("targets", targets={"good": good, "bad": bad})
    for path, file in (("good", good), ("bad", bad)):
        repo.serve(f"targets/{file.hashes.known()['sha256']}.{path}", DATA)
    found = {target.path: target for target in client.targets()}
    assert found["good"].hashes == digests
    client.download(found["good"], tmp_path / "good")
    with pytest.raises(MismatchError, match=wrong):
        client.download(found["bad"], tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_a_file_that_is_there_already_is_not_asked_for(repo: FakeRepository, client: Client, target: Target, tmp_path: Path) -> None:
    """Its bytes are compared, not its name, size or time (B002); one flipped bit and it is fetched."""
    place = client.download(target, tmp_path)
    assert place == str(tmp_path / "dir" / "app")
    repo.requests.clear()
    inode = Path(place).stat().st_ino
    assert client.download(target, tmp_path) == place
    assert (repo.requests, Path(place).stat().st_ino) == ([], inode)
    Path(place).write_bytes(b"the right byteS")
    client.download(target, tmp_path)
    assert (repo.requests, Path(place).read_bytes()) == ([NAME], DATA)


def test_progress_is_told(repo: FakeRepository, client: Client, tmp_path: Path) -> None:
    """Bytes so far and bytes in all, growing, and the last call says that all came."""
    data = bytes(range(256)) * 4096
    repo.publish("big", data)
    target = client.find("big")
    assert target is not None
    told: list[tuple[int, int]] = []
    client.download(target, tmp_path / "big", progress=lambda *numbers: told.append(numbers))
    assert len(told) > 2
    assert told == sorted(set(told))
    assert {total for _, total in told} == {len(data)}
    assert told[-1][0] == len(data)
    told.clear()
    client.download(target, tmp_path / "big", progress=lambda *numbers: told.append(numbers))
    assert told == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, BrokenPipeError])
def test_a_callback_that_raises(client: Client, target: Target, tmp_path: Path, error: type[BaseException]) -> None:
    """The caller gets what the callback raised, as it is, and no temporary file stays: Ctrl-C comes like that."""

    def progress(came: int, total: int) -> None:
        raise error

    place = tmp_path / "files" / "app"
    place.parent.mkdir()
    place.write_bytes(b"old")
    with pytest.raises(error):
        client.download(target, place, progress=progress)
    assert files_below(place.parent) == ["app"]
    assert place.read_bytes() == b"old"


REFUSED = [
    ("leads up", "../evil"),
    ("leads up and down", "a/../../evil"),
    ("is a dot", "a/./evil"),
    ("is absolute", "/evil"),
    ("has an empty part", "a//evil"),
    ("ends with a slash", "a/"),
    ("holds a NUL", "a\0b"),
    ("holds a newline", "a\nb"),
    ("holds an escape", "a\x1b[2J"),
    ("holds a backslash", "..\\evil"),
    ("names a drive", "C:/evil"),
    ("names a drive's folder", "C:evil"),
    ("names a drive below", "a/C:evil"),
    ("has 300 characters", "x" * 300),
    ("has 300 bytes", "ä" * 150),
    ("is only dots", ".."),
]


@pytest.mark.parametrize("path", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_path_that_is_no_file_name(repo: FakeRepository, client: Client, tmp_path: Path, path: str) -> None:
    """It may be listed and found, but nothing is written by that name, and nothing is asked for (B016, B099, B106)."""
    repo.change("targets", targets={path: TargetFile(hashes=make_hashes({"sha256": hashlib.sha256(DATA).hexdigest()}), length=len(DATA))})
    target = client.find(path)
    assert target is not None
    assert list(client.targets()) == [target]
    repo.requests.clear()
    (tmp_path / "in").mkdir()
    before = files_below(tmp_path)
    with pytest.raises(FormatError, match="target path"):
        client.download(target, tmp_path / "in")
    assert (repo.requests, files_below(tmp_path)) == ([], before)


@pytest.mark.parametrize("path", ["../evil", "a/../b", ".", "a/.."])
def test_a_path_that_leads_out_of_the_server_s_folder(repo: FakeRepository, client: Client, tmp_path: Path, path: str) -> None:
    """Even where the caller names the file to write, no URL with dots is asked for."""
    repo.change("targets", targets={path: TargetFile(hashes=make_hashes({"sha256": "0" * 64}), length=1)})
    target = client.find(path)
    assert target is not None
    repo.requests.clear()
    with pytest.raises(FormatError, match="leads out"):
        client.download(target, tmp_path / "file")
    assert repo.requests == []


@pytest.mark.parametrize("path", ["naïve/ƒile 名.txt", "a?b#c%2e%2e", "~$;&|`'\"", "x" * 180, "a/b/c/d/e/f", " ", "...", "a.hidden/x..y"])
def test_an_odd_path_that_is_a_file_name(repo: FakeRepository, client: Client, tmp_path: Path, path: str) -> None:
    """It is asked for percent-encoded and written as it is."""
    repo.publish(path, DATA)
    target = client.find(path)
    assert target is not None
    place = client.download(target, f"{tmp_path}/in/")
    assert Path(place) == tmp_path / "in" / path
    assert Path(place).read_bytes() == DATA


@pytest.mark.parametrize("there", ["file", "directory", "nothing"])
def test_a_link_where_the_file_belongs(client: Client, target: Target, tmp_path: Path, there: str) -> None:
    """The link itself is replaced, and what it led to is not touched (B106)."""
    outside = tmp_path / "outside"
    if there == "file":
        outside.write_bytes(DATA)
    elif there == "directory":
        outside.mkdir()
    (tmp_path / "in" / "dir").mkdir(parents=True)
    (tmp_path / "in" / "dir" / "app").symlink_to(outside)
    place = Path(client.download(target, tmp_path / "in"))
    assert not place.is_symlink()
    assert place.read_bytes() == DATA
    assert files_below(tmp_path / "in") == ["dir/app"]
    assert outside.is_dir() == (there == "directory")
    assert not outside.is_dir() or not list(outside.iterdir())


@pytest.mark.parametrize("there", [True, False], ids=["to a directory", "to nothing"])
def test_a_link_where_a_folder_belongs(repo: FakeRepository, client: Client, target: Target, tmp_path: Path, *, there: bool) -> None:
    """It is never followed, even if the right file is at its end, and nothing is asked for (B106)."""
    outside = tmp_path / "outside"
    if there:
        outside.mkdir()
        (outside / "app").write_bytes(DATA)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "dir").symlink_to(outside)
    with pytest.raises(StorageError):
        client.download(target, tmp_path / "in")
    assert repo.requests == []
    assert outside.exists() == there


def test_something_else_is_in_the_way(repo: FakeRepository, client: Client, target: Target, tmp_path: Path) -> None:
    """A directory where the file belongs, a file where a folder belongs: said before anything is asked for."""
    (tmp_path / "one" / "dir" / "app").mkdir(parents=True)
    with pytest.raises(StorageError, match="a directory is where the file belongs"):
        client.download(target, tmp_path / "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "dir").write_bytes(b"")
    with pytest.raises(StorageError, match="a file is where a directory belongs"):
        client.download(target, tmp_path / "two")
    assert repo.requests == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_where_the_file_belongs(client: Client, target: Target, tmp_path: Path) -> None:
    """It is not waited for; the file takes its place."""
    os.mkfifo(tmp_path / "app")
    client.download(target, tmp_path / "app")
    assert (tmp_path / "app").read_bytes() == DATA


def published(name: str, **options: Any) -> Callable[[], tuple[FakeRepository, str]]:
    def make() -> tuple[FakeRepository, str]:
        repo = FakeRepository(**options)
        repo.publish("dir/app", DATA)
        repo.serve("targets/dir/app", DATA)
        return repo, name

    return make


NAMINGS = [
    ("a consistent snapshot", published(NAME), {}),
    ("hashes stay out of names", published("targets/dir/app"), {"prefix_targets_with_hash": False}),
    ("no consistent snapshot", published("targets/dir/app", consistent_snapshot=False), {}),
    ("neither", published("targets/dir/app", consistent_snapshot=False), {"prefix_targets_with_hash": False}),
]


@pytest.mark.parametrize(("make", "options"), [row[1:] for row in NAMINGS], ids=[row[0] for row in NAMINGS])
def test_under_which_name_a_target_is_asked_for(
    tmp_path: Path, make: Callable[[], tuple[FakeRepository, str]], options: dict[str, Any]
) -> None:
    """With its hash where snapshots are consistent and nobody says otherwise (5.7.3, 6.2); metadata has names of its own."""
    repo, name = make()
    settings: dict[str, Any] = {
        "cache_dir": tmp_path / "cache",
        "root": repo.root_bytes(),
        "transport": repo.transport,
        "clock": repo.clock,
    }
    client = Client(repo.metadata_url, repo.target_url, **settings, **options)
    target = client.find("dir/app")
    assert target is not None
    prefix = "2." if repo.root.consistent_snapshot else ""
    assert repo.requests == ["2.root.json", "timestamp.json", f"{prefix}snapshot.json", f"{prefix}targets.json"]
    client.download(target, tmp_path / "app")
    assert repo.requests[-1] == name


def test_the_application_s_own_data(repo: FakeRepository, client: Client) -> None:
    """`custom` comes as it was signed; a target without it has an empty one."""
    custom = {"version": 7, "nested": {"list": [None, True, "ä"]}}
    repo.publish("with", b"", custom=custom)
    repo.publish("without", b"")
    assert {target.path: target.custom for target in client.targets()} == {"with": custom, "without": {}}


def test_an_empty_file(repo: FakeRepository, client: Client, tmp_path: Path) -> None:
    repo.publish("empty", b"")
    target = client.find("empty")
    assert target is not None
    assert Path(client.download(target, tmp_path / "empty")).read_bytes() == b""


def test_where_no_folder_is(repo: FakeRepository, client: Client, target: Target, tmp_path: Path) -> None:
    """Folders below a named directory are made; those of a named file are the caller's."""
    with pytest.raises(StorageError, match="create its directory first"):
        client.download(target, tmp_path / "no" / "app")
    assert Path(client.download(target, f"{tmp_path}/yes/")).read_bytes() == DATA


def test_the_deadline_of_a_file_that_is_there(make_client: MakeClient, target: Target, tmp_path: Path) -> None:
    """What needs no time is never too late."""
    client = make_client()
    client.download(target, tmp_path / "app")
    assert client.download(target, tmp_path / "app", deadline_seconds=-1)
    with pytest.raises(TuffetError, match="deadline"):
        client.download(target, tmp_path / "other", deadline_seconds=-1)
    assert not (tmp_path / "other").exists()


def test_a_client_tries_at_least_once() -> None:
    from tuffet.client import Speed

    with pytest.raises(UsageError):
        Speed(tries=0)
