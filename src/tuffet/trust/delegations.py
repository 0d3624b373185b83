"""Which role speaks for a path: pre-order, depth-first, every role under its own delegator's keys (specification 5.6.7).

A role that is reached a second time in one search is skipped, so cycles end. A terminating delegation ends the search
below itself, found or not. Whatever goes beyond a limit is an error that names the limit, never "not found".
"""

import msgspec
from msgspec import UnsetType

from tuffet.errors import LimitError, MismatchError
from tuffet.metadata.paths import Delegates, path_digest, speaks_for
from tuffet.metadata.targets import DelegatedRole, Delegations, SuccinctRoles, TargetFile, Targets
from tuffet.names import TARGETS
from tuffet.trust.steps import Steps
from tuffet.trust.verify import Role, Verified, delegated_role
from tuffet.trust.workflow import Trusted, targets_role


class Found(msgspec.Struct, frozen=True):
    """A target as the role that speaks for it describes it."""

    path: str
    file: TargetFile
    role: str


class Visit(msgspec.Struct, frozen=True):
    """One role that a search asked: who sent us there, what it said, and whether the search could go on elsewhere."""

    role: str
    version: int
    delegator: str | None
    lists_it: bool
    delegates_to: tuple[str, ...]
    terminating: str | None = None
    """The delegation that ended the search, if this role made one that covers the path."""


class _Child(msgspec.Struct, frozen=True):
    """A delegation followed: to which role, by whom, and with whose keys."""

    role: Role
    by: str
    terminating: bool
    delegation: DelegatedRole | int
    """The listed delegation, or the number of the bin."""
    bins: SuccinctRoles | None = None

    @property
    def name(self) -> str:
        return self.role.name

    def covers(self, path: str) -> bool:
        if self.bins:
            return self.bins.bin_of(path) == self.delegation
        return isinstance(self.delegation, DelegatedRole) and speaks_for(self.delegation, path, path_digest(path))


class Search:
    """Searches within one trusted state. A role read once is not read again; nothing here outlives an update."""

    def __init__(self, trusted: Trusted) -> None:
        self.trusted = trusted
        # The same role may be named by two delegators with different keys, so each vouches for itself (B020, B109).
        self._read: dict[tuple[str, str], Verified[Targets]] = {}
        self._delegates: dict[str, Delegates] = {}

    def find(self, path: str, visits: list[Visit] | None = None) -> Steps[Found | None]:
        """Return what the first role that lists the path says of it, or None; `visits` collects who was asked."""
        limit = self.trusted.limits.visited_roles
        seen: set[str] = set()
        stack: list[_Child | None] = [None]
        while stack:
            child = stack.pop()
            name = child.name if child else TARGETS
            if name in seen:
                continue
            if len(seen) >= limit:
                raise LimitError("visited_roles", limit, f"too many roles speak for {path[:80]!r}")
            seen.add(name)
            role = yield from self._role(child)
            file = role.payload.targets.get(path)
            children = [] if file else self._children(name, role.payload.delegations, path)
            if children and children[-1].terminating:
                stack.clear()
            if visits is not None:
                visits.append(_visit(child, role, file is not None, children))
            if file:
                return Found(path, file, name)
            stack.extend(reversed(children))
        return None

    def targets(self) -> Steps[list[Found]]:
        """Return every target that `find` would find, as the role that speaks for it describes it."""
        limit = self.trusted.limits.listed_roles
        found: dict[str, Found] = {}
        # A way is how a role is reached. It is open for a path if every delegation on it covers the path, and if no
        # terminating delegation that covers the path, and is not itself on the way, was come by before.
        closures: list[tuple[_Child, ...]] = []
        stack: list[tuple[_Child, ...]] = [()]
        visited = 0
        while stack:
            way = stack.pop()
            visited += 1
            if visited > limit:
                raise LimitError("listed_roles", limit, "there are too many targets roles to list")
            child = way[-1] if way else None
            if child and child.terminating:
                closures.append(way)
            closed = [closure for closure in closures if all(each is not closure[-1] for each in way)]
            role = yield from self._role(child)
            name = child.name if child else TARGETS
            for path, file in role.payload.targets.items():
                if path not in found and _covers(way, path) and not any(_covers(closure, path) for closure in closed):
                    found[path] = Found(path, file, name)
            names = {each.name for each in way} | {TARGETS}
            below = [each for each in _all_children(name, role.payload.delegations) if each.name not in names]
            stack.extend((*way, each) for each in reversed(below))
        return list(found.values())

    def _role(self, child: _Child | None) -> Steps[Verified[Targets]]:
        if child is None:
            return self.trusted.targets
        role = self._read.get((child.by, child.name))
        if role is None:
            trusted = self.trusted
            meta = trusted.snapshot.payload.meta.get(f"{child.name}.json")
            if meta is None:
                raise MismatchError(child.name, "place in the snapshot", expected="a version", offered="none")
            role = yield from targets_role(child.role, meta, trusted.root, trusted.start, trusted.dialect, trusted.limits)
            self._read[child.by, child.name] = role
        return role

    def _children(self, by: str, delegations: Delegations | UnsetType, path: str) -> list[_Child]:
        """Return the delegations that cover the path, in order, up to the first terminating one."""
        if not delegations:
            return []
        if delegations.succinct_roles:
            bins = delegations.succinct_roles
            return [_bin(by, delegations, bins, bins.bin_of(path))]
        delegates = self._delegates.get(by)
        if delegates is None:
            delegates = self._delegates[by] = Delegates(delegations.roles or ())
        children = []
        for listed in delegates.speaking_for(path):
            children.append(_listed(by, delegations, listed))
            if listed.terminating:
                break
        return children


def _covers(way: tuple[_Child, ...], path: str) -> bool:
    return all(child.covers(path) for child in way)


def _all_children(by: str, delegations: Delegations | UnsetType) -> list[_Child]:
    if not delegations:
        return []
    if delegations.succinct_roles:
        bins = delegations.succinct_roles
        return [_bin(by, delegations, bins, number) for number in range(bins.count)]
    return [_listed(by, delegations, listed) for listed in delegations.roles or ()]


def _listed(by: str, delegations: Delegations, listed: DelegatedRole) -> _Child:
    return _Child(delegated_role(delegations, listed, listed.name, by), by, listed.terminating, listed)


def _bin(by: str, delegations: Delegations, bins: SuccinctRoles, number: int) -> _Child:
    role = delegated_role(delegations, bins, bins.bin_name(number), by)
    return _Child(role, by, terminating=False, delegation=number, bins=bins)


def _visit(child: _Child | None, role: Verified[Targets], lists_it: bool, children: list[_Child]) -> Visit:  # noqa: FBT001
    end = children[-1].name if children and children[-1].terminating else None
    return Visit(role.role, role.payload.version, child.by if child else None, lists_it, tuple(each.name for each in children), end)
