"""Which role speaks for a path: pre-order, depth-first, every role under its own delegator's keys (specification 5.6.7).

A role that is reached a second time in one search is skipped, so cycles end. A terminating delegation ends the search
below itself, found or not. Whatever goes beyond a limit is an error that names the limit, never "not found".
"""

from typing import Final, TypeAlias

import msgspec
from msgspec import UnsetType

from tuffet.errors import LimitError, MismatchError
from tuffet.metadata.paths import Delegates
from tuffet.metadata.roles import MetaFile
from tuffet.metadata.targets import DelegatedRole, Delegations, SuccinctRoles, TargetFile, Targets
from tuffet.names import TARGETS
from tuffet.trust.named import answered_targets, held_targets, targets_file, targets_role
from tuffet.trust.steps import Ask, Fetch, Steps
from tuffet.trust.verify import Role, Verified, delegated_role
from tuffet.trust.workflow import Trusted

_Key: TypeAlias = tuple[str, int, frozenset[bytes]]
"""A role as one delegation means it: its name, how many signatures it takes, and of whose keys."""

READ_AHEAD: Final = 7
"""How many roles are asked for while one is judged, where all are to be read."""


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
    key: _Key

    @property
    def name(self) -> str:
        return self.role.name


_Way: TypeAlias = tuple[_Child, frozenset[str]]
"""A delegation, and the names of all roles on the way to it."""


class Search:
    """Searches within one trusted state. A role read once is not read again; nothing here outlives an update."""

    def __init__(self, trusted: Trusted) -> None:
        self.trusted = trusted
        self._read: dict[_Key, Verified[Targets]] = {}
        self._delegates: dict[int, Delegates] = {}
        self._asked: dict[_Key, int] = {}

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
        try:
            return (yield from self._targets())
        finally:
            self._asked.clear()  # Tickets are worth nothing once the run that they were given to is over.

    def _targets(self) -> Steps[list[Found]]:
        # Every role that can be reached is read once, however many ways lead to it. Then each path that any of them lists is
        # searched for, so that what is listed is what would be found, by construction and at the price of the searches.
        limit = self.trusted.limits.listed_roles
        top = self.trusted.targets.payload
        paths = dict.fromkeys(top.targets)
        seen: set[_Key] = set()
        stack = _ways(TARGETS, frozenset({TARGETS}), top, limit)
        while stack:
            child, names = stack.pop()
            if child.key in seen:
                continue
            if len(seen) + 1 >= limit:
                raise _too_many(limit)
            seen.add(child.key)
            yield from self._read_ahead(stack[: -READ_AHEAD - 1 : -1])
            role = yield from self._role(child)
            paths.update(dict.fromkeys(role.payload.targets))
            stack += _ways(child.name, names, role.payload, limit)
        found = []
        for path in paths:
            target = yield from self.find(path)
            if target:
                found.append(target)
        return found

    def _role(self, child: _Child | None) -> Steps[Verified[Targets]]:
        if child is None:
            return self.trusted.targets
        key = child.key
        role = self._read.get(key)
        if role is None:
            trusted, meta = self.trusted, self._meta(child)
            if key in self._asked:
                role = yield from answered_targets(self._asked.pop(key), child.role, meta, trusted.start, trusted.dialect)
            else:
                role = yield from targets_role(child.role, meta, trusted.root, trusted.start, trusted.dialect, trusted.limits)
            self._read[key] = role
        return role

    def _read_ahead(self, ways: list[_Way]) -> Steps[None]:
        """Ask for the next few roles together; each is judged in its turn."""
        fetches: dict[_Key, Fetch] = {}
        trusted = self.trusted
        for child, _ in ways:
            key = child.key
            if key in self._read or key in self._asked:
                continue
            meta = self._meta(child)
            held = yield from held_targets(child.role, meta, trusted.start, trusted.dialect)
            if held is not None:
                self._read[key] = held
            else:
                fetches[key] = targets_file(child.name, meta, trusted.root, trusted.limits)
        tickets = yield Ask(tuple(fetches.values()))
        self._asked.update(zip(fetches, tickets, strict=True))

    def _meta(self, child: _Child) -> MetaFile:
        meta = self.trusted.snapshot.payload.meta.get(f"{child.name}.json")
        if meta is None:
            raise MismatchError(child.name, "place in the snapshot", expected="a version", offered="none")
        return meta

    def _children(self, by: str, delegations: Delegations | UnsetType, path: str) -> list[_Child]:
        """Return the delegations that cover the path, in order, up to the first terminating one."""
        if not delegations:
            return []
        if delegations.succinct_roles:
            bins = delegations.succinct_roles
            return [_bin(by, delegations, bins, bins.bin_of(path))]
        delegates = self._delegates.get(id(delegations))
        if delegates is None:
            delegates = self._delegates[id(delegations)] = Delegates(delegations.roles or ())
        children = []
        for listed in delegates.speaking_for(path):
            children.append(_listed(by, delegations, listed))
            if listed.terminating:
                break
        return children


def _too_many(limit: int) -> LimitError:
    return LimitError("listed_roles", limit, "there are too many targets roles to list")


def _ways(by: str, names: frozenset[str], role: Targets, limit: int) -> list[_Way]:
    """Return where a role leads, last first; a way that turns back leads nowhere (5.6.7.1), whatever keys it names."""
    delegations = role.delegations
    if not delegations:
        return []
    if delegations.succinct_roles:
        bins = delegations.succinct_roles
        if bins.count > limit:
            # A few bytes can promise four thousand million bins, which no memory holds.
            raise _too_many(limit)
        children = [_bin(by, delegations, bins, number) for number in range(bins.count)]
    else:
        children = [_listed(by, delegations, listed) for listed in delegations.roles or ()]
    return [(child, names | {child.name}) for child in reversed(children) if child.name not in names]


def _listed(by: str, delegations: Delegations, listed: DelegatedRole) -> _Child:
    return _child(delegated_role(delegations, listed, listed.name, by), by, terminating=listed.terminating)


def _bin(by: str, delegations: Delegations, bins: SuccinctRoles, number: int) -> _Child:
    return _child(delegated_role(delegations, bins, bins.bin_name(number), by), by, terminating=False)


def _child(role: Role, by: str, *, terminating: bool) -> _Child:
    # One name may be delegated to with different keys, so each delegation vouches for itself (B020, B109). Those that
    # count the same keys share one reading: else layers of roles that all delegate to each other, each read once for
    # every way that leads to it, would cost as many readings as there are ways.
    verifiers = [key.verifier() for keyid in role.keyids if (key := role.keys.get(keyid))]
    materials = frozenset(verifier.material for verifier in verifiers if verifier)
    return _Child(role, by, terminating, (role.name, role.threshold, materials))


def _visit(child: _Child | None, role: Verified[Targets], lists_it: bool, children: list[_Child]) -> Visit:  # noqa: FBT001
    end = children[-1].name if children and children[-1].terminating else None
    return Visit(role.role, role.payload.version, child.by if child else None, lists_it, tuple(each.name for each in children), end)
