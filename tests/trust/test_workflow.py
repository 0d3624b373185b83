"""The workflow on the wire (specification 5.2 to 5.6): what is asked for when, judged when, and kept when."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tests.trust.scripted import Scripted
from tuffet.errors import (
    AbsentError,
    ConnectError,
    ExpiredError,
    FormatError,
    LimitError,
    MismatchError,
    RollbackError,
    ThresholdError,
    TooLargeError,
    TuffetError,
)
from tuffet.metadata import MetaFile
from tuffet.names import SNAPSHOT, TARGETS, TIMESTAMP
from tuffet.testing import START, FakeClock, FakeRepository, Killed, MemoryDriver, drive
from tuffet.trust.steps import Limits, Steps
from tuffet.trust.workflow import Trusted, refresh


def update(repo: FakeRepository, limits: Limits | None = None, start: datetime | None = None) -> Steps[Trusted]:
    return refresh(repo.root_bytes(), start or repo.clock(), repo.dialect, limits)


def updated(repo: FakeRepository) -> dict[str, bytes]:
    """Return what a client keeps that is up to date with the repository."""
    driver = repo.driver()
    driver.run(update(repo))
    return driver.kept


def scripted(repo: FakeRepository, kept: dict[str, bytes] | None = None, **first: list[bytes | TuffetError]) -> MemoryDriver:
    """Return a driver whose first requests for some files (`timestamp_json`) are answered otherwise."""
    answers = {name.replace("_", "."): said for name, said in first.items()}
    return MemoryDriver(Scripted(repo.transport, answers), repo.metadata_url, kept)


# The order of requests.


def test_the_first_update_of_a_client() -> None:
    """The next root is asked for first, together with the timestamp; what is believed is kept while the next file is on its way."""
    repo = FakeRepository()
    driver = repo.driver()
    trusted = driver.run(update(repo))
    assert [trusted.root.payload.version, trusted.targets.payload.version] == [1, 1]
    assert driver.log == [
        "load 2.root.json",
        "ask 2.root.json",
        "load timestamp.json",
        "ask timestamp.json",
        "load snapshot.json",
        "answer 2.root.json",
        "answer timestamp.json",
        "ask 1.snapshot.json",
        "keep timestamp.json",
        "answer 1.snapshot.json",
        "load targets.json",
        "ask 1.targets.json",
        "keep snapshot.json",
        "answer 1.targets.json",
        "keep targets.json",
    ]


def test_an_update_that_finds_nothing_new_asks_for_two_files() -> None:
    repo = FakeRepository()
    driver = repo.driver(updated(repo))
    driver.run(update(repo))
    assert driver.requests == ["2.root.json", "timestamp.json"] == repo.requests[-2:]
    assert not [line for line in driver.log if line.startswith(("keep", "forget"))]


def test_without_consistent_snapshots_names_have_no_versions() -> None:
    """But for roots, which always have them (5.3.3, 5.5.1, 5.6.1)."""
    repo = FakeRepository(consistent_snapshot=False)
    repo.new_root()
    driver = repo.driver()
    trusted = driver.run(update(repo))
    assert (trusted.root.payload.version, trusted.targets.payload.version) == (2, 1)
    assert set(driver.requests) == {f"{n}.root.json" for n in range(2, 7)} | {"timestamp.json", "snapshot.json", "targets.json"}


@pytest.mark.parametrize("rotations", [1, 2, 5, 6, 30])
def test_a_chain_of_roots_is_asked_for_in_growing_windows(rotations: int) -> None:
    """No root beyond N+1 is asked for until N+1 was answered; then 4, 8 and at most 16 go together, none twice."""
    repo = FakeRepository()
    for _ in range(rotations):
        repo.new_root()
    driver = repo.driver()
    assert driver.run(update(repo)).root.payload.version == rotations + 1

    roots = [line for line in driver.log if "root.json" in line and not line.startswith("load")]
    assert roots[:3] == ["ask 2.root.json", "answer 2.root.json", "ask 3.root.json"]
    assert [line for line in roots if line.startswith("keep")] == [f"keep {number + 2}.root.json" for number in range(rotations)]
    windows: list[int] = []
    for before, line in itertools.pairwise(["", *driver.log]):
        if line.startswith("ask") and line.endswith("root.json"):
            windows = [*windows[:-1], windows[-1] + 1] if before.startswith("ask") else [*windows, 1]
    assert windows == [1, 4, 8, 16, 16][: 1 + (rotations > 0) + (rotations > 4) + (rotations > 12) + (rotations > 28)]
    asked = [name for name in driver.requests if name.endswith("root.json")]
    assert asked == [f"{number + 2}.root.json" for number in range(len(asked))]
    assert "timestamp.json" in driver.requests[:2]


def test_nothing_is_sent_if_the_pinned_root_does_not_verify() -> None:
    """A client without a root of its own must not talk to anybody (5.2, B014)."""
    repo, other = FakeRepository(), FakeRepository()
    forged = repo.sign(repo.root, "root", other.steal("root"))
    for pinned, raised in [(forged, ThresholdError), (forged[:-1], FormatError), (b"", FormatError)]:
        driver = repo.driver()
        with pytest.raises(raised):
            driver.run(refresh(pinned, repo.clock()))
        assert driver.log == repo.requests == []


def test_kept_roots_are_verified_again_from_the_pinned_one() -> None:
    """A damaged link is asked for again, and what lies beyond it is not believed for lying there (B118, B123)."""
    repo = FakeRepository()
    for _ in range(3):
        repo.new_root()
    kept = updated(repo)
    whole = repo.driver(kept)
    whole.run(update(repo))
    assert whole.requests == ["5.root.json", "timestamp.json"]

    for damaged in (b"", kept["2.root.json"][:-1], kept["4.root.json"], FakeRepository().root_bytes()):
        driver = repo.driver({**kept, "3.root.json": damaged})
        assert driver.run(update(repo)).root.payload.version == 4
        assert driver.requests[0] == "3.root.json"
        assert driver.kept == kept


def test_an_expired_intermediate_root_does_not_stop_an_update() -> None:
    """Only the last root's expiry matters (5.3.6, 5.3.10, B110); the last one expired is kept, for it leads on."""
    repo = FakeRepository(expiry_days={"root": -1})
    repo.new_root()
    stale = repo.driver()
    with pytest.raises(ExpiredError, match=r"^root version 2 expired"):
        stale.run(update(repo))
    assert list(stale.kept) == ["2.root.json"]
    assert "snapshot" not in str(stale.requests[:2])

    repo.new_root(expires="2031-01-01T00:00:00Z")
    again = repo.driver(stale.kept)
    assert again.run(update(repo)).root.payload.version == 3
    assert again.requests[0] == "3.root.json"


