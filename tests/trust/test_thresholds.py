"""Whose signatures count, and how many it takes (specification 5.3.4, TAP 12): each key once, by its material."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tuffet.errors import ThresholdError
from tuffet.keys.memory import MemorySigner
from tuffet.keys.signer import Signer
from tuffet.metadata import Envelope, Key, MetaFile, Signature, Timestamp, TufJson, make_key
from tuffet.metadata.dsse import DSSE
from tuffet.trust.verify import Role, Verified, all_good_keys, verify

SIGNERS: dict[str, Signer] = {name: MemorySigner.generate() for name in "abcd"}
PRIVATE = ec.generate_private_key(ec.SECP256R1())
CURVED = MemorySigner(PRIVATE)
POINT = PRIVATE.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()

KEYS: dict[str, Key] = {
    **{name: signer.key for name, signer in SIGNERS.items()},
    "a-again": SIGNERS["a"].key,
    "A": make_key("ed25519", "ed25519", SIGNERS["a"].key.keyval["public"].upper()),
    "pem": CURVED.key,
    "hex": make_key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", POINT),
    "short": make_key("ed25519", "ed25519", "00"),
    "unknown": make_key("cuneiform", "clay", "00"),
}
TIMESTAMP = Timestamp(expires="2030-01-01T00:00:00Z", spec_version="1.0", version=7, meta={"snapshot.json": MetaFile(version=1)})


def good(name: str, signer: str | None = None) -> Callable[[bytes], tuple[str, bytes]]:
    """Return what signs as `name`, with the key of `signer` if that is another."""
    return lambda signed: (name, (CURVED if name in {"pem", "hex"} else SIGNERS[signer or name]).sign(signed))


def bad(name: str, raw: bytes = b"\0" * 64) -> Callable[[bytes], tuple[str, bytes]]:
    return lambda signed: (name, raw)


ROWS: list[tuple[str, int, list[str], list[Callable[[bytes], tuple[str, bytes]]], list[str] | None]] = [
    # the sentence, the threshold, the role's keyids, the signatures, the keys that count; None: all good
    ("one of one", 1, ["a"], [good("a")], None),
    ("two of three", 2, ["a", "b", "c"], [good("c"), good("a")], None),
    ("one signature more than needed", 1, ["a", "b"], [good("a"), good("b")], None),
    ("no signature at all", 1, ["a"], [], []),
    ("one of the two that it takes", 2, ["a", "b"], [good("a")], ["a"]),
    ("an empty signature beside a good one, as in Sigstore's root 12 (S7)", 1, ["a", "b"], [bad("a", b""), good("b")], None),
    ("an empty signature only", 1, ["a"], [bad("a", b"")], []),
    ("a bad signature beside enough good ones", 2, ["a", "b", "c"], [bad("a"), good("b"), good("c")], None),
    ("a bad signature in place of a good one", 2, ["a", "b"], [bad("a"), good("b")], ["b"]),
    ("a signature of a stranger", 1, ["a"], [good("b")], []),
    ("a stranger who signs in a key's name", 1, ["a"], [good("a", "b")], []),
    ("a key of the repository that is not the role's", 2, ["a", "b"], [good("a"), good("c")], ["a"]),
    ("keyids that swap their signatures", 2, ["a", "b"], [good("a", "b"), good("b", "a")], []),
    ("one signature many times (B013, B098, B104)", 2, ["a", "b"], [good("a")] * 5, ["a"]),
    ("one signature many times among bad ones (B013)", 2, ["a", "b"], [bad("a"), good("a"), good("a"), bad("b")], ["a"]),
    ("one key under two ids (B023, B086)", 2, ["a", "a-again"], [good("a"), good("a-again", "a")], ["a"]),
    ("one key in two spellings (B023)", 2, ["a", "A"], [good("a"), good("A", "a")], ["a"]),
    ("one key in two encodings (B023, S7)", 2, ["pem", "hex"], [good("pem"), good("hex")], ["pem"]),
    ("one key under two ids and another key", 2, ["a", "a-again", "b"], [good("a"), good("a-again", "a"), good("b")], None),
    ("one key under two ids, of which only the second signed", 1, ["a", "a-again"], [good("a-again", "a")], None),
    ("a keyid without a key", 1, ["ghost"], [bad("ghost")], []),
    ("a keyid without a key beside good ones", 1, ["ghost", "a"], [bad("ghost"), good("a")], None),
    ("a key that cannot be read (B089)", 1, ["short"], [bad("short")], []),
    ("a key of a type that nobody knows", 2, ["unknown", "a"], [bad("unknown"), good("a")], ["a"]),
    ("a threshold that the keys can never reach (B050)", 3, ["a", "b"], [good("a"), good("b")], ["a", "b"]),
    ("a role without keys", 1, [], [good("a")], []),
]  # fmt: skip


def enveloped(signatures: list[Callable[[bytes], tuple[str, bytes]]]) -> Envelope[Timestamp]:
    dialect = TufJson(tap12_duplicates=True)
    signed = dialect.signed_bytes(TIMESTAMP)
    return dialect.parse(dialect.seal(TIMESTAMP, [sign(signed) for sign in signatures]), Timestamp)


@pytest.mark.parametrize(("sentence", "threshold", "keyids", "signatures", "proved"), ROWS, ids=[row[0] for row in ROWS])
def test_thresholds(
    sentence: str, threshold: int, keyids: list[str], signatures: list[Callable[[bytes], tuple[str, bytes]]], proved: list[str] | None
) -> None:
    """Each key MUST only contribute one signature (5.3.4), whatever it is called and however often it signs."""
    envelope, role = enveloped(signatures), Role("timestamp", tuple(keyids), threshold, KEYS)
    if proved is None:
        assert verify(envelope, role).payload == TIMESTAMP
        return
    with pytest.raises(ThresholdError) as refused:
        verify(envelope, role)
    assert (refused.value.role, refused.value.needed, list(refused.value.proved)) == ("timestamp", threshold, proved)
    assert refused.value.attack == "arbitrary-software"
    assert list(all_good_keys(envelope, role)) == proved


def test_the_message_has_the_numbers() -> None:
    role = Role("timestamp", ("a", "b"), 2, KEYS, "root 3")
    with pytest.raises(ThresholdError, match=r"^timestamp needs 2 good signatures by keys of root 3, 1 found$"):
        verify(enveloped([good("a")]), role)
    with pytest.raises(ThresholdError, match=r"^timestamp needs 1 good signature by keys, 0 found$"):
        verify(enveloped([]), Role("timestamp", (), 1, KEYS))


def test_all_who_signed_are_found_for_a_ceremony() -> None:
    """`verify` stops at the threshold, `all_good_keys` does not; one key under two ids is still one."""
    role = Role("timestamp", ("a", "a-again", "b", "c", "d"), 1, KEYS)
    envelope = enveloped([good("d"), bad("b"), good("c"), good("a-again", "a"), good("a")])
    assert all_good_keys(envelope, role) == ("a", "c", "d")


def counted(envelope: Envelope[Timestamp]) -> list[str]:
    """Return a list that grows by every signature that is looked at."""
    looked: list[str] = []
    decode = envelope.decode

    def counting(text: str) -> bytes:
        looked.append(text)
        return decode(text)

    envelope.decode = counting
    return looked


def test_signatures_of_strangers_cost_nothing() -> None:
    """Four thousand of them are passed over without a look (B012)."""
    envelope = enveloped([*[bad(f"stranger {number}") for number in range(4000)], good("a"), good("b"), good("c")])
    looked = counted(envelope)
    verify(envelope, Role("timestamp", ("a", "b", "c"), 2, KEYS))
    assert len(looked) == 2


@pytest.mark.parametrize("count", [1, 256])
def test_work_is_bounded_by_the_keys_of_the_role(count: int) -> None:
    """Signatures without a keyid are tried with every key, and there may be few of those (B012)."""
    signed = DSSE.signed_bytes(TIMESTAMP)
    data = DSSE.seal(TIMESTAMP, [("", b"\0" * 64)] * (count - 1) + [("", SIGNERS["c"].sign(signed))])
    envelope = DSSE.parse(data, Timestamp)
    looked = counted(envelope)
    verify(envelope, Role("timestamp", ("a", "b", "c", "short", "unknown"), 1, KEYS))
    assert len(looked) == 3 * count


@pytest.mark.parametrize("text", ["zz", "0", "é", " ", "0x00", "00" * 100_000])
def test_a_signature_that_is_no_signature_does_not_break_the_others(text: str) -> None:
    """Odd, not hex, too long: it does not count, and that is all."""
    envelope = enveloped([good("b")])
    envelope.signatures = (Signature(keyid="a", sig=text), *envelope.signatures)
    assert verify(envelope, Role("timestamp", ("a", "b"), 1, KEYS)).payload.version == 7
    with pytest.raises(ThresholdError):
        verify(envelope, Role("timestamp", ("a", "b"), 2, KEYS))


def test_a_keyid_that_signs_twice_under_tap_12() -> None:
    """All its signatures are tried, and it counts once (TAP 12)."""
    role = Role("timestamp", ("a", "b"), 1, KEYS)
    assert verify(enveloped([bad("a"), good("a")]), role).payload.version == 7


def test_belief_is_granted_by_one_function_only() -> None:
    """Nobody makes a `Verified` of what nobody vouches for."""
    with pytest.raises(TypeError, match=r"only tuffet\.trust\.verify grants belief"):
        Verified(TIMESTAMP, "timestamp", object())
    believed: Verified[Any] = verify(enveloped([good("a")]), Role("timestamp", ("a",), 1, KEYS))
    assert repr(believed) == "<Verified timestamp version 7>"
