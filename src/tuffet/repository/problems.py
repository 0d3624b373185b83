"""What is wrong with a repository, or soon will be, in plain words: one sentence each, with what to do."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from tuffet.metadata.targets import SuccinctRoles
from tuffet.names import SNAPSHOT, TARGETS, TIMESTAMP
from tuffet.repository.policy import BINS, Policy
from tuffet.repository.status import KeyStatus, RoleStatus


def find_problems(policy: Policy, roles: Iterable[RoleStatus], keys: Iterable[KeyStatus], bins: SuccinctRoles | None) -> Iterator[str]:
    """Yield the problems, the worst first."""
    roles = tuple(roles)
    publishing = {BINS if bins else TARGETS, SNAPSHOT, TIMESTAMP}
    for role in roles:
        if role.left <= timedelta():
            yield f"{role.role} version {role.version} expired at {role.expires}: clients refuse the repository until it is renewed"
    for role in roles:
        if not role.signable and (role.due or role.role in publishing):
            why = f"expires at {role.expires}" if role.due else "is signed whenever something is published"
            absent = " or ".join(key.name for key in role.keys if not key.here)
            yield f"{role.role} {why} and needs {role.threshold} of its keys: bring {absent or 'those that are published for it'}"
        elif role.due:
            yield f"{role.role} expires at {role.expires}: run renew"
    for key in keys:
        if key.problem:
            yield f"key {key.name} cannot be used: {key.problem}"
    for role in roles:
        yield from _differences(policy, role)
    wanted, published = policy.bins.count if policy.bins else "no", bins.count if bins else "no"
    if wanted != published:
        yield f"the policy says {wanted} bins and {published} are published: the published ones count"


def _differences(policy: Policy, role: RoleStatus) -> Iterator[str]:
    """Yield where the policy and what is published disagree about a role."""
    policed = policy.roles.get(role.role)
    if policed is None:
        yield f"the policy has no [roles.{role.role}], which is published: add it"
        return
    if policed.threshold != role.threshold:
        yield f"the policy says threshold {policed.threshold} for {role.role} and {role.threshold} is published: the published one counts"
    if others := [key.name for key in role.keys if key.keyid and key.keyid not in role.keyids]:
        yield f"the policy names {', '.join(others)} for {role.role}, and no such key is published for it: it cannot sign"