# Time.


def test_time_stands_still_during_an_update() -> None:
    """What is valid when the update starts stays valid until it ends (5.1); the next update looks at the clock again."""
    clock = FakeClock(START)
    repo = FakeRepository(clock)
    driver = repo.driver()
    steps = update(repo)
    clock.advance(timedelta(days=1000))
    assert driver.run(steps).start == START
    with pytest.raises(ExpiredError, match=r"^root version 1"):
        driver.run(update(repo))


@pytest.mark.parametrize(("role", "days"), [(TIMESTAMP, 1), (SNAPSHOT, 7), (TARGETS, 90)])
def test_each_role_expires(role: str, days: int) -> None:
    """Expiry MUST be higher than the start of the update (5.4.4, 5.5.6, 5.6.5), for what comes and for what was kept."""
    far = {"root": 999, TIMESTAMP: 500, SNAPSHOT: 500, TARGETS: 500}
    repo = FakeRepository(expiry_days={**far, role: days})
    kept = updated(repo)
    instant = START + timedelta(days=days)
    for held in ({}, kept):
        driver = repo.driver(held)
        with pytest.raises(ExpiredError, match=rf"^{role} version 1 expired at ") as refused:
            driver.run(update(repo, start=instant))
        assert refused.value.role == role
        assert f"keep {role}.json" not in driver.log
        before = update(repo, start=instant - timedelta(seconds=1))
        assert repo.driver(held).run(before).targets.payload.version == 1


# Timestamp.


