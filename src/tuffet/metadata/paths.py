"""Which delegations speak for a path: shell patterns that never cross `/` (specification 4.5), and hash prefixes.

Patterns mean the same on every system: case counts, `/` is the only separator, an unclosed `[` is a letter like any
other (B018, B091, B120). One question is answered by a scan; from the second on an index answers.
"""

import fnmatch
import re
from collections.abc import Sequence
from typing import Final

from tuffet.metadata.targets import DelegatedRole

_WILD: Final = re.compile(r"[*?[]")


def matches(path: str, pattern: str) -> bool:
    """Return whether the whole path matches the pattern, part by part."""
    wild = _WILD.search(pattern)
    if wild is None:
        return path == pattern
    # Nearly every pattern of a long list ends here, before anything is split or compiled.
    if not path.startswith(pattern[: wild.start()]) or path.count("/") != pattern.count("/"):
        return False
    return all(_part_matches(part, wanted) for part, wanted in zip(path.split("/"), pattern.split("/"), strict=True))


def _part_matches(part: str, pattern: str) -> bool:
    wild = _WILD.search(pattern)
    if wild is None:
        return part == pattern
    start = wild.start()
    if part[:start] != pattern[:start]:
        return False
    end = _plain_star(pattern, start)
    return fnmatch.fnmatchcase(part, pattern) if end is None else part.endswith(end, start)


def _plain_star(pattern: str, start: int) -> str | None:
    """Return what follows the first wildcard if that is a `*` and the only one, so that a pattern is `beginning*end`."""
    return pattern[start + 1 :] if pattern[start] == "*" and not _WILD.search(pattern, start + 1) else None


def speaks_for(role: DelegatedRole, path: str, digest: str) -> bool:
    """Return whether a delegation covers the path; `digest` is the path's SHA-256 as hex."""
    if role.paths:
        return any(matches(path, pattern) for pattern in role.paths)
    return any(digest.startswith(prefix) for prefix in role.path_hash_prefixes or ())


def path_digest(path: str) -> str:
    """Return the SHA-256 of a target path as hex, which hash prefixes and bins go by (4.5)."""
    import hashlib

    return hashlib.sha256(path.encode()).hexdigest()


class _Node:
    """One level of the index: what may follow by exact name, by `beginning*end`, and by other patterns of a literal beginning."""

    __slots__ = ("exact", "here", "stars", "wild")

    def __init__(self) -> None:
        self.exact: dict[str, _Node] = {}
        self.stars: dict[str, dict[str, _Node]] = {}
        self.wild: dict[str, dict[str, _Node]] = {}
        self.here: list[int] = []

    def child(self, pattern: str) -> "_Node":
        wild = _WILD.search(pattern)
        if wild is None:
            group, name = self.exact, pattern
        elif (plain := _plain_star(pattern, wild.start())) is not None:
            group, name = self.stars.setdefault(pattern[: wild.start()], {}), plain
        else:
            group, name = self.wild.setdefault(pattern[: wild.start()], {}), pattern
        return group.setdefault(name, _Node())

    def following(self, part: str) -> list["_Node"]:
        nodes = [self.exact[part]] if part in self.exact else []
        if self.stars:
            for start, ends in _beginnings(self.stars, part):
                if len(ends) < len(part):
                    nodes.extend(node for end, node in ends.items() if part.endswith(end, start))
                else:  # A name has few endings, however many patterns there are.
                    nodes.extend(ends[part[at:]] for at in range(start, len(part) + 1) if part[at:] in ends)
        if self.wild:
            for _, patterns in _beginnings(self.wild, part):
                nodes.extend(node for pattern, node in patterns.items() if _part_matches(part, pattern))
        return nodes


def _beginnings(groups: dict[str, dict[str, _Node]], part: str) -> list[tuple[int, dict[str, _Node]]]:
    """Return the groups whose literal beginning the part shares, each with the length of that beginning."""
    if len(groups) < len(part):
        return [(len(beginning), group) for beginning, group in groups.items() if part.startswith(beginning)]
    return [(length, groups[part[:length]]) for length in range(len(part) + 1) if part[:length] in groups]


class Delegates:
    """The listed roles of one delegator, asked by path; answers come in the order of the list."""

    def __init__(self, roles: Sequence[DelegatedRole]) -> None:
        self._roles = roles
        self._asked = False
        self._top: _Node | None = None
        self._prefixes: dict[str, list[int]] = {}
        self._lengths: list[int] = []

    def speaking_for(self, path: str) -> list[DelegatedRole]:
        """Return the delegations that cover the path, first listed first."""
        if not self._asked:
            self._asked = True
            digest = path_digest(path)
            return [role for role in self._roles if speaks_for(role, path, digest)]
        if self._top is None:
            self._top = self._index()
        nodes = [self._top]
        for part in path.split("/"):
            nodes = nodes[0].following(part) if len(nodes) == 1 else [node for parent in nodes for node in parent.following(part)]
        found = {ordinal for node in nodes for ordinal in node.here}
        if self._lengths:
            digest = path_digest(path)
            for length in self._lengths:
                found.update(self._prefixes.get(digest[:length], ()))
        return [self._roles[ordinal] for ordinal in sorted(found)]

    def _index(self) -> _Node:
        top = _Node()
        for ordinal, role in enumerate(self._roles):
            for pattern in role.paths or ():
                node = top
                for part in pattern.split("/"):
                    node = node.child(part)
                node.here.append(ordinal)
            for prefix in role.path_hash_prefixes or ():
                self._prefixes.setdefault(prefix, []).append(ordinal)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        return top
