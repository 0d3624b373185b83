"""Names chosen by an attacker: of roles, where each becomes a file in the cache, and of targets, where each becomes a file of the user's.

A name is never a path, a lock, a temporary file, a device or another role; where it cannot be a file, nothing is written.
"""

import errno
import os
from pathlib import Path

import pytest

from tests.attack.conftest import Begin
from tests.attack.graphs import Edge, plant
from tests.attack.story import Story, files_below, leftovers, table
from tests.repository.world import QuickDisk
from tuffet.errors import FormatError, MismatchError, StorageError, ThresholdError, TuffetError
from tuffet.metadata import hashes_of
from tuffet.names import metadata_file
from tuffet.storage.disk import LOCK, TEMPORARY, read_bounded
from tuffet.testing import FakeRepository


class CaseBlindDisk(QuickDisk):
    """A disk on which case does not count, as those of Windows and macOS."""

    def _on_disk(self, path: str) -> str:
        wanted = Path(path)
        beside = wanted.parent.iterdir() if wanted.parent.is_dir() else ()
        return next((str(each) for each in beside if each.name.casefold() == wanted.name.casefold()), path)

    def create(self, path: str, mode: int) -> int:
        if self._on_disk(path) != path:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        return super().create(path, mode)

    def open(self, path: str) -> int:
        return super().open(self._on_disk(path))

    def replace(self, source: str, destination: str) -> None:
        super().replace(source, self._on_disk(destination))

    def unlink(self, path: str) -> None:
        super().unlink(self._on_disk(path))


ROLES: list[tuple[str, str]] = [
    ("a name that leads out of the cache (B016, B099)", "../../../evil"),
    ("a name that is absolute", "/etc/passwd"),
    ("a name with a backslash", "..\\..\\evil"),
    ("a name that is a drive", "C:evil"),
    ("a name that is encoded already", "..%2F..%2Fevil"),
    ("a name that is one dot", "."),
    ("a name that is two dots", ".."),
    ("a name with a NUL", "evil\0.json"),
    ("a name with line breaks", "evil\r\nX: y"),
    ("the name of root with its version", "1.root"),
    ("the name of the next root", "2.root"),
    ("the name of timestamp with a version", "1.timestamp"),
    ("the name of a top-level role with its ending", "timestamp.json"),
    ("the name of a top-level role in other letters", "tіmestamp"),
    ("the name of a top-level role in capitals", "TIMESTAMP"),
    ("the name of root in capitals", "Root"),
    ("the name of a folder in the cache", "roots"),
    ("the name of the pinned root", "roots/pinned"),
    ("a name like a lock", LOCK),
    ("a name like a temporary file", f"{TEMPORARY}00"),
    ("a name like the note of what is to be forgotten", ".tuffet-forget"),
    ("a device of Windows", "CON"),
    ("a device of Windows with an ending", "NUL.txt"),
    ("a name that ends in a dot and a blank", "evil. "),
    ("a name of more letters than a file name may have", "x" * 245),
    ("a name in letters of four bytes", "😀" * 20),
    ("a name with a query", "evil?x=1#y"),
]


@pytest.mark.parametrize("name", table(ROLES))
def test_a_role_by_any_name(begin: Begin, name: str, tmp_path: Path) -> None:
    """It is asked for by one percent-encoded name, kept in one file of its own, and read again from there (B016, B017, B099, B113)."""
    repo = FakeRepository()
    plant(repo, {"targets": [Edge(name)]}, {name: ["file"]})
    story = begin(repo)
    before = story.client.cache.contents()
    outside = files_below(tmp_path)
    target = story.client.find("file")
    assert target
    assert target.role == name
    after = story.client.cache.contents()
    assert {each: after[each] for each in before} == before
    (new,) = after.keys() - before.keys()
    assert "/" not in new
    assert set(files_below(tmp_path)) - set(outside) == {str((story.folder / "cache" / new).relative_to(tmp_path))}
    assert leftovers(story.folder) == []

    # Another process finds it in the cache, and what bears a top-level role's name is still that role's.
    heard = len(repo.requests)
    again = repo.client(story.client.cache.directory)
    assert again.find("file") == target
    assert metadata_file(name, 1) not in repo.requests[heard:]
    assert again.trusted.timestamp.payload == repo.timestamp


