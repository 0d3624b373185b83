"""Attacks on a client that is up to date: each refused by name, nothing of it kept, and nothing asked for after it."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tuffet.errors import ExpiredError, FormatError, MismatchError, RollbackError, ThresholdError, VerificationError
from tuffet.metadata import MetaFile, Targets, Timestamp, hashes_of
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from tuffet.testing import FakeRepository
from tuffet.trust.workflow import refresh


def timestamp(repo: FakeRepository, signed_by: str = TIMESTAMP, **changes: object) -> None:
    """Serve a timestamp with changes."""
    repo.serve("timestamp.json", repo.sign(replace(repo.timestamp, **changes), TIMESTAMP, repo.steal(signed_by)))


def naming(repo: FakeRepository, snapshot: bytes, version: int = 3) -> None:
    """Serve a snapshot and a timestamp that names exactly these bytes."""
    repo.serve(f"{version}.snapshot.json", snapshot)
    meta = {"snapshot.json": MetaFile(version=version, length=len(snapshot), hashes=hashes_of(snapshot))}
    timestamp(repo, version=repo.timestamp.version + 1, meta=meta)


def listing(repo: FakeRepository, signed_by: str = SNAPSHOT, **meta: int) -> None:
    """Serve a next snapshot, properly named, that lists these versions."""
    listed = {f"{role}.json": MetaFile(version=version) for role, version in meta.items()}
    naming(repo, repo.sign(replace(repo.snapshot, version=3, meta=listed), SNAPSHOT, repo.steal(signed_by)))


def replays_an_old_timestamp(repo: FakeRepository) -> None:
    timestamp(repo, version=1)


def forges_a_timestamp(repo: FakeRepository) -> None:
    timestamp(repo, "app", version=9)


def signs_a_timestamp_by_the_snapshot_key(repo: FakeRepository) -> None:
    timestamp(repo, SNAPSHOT, version=9)


def serves_a_snapshot_as_timestamp(repo: FakeRepository) -> None:
    repo.serve("timestamp.json", repo.sign(replace(repo.snapshot, version=9), TIMESTAMP))


def names_an_older_snapshot(repo: FakeRepository) -> None:
    timestamp(repo, version=9, meta={"snapshot.json": MetaFile(version=1)})


def lets_a_timestamp_expire(repo: FakeRepository) -> None:
    timestamp(repo, version=9, expires="2029-12-31T23:59:59Z")


def freezes_at_the_start(repo: FakeRepository) -> None:
    timestamp(repo, version=9, expires="2030-01-01T00:00:00Z")


def skips_a_root(repo: FakeRepository) -> None:
    repo.serve("2.root.json", repo.sign(replace(repo.root, version=3), ROOT))


def replays_the_root(repo: FakeRepository) -> None:
    repo.serve("2.root.json", repo.root_bytes(1))


def forges_a_root(repo: FakeRepository) -> None:
    repo.serve("2.root.json", repo.sign(replace(repo.root, version=2), ROOT, repo.steal(TIMESTAMP)))


def takes_over_without_the_old_keys(repo: FakeRepository) -> None:
    repo.rotate(ROOT)
    repo.serve("2.root.json", repo.sign(repo.root, ROOT))


def truncates_a_root(repo: FakeRepository) -> None:
    repo.new_root()
    repo.serve("2.root.json", repo.root_bytes(2)[:-1])


def forges_a_snapshot(repo: FakeRepository) -> None:
    listing(repo, TIMESTAMP, targets=3, app=2)


def rolls_targets_back(repo: FakeRepository) -> None:
    listing(repo, targets=1, app=2)


def rolls_a_delegation_back(repo: FakeRepository) -> None:
    listing(repo, targets=3, app=1)


def lets_a_role_vanish(repo: FakeRepository) -> None:
    listing(repo, targets=3)


def lets_a_snapshot_expire(repo: FakeRepository) -> None:
    naming(repo, repo.sign(replace(repo.snapshot, version=3, expires="2029-01-01T00:00:00Z"), SNAPSHOT))


def serves_another_version_of_the_snapshot(repo: FakeRepository) -> None:
    naming(repo, repo.sign(replace(repo.snapshot, version=4), SNAPSHOT))


def changes_the_bytes_of_a_snapshot(repo: FakeRepository) -> None:
    naming(repo, repo.sign(replace(repo.snapshot, version=3), SNAPSHOT))
    repo.serve("3.snapshot.json", repo.sign(replace(repo.snapshot, version=3, expires="2030-01-09T00:00:00Z"), SNAPSHOT))


def shortens_a_snapshot(repo: FakeRepository) -> None:
    naming(repo, repo.sign(replace(repo.snapshot, version=3), SNAPSHOT))
    repo.serve("3.snapshot.json", b"{}")


def next_targets(repo: FakeRepository, payload: Targets, signed_by: str = TARGETS) -> None:
    """Serve targets as version 9, properly named by snapshot and timestamp."""
    listing(repo, targets=9, app=2)
    repo.serve("9.targets.json", repo.sign(payload, TARGETS, repo.steal(signed_by)))


def forges_targets(repo: FakeRepository) -> None:
    next_targets(repo, replace(repo.roles[TARGETS], version=9), "app")


def serves_a_delegated_role_as_targets(repo: FakeRepository) -> None:
    next_targets(repo, replace(repo.roles["app"], version=9), "app")


def serves_another_version_of_targets(repo: FakeRepository) -> None:
    next_targets(repo, repo.roles[TARGETS])


def lets_targets_expire(repo: FakeRepository) -> None:
    next_targets(repo, replace(repo.roles[TARGETS], version=9, expires="2029-12-31T00:00:00Z"))


def mixes_and_matches_targets(repo: FakeRepository) -> None:
    data = repo.sign(replace(repo.roles[TARGETS], version=9), TARGETS)
    meta = {**repo.snapshot.meta, "targets.json": MetaFile(version=9, hashes=hashes_of(data, ["sha512", "blake2b"]))}
    naming(repo, repo.sign(replace(repo.snapshot, version=3, meta=meta), SNAPSHOT))
    repo.serve("9.targets.json", repo.sign(replace(repo.roles[TARGETS], version=9, expires="2030-01-02T00:00:00Z"), TARGETS))


Attack = tuple[Callable[[FakeRepository], None], type[VerificationError], str, str, str]
TIMESTAMP_ONLY, BOTH = "timestamp.json", "timestamp.json snapshot.json"
ATTACKS: list[Attack] = [
    # who does what, how it is refused, of what class it is, the last request, what was rightly believed before
    (skips_a_root, RollbackError, "rollback", "2.root.json", ""),
    (replays_the_root, RollbackError, "rollback", "2.root.json", ""),
    (forges_a_root, ThresholdError, "arbitrary-software", "2.root.json", ""),
    (takes_over_without_the_old_keys, ThresholdError, "arbitrary-software", "2.root.json", ""),
    (truncates_a_root, FormatError, "malformed", "2.root.json", ""),
    (replays_an_old_timestamp, RollbackError, "rollback", "timestamp.json", ""),
    (forges_a_timestamp, ThresholdError, "arbitrary-software", "timestamp.json", ""),
    (signs_a_timestamp_by_the_snapshot_key, ThresholdError, "arbitrary-software", "timestamp.json", ""),
    (serves_a_snapshot_as_timestamp, FormatError, "malformed", "timestamp.json", ""),
    (names_an_older_snapshot, RollbackError, "rollback", "timestamp.json", ""),
    (lets_a_timestamp_expire, ExpiredError, "freeze", "timestamp.json", ""),
    (freezes_at_the_start, ExpiredError, "freeze", "timestamp.json", ""),
    (forges_a_snapshot, ThresholdError, "arbitrary-software", "3.snapshot.json", TIMESTAMP_ONLY),
    (rolls_targets_back, RollbackError, "rollback", "3.snapshot.json", TIMESTAMP_ONLY),
    (rolls_a_delegation_back, RollbackError, "rollback", "3.snapshot.json", TIMESTAMP_ONLY),
    (lets_a_role_vanish, RollbackError, "rollback", "3.snapshot.json", TIMESTAMP_ONLY),
    (lets_a_snapshot_expire, ExpiredError, "freeze", "3.snapshot.json", TIMESTAMP_ONLY),
    (serves_another_version_of_the_snapshot, MismatchError, "mix-and-match", "3.snapshot.json", TIMESTAMP_ONLY),
    (changes_the_bytes_of_a_snapshot, MismatchError, "mix-and-match", "3.snapshot.json", TIMESTAMP_ONLY),
    (shortens_a_snapshot, MismatchError, "mix-and-match", "3.snapshot.json", TIMESTAMP_ONLY),
    (forges_targets, ThresholdError, "arbitrary-software", "9.targets.json", BOTH),
    (serves_a_delegated_role_as_targets, ThresholdError, "arbitrary-software", "9.targets.json", BOTH),
    (serves_another_version_of_targets, MismatchError, "mix-and-match", "9.targets.json", BOTH),
    (lets_targets_expire, ExpiredError, "freeze", "9.targets.json", BOTH),
    (mixes_and_matches_targets, MismatchError, "mix-and-match", "9.targets.json", BOTH),
]


@pytest.mark.parametrize(("attack", "raised", "kind", "last", "believed"), ATTACKS, ids=[row[0].__name__ for row in ATTACKS])
def test_refused_by_name_with_nothing_kept_and_nothing_asked(
    attack: Callable[[FakeRepository], None], raised: type[VerificationError], kind: str, last: str, believed: str
) -> None:
    """Sections 5.3 to 5.6, step by step (B014, B049, B080, B100, B102, B103, B105, B111, B116, B122).

    What was rightly believed before the attack showed (a timestamp whose snapshot is bad) is still believed after it.
    """
    repo = FakeRepository()
    repo.delegate("app", paths=["app-*"])
    repo.publish("app-1", b"1", role="app")
    repo.snapshot = replace(repo.snapshot, version=2)
    repo._write_snapshot()
    repo._renew_timestamp()
    driver = repo.driver()
    driver.run(refresh(repo.root_bytes(), repo.clock()))
    before = dict(driver.kept)

    attack(repo)
    with pytest.raises(raised) as refused:
        driver.run(refresh(repo.root_bytes(), repo.clock()))

    assert type(refused.value) is raised
    assert refused.value.attack == kind
    assert driver.log[-1] == f"answer {last}"
    assert {name for name, data in driver.kept.items() if before.get(name) != data} == set(believed.split())
    # 5: "Errors raised during the update process should not leave clients in an unrecoverable state."
    again = FakeRepository.fork(repo)
    again.bump(TARGETS, 20)
    again.withdraw("2.root.json")
    again.bump(SNAPSHOT, 20)
    again.bump(TIMESTAMP, 20)
    if believed or last == "timestamp.json":
        recovered = again.driver(driver.kept)
        assert recovered.run(refresh(repo.root_bytes(), repo.clock())).timestamp.payload.version == 20


def test_what_a_rollback_says() -> None:
    """Evidence, not riddles (B115): the role that went back, what was trusted and what was offered."""
    repo = FakeRepository()
    driver = repo.driver()
    driver.run(refresh(repo.root_bytes(), repo.clock()))
    timestamp(repo, version=2, meta={"snapshot.json": MetaFile(version=2)})
    repo.serve("2.snapshot.json", repo.sign(replace(repo.snapshot, version=2, meta={"targets.json": MetaFile(version=1)}), SNAPSHOT))
    driver.run(refresh(repo.root_bytes(), repo.clock()))
    timestamp(repo, version=3, meta={"snapshot.json": MetaFile(version=1)})
    with pytest.raises(RollbackError, match=r"^snapshot went back from version 2 to 1$"):
        driver.run(refresh(repo.root_bytes(), repo.clock()))


def test_a_vanished_role_is_named() -> None:
    repo = FakeRepository()
    repo.delegate("team/app", paths=["app-*"])
    driver = repo.driver()
    driver.run(refresh(repo.root_bytes(), repo.clock()))
    del repo.roles["team/app"]
    repo.renew(TARGETS)
    with pytest.raises(RollbackError, match=r"^team/app vanished after version 1$") as refused:
        driver.run(refresh(repo.root_bytes(), repo.clock()))
    assert refused.value.offered is None


def test_a_rejected_timestamp_does_not_freeze_the_client() -> None:
    """An expired timestamp of a high version must not be kept, or all later ones would look old (B103)."""
    repo = FakeRepository()
    good = repo.served("timestamp.json")
    assert good
    driver = repo.driver()
    timestamp(repo, version=2**53 - 1, expires="2029-01-01T00:00:00Z")
    with pytest.raises(ExpiredError):
        driver.run(refresh(repo.root_bytes(), repo.clock()))
    repo.serve("timestamp.json", good)
    trusted = driver.run(refresh(repo.root_bytes(), repo.clock()))
    assert isinstance(trusted.timestamp.payload, Timestamp)
    assert trusted.timestamp.payload.version == 1