def test_an_equal_timestamp_changes_nothing() -> None:
    """The same version once more is discarded without an error (5.4.3.1), also where it names another snapshot."""
    repo = FakeRepository()
    kept = updated(repo)
    other = replace(repo.timestamp, meta={"snapshot.json": MetaFile(version=9)})
    repo.serve("timestamp.json", repo.sign(other, TIMESTAMP))
    driver = repo.driver(kept)
    assert driver.run(update(repo)).snapshot.payload.version == 1
    assert driver.kept == kept


def test_an_equal_timestamp_does_not_prolong_a_life() -> None:
    """A timestamp that has expired stays so, whatever another of the same version says (5.4.4)."""
    repo = FakeRepository()
    kept = updated(repo)
    repo.serve("timestamp.json", repo.sign(replace(repo.timestamp, expires="2040-01-01T00:00:00Z"), TIMESTAMP))
    with pytest.raises(ExpiredError):
        repo.driver(kept).run(update(repo, start=START + timedelta(days=2)))


def test_an_expired_held_timestamp_still_protects_against_rollback() -> None:
    """It is not fresh, and it is still the newest that is known (5.4.3)."""
    repo = FakeRepository(expiry_days={TIMESTAMP: 10})
    old = repo.fork()
    old.renew(TIMESTAMP)
    repo.bump(TIMESTAMP, 5, expires="2030-01-02T00:00:00Z")
    kept = updated(repo)
    repo.replay(old)
    driver = repo.driver(kept)
    with pytest.raises(RollbackError, match=r"^timestamp went back from version 5 to 2$"):
        driver.run(update(repo, start=START + timedelta(days=3)))
    assert driver.kept == kept


def test_a_timestamp_that_came_before_the_root_moved_is_asked_for_once_more() -> None:
    """It was signed by keys that the new root no longer knows, or was lost; neither is an attack yet."""
    repo = FakeRepository()
    old = repo.store.read("timestamp.json")
    assert old
    repo.rotate(TIMESTAMP)
    troubles: list[bytes | TuffetError] = [old, b"no JSON", b"{}", b'{"signed":{"meta":{}}}', ConnectError("memory:", "broken")]
    for first in troubles:
        driver = scripted(repo, timestamp_json=[first])
        assert driver.run(update(repo)).timestamp.payload.version == repo.timestamp.version
        assert driver.requests.count("timestamp.json") == 2

    driver = scripted(repo, timestamp_json=[old, old])
    with pytest.raises(ThresholdError):
        driver.run(update(repo))
    assert driver.log[-1] == "answer timestamp.json"
    assert set(driver.kept) == {"2.root.json"}


def test_a_good_timestamp_that_came_before_the_root_moved_is_asked_for_once() -> None:
    repo = FakeRepository()
    repo.new_root()
    driver = repo.driver()
    driver.run(update(repo))
    assert driver.requests.count("timestamp.json") == 1


@pytest.mark.parametrize("first", [b"no JSON", ConnectError("memory:", "broken")])
def test_a_bad_timestamp_is_refused_at_once_where_the_root_stood_still(first: bytes | TuffetError) -> None:
    repo = FakeRepository()
    driver = scripted(repo, timestamp_json=[first])
    with pytest.raises((FormatError, ConnectError)):
        driver.run(update(repo))
    assert driver.requests == ["2.root.json", "timestamp.json"]
    assert driver.kept == {}


# The guess at the snapshot.


def test_the_snapshot_is_guessed_once_a_chain_of_roots_exists() -> None:
    """It is asked for together with the window of roots, and judged only after the timestamp (5.5)."""
    repo = FakeRepository(hashes_in_meta=True)
    repo.new_root()
    repo.publish("a", b"a")
    driver = repo.driver()
    driver.run(update(repo))
    log = driver.log
    assert log.index("ask 2.snapshot.json") < log.index("answer 3.root.json")
    assert log.index("keep timestamp.json") < log.index("answer 2.snapshot.json") < log.index("keep snapshot.json")
    assert driver.requests.count("2.snapshot.json") == 1


def forged_timestamp(version: int) -> bytes:
    """Return a timestamp that nobody vouches for."""
    stranger = FakeRepository()
    return stranger.sign(replace(stranger.timestamp, meta={"snapshot.json": MetaFile(version=version)}), TIMESTAMP)


