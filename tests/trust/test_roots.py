"""Which root may follow which (specification 5.2 and 5.3), as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tuffet.errors import ExpiredError, FormatError, RollbackError, ThresholdError, VerificationError
from tuffet.keys.memory import MemorySigner
from tuffet.keys.signer import Signer
from tuffet.metadata import TUF_JSON, RoleKeys, Root, make_key
from tuffet.metadata.expiry import encode_time
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL
from tuffet.trust.checks import first_root, keys_were_taken, next_root, require_fresh

SIGNERS: dict[str, Signer] = {name: MemorySigner.generate() for name in ("a", "b", "c", "d", "online", "other")}
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def root(version: int, names: str, threshold: int, **changes: Any) -> Root:
    """Return a root whose root role has the keys of these names, each under its own name, or the key before a colon."""
    keyids = tuple(names.split())
    keys = {keyid: SIGNERS[keyid.partition(":")[0]].key for keyid in (*keyids, "online")}
    online = RoleKeys(keyids=("online",), threshold=1)
    fields: dict[str, Any] = {
        "expires": encode_time(NOW + timedelta(days=1)),
        "spec_version": "1.0.34",
        "version": version,
        "keys": keys,
        "roles": {**dict.fromkeys(TOP_LEVEL, online), ROOT: RoleKeys(keyids=keyids, threshold=threshold)},
    }
    return Root(**{**fields, **changes})


def signed(payload: Root, names: str) -> bytes:
    data = TUF_JSON.signed_bytes(payload)
    return TUF_JSON.seal(payload, [(name, SIGNERS[name.partition(":")[0]].sign(data)) for name in names.split()])


ROTATIONS: list[tuple[str, tuple[str, int], tuple[int, str, int], str, type[VerificationError] | None]] = [
    # the sentence, old root's (keys, threshold), new root's (version, keys, threshold), who signs, what is raised
    ("nothing changes but the version", ("a", 1), (2, "a", 1), "a", None),
    ("the key is replaced, old and new sign", ("a", 1), (2, "b", 1), "a b", None),
    ("the key is replaced, only the old one signs (B014, B050)", ("a", 1), (2, "b", 1), "a", ThresholdError),
    ("the key is replaced, only the new one signs", ("a", 1), (2, "b", 1), "b", ThresholdError),
    ("nobody signs", ("a", 1), (2, "a", 1), "", ThresholdError),
    ("a stranger signs", ("a", 1), (2, "a", 1), "c", ThresholdError),
    ("the threshold rises, and enough sign", ("a b", 1), (2, "a b", 2), "a b", None),
    ("the threshold rises, and too few sign by the new rule", ("a b", 1), (2, "a b", 2), "a", ThresholdError),
    ("the threshold falls, and enough sign by the old rule", ("a b", 2), (2, "a b", 1), "a b", None),
    ("the threshold falls, and too few sign by the old rule", ("a b", 2), (2, "a b", 1), "a", ThresholdError),
    ("the sets overlap, and the common key is enough", ("a b", 1), (2, "b c", 1), "b", None),
    ("the sets overlap, and the common key is not enough", ("a b", 2), (2, "b c", 2), "a b", ThresholdError),
    ("the sets overlap, and two sign for each", ("a b", 2), (2, "b c", 2), "a b c", None),
    ("one old key signs many times (B013)", ("a b", 2), (2, "a b", 1), "a a", FormatError),
    ("the new root lists one key under many ids (B015, B023)", ("a", 1), (2, "a a:2 a:3", 3), "a a:2 a:3", ThresholdError),
    ("the new threshold is more than its keys can reach (B050)", ("a", 1), (2, "a b", 3), "a b", ThresholdError),
    ("a version is left out (B100)", ("a", 1), (3, "a", 1), "a", RollbackError),
    ("the same version again (B008)", ("a", 1), (1, "a", 1), "a", RollbackError),
    ("a version of the far future (B043)", ("a", 1), (2**53 - 1, "a", 1), "a", RollbackError),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "old", "new", "signers", "raised"), ROTATIONS, ids=[row[0] for row in ROTATIONS])
def test_rotations(
    sentence: str, old: tuple[str, int], new: tuple[int, str, int], signers: str, raised: type[VerificationError] | None
) -> None:
    """Version N+1 MUST have been signed by a threshold of version N's keys and of its own (5.3.4), and be exactly N+1 (5.3.5)."""
    trusted = first_root(signed(root(1, *old), old[0]), TUF_JSON)
    offered = signed(root(*new), signers)
    if raised is None:
        assert next_root(offered, trusted, TUF_JSON).payload.version == 2
    else:
        with pytest.raises(raised):
            next_root(offered, trusted, TUF_JSON)


