"""Version 1 of everything: who signs what from now on, and no targets yet."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import UNSET, UnsetType

from tuffet.keys.signer import Signer
from tuffet.metadata.keys import Key, RoleKeys
from tuffet.metadata.roles import Root, Snapshot, Timestamp
from tuffet.metadata.targets import Delegations, SuccinctRoles, Targets
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL
from tuffet.repository.check import require_believable
from tuffet.repository.policy import BINS, Policy
from tuffet.repository.release import Release, first_dates
from tuffet.repository.signing import Signing
from tuffet.repository.site import Site
from tuffet.trust.verify import Role, delegated_role, role_of

Keyring = Mapping[str, Signer]
"""Signers by the name of their key."""


def publish_first(site: Site, keyring: Keyring, now: datetime) -> bytes:
    """Publish version 1 of everything in an empty store and return the root, to be pinned."""
    policy = site.policy
    root = _root(policy, keyring)
    delegations = _delegations(policy, keyring)
    release = Release(policy, Signing(policy, keyring), now, None)
    root_file = release.add(root, 1, role_of(root, ROOT))
    empty = Targets(**first_dates(), targets={})
    meta = {f"{role.name}.json": release.meta(1, release.add(empty, 1, role)) for role in _bins(delegations)}
    targets = Targets(**first_dates(), targets={}, delegations=delegations)
    meta["targets.json"] = release.meta(1, release.add(targets, 1, role_of(root, TARGETS)))
    snapshot_file = release.add(Snapshot(**first_dates(), meta=meta), 1, role_of(root, SNAPSHOT))
    named = release.snapshot_meta(1, snapshot_file)
    release.add(Timestamp(**first_dates(), meta=named), 1, role_of(root, TIMESTAMP))
    require_believable(release, site.store, {ROOT: root_file}, {}, now)
    release.show(site)
    return root_file


def _root(policy: Policy, keyring: Keyring) -> Root:
    names = dict.fromkeys(name for role in TOP_LEVEL for name in policy.of(role).keys)
    roles: dict[str, RoleKeys] = {role: _role_keys(policy, role, keyring) for role in TOP_LEVEL}
    return Root(**first_dates(), consistent_snapshot=True, keys=_keys(keyring, names), roles=roles)


def _delegations(policy: Policy, keyring: Keyring) -> Delegations | UnsetType:
    if policy.bins is None:
        return UNSET
    keys = _role_keys(policy, BINS, keyring)
    bits = policy.bins.count.bit_length() - 1
    bins = SuccinctRoles(keyids=keys.keyids, threshold=keys.threshold, bit_length=bits, name_prefix=BINS)
    return Delegations(keys=_keys(keyring, policy.of(BINS).keys), succinct_roles=bins)


def _bins(delegations: Delegations | UnsetType) -> Iterator[Role]:
    if delegations and delegations.succinct_roles:
        for name in delegations.succinct_roles.names():
            yield delegated_role(delegations, delegations.succinct_roles, name, TARGETS)


def _role_keys(policy: Policy, role: str, keyring: Keyring) -> RoleKeys:
    keys = policy.of(role)
    return RoleKeys(keyids=tuple(keyring[name].keyid for name in keys.keys), threshold=keys.threshold)


def _keys(keyring: Keyring, names: Iterable[str]) -> dict[str, Key]:
    return {keyring[name].keyid: keyring[name].key for name in names}
