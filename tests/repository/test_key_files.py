"""Keys in files: opened when they have to sign, no sooner and no more than needed."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.repository.world import KEYS, QUICK, START, served
from tuffet.errors import SigningError, StorageError
from tuffet.keys.files import Cost
from tuffet.keys.signer import Signer
from tuffet.repository import Choices, NewKeyFiles, Repository
from tuffet.repository.renew import renew
from tuffet.repository.signing import Signing
from tuffet.repository.site import Site
from tuffet.testing.clock import FakeClock


@pytest.fixture
def locked(tmp_path: Path, clock: FakeClock) -> Repository:
    """A repository whose keys are encrypted."""
    new = NewKeyFiles("secret", cost=Cost(n=16))
    return Repository.create(tmp_path / "locked", new, Choices(bins=2), clock=clock, disk=QUICK)


def test_a_passphrase_is_asked_for_once_and_only_where_a_key_signs(locked: Repository) -> None:
    asked: list[str] = []

    def passphrase(name: str) -> str:
        asked.append(name)
        return "secret"

    files = locked.key_files(passphrase)
    assert locked.publish(files).roles == {}
    assert asked == []
    locked.add("app", b"app")
    locked.publish(files)
    assert sorted(asked) == ["bins", "snapshot", "timestamp"]
    locked.renew(files, force=True)
    assert sorted(asked) == ["bins", "root-1", "root-2", "snapshot", "targets", "timestamp"], "a threshold of root keys is enough"
    assert served(locked.directory, START) == {"app": b"app"}


def test_a_wrong_passphrase(locked: Repository) -> None:
    """Nothing is published and what was staged waits for the right one."""
    locked.add("app", b"app")
    with pytest.raises(SigningError, match="the passphrase is wrong or the file was changed"):
        locked.publish(locked.key_files(lambda _: "wrong"))
    assert served(locked.directory, START) == {}
    locked.publish(locked.key_files(lambda _: "secret"))
    assert served(locked.directory, START) == {"app": b"app"}


def test_a_wrong_passphrase_keeps_no_other_role_from_being_renewed(locked: Repository) -> None:
    files = locked.key_files(lambda name: "wrong" if name == "targets" else "secret")
    renewed = locked.renew(files, force=True)
    assert {"root", "snapshot", "timestamp", "bins-0", "bins-1"} == set(renewed.roles)
    ((role, problem),) = [(each.role, each.problem) for each in renewed.blocked]
    assert role == "targets"
    assert "the passphrase is wrong" in problem


def test_an_unencrypted_key_needs_no_passphrase(repository: Repository) -> None:
    """Nobody is asked (B036)."""

    def passphrase(name: str) -> str:
        raise AssertionError(name)

    repository.add("app", b"app")
    repository.publish(repository.key_files(passphrase))
    assert served(repository.directory, START) == {"app": b"app"}


def test_a_key_was_moved_away_and_is_brought_back(repository: Repository, tmp_path: Path) -> None:
    """Any two of the three root files will do."""
    files = repository.key_files(lambda _: "")
    keys = repository.directory / "keys"
    (keys / "root-1.key.json").rename(tmp_path / "root-1.key.json")
    repository.renew(files, force=True)
    (keys / "root-2.key.json").rename(tmp_path / "root-2.key.json")
    renewed = repository.renew(repository.key_files(lambda _: ""), force=True)
    assert [each.problem for each in renewed.blocked] == ["root needs 2 signatures by keys of root 2, 1 at hand: bring 1 of root-1, root-2"]
    (tmp_path / "root-2.key.json").rename(keys / "root-2.key.json")
    assert "root" in repository.renew(repository.key_files(lambda _: ""), force=True).roles
    (keys / "targets.key.json").unlink()
    repository.add("app", b"app")
    with pytest.raises(SigningError, match=r"^targets needs 1 signature by keys of root 3, 0 at hand: bring 1 of targets$"):
        repository.publish(repository.key_files(lambda _: ""))


def test_key_files_that_others_may_read_or_that_are_others(repository: Repository) -> None:
    """They sign nothing (B001)."""
    repository.add("app", b"app")
    path = repository.directory / "keys/targets.key.json"
    good = path.read_bytes()
    path.chmod(0o640)
    with pytest.raises(StorageError, match="chmod 600"):
        repository.publish(repository.key_files(lambda _: ""))
    path.chmod(0o600)
    path.write_bytes((repository.directory / "keys/snapshot.key.json").read_bytes())
    with pytest.raises(SigningError, match="is not the one in the policy"):
        repository.publish(repository.key_files(lambda _: ""))
    path.write_bytes(good)
    repository.publish(repository.key_files(lambda _: ""))
    assert served(repository.directory, START) == {"app": b"app"}


@pytest.mark.parametrize("scheme", ["ecdsa-sha2-nistp256", "ml-dsa-44/1"])
def test_other_schemes(tmp_path: Path, clock: FakeClock, scheme: str) -> None:
    new = NewKeyFiles(unencrypted=True, scheme=scheme)
    repository = Repository.create(tmp_path / "r", new, Choices(root_keys=1, root_threshold=1), clock=clock, disk=QUICK)
    repository.add("app", b"app")
    repository.publish(repository.key_files(lambda _: ""))
    assert served(repository.directory, START) == {"app": b"app"}


def test_the_keys_of_a_callable_are_asked_for_once_in_spite_of_conflicts(repository: Repository) -> None:
    """A person should not type a passphrase again because somebody else was quicker."""
    asked: list[str] = []

    def signers(role: str) -> list[Signer]:
        asked.append(role)
        return [KEYS[role]]

    def clock() -> datetime:
        if not asked:
            renew(Site(repository.store, repository.policy), Signing(repository.policy, KEYS), FakeClock(START), force=True)
        return START

    repository.add("app", b"app")
    published = Repository.open(repository.directory, clock=clock, disk=QUICK).publish(signers)
    assert published.roles["timestamp"] == 3
    assert asked == ["targets", "snapshot", "timestamp"]