def test_the_rollback_names_both_versions() -> None:
    trusted = first_root(signed(root(4, "a", 1), "a"), TUF_JSON)
    with pytest.raises(RollbackError, match=r"^root went back from version 4 to 3$") as refused:
        next_root(signed(root(3, "a", 1), "a"), trusted, TUF_JSON)
    assert (refused.value.trusted, refused.value.offered, refused.value.attack) == (4, 3, "rollback")


def test_signatures_are_judged_before_versions() -> None:
    """A stranger's root is a forgery, whatever its version says; only the keys' own word can be a rollback."""
    trusted = first_root(signed(root(4, "a", 1), "a"), TUF_JSON)
    with pytest.raises(ThresholdError):
        next_root(signed(root(9, "a", 1), "c"), trusted, TUF_JSON)


@pytest.mark.parametrize(
    ("sentence", "keys", "threshold", "signers"),
    [
        ("nobody signed it", "a", 1, ""),
        ("a stranger signed it", "a", 1, "b"),
        ("too few signed it", "a b", 2, "a"),
        ("one key signed it under two ids (B023)", "a a:2", 2, "a a:2"),
    ],
)
def test_the_pinned_root_vouches_for_itself(sentence: str, keys: str, threshold: int, signers: str) -> None:
    """It came out of band, and is still no root unless its own keys signed it (5.2, B014)."""
    with pytest.raises(ThresholdError):
        first_root(signed(root(1, keys, threshold), signers), TUF_JSON)


def test_an_expired_root_leads_to_a_fresh_one() -> None:
    """The expiry of an intermediate root does not matter yet (5.3.6, B110); of the last one it does (5.3.10, B042)."""
    past = encode_time(NOW - timedelta(days=1))
    trusted = first_root(signed(root(1, "a", 1, expires=past), "a"), TUF_JSON)
    second = next_root(signed(root(2, "b", 1, expires=past), "a b"), trusted, TUF_JSON)
    third = next_root(signed(root(3, "b", 1), "b"), second, TUF_JSON)
    require_fresh(third, NOW)
    with pytest.raises(ExpiredError, match=rf"^root version 2 expired at {past}, the update started at 2030-01-01T00:00:00Z$") as refused:
        require_fresh(second, NOW)
    assert refused.value.attack == "freeze"


@pytest.mark.parametrize(("offset", "fresh"), [(1, True), (0, False), (-1, False)])
def test_the_instant_of_expiry_is_expired(offset: int, fresh: bool) -> None:
    """Expiry MUST be higher than the start of the update (5.3.10), not equal to it (VARIANTS X8)."""
    document = first_root(signed(root(1, "a", 1, expires=encode_time(NOW + timedelta(seconds=offset))), "a"), TUF_JSON)
    if fresh:
        require_fresh(document, NOW)
    else:
        with pytest.raises(ExpiredError):
            require_fresh(document, NOW)


TAKEN: list[tuple[str, str, str, bool]] = [
    # the sentence, the role's keyids before and after, whether a key was taken away
    ("nothing changes", "a b", "a b", False),
    ("the order changes", "a b", "b a", False),
    ("a key is added", "a", "a b", False),
    ("a key is replaced", "a", "b", True),
    ("one of two keys is taken away", "a b", "a", True),
    ("a key gets another id", "a", "a:2", False),
    ("one of two ids of a key is taken away", "a a:2", "a", False),
]


@pytest.mark.parametrize(("sentence", "before", "after", "taken"), TAKEN, ids=[row[0] for row in TAKEN])
@pytest.mark.parametrize("role", [TIMESTAMP, SNAPSHOT])
def test_when_a_repository_has_recovered(role: str, sentence: str, before: str, after: str, taken: bool) -> None:
    """Keys of timestamp or snapshot that were taken away end what they said (5.3.11); a new name for a key does not."""

    def with_role(names: str) -> Root:
        base = root(1, names, 1)
        return replace(base, roles={**base.roles, role: base.roles[ROOT], ROOT: base.roles[TARGETS]})

    assert keys_were_taken(role, with_role(before), with_role(after)) is taken


def test_a_key_that_cannot_be_read_is_known_by_its_id() -> None:
    """Its loss is a loss too."""
    base = root(1, "a", 1)
    strange = {**base.keys, "x": make_key("cuneiform", "clay", "00")}
    old = replace(base, keys=strange, roles={**base.roles, TIMESTAMP: RoleKeys(keyids=("online", "x"), threshold=1)})
    assert keys_were_taken(TIMESTAMP, old, base)
    assert not keys_were_taken(TIMESTAMP, old, old)
