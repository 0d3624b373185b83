"""Files come, change and go, and a client that knows nothing but the first root sees exactly that."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from tests.repository.world import KEYS, START, make, served, versions
from tuffet.errors import SigningError, ThresholdError, UsageError
from tuffet.keys.memory import MemorySigner
from tuffet.keys.signer import Signer
from tuffet.metadata import Key
from tuffet.metadata.dsse import DSSE
from tuffet.repository import Addition, Choices, Repository
from tuffet.testing.clock import FakeClock


def test_a_new_repository_can_be_served_at_once(repository: Repository) -> None:
    """Version 1 of everything is there, the first root is pinned, keys are private (B001, B061)."""
    assert served(repository.directory, START) == {}
    assert set(versions(repository).values()) == {1}
    assert sorted(path.name for path in (repository.public / "metadata").iterdir()) == [
        "1.root.json",
        "1.snapshot.json",
        "1.targets.json",
        "timestamp.json",
    ]
    for private in ("keys", "staged"):
        assert stat.S_IMODE((repository.directory / private).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (repository.directory / "keys").iterdir()} == {0o600}


def test_files_are_added_changed_and_removed(repository: Repository) -> None:
    repository.add("app-1.txt", b"one", {"channel": "beta"})
    repository.add("docs/read me.txt", b"read")
    first = repository.publish(KEYS)
    assert first.roles == {"targets": 2, "snapshot": 2, "timestamp": 2}
    assert {change.path for change in first.added} == {"app-1.txt", "docs/read me.txt"}
    assert served(repository.directory, START) == {"app-1.txt": b"one", "docs/read me.txt": b"read"}
    found = repository.find("app-1.txt")
    assert found
    assert found.file.custom == {"channel": "beta"}

    repository.add("app-1.txt", b"another")
    repository.remove("docs/read me.txt")
    second = repository.publish(KEYS)
    assert second.removed == ("docs/read me.txt",)
    assert served(repository.directory, START) == {"app-1.txt": b"another"}
    assert repository.staged() == ()
    assert [each.path for each in repository.targets()] == ["app-1.txt"]


def test_only_the_bin_that_changes_gets_a_new_version(binned: Repository) -> None:
    """Targets stays as it is, so its key may be elsewhere."""
    binned.add("app.txt", b"app")
    online = {name: KEYS[name] for name in ("bins", "snapshot", "timestamp")}
    published = binned.publish(online)
    assert published.roles == {binned.state().owner_of("app.txt"): 2, "snapshot": 2, "timestamp": 2}
    binned.add_many([Addition(f"{number}.txt", b"%d" % number) for number in range(64)])
    everything = binned.publish(online)
    assert len(everything.roles) == 16 + 2
    expected = {"app.txt": b"app", **{f"{number}.txt": b"%d" % number for number in range(64)}}
    assert served(binned.directory, START) == expected
    assert {each.path for each in binned.targets()} == set(expected)


def test_nothing_to_publish_is_no_error_and_no_new_version(repository: Repository) -> None:
    assert repository.publish(KEYS).roles == {}
    repository.add("app.txt", b"app")
    repository.publish(KEYS)
    repository.add("app.txt", b"app")
    assert repository.publish({}).roles == {}, "what is published already needs no signature"
    assert repository.staged() == ()
    assert versions(repository) == {"root": 1, "targets": 2, "snapshot": 2, "timestamp": 2}


def test_the_last_word_about_a_path_counts(repository: Repository) -> None:
    repository.add("a", b"1")
    repository.add("b", b"1")
    repository.add("a", b"2")
    repository.remove("b")
    assert [(change.path, change.file and change.file.length) for change in repository.staged()] == [("a", 1), ("b", None)]
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"a": b"2"}
    with pytest.raises(UsageError, match="no target 'b'"):
        repository.remove("b")
    repository.add("c", b"3")
    repository.unstage()
    assert repository.staged() == ()
    assert list((repository.directory / "staged/blobs").iterdir()) == []


def test_files_are_listed_and_stored_under_every_digest(tmp_path: Path, clock: FakeClock) -> None:
    repository = make(tmp_path / "both", clock, choices=Choices(hashes=("sha512", "sha256")))
    repository.add("a/b", b"bytes")
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"a/b": b"bytes"}
    assert sorted(len(path.name) for path in (repository.public / "targets/a").iterdir()) == [66, 130]


def test_large_files_are_copied_in_pieces(repository: Repository, tmp_path: Path) -> None:
    """Progress goes up to the end, from staging and from publishing."""
    big = os.urandom(3_000_000)
    (tmp_path / "big").write_bytes(big)
    seen: list[tuple[int, int]] = []
    repository.add("big", tmp_path / "big", progress=lambda done, total: seen.append((done, total)))
    with (tmp_path / "big").open("rb") as file:
        repository.add("again", file)
    assert seen[-1] == (3_000_000, 3_000_000)
    assert len(seen) >= 3
    seen.clear()
    repository.publish(KEYS, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6_000_000, 6_000_000)
    assert served(repository.directory, START) == {"big": big, "again": big}


def test_a_repository_of_dsse_envelopes(tmp_path: Path, clock: FakeClock) -> None:
    repository = make(tmp_path / "dsse", clock, choices=Choices(envelope="dsse", bins=2))
    repository.add("app", b"app")
    repository.publish(KEYS)
    assert served(repository.directory, START, DSSE) == {"app": b"app"}


def test_each_key_signs_only_for_its_roles(repository: Repository) -> None:
    """Whoever hands the timestamp's key to everything gets no signature with it (B122)."""
    repository.add("app", b"app")
    before = (repository.public / "metadata/timestamp.json").read_bytes()
    with pytest.raises(SigningError, match=r"^targets needs 1 signature by keys of root 1, 0 at hand: bring 1 of targets$"):
        repository.publish(lambda _: [KEYS["timestamp"]])
    assert (repository.public / "metadata/timestamp.json").read_bytes() == before
    assert [change.path for change in repository.staged()] == ["app"]
    repository.publish(lambda _: list(KEYS.values()))
    assert served(repository.directory, START) == {"app": b"app"}


