"""P17: the snapshot of 16,384 hash bins, which every client reads and every publication signs again."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace
from tuf.api.exceptions import RepositoryError
from tuf.api.serialization.json import JSONSerializer
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from bench import samples
from bench.harness import Compared, Goal, Row, alternate, timed
from bench.peer import Metadata, Root, Timestamp
from bench.peer import MetaFile as PeerMetaFile
from bench.peer import Snapshot as PeerSnapshot
from tuffet.keys.memory import MemorySigner
from tuffet.metadata import TUF_JSON, MetaFile, Snapshot
from tuffet.trust.checks import first_root, next_snapshot, next_timestamp
from tuffet.trust.verify import role_of, verify

ROLES = 16_384
NAME = "bins-1234.json"


def client() -> Iterator[Row]:
    """P17: parse, verify, and compare every version with the one trusted before."""
    theirs, ours = _clients()
    yield Compared("P17", f"snapshot of {ROLES:,} roles, as a client reads it", *alternate(timed(theirs), timed(ours)), Goal(0.10))


def repository() -> Iterator[Row]:
    """P17: change one entry, sign, and make the new file."""
    theirs, ours = _signers()
    assert theirs() == ours()
    yield Compared("P17", f"snapshot of {ROLES:,} roles, signed again", *alternate(timed(theirs), timed(ours)), Goal(0.05))


def _clients() -> tuple[Callable[[], object], Callable[[], object]]:
    key = samples.signer("all")
    peer_root = Root(1, samples.SPECIFICATION, samples.EXPIRES, consistent_snapshot=True)
    for name in ("root", "timestamp", "snapshot", "targets"):
        peer_root.add_key(key.public_key, name)
    root = samples.sealed(peer_root, key)
    timestamp = samples.sealed(Timestamp(2, samples.SPECIFICATION, samples.EXPIRES, PeerMetaFile(2)), key)
    held, offered = (samples.sealed(samples.snapshot(ROLES, version), key) for version in (1, 2))

    peer_trusted = TrustedMetadataSet(root, EnvelopeType.METADATA)
    peer_trusted.update_timestamp(timestamp)
    try:
        peer_trusted.update_snapshot(held, trusted=True)
    except RepositoryError:
        pass  # It is not the one that the timestamp names; python-tuf compares the next one with it from now on.
    else:
        raise AssertionError("a held snapshot of another version is not final")
    peer_held = peer_trusted.snapshot

    def theirs() -> object:
        peer_trusted._add("snapshot", peer_held, "root")  # noqa: SLF001  # The next turn finds what the first one found.
        return peer_trusted.update_snapshot(offered)

    trusted_root = first_root(root, TUF_JSON)
    trusted_timestamp = next_timestamp(timestamp, trusted_root, None, samples.NOW, TUF_JSON)
    trusted_held = verify(TUF_JSON.parse(held, Snapshot), role_of(trusted_root.payload, "snapshot"))

    def ours() -> object:
        return next_snapshot(offered, trusted_root, trusted_timestamp, trusted_held, samples.NOW, TUF_JSON)

    return theirs, ours


def _signers() -> tuple[Callable[[], bytes], Callable[[], bytes]]:
    key = samples.signer("snapshot")
    now = samples.sealed(samples.snapshot(ROLES), key)
    envelope = Metadata[PeerSnapshot].from_bytes(now)
    payload = TUF_JSON.parse(now, Snapshot).payload
    signer = MemorySigner(key._private_key)  # noqa: SLF001  # The same key on both sides makes the same bytes.

    def theirs() -> bytes:
        envelope.signed.version = 2
        envelope.signed.meta[NAME] = PeerMetaFile(2)
        envelope.sign(key)
        return envelope.to_bytes(JSONSerializer(compact=True))

    def ours() -> bytes:
        new = replace(payload, version=2, meta={**payload.meta, NAME: MetaFile(version=2)})
        return TUF_JSON.sign(new, lambda signed: [(signer.keyid, signer.sign(signed))])

    return theirs, ours
