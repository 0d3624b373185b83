"""Who said it: the one place where signatures are counted and belief is granted (specification 5.3.4, TAP 12).

A threshold counts distinct key *material*, once each, whatever the key ids say. Work is bounded by the role's keys, not
by the signatures that an attacker sends: signatures of strangers are never looked at (B012).
"""

from collections.abc import Mapping
from typing import Final, Generic

import msgspec

from tuffet.errors import FormatError, ThresholdError
from tuffet.metadata.envelope import Envelope, Signature, T
from tuffet.metadata.keys import Key, RoleKeys
from tuffet.metadata.roles import Root
from tuffet.metadata.targets import Delegations
from tuffet.metadata.verifier import Verifier

_GRANT: Final = object()


class Role(msgspec.Struct, frozen=True):
    """A role as its delegator describes it: whose signatures count, and how many it takes."""

    name: str
    keyids: tuple[str, ...]
    threshold: int
    keys: Mapping[str, Key]
    by: str | None = None


class Verified(Generic[T]):
    """A document that a threshold of its role's keys vouches for. Only `verify` makes one."""

    __slots__ = ("payload", "role")

    def __init__(self, payload: T, role: str, grant: object) -> None:
        if grant is not _GRANT:
            raise TypeError("only tuffet.trust.verify grants belief")
        self.payload, self.role = payload, role

    def __repr__(self) -> str:
        return f"<Verified {self.role} version {self.payload.version}>"


def verify(envelope: Envelope[T], role: Role) -> Verified[T]:
    """Return the document once a threshold of the role's keys vouches for it; ThresholdError otherwise.

    Good signatures beyond the threshold are not looked for; `all_good_keys` finds them all.
    """
    proved = _good_keys(envelope, role, role.threshold)
    if len(proved) < role.threshold:
        raise ThresholdError(role.name, needed=role.threshold, proved=tuple(proved.values()), by=role.by)
    try:
        payload = envelope.payload
    except FormatError as error:  # Only now is it read, where the dialect lets signatures be checked first.
        raise FormatError(error.where, error.problem, role.name) from error
    return Verified(payload, role.name, _GRANT)


def all_good_keys(envelope: Envelope[T], role: Role) -> tuple[str, ...]:
    """Return the ids of all of the role's keys that signed, each key once."""
    return tuple(_good_keys(envelope, role, len(role.keyids)).values())


def _good_keys(envelope: Envelope[T], role: Role, enough: int) -> dict[bytes, str]:
    offered: dict[str, list[Signature]] = {}
    wanted = {*role.keyids, ""}
    for signature in envelope.signatures:
        if signature.keyid in wanted:  # Those of strangers are not even sorted.
            offered.setdefault(signature.keyid, []).append(signature)
    nameless = offered.pop("", [])
    proved: dict[bytes, str] = {}
    for keyid in role.keyids:
        signatures = offered.get(keyid, []) + nameless
        key = role.keys.get(keyid)
        verifier = key.verifier() if key and signatures else None
        if verifier is None or verifier.material in proved:
            continue
        if any(_is_good(envelope, signature, verifier) for signature in signatures):
            proved[verifier.material] = keyid
            if len(proved) == enough:
                break
    return proved


def _is_good(envelope: Envelope[T], signature: Signature, verifier: Verifier) -> bool:
    try:
        raw = envelope.decode(signature.sig)
    except ValueError:
        return False
    return bool(raw) and verifier.verify(raw, envelope.signed)


def role_of(root: Root, name: str) -> Role:
    """Return a top-level role as a root describes it."""
    keys: RoleKeys = root.roles[name]
    return Role(name, keys.keyids, keys.threshold, root.keys, f"root {root.version}")


def delegated_role(delegations: Delegations, keys: RoleKeys, name: str, by: str) -> Role:
    """Return a delegated role as one delegator describes it; another delegator may name other keys (B109)."""
    return Role(name, keys.keyids, keys.threshold, delegations.keys, by)