LIES: list[tuple[str, bytes, list[str]]] = [
    ("it names another snapshot that exists", forged_timestamp(1), ["1.snapshot.json", "2.snapshot.json"]),
    ("it names a snapshot that does not exist", forged_timestamp(77), ["77.snapshot.json", "2.snapshot.json"]),
    ("it names version zero", b'{"signed":{"meta":{"snapshot.json":{"version":0}}}}', ["2.snapshot.json"]),
    ("it names a negative version", b'{"signed":{"meta":{"snapshot.json":{"version":-1}}}}', ["2.snapshot.json"]),
    ("it names no version", b'{"signed":{"meta":{"snapshot.json":{}}}}', ["2.snapshot.json"]),
    ("it names a path", b'{"signed":{"meta":{"snapshot.json":{"version":"../1"}}}}', ["2.snapshot.json"]),
    ("it names a number without end", b'{"signed":{"meta":{"snapshot.json":{"version":%s}}}}' % (b"9" * 4000), ["2.snapshot.json"]),
    ("it names a number just too large", b'{"signed":{"meta":{"snapshot.json":{"version":%d}}}}' % 2**53, ["2.snapshot.json"]),
    ("it nests without end", b'{"signed":' * 9000, ["2.snapshot.json"]),
    ("it is no UTF-8", b'{"signed":{"meta":{"\xff":{"version":1}}}}', ["2.snapshot.json"]),
    ("it is empty", b"", ["2.snapshot.json"]),
]


@pytest.mark.parametrize(("sentence", "lie", "asked"), LIES, ids=[row[0] for row in LIES])
def test_a_lie_in_an_unverified_timestamp_costs_one_request(sentence: str, lie: bytes, asked: list[str]) -> None:
    """Only a number of it is used, to choose a file's name; what it lied about is dropped, and the truth found."""
    repo = FakeRepository()
    repo.publish("a", b"a")
    repo.new_root()
    driver = scripted(repo, timestamp_json=[lie])
    assert driver.run(update(repo)).snapshot.payload.version == 2
    assert [name for name in driver.requests if "snapshot" in name] == asked
    if len(asked) == 2:
        assert f"drop {asked[0]}" in driver.log


@pytest.mark.parametrize("trouble", [AbsentError("memory:", 404), ConnectError("memory:", "broken"), TooLargeError("memory:", at_most=1)])
def test_a_guess_that_is_not_answered_is_asked_for_in_its_turn(trouble: TuffetError) -> None:
    repo = FakeRepository()
    repo.new_root()
    answers: dict[str, list[bytes | TuffetError]] = {"1.snapshot.json": [trouble]}
    driver = MemoryDriver(Scripted(repo.transport, answers), repo.metadata_url)
    driver.run(update(repo))
    assert driver.requests.count("1.snapshot.json") == 2


def test_a_guess_is_judged_like_any_other_snapshot() -> None:
    """Asked for ahead or in its turn: the same refusal, and it is not kept (5.5.2)."""
    repo = FakeRepository(hashes_in_meta=True)
    repo.new_root()
    repo.serve("1.snapshot.json", repo.sign(replace(repo.snapshot, expires="2030-02-01T00:00:00Z"), SNAPSHOT))
    driver = repo.driver()
    with pytest.raises(MismatchError, match=r"^snapshot has the wrong sha256"):
        driver.run(update(repo))
    assert driver.log[-1] == "answer 1.snapshot.json"
    assert set(driver.kept) == {"2.root.json", "timestamp.json"}


def test_a_guess_is_dropped_where_the_held_snapshot_is_the_one() -> None:
    repo = FakeRepository()
    kept = updated(repo)
    repo.new_root()
    driver = repo.driver(kept)
    driver.run(update(repo))
    assert "drop 1.snapshot.json" in driver.log
    assert "answer 1.snapshot.json" not in driver.log


# What was kept.


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", None])
def test_a_damaged_cache_is_repaired(name: str, damage: bytes | None) -> None:
    """Nothing is believed for lying in the cache (B064, B118, B123); what is no good is asked for again."""
    repo = FakeRepository()
    kept = updated(repo)
    forged = FakeRepository().store.read(name if name == "timestamp.json" else f"1.{name}")
    assert forged
    driver = repo.driver({**kept, name: forged if damage is None else damage})
    driver.run(update(repo))
    assert driver.kept == kept
    assert driver.requests[2:] == ([] if name == "timestamp.json" else [f"1.{name}"])


