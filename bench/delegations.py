"""P20: which of ten thousand delegations speak for a path. Both must name the same roles in the same order."""

import json
from collections.abc import Iterator

from bench import samples
from bench.harness import Compared, Goal, Machine, Row, alternate, timed
from bench.peer import Metadata
from bench.peer import Targets as PeerTargets
from tuffet.metadata import TUF_JSON, Targets
from tuffet.metadata.paths import Delegates

COUNT = 10_000
PATH = "packages/project-4321/release-1.0.tar.gz"
USUAL = [f"packages/project-{number}/*" for number in range(COUNT)]
HOSTILE = {
    "every pattern begins with a wildcard": ([f"*x{number}" for number in range(COUNT)], "abcx123"),
    "every pattern matches": (["*/*"] * COUNT, "some/path"),
}


def cold(machine: Machine) -> Iterator[Row]:
    """P20: the first question of a process; what is measured is the answer to it, not the start."""
    file = _file(USUAL)
    place = machine.directory / "delegating.json"
    place.write_bytes(file)

    def contender(program: str) -> float:
        seconds, names = json.loads(machine.run(program, place, PATH)[1])
        assert names == ["role-4321"]
        return float(seconds)

    theirs, ours = alternate(lambda: contender("lookup_tuf.py"), lambda: contender("lookup_tuffet.py"))
    yield Compared("P20", f"{COUNT:,} delegations, first question", theirs, ours, Goal(0.05))


def warm() -> Iterator[Row]:
    """P20: any later question."""
    yield _compare("later questions", USUAL, PATH, Goal(1 / 5000), number=1000)


def hostile() -> Iterator[Row]:
    """P20: patterns that leave an index nothing to hold on to."""
    for subject, (patterns, path) in HOSTILE.items():
        yield _compare(subject, patterns, path, Goal(0.15), number=1)


def _compare(subject: str, patterns: list[str], path: str, goal: Goal, number: int) -> Row:
    file = _file(patterns)
    peer = Metadata[PeerTargets].from_bytes(file).signed.delegations
    delegations = TUF_JSON.parse(file, Targets).payload.delegations
    assert peer is not None
    assert delegations
    delegates = Delegates(delegations.roles or ())

    def theirs() -> list[str]:
        return [name for name, _ in peer.get_roles_for_target(path)]

    def ours() -> list[str]:
        return [role.name for role in delegates.speaking_for(path)]

    answer = theirs()
    assert answer == ours() == ours() == ours()  # By the scan, by a new index, and by that index.
    return Compared("P20", f"{COUNT:,} delegations, {subject}", *alternate(timed(theirs), timed(ours, number)), goal)


def _file(patterns: list[str]) -> bytes:
    key = samples.signer("delegate").public_key
    return samples.sealed(samples.delegating(patterns, key), samples.signer("targets"))
