"""Signing again what expires soon, so that clients do not take the repository for a frozen one.

Nothing but versions and expiries changes. Each role that is due is signed if its keys are at hand; of the others the
caller learns whose keys must be brought, and they keep nobody else from being renewed.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from tuffet.errors import SigningError
from tuffet.metadata.expiry import parse_time
from tuffet.metadata.roles import Dated
from tuffet.metadata.targets import Targets
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL, metadata_file
from tuffet.repository.check import require_believable
from tuffet.repository.driver import METADATA
from tuffet.repository.policy import BINS, Policy
from tuffet.repository.publish import patiently
from tuffet.repository.release import Release, next_release
from tuffet.repository.signing import Signing
from tuffet.repository.site import Site
from tuffet.repository.state import State, read_state
from tuffet.trust.checks import next_root, require_fresh


class Blocked(msgspec.Struct, frozen=True):
    """A role that is due and could not be signed here: until when it is good, and who must sign."""

    role: str
    expires: str
    problem: str


class Renewed(msgspec.Struct, frozen=True):
    """New versions by role, and the roles that need somebody else."""

    roles: dict[str, int]
    blocked: tuple[Blocked, ...] = ()


def renew(site: Site, signing: Signing, clock: Callable[[], datetime], *, force: bool = False) -> Renewed:
    """Renew every role that is due, or with `force` every role."""
    policy = site.policy
    roles: dict[str, int] = {}
    blocked: dict[str, Blocked] = {}

    def attempt() -> None:
        blocked.clear()
        state = read_state(site)
        now = clock()

        def wanted(role: str, document: Dated) -> bool:
            """Return whether the role is to be renewed and can be."""
            if role in roles or not (force or is_due(document.expires, role, policy, now)):
                return False
            try:
                signing.require(state.role(role))
            except SigningError as error:
                group = role if role in TOP_LEVEL else BINS
                held = blocked.get(group)
                blocked[group] = Blocked(group, min(document.expires, held.expires) if held else document.expires, str(error))
                return False
            return True

        if wanted(ROOT, state.trusted.root.payload):
            roles[ROOT] = _renew_root(state, policy, signing, now)
            state = read_state(site)
        changed = {name: payload for name, payload in targets_roles(state) if wanted(name, payload)}
        new_snapshot = wanted(SNAPSHOT, state.trusted.snapshot.payload)
        if not (wanted(TIMESTAMP, state.trusted.timestamp.payload) or changed or new_snapshot):
            return
        release = next_release(state, changed, policy, signing, now, new_snapshot=new_snapshot)
        require_believable(release, site.store, state.kept, {}, _start(now, blocked.values()))
        release.show(site)
        roles.update(release.roles)

    patiently(attempt)
    return Renewed(roles, tuple(blocked.values()))


def is_due(expires: str, role: str, policy: Policy, now: datetime) -> bool:
    """Return whether a document of the role that expires then is to be renewed by now."""
    return parse_time(expires) - now <= policy.of(role).renewed_before


def targets_roles(state: State) -> Iterator[tuple[str, Targets]]:
    """Yield the targets role and every bin, each read when its turn comes."""
    yield TARGETS, state.targets_of(TARGETS)
    for name in state.bins.names() if state.bins else ():
        yield name, state.targets_of(name)


def _renew_root(state: State, policy: Policy, signing: Signing, now: datetime) -> int:
    """Publish the next root, which says what the last one said; ConflictError if somebody else was quicker."""
    root = state.trusted.root
    version = root.payload.version + 1
    data = Release(policy, signing, now, None).add(root.payload, version, state.role(ROOT))
    require_fresh(next_root(data, root, policy.dialect), now)
    # A root is published as soon as its file is there, and its version can be nothing but the next.
    state.store.create(METADATA + metadata_file(ROOT, version), data)
    return version


def _start(now: datetime, blocked: Iterable[Blocked]) -> datetime:
    """Return the instant by which a client judges what is renewed: now, or just before a role expired that nobody here can renew."""
    expired = [parse_time(each.expires) for each in blocked]
    return min([now, *(instant - timedelta(seconds=1) for instant in expired)])