def test_a_held_snapshot_of_the_right_version_and_other_bytes_is_not_the_one() -> None:
    """Where the timestamp lists hashes, they decide (5.5.2)."""
    repo = FakeRepository(hashes_in_meta=True)
    kept = updated(repo)
    other = repo.sign(replace(repo.snapshot, expires="2030-01-05T00:00:00Z"), SNAPSHOT)
    driver = repo.driver({**kept, "snapshot.json": other})
    driver.run(update(repo))
    assert driver.requests[-1] == "1.snapshot.json"
    assert driver.kept == kept


def test_an_expired_held_targets_role_is_not_asked_for_again() -> None:
    """It is the one that the snapshot names; the repository would send the same (5.6.5)."""
    repo = FakeRepository(expiry_days={"root": 999, TIMESTAMP: 500, SNAPSHOT: 500})
    driver = repo.driver(updated(repo))
    with pytest.raises(ExpiredError, match=r"^targets version 1"):
        driver.run(update(repo, start=START + timedelta(days=91)))
    assert driver.requests == ["2.root.json", "timestamp.json"]


# Recovery.


def fast_forwarded(repo: FakeRepository) -> dict[str, bytes]:
    """Return what a client keeps after a thief of the online keys set versions to the largest there is."""
    thief = repo.fork()
    thief.bump(SNAPSHOT, 2**53 - 1)
    thief.bump(TIMESTAMP, 2**53 - 1)
    repo.replay(thief)
    kept = updated(repo)
    repo.replay(repo)
    return kept


@pytest.mark.parametrize("role", [TIMESTAMP, SNAPSHOT])
def test_new_keys_end_a_fast_forward_attack(role: str) -> None:
    """Rotated keys of timestamp or snapshot make the client forget both (5.3.11, B043, B052)."""
    repo = FakeRepository()
    kept = fast_forwarded(repo)
    stuck = repo.driver(kept)
    with pytest.raises(RollbackError):
        stuck.run(update(repo))
    assert stuck.kept == kept

    repo.rotate(role)
    driver = repo.driver(kept)
    trusted = driver.run(update(repo))
    assert trusted.timestamp.payload.version == repo.timestamp.version
    assert driver.log.index("forget snapshot.json") < driver.log.index("keep 2.root.json")


def test_keys_that_come_back_do_not_bring_back_what_they_said() -> None:
    """The rotation may lie anywhere in the chain: keys taken in one root and given again in the next count as taken."""
    repo = FakeRepository()
    kept = fast_forwarded(repo)
    original, signers = repo.root, repo.steal(TIMESTAMP)
    repo.rotate(TIMESTAMP)
    repo.new_root(keys=original.keys, roles=original.roles)
    repo.serve("timestamp.json", repo.sign(repo.timestamp, TIMESTAMP, signers))
    assert repo.driver(kept).run(update(repo)).timestamp.payload == repo.timestamp


@pytest.mark.parametrize(
    "line", ["forget timestamp.json", "forget snapshot.json", "keep 2.root.json", "keep 3.root.json", "keep timestamp.json"]
)
def test_a_machine_that_dies_on_the_way_recovers_all_the_same(line: str) -> None:
    """Were the new root kept before the old words are forgotten, the next run would not see the rotation any more."""
    repo = FakeRepository()
    kept = fast_forwarded(repo)
    repo.rotate(TIMESTAMP)
    repo.new_root()
    dying = repo.driver(kept)
    dying.dies_before = line
    with pytest.raises(Killed):
        dying.run(update(repo))
    assert line not in dying.log

    again = repo.driver(dying.kept)
    assert again.run(update(repo)).timestamp.payload.version == repo.timestamp.version


