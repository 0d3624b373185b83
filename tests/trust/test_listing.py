"""`find` and `targets` on random delegation graphs: both say what the specification's search says (5.6.7)."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tuffet.metadata import DelegatedRole, Delegations, TargetFile, hashes_of
from tuffet.metadata.paths import path_digest, speaks_for
from tuffet.names import TARGETS
from tuffet.testing import FakeRepository
from tuffet.trust.delegations import Search
from tuffet.trust.workflow import refresh

PATHS = ("x", "y", "xy", "d/x")
PATTERNS = (("*",), ("*", "*/*"), ("x*",), ("?",), ("d/*",), ("y", "d/x"), ())


class Edge(NamedTuple):
    """One delegation: who to whom, for which paths, and whether it ends the search."""

    by: str
    name: str
    paths: tuple[str, ...]
    terminating: bool


Listing = dict[str, set[str]]
REPO = FakeRepository(expiry_days={"timestamp": 9})


def searched(edges: Sequence[Edge], listing: Listing) -> tuple[dict[str, str | None], dict[str, str]]:
    """Return what `find` says of every path, and what `targets` lists, as path to role."""
    repo = REPO.fork()
    (signer,) = repo.steal(TARGETS)
    names = sorted({TARGETS, *(edge.name for edge in edges)})
    for name in names:
        roles = tuple(
            DelegatedRole(name=edge.name, keyids=(signer.keyid,), threshold=1, terminating=edge.terminating, paths=edge.paths)
            for edge in edges
            if edge.by == name
        )
        files = {path: TargetFile(hashes=hashes_of(name.encode()), length=len(name)) for path in sorted(listing.get(name, ()))}
        payload = replace(REPO.roles[TARGETS], targets=files)
        repo.signers[name] = [signer]
        repo.roles[name] = replace(payload, delegations=Delegations(keys={signer.keyid: signer.key}, roles=roles)) if roles else payload
    repo.renew(*names)
    driver = repo.driver()
    trusted = driver.run(refresh(repo.root_bytes(), repo.clock()))
    found = {path: driver.run(Search(trusted).find(path)) for path in PATHS}
    listed = driver.run(Search(trusted).targets())
    assert len({each.path for each in listed}) == len(listed)
    return {path: each.role if each else None for path, each in found.items()}, {each.path: each.role for each in listed}


def specified(edges: Sequence[Edge], listing: Listing, path: str) -> str | None:
    """Return the role that the search of the specification ends at, in its own words and with recursion (5.6.7)."""
    visited: set[str] = set()

    def search(role: str) -> tuple[str | None, bool]:
        if role in visited:
            return None, False
        visited.add(role)
        if path in listing.get(role, ()):
            return role, True
        for edge in edges:
            delegated = DelegatedRole(name=edge.name, keyids=(), threshold=1, terminating=edge.terminating, paths=edge.paths)
            if edge.by == role and speaks_for(delegated, path, path_digest(path)):
                found, over = search(edge.name)
                if over or edge.terminating:
                    return found, True
        return None, False

    return search(TARGETS)[0]


names = st.sampled_from("abcd")
edges_ = st.lists(
    st.builds(Edge, st.sampled_from([TARGETS, TARGETS, "a", "b", "c", "d"]), names, st.sampled_from(PATTERNS), st.booleans()),
    max_size=9,
    unique_by=lambda edge: (edge.by, edge.name),
)
listings = st.dictionaries(st.sampled_from([TARGETS, "a", "b", "c", "d"]), st.sets(st.sampled_from(PATHS)), max_size=5)

ALL = ("*", "*/*")


@given(edges_, listings)
@example([Edge(TARGETS, "a", ALL, terminating=False), Edge(TARGETS, "c", ALL, terminating=False), Edge("a", "b", ALL, terminating=False),
          Edge("b", "a", ALL, terminating=True)], {"c": {"x"}})  # fmt: skip
@settings(max_examples=400, derandomize=True, deadline=None)
def test_listing_and_finding_agree(edges: list[Edge], listing: Listing) -> None:
    """The search MUST be pre-order and depth-first, skip what it visited, and end with a terminating delegation (5.6.7).

    What `targets` lists is exactly what `find` finds, for every path, in every role of the graph (B082, B101).
    """
    found, listed = searched(edges, listing)
    assert found == {path: specified(edges, listing, path) for path in PATHS}
    assert listed == {path: role for path, role in found.items() if role}