@pytest.mark.parametrize("name", ["root", "timestamp", "snapshot", "targets", "", "x" * 513, "x" * 65_536])
def test_a_role_that_may_not_be_called_so(story: Story, repo: FakeRepository, name: str) -> None:
    """A top-level role's name could stand in for it in a snapshot, and 64 KB are no name; the whole document is refused."""
    plant(repo, {"targets": [Edge("placeholder")]})
    data = repo.served("3.targets.json") or b""
    forged = data.replace(b'"placeholder"', f'"{name}"'.encode())
    repo.serve("3.targets.json", forged)
    asked = ["2.root.json", "timestamp.json", "3.snapshot.json", "3.targets.json"]
    kept = ["timestamp.json", "snapshot.json"]
    error = story.refused(FormatError, story.client.refresh, attack="malformed", asked=asked, kept=kept)
    assert error.where.startswith("signed.delegations.roles[0]")


def test_roles_whose_names_differ_in_case_only(begin: Begin, tmp_path: Path) -> None:
    """Where case does not count they share a file, and take turns in it; neither is ever believed for the other (B128)."""
    repo = FakeRepository()
    repo.delegate("Team", paths=["upper"])
    repo.delegate("team", paths=["lower"])
    repo.publish("upper", b"upper", role="Team")
    repo.publish("lower", b"lower", role="team")
    story = begin(repo, disk=CaseBlindDisk())
    for _ in range(2):
        for path, role in (("upper", "Team"), ("lower", "team")):
            target = repo.client(story.client.cache.directory, disk=CaseBlindDisk()).find(path)
            assert target
            assert (target.role, target.hashes) == (role, hashes_of(path.encode()).known())


@pytest.mark.parametrize("role", ["Timestamp", "SNAPSHOT", "Targets", "ROOT"])
def test_a_role_that_would_overwrite_a_top_level_one(begin: Begin, role: str) -> None:
    """Where case does not count, `Timestamp` would take the place of the memory that rollback protection needs (B080, B128)."""
    repo = FakeRepository()
    repo.delegate(role, paths=["file"])
    repo.publish("file", b"file", role=role)
    yesterday = repo.fork()
    repo.publish("app.bin", b"two")
    story = begin(repo, disk=CaseBlindDisk())
    top = {name: data for name, data in story.client.cache.contents().items() if "roots" not in name}
    assert story.client.find("file")
    after = story.client.cache.contents()
    assert {name: after[name] for name in top} == top
    repo.replay(yesterday)
    with pytest.raises(TuffetError) as refused:
        repo.client(story.client.cache.directory, disk=CaseBlindDisk()).refresh()
    assert refused.value.attack == "rollback"


def test_role_names_that_look_alike(begin: Begin, repo: FakeRepository) -> None:
    """Names are compared letter by letter: a homoglyph, another normalisation or a blank more is another role, with its own key."""
    names = ["team", "tеam", "te\u0301am", "t\u00e9am", "team ", "team\u200b", "ｔeam"]
    for name in names:
        repo.delegate(name, paths=[f"{names.index(name)}/*"])
        repo.publish(f"{names.index(name)}/tool", name.encode(), role=name)
    for number, name in enumerate(names[1:], 1):
        repo.serve(f"2.{metadata_file(name)}", repo.sign(repo.roles[name], name, repo.signers["team"]))
        with pytest.raises(ThresholdError) as refused:
            begin(repo).client.find(f"{number}/tool")
        assert refused.value.role == name
    assert begin(repo).client.find("0/tool")