def test_keys_that_are_added_end_nothing() -> None:
    """What the old key said still holds, and still protects (5.3.11)."""
    repo = FakeRepository()
    repo.renew(TIMESTAMP)
    kept = updated(repo)
    (more,) = repo.new_signers(1)
    held = repo.root.roles[TIMESTAMP]
    repo.new_root(
        keys={**repo.root.keys, more.keyid: more.key},
        roles={**repo.root.roles, TIMESTAMP: replace(held, keyids=(*held.keyids, more.keyid))},
    )
    repo.serve("timestamp.json", repo.sign(replace(repo.timestamp, version=1), TIMESTAMP, [more]))
    driver = repo.driver(kept)
    with pytest.raises(RollbackError):
        driver.run(update(repo))
    assert "forget timestamp.json" not in driver.log
    assert driver.kept == {**kept, "2.root.json": repo.root_bytes(2)}


# Limits.


def test_a_chain_of_roots_without_end() -> None:
    """Exactly as many rotations as are allowed are followed; one more is an error that names the limit."""
    repo = FakeRepository()
    for _ in range(6):
        repo.new_root()
    assert repo.driver().run(update(repo, Limits(root_rotations=6))).root.payload.version == 7
    driver = repo.driver()
    with pytest.raises(LimitError, match=r"^root goes on past version 6: the limit root_rotations is 5$") as refused:
        driver.run(update(repo, Limits(root_rotations=5)))
    assert (refused.value.limit, refused.value.allowed, refused.value.attack) == ("root_rotations", 5, "endless-data")
    assert driver.kept.keys() == {f"{number}.root.json" for number in range(2, 7)}
    assert driver.run(update(repo, Limits(root_rotations=5))).root.payload.version == 7


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        ("root_bytes", "2.root.json"),
        ("timestamp_bytes", "timestamp.json"),
        ("snapshot_bytes", "1.snapshot.json"),
        ("targets_bytes", "1.targets.json"),
    ],
)
def test_endless_data(limit: str, name: str) -> None:
    """Every file has its limit where nothing trusted states its length (5.3.3, 5.4.1, 5.5.1, 5.6.1)."""
    repo = FakeRepository()
    served = repo.served(name)
    repo.serve(name, (served or b"{") + b" " * 70_000)
    size = len(repo.served(name) or b"")
    driver = repo.driver()
    with pytest.raises(TooLargeError) as refused:
        driver.run(update(repo, Limits(**{limit: size - 1})))
    assert refused.value.at_most == size - 1
    assert driver.log[-1] == f"answer {name}"
    assert name.partition(".")[2] not in driver.kept
    if served:
        assert repo.driver().run(update(repo, Limits(timestamp_bytes=100_000))).root.payload.version == 1


@pytest.mark.parametrize(("limit", "name"), [("snapshot_bytes", "1.snapshot.json"), ("targets_bytes", "1.targets.json")])
def test_a_length_past_the_limit_is_not_even_asked_for(limit: str, name: str) -> None:
    """A signed length does not lift the client's own limit; the error names it."""
    repo = FakeRepository(hashes_in_meta=True)
    driver = repo.driver()
    with pytest.raises(LimitError, match=rf"bytes: the limit {limit} is 99$"):
        driver.run(update(repo, Limits(**{limit: 99})))
    assert name not in driver.requests


def test_a_signed_length_is_the_limit_of_its_file() -> None:
    """Not one byte more is read than the trusted document says (5.5.1, 5.6.1)."""
    repo = FakeRepository(hashes_in_meta=True)
    for name in ("1.targets.json", "1.snapshot.json"):
        data = repo.served(name)
        assert data
        repo.serve(name, data + b" ")
        with pytest.raises(TooLargeError) as refused:
            repo.driver().run(update(repo))
        assert refused.value.at_most == len(data)


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json"])
def test_a_file_that_is_absent(name: str) -> None:
    """Only a next root may be absent; everything else that is named must be there."""
    repo = FakeRepository()
    repo.withdraw(name)
    driver = repo.driver()
    with pytest.raises(AbsentError):
        driver.run(update(repo))
    assert driver.log[-1] == f"answer {name}"


def test_the_time_of_an_update_may_be_anywhere_in_the_world() -> None:
    """An aware instant is an instant, whatever its zone."""
    repo = FakeRepository()
    trusted = drive(update(repo, start=datetime(2030, 1, 1, 12, tzinfo=UTC)), repo.transport, repo.metadata_url)
    assert trusted.dialect is repo.dialect
