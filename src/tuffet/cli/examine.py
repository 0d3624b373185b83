"""What a document says and who signed it, for people to look at. Nothing here is believed, and nothing is refused.

A signature is good, bad or absent where it is known whose keys count, and unknown otherwise. The dialect is guessed from
the document, which only somebody who does not believe it may do.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from tuffet.errors import FormatError
from tuffet.metadata.canonical import parse_json
from tuffet.metadata.dsse import DSSE, decode_base64
from tuffet.metadata.envelope import Dialect, Envelope
from tuffet.metadata.keys import Key
from tuffet.metadata.roles import Dated, Mirrors, Root, Snapshot, Timestamp
from tuffet.metadata.targets import Targets
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.names import TOP_LEVEL
from tuffet.trust.verify import Role, all_good_keys, delegated_role, role_of

_KINDS: Final[dict[str, type[Dated]]] = {
    "root": Root,
    "timestamp": Timestamp,
    "snapshot": Snapshot,
    "targets": Targets,
    "mirrors": Mirrors,
}
_MOST_BINS: Final = 16


class KeySeen(msgspec.Struct, frozen=True):
    """A key, and its signature: good, bad, absent, or unknown where nobody says whether the key counts."""

    keyid: str
    keytype: str
    scheme: str
    signature: str


class DelegationSeen(msgspec.Struct, frozen=True):
    """To whom a role delegates what."""

    role: str
    threshold: int
    keyids: tuple[str, ...]
    paths: tuple[str, ...] = ()
    path_hash_prefixes: tuple[str, ...] = ()
    terminating: bool = False


class RoleSeen(msgspec.Struct, frozen=True):
    """One document as it looks."""

    role: str
    file: str
    version: int
    spec_version: str
    expires: str
    days_left: int
    by: str | None = None
    threshold: int | None = None
    keys: tuple[KeySeen, ...] = ()
    good: int = 0
    verified: bool | None = None
    """Whether enough keys that count have signed; None where it is not known whose keys count."""
    problem: str | None = None
    facts: dict[str, Any] = {}
    delegations: tuple[DelegationSeen, ...] = ()


def parse_any(data: bytes) -> tuple[Envelope[Any], Dialect]:
    """Return the document with the dialect that it seems to be written in; FormatError if it is in none that we know."""
    value, _ = parse_json(data)
    if not isinstance(value, dict):
        raise FormatError("document", "this is JSON, but no TUF metadata")
    dialect: Dialect = DSSE if "payloadType" in value else TUF_JSON
    inside = value.get("signed")
    if dialect is DSSE:
        try:
            inside, _ = parse_json(decode_base64(str(value.get("payload"))))
        except ValueError as error:
            raise FormatError("document.payload", "not base64") from error
    kind = inside.get("_type") if isinstance(inside, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise FormatError("document", "this is JSON, but no TUF metadata: its `_type` is none of " + ", ".join(_KINDS))
    return dialect.parse(data, _KINDS[kind]), dialect


def kind_of(payload: Dated) -> str:
    """Return the `_type` of a document."""
    return next(name for name, kind in _KINDS.items() if isinstance(payload, kind))


def role_by(delegator: Dated, name: str) -> Role | None:
    """Return the role as its delegator describes it, None if it delegates no such role."""
    if isinstance(delegator, Root):
        return role_of(delegator, name) if name in TOP_LEVEL or name in delegator.roles else None
    if not isinstance(delegator, Targets) or not delegator.delegations:
        return None
    delegations = delegator.delegations
    for listed in delegations.roles or ():
        if listed.name == name:
            return delegated_role(delegations, listed, name, "")
    bins = delegations.succinct_roles
    if bins and name.startswith(f"{bins.name_prefix}-"):
        digits = name.removeprefix(f"{bins.name_prefix}-")
        try:
            number = int(digits, 16)
        except ValueError:
            return None
        return delegated_role(delegations, bins, name, "") if number < bins.count and bins.bin_name(number) == name else None
    return None


def examined(
    envelope: Envelope[Any],
    now: datetime,
    *,
    name: str,
    file: str,
    roles: tuple[Role, ...] = (),
    by: str | None = None,
    problem: str | None = None,
) -> RoleSeen:
    """Return how a document looks; each of the `roles` must be satisfied, and the first one's keys are shown."""
    payload: Dated = envelope.payload
    seconds = (payload.expires_at - now).total_seconds()
    good = [set(all_good_keys(envelope, role)) for role in roles]
    shown = roles[0] if roles else None
    return RoleSeen(
        role=name,
        file=file,
        version=payload.version,
        spec_version=payload.spec_version,
        expires=payload.expires,
        days_left=int(seconds // 86_400),
        by=by,
        threshold=shown.threshold if shown else None,
        keys=_keys(envelope, shown, good[0]) if shown else _strangers(envelope),
        good=len(good[0]) if good else 0,
        verified=all(len(proved) >= role.threshold for proved, role in zip(good, roles, strict=True)) if roles else None,
        problem=problem or ("expired" if seconds <= 0 else None),
        facts=_facts(payload),
        delegations=_delegations(payload),
    )


def _keys(envelope: Envelope[Any], role: Role, good: set[str]) -> tuple[KeySeen, ...]:
    offered = {signature.keyid for signature in envelope.signatures if signature.sig}
    nothing = Key(keytype="", scheme="", keyval={})
    return tuple(
        KeySeen(keyid, key.keytype, key.scheme, "good" if keyid in good else "bad" if keyid in offered else "absent")
        for keyid in role.keyids
        for key in (role.keys.get(keyid, nothing),)
    )


def _strangers(envelope: Envelope[Any]) -> tuple[KeySeen, ...]:
    return tuple(KeySeen(signature.keyid, "", "", "unknown") for signature in envelope.signatures)


def _facts(payload: Dated) -> dict[str, Any]:
    match payload:
        case Root():
            roles = {name: {"threshold": role.threshold, "keyids": list(role.keyids)} for name, role in payload.roles.items()}
            return {"consistent_snapshot": bool(payload.consistent_snapshot), "keys": len(payload.keys), "roles": roles}
        case Timestamp():
            return {"snapshot": payload.snapshot.version}
        case Snapshot():
            return {"roles": len(payload.meta)}
        case Targets():
            return {"targets": len(payload.targets), "bytes": sum(file.length for file in payload.targets.values())}
    return {}


def _delegations(payload: Dated) -> tuple[DelegationSeen, ...]:
    if not isinstance(payload, Targets) or not payload.delegations:
        return ()
    bins = payload.delegations.succinct_roles
    if bins:
        names = f"{bins.bin_name(0)} to {bins.bin_name(bins.count - 1)}"
        return (DelegationSeen(names, bins.threshold, bins.keyids, paths=(f"one of {bins.count} bins by the path's hash",)),)
    return tuple(
        DelegationSeen(role.name, role.threshold, role.keyids, role.paths or (), role.path_hash_prefixes or (), role.terminating)
        for role in payload.delegations.roles or ()
    )


def delegates_of(payload: Dated) -> tuple[tuple[str, ...], int]:
    """Return the names of the roles that a document delegates to, the first of them where they are many, and how many there are."""
    if not isinstance(payload, Targets) or not payload.delegations:
        return (), 0
    bins = payload.delegations.succinct_roles
    if bins:
        return tuple(bins.bin_name(number) for number in range(min(bins.count, _MOST_BINS))), bins.count
    names = tuple(role.name for role in payload.delegations.roles or ())
    return names, len(names)
