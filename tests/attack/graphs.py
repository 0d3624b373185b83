"""Delegation graphs of any size, published at once, as the owner of one delegated role might plan them."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from tuffet.metadata import DelegatedRole, Delegations, SuccinctRoles, TargetFile, Targets, hashes_of
from tuffet.names import TARGETS, metadata_file
from tuffet.testing import FakeRepository

FILE = TargetFile(hashes=hashes_of(b"file"), length=4)


class Edge:
    """A delegation to a role: by which patterns, and whether it ends the search."""

    def __init__(self, name: str, *paths: str, terminating: bool = False) -> None:
        self.name, self.paths, self.terminating = name, paths or ("*",), terminating


def plant(
    repo: FakeRepository, graph: Mapping[str, Sequence[Edge] | SuccinctRoles], files: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Publish version 1 of every role in the graph, all by one new key, and then what names them.

    `files` lists the targets of a role. Roles that no entry describes delegate to nobody.
    """
    (signer,) = repo.new_signers(1)
    files = files or {}
    names = dict.fromkeys([*graph, *(edge.name for edges in graph.values() if not isinstance(edges, SuccinctRoles) for edge in edges)])
    names.pop(TARGETS, None)

    def delegations(name: str) -> Delegations | None:
        edges = graph.get(name, ())
        keys = {signer.keyid: signer.key}
        if isinstance(edges, SuccinctRoles):
            return Delegations(keys=keys, succinct_roles=edges)
        roles = tuple(
            DelegatedRole(keyids=(signer.keyid,), threshold=1, name=edge.name, terminating=edge.terminating, paths=edge.paths)
            for edge in edges
        )
        return Delegations(keys=keys, roles=roles) if roles else None

    leaf: tuple[Targets, bytes] | None = None
    for name in names:
        listed = dict.fromkeys(files.get(name, ()), FILE)
        payload = Targets(
            expires="2031-01-01T00:00:00Z", spec_version="1.0", version=1, targets=listed, delegations=delegations(name) or UNSET
        )
        if leaf is None or payload != leaf[0]:
            leaf = payload, repo.sign(payload, name, [signer])
        repo.roles[name], repo.signers[name] = payload, [signer]
        repo.serve(metadata_file(name, 1), leaf[1])
    targets = {**repo.roles[TARGETS].targets, **dict.fromkeys(files.get(TARGETS, ()), FILE)}
    repo.change(TARGETS, targets=targets, delegations=delegations(TARGETS) or UNSET)
