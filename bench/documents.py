"""P1 to P4 and P21: from a role's bytes to a document that may be believed.

Both sides start from the same bytes in memory and end with a typed document whose signature was verified and which
has not expired. python-tuf does what its client does: parse, canonicalise, `verify_delegate`, look at the expiry.
"""

from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidSignature

from bench import samples
from bench.harness import Compared, Counted, Goal, Row, alternate, timed
from bench.peer import CryptoSigner, Metadata
from bench.peer import Targets as PeerTargets
from tuffet.metadata import TUF_JSON, Key, Targets
from tuffet.metadata.verifier import Verifier
from tuffet.trust.checks import require_fresh
from tuffet.trust.verify import Role, verify

JUNK = 1000


def canonical_100_thousand() -> Iterator[Row]:
    """P1: a large role in canonical form."""
    yield _compare("P1", "100,000 targets, canonical", 100_000, "canonical", Goal(0.12))


def indented_100_thousand() -> Iterator[Row]:
    """P2: the same role as python-tuf writes it for people."""
    yield _compare("P2", "100,000 targets, indented", 100_000, "indented", Goal(0.22))


def thousand() -> Iterator[Row]:
    """P3: a role of the size of a hash bin."""
    yield _compare("P3", "1,000 targets", 1_000, "canonical", Goal(0.15), number=5)


def million() -> Iterator[Row]:
    """P3, nightly: what nobody should do, and somebody will."""
    yield _compare("P3", "1,000,000 targets", 1_000_000, "canonical", Goal(0.13), least_turns=3)


def ten() -> Iterator[Row]:
    """P4: a role of the usual size, where one signature check is nearly all there is."""
    yield _compare("P4", "10 targets", 10, "canonical", Goal(0.65), number=50)


def junk_signatures() -> Iterator[Row]:
    """P21: signatures of a thousand strangers around the good one."""
    key, offered = _signed(10, "canonical", junk=JUNK)
    role = samples.role("targets", key.public_key)
    yield _race("P21", f"{JUNK:,} signatures with unknown ids", key, offered, role, Goal(0.45), 5, 7)
    checks = 0

    class CountingKey(Key, frozen=True):
        def verifier(self) -> Verifier | None:
            real = super().verifier()

            def check(signature: bytes, data: bytes | memoryview) -> None:
                nonlocal checks
                checks += 1
                assert real is not None
                if not real.verify(signature, data):
                    raise InvalidSignature

            return real and Verifier(real.material, check)

    counting = {keyid: CountingKey(keytype=key.keytype, scheme=key.scheme, keyval=key.keyval) for keyid, key in role.keys.items()}
    verify(TUF_JSON.parse(offered, Targets), Role(role.name, role.keyids, role.threshold, counting))
    yield Counted("P21", "signatures verified, of a role with one key", 1, checks, at_most=len(role.keyids))


def _compare(metric: str, subject: str, count: int, layout: str, goal: Goal, number: int = 1, least_turns: int = 7) -> Row:
    key, offered = _signed(count, layout)
    return _race(metric, subject, key, offered, samples.role("targets", key.public_key), goal, number, least_turns)


def _signed(count: int, layout: str, junk: int = 0) -> tuple[CryptoSigner, bytes]:
    key = samples.signer("targets")
    strangers = [samples.signer(f"stranger {number}") for number in range(junk)]
    return key, samples.sealed(samples.targets(count), *strangers, key, layout=layout)


def _race(metric: str, subject: str, key: CryptoSigner, offered: bytes, role: Role, goal: Goal, number: int, least_turns: int) -> Row:
    theirs, ours = _believers(key, offered, role)
    return Compared(metric, subject, *alternate(timed(theirs, number), timed(ours, number), least_turns), goal)


def _believers(key: CryptoSigner, offered: bytes, role: Role) -> tuple[Callable[[], object], Callable[[], object]]:
    root = samples.root_for("targets", key.public_key)

    def theirs() -> PeerTargets:
        envelope = Metadata[PeerTargets].from_bytes(offered)
        root.verify_delegate("targets", envelope.signed_bytes, envelope.signatures)
        assert not envelope.signed.is_expired(samples.NOW)
        return envelope.signed

    def ours() -> object:
        believed = verify(TUF_JSON.parse(offered, Targets), role)
        require_fresh(believed, samples.NOW)
        return believed

    return theirs, ours