class _Broken:
    """A signer whose private half is another one."""

    def __init__(self, public: Signer) -> None:
        self.key: Key = public.key
        self.keyid = public.keyid
        self._other = MemorySigner.generate()

    def sign(self, data: bytes) -> bytes:
        return self._other.sign(data)


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_what_a_client_would_refuse_is_not_published(repository: Repository, role: str) -> None:
    """A signer that signs rubbish is found out before anything can be reached (B025, B129)."""
    repository.add("app", b"app")
    before = sorted(repository.store.list())
    with pytest.raises(ThresholdError) as refused:
        repository.publish({**KEYS, role: _Broken(KEYS[role])})
    assert refused.value.role == role
    assert sorted(repository.store.list()) == before
    assert [change.path for change in repository.staged()] == ["app"]
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"app": b"app"}


def test_files_that_nothing_refers_to_are_stepped_over(repository: Repository) -> None:
    """A run that died left version 2 and 3 of targets and 2 of the snapshot behind."""
    for name in ("2.targets.json", "3.targets.json", "2.snapshot.json"):
        repository.store.create(f"metadata/{name}", b"left behind")
    repository.add("app", b"app")
    assert repository.publish(KEYS).roles == {"targets": 4, "snapshot": 3, "timestamp": 2}
    assert served(repository.directory, START) == {"app": b"app"}


def test_names_that_differ_in_case_only(repository: Repository) -> None:
    """Stored under their digests they do not meet, on whatever disk (B128)."""
    repository.add("App", b"large")
    repository.add("app", b"small")
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"App": b"large", "app": b"small"}


def test_publishing_long_after(repository: Repository, clock: FakeClock) -> None:
    """Expired snapshot and timestamp are signed anew with every release; expiries count from then."""
    clock.advance(timedelta(days=60))
    repository.add("app", b"app")
    repository.publish(KEYS)
    assert served(repository.directory, clock()) == {"app": b"app"}
    assert repository.state().trusted.timestamp.payload.expires_at == clock() + timedelta(days=7)
