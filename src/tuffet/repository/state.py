"""What is published now, verified from the pinned first root on (B064, B123).

The published metadata is the truth; there is no database that could say otherwise. It is judged by the client's own
workflow, only that time stands before everything: an expired repository must be readable, or it could not be renewed.
Bins are read when somebody asks for them, so one change costs one bin, however many targets there are.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tuffet.errors import MismatchError, StorageError
from tuffet.metadata.roles import MetaFile
from tuffet.metadata.targets import SuccinctRoles, Targets
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL, metadata_file
from tuffet.repository.driver import METADATA, StoreDriver
from tuffet.repository.site import Site
from tuffet.storage.store import Store
from tuffet.trust.delegations import Found, Search
from tuffet.trust.named import targets_role
from tuffet.trust.verify import Role, delegated_role, role_of
from tuffet.trust.workflow import Trusted, refresh

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""An instant at which nothing has expired."""


class State:
    """One published state: everything in it belongs together. `kept` holds its documents by role, but of root the first."""

    def __init__(self, store: Store, trusted: Trusted, kept: dict[str, bytes]) -> None:
        self.store, self.trusted, self.kept = store, trusted, kept

    @property
    def timestamp_file(self) -> bytes:
        """The timestamp.json that all this was read from."""
        return self.kept[TIMESTAMP]

    @property
    def bins(self) -> SuccinctRoles | None:
        """The bins that targets delegates to, if it does."""
        delegations = self.trusted.targets.payload.delegations
        return (delegations.succinct_roles or None) if delegations else None

    def meta(self, role: str) -> MetaFile:
        """Return what the snapshot says of a targets role; MismatchError if it leaves the role out."""
        meta = self.trusted.snapshot.payload.meta.get(f"{role}.json")
        if meta is None:
            raise MismatchError(role, "place in the snapshot", expected="a version", offered="none")
        return meta

    def role(self, name: str) -> Role:
        """Return whose signatures count for a role."""
        return signers_of(self.trusted, name)

    def targets_of(self, role: str) -> Targets:
        """Return what a targets role says, read and verified now."""
        if role == TARGETS:
            return self.trusted.targets.payload
        trusted = self.trusted
        steps = targets_role(self.role(role), self.meta(role), trusted.root, trusted.start, trusted.dialect, trusted.limits)
        return StoreDriver(self.store).run(steps).payload

    def owner_of(self, path: str) -> str:
        """Return the role that lists a path, or would."""
        if self.bins is None or path in self.trusted.targets.payload.targets:
            return TARGETS
        return self.bins.bin_name(self.bins.bin_of(path))

    def find(self, path: str) -> Found | None:
        """Return what is published under a path."""
        return StoreDriver(self.store).run(Search(self.trusted).find(path))

    def targets(self) -> Iterator[Found]:
        """Yield all published targets; one role at a time is in memory where targets are spread over bins."""
        if self.bins is None:
            yield from StoreDriver(self.store).run(Search(self.trusted).targets())
            return
        first = self.trusted.targets.payload.targets
        yield from (Found(path, file, TARGETS) for path, file in first.items())
        for name in self.bins.names():
            listed = self.targets_of(name).targets.items()
            yield from (Found(path, file, name) for path, file in listed if path not in first and self.owner_of(path) == name)


def signers_of(trusted: Trusted, name: str) -> Role:
    """Return whose signatures count for a top-level role or a bin."""
    if name in TOP_LEVEL:
        return role_of(trusted.root.payload, name)
    delegations = trusted.targets.payload.delegations
    if not delegations or not delegations.succinct_roles:
        raise MismatchError(name, "delegator", expected=TARGETS, offered="none")
    return delegated_role(delegations, delegations.succinct_roles, name, TARGETS)


def read_state(site: Site) -> State:
    """Return the published state.

    Raises VerificationError if it does not follow from the pinned root, or is older than what was published from here last,
    StorageError if it is not all there.
    """
    store, policy = site.store, site.policy
    pinned = read_pinned_root(store, policy.repository.root_sha256)
    last = site.remembered()
    driver = StoreDriver(store, {TIMESTAMP: last} if last else None)
    trusted = driver.run(refresh(pinned, BEGINNING, policy.dialect))
    return State(store, trusted, {ROOT: pinned, **{name: driver.kept[name] for name in (TIMESTAMP, SNAPSHOT, TARGETS)}})


def read_pinned_root(store: Store, root_sha256: str) -> bytes:
    """Return the first root if it is the one that the policy pins."""
    name = METADATA + metadata_file(ROOT, 1)
    pinned = store.read(name)
    if pinned is None:
        raise StorageError(name, "this published file is missing: restore it from a backup or a mirror")
    digest = hashlib.sha256(pinned).hexdigest()
    if digest != root_sha256:
        raise MismatchError("root version 1", "sha256", expected=root_sha256, offered=digest, attack="arbitrary-software")
    return pinned
