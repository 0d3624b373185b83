"""What may follow what: each document judged against those already believed (specification 5.3 to 5.6).

"Who said it" is `verify`; here is what remains: versions never go back, bytes are those that a trusted document
named, and time has not run out. Every function returns what is now believed, or raises.
"""

from datetime import datetime

from msgspec import UNSET

from tuffet.errors import ExpiredError, FormatError, MismatchError, RollbackError
from tuffet.metadata.envelope import Dialect, Envelope, T
from tuffet.metadata.expiry import encode_time
from tuffet.metadata.roles import MetaFile, Root, Snapshot, Timestamp
from tuffet.metadata.targets import Targets
from tuffet.names import ROOT, SNAPSHOT, TIMESTAMP
from tuffet.trust.verify import Role, Verified, role_of, verify


def first_root(data: bytes, dialect: Dialect) -> Verified[Root]:
    """Return the root that a client starts with; it must satisfy its own threshold (5.2, B014)."""
    envelope = offered_as(ROOT, data, Root, dialect)
    return verify(envelope, role_of(envelope.payload, ROOT))


def next_root(data: bytes, trusted: Verified[Root], dialect: Dialect) -> Verified[Root]:
    """Return the root that follows: signed by the trusted one's keys and by its own, its version exactly one more.

    Its expiry is judged later, because an expired root may still lead to a fresh one (5.3.4 to 5.3.6).
    """
    envelope = offered_as(ROOT, data, Root, dialect)
    verify(envelope, role_of(trusted.payload, ROOT))
    offered = verify(envelope, role_of(envelope.payload, ROOT))
    if offered.payload.version != trusted.payload.version + 1:
        raise RollbackError(ROOT, trusted=trusted.payload.version, offered=offered.payload.version)
    return offered


def offered_as(role: str, data: bytes, kind: type[T], dialect: Dialect) -> Envelope[T]:
    """Return the envelope that was offered for a role; a FormatError says which role it was."""
    try:
        return dialect.parse(data, kind)
    except FormatError as error:
        raise FormatError(error.where, error.problem, role) from error


def keys_were_taken(role: str, old: Root, new: Root) -> bool:
    """Return whether a key that spoke for the role no longer does, which is how a repository recovers (5.3.11).

    Adding keys is not that: nothing signed before has lost its worth.
    """
    return not _materials(old, role) <= _materials(new, role)


def _materials(root: Root, role: str) -> set[bytes | str]:
    verifiers = {keyid: key.verifier() for keyid, key in root.keys.items() if keyid in root.roles[role].keyids}
    return {verifier.material if verifier else keyid for keyid, verifier in verifiers.items()}


def next_timestamp(
    data: bytes, root: Verified[Root], trusted: Verified[Timestamp] | None, start: datetime, dialect: Dialect
) -> Verified[Timestamp]:
    """Return the offered timestamp, or the trusted one where the offered bears the same version (5.4.2 to 5.4.4)."""
    offered = verify(offered_as(TIMESTAMP, data, Timestamp, dialect), role_of(root.payload, TIMESTAMP))
    if trusted is not None:
        _require_not_older(TIMESTAMP, trusted.payload.version, offered.payload.version)
        if trusted.payload.version == offered.payload.version:
            offered = trusted
        _require_not_older(SNAPSHOT, trusted.payload.snapshot.version, offered.payload.snapshot.version)
    require_fresh(offered, start)
    return offered


def next_snapshot(
    data: bytes,
    root: Verified[Root],
    timestamp: Verified[Timestamp],
    trusted: Verified[Snapshot] | None,
    start: datetime,
    dialect: Dialect,
) -> Verified[Snapshot]:
    """Return the snapshot that the timestamp names; no role that was listed may go back or vanish (5.5.2 to 5.5.6)."""
    meta = timestamp.payload.snapshot
    # Digests come before signatures here (5.5.2): they stem from a timestamp already
    # believed, and they turn bad bytes away before any key has to look at them.
    require_bytes(SNAPSHOT, data, meta)
    offered = verify(offered_as(SNAPSHOT, data, Snapshot, dialect), role_of(root.payload, SNAPSHOT))
    _require_version(offered, meta)
    if trusted is not None:
        listed = offered.payload.meta
        for name, held in trusted.payload.meta.items():
            now = listed.get(name)
            if now is None or now.version < held.version:
                raise RollbackError(name.removesuffix(".json"), trusted=held.version, offered=now.version if now else None)
    require_fresh(offered, start)
    return offered


def next_targets(data: bytes, role: Role, meta: MetaFile, start: datetime, dialect: Dialect) -> Verified[Targets]:
    """Return a targets role, top-level or delegated, as the snapshot names it (5.6.2 to 5.6.5, B105)."""
    require_bytes(role.name, data, meta)
    offered = verify(offered_as(role.name, data, Targets, dialect), role)
    _require_version(offered, meta)
    require_fresh(offered, start)
    return offered


def require_bytes(role: str, data: bytes, meta: MetaFile) -> None:
    """Refuse bytes that differ in length or in any known hash from what a trusted document says (B049)."""
    if meta.length is not UNSET and meta.length != len(data):
        raise MismatchError(role, "length", expected=meta.length, offered=len(data))
    wrong = meta.hashes.mismatch(data) if meta.hashes else None
    if wrong:
        raise MismatchError(role, wrong[0], expected=wrong[1], offered=wrong[2])


def require_fresh(document: Verified[T], start: datetime) -> None:
    """Refuse a document that had expired when the update started; the instant of expiry counts as expired (5.4.4)."""
    if document.payload.expires_at <= start:
        raise ExpiredError(document.role, expired=document.payload.expires, start=encode_time(start), version=document.payload.version)


def _require_version(offered: Verified[T], meta: MetaFile) -> None:
    if offered.payload.version != meta.version:
        raise MismatchError(offered.role, "version", expected=meta.version, offered=offered.payload.version)


def _require_not_older(role: str, trusted: int, offered: int) -> None:
    if offered < trusted:
        raise RollbackError(role, trusted=trusted, offered=offered)