TARGETS: list[tuple[str, str]] = [
    ("a lock of ours", LOCK),
    ("a temporary file of ours", f"{TEMPORARY}{'0' * 24}"),
    ("a device of Windows", "CON"),
    ("a device of Windows with an ending", "nul.tar.gz"),
    ("a hidden file", ".bashrc"),
    ("a name like an option", "-rf"),
    ("a name with a star", "a*b?"),
    ("a name in letters of four bytes", "😀.bin"),
    ("a name that ends in a dot and a blank", "evil. "),
    ("a name with a stream of Windows", "app.bin:stream"),
    ("a name like a home directory", "~root"),
    ("a name like a variable", "$HOME"),
    ("a name that is encoded", "%2e%2e%2fevil"),
]


@pytest.mark.parametrize("path", table(TARGETS))
def test_a_target_by_an_odd_name(begin: Begin, path: str) -> None:
    """On this system it is a file like any other, directly in the directory named, with the right bytes and nothing beside it."""
    repo = FakeRepository()
    file = repo.publish("placeholder", b"odd")
    repo.change("targets", targets={path: file})
    story = begin(repo)
    target = story.client.find(path)
    assert target
    served = f"targets/{file.hashes.sha256}."
    repo.store.create(f"{served}{path}", b"odd")
    place = Path(story.client.download(target, to=story.downloads))
    assert place == story.downloads / path
    assert files_below(story.downloads) == {path: b"odd"}


def test_a_file_where_a_directory_must_be(begin: Begin, repo: FakeRepository) -> None:
    """`a` and `a/b` are both listed; whichever comes second is refused by name, and the first stays whole."""
    for path in ("a", "a/b"):
        repo.publish(path, path.encode())
    story = begin(repo)
    first, second = story.client.find("a"), story.client.find("a/b")
    assert first
    assert second
    story.client.download(first, to=story.downloads)
    error = story.refused(StorageError, lambda: story.client.download(second, to=story.downloads), attack=None, asked=[])
    assert "a file is where a directory belongs" in str(error)

    other = story.folder / "other"
    other.mkdir()
    story.client.download(second, to=other)
    error = story.refused(StorageError, lambda: story.client.download(first, to=other), attack=None, asked=[])
    assert "a directory is where the file belongs" in str(error)
    assert files_below(other) == {"a/b": b"a/b"}


def test_targets_whose_names_differ_in_case_only(begin: Begin, repo: FakeRepository) -> None:
    """Where case does not count the second takes the first one's place, and whoever asks for the first sees that it is gone (B128)."""
    repo.publish("App", b"first")
    repo.publish("app", b"second")
    disk = CaseBlindDisk()
    story = begin(repo, disk=disk)
    first, second = story.client.find("App"), story.client.find("app")
    assert first
    assert second
    for target, data in ((first, b"first"), (second, b"second"), (first, b"first")):
        place = story.client.download(target, to=story.downloads)
        assert read_bounded(place, None, disk=disk) == data
    assert len(files_below(story.downloads)) == 1


def test_two_contents_of_one_digest_prefix(begin: Begin, repo: FakeRepository) -> None:
    """Files are compared by whole digests: one that shares the first 16 digits is another file."""
    file = repo.publish("app.bin", b"two")
    story = begin(repo)
    sha256 = file.hashes.sha256
    assert isinstance(sha256, str)
    near = sha256[:16] + hashes_of(b"x").known()["sha256"][16:]
    repo.serve(f"targets/{near}.app.bin", b"six")
    target = story.client.find("app.bin")
    assert target
    repo.serve(f"targets/{sha256}.app.bin", b"six")
    asked = [f"targets/{sha256}.app.bin"]
    error = story.refused(
        MismatchError, lambda: story.client.download(target, to=story.downloads), attack="arbitrary-software", asked=asked
    )
    assert error.expected == sha256
